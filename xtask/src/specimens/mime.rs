//! MIME as senders write it: charsets, transfer encodings (RFC 2045 section 6), encoded words (RFC 2047), multiparts.

use anyhow::{Context, Result, bail, ensure};

/// A part of a message: its fields, and its body as it is sent.
pub(super) struct Part {
    pub(super) fields: String,
    pub(super) body: Vec<u8>,
}

impl Part {
    /// A text in a charset and a transfer encoding.
    pub(super) fn text(kind: &str, text: &str, charset: &str, encoding: &str) -> Result<Part> {
        // ISO-2022-JP is a charset of seven bits, and is sent as it is (RFC 1468).
        let encoding = if charset == "iso-2022-jp" {
            "7bit"
        } else {
            encoding
        };
        let bytes = encoded(text, charset)?;
        let body = transfer(&bytes, encoding)?;
        let fields = format!(
            "Content-Type: {kind}; charset={charset}\r\nContent-Transfer-Encoding: {encoding}\r\n"
        );
        Ok(Part { fields, body })
    }

    /// A file in base64.
    pub(super) fn file(kind: &str, disposition: &str, bytes: &[u8]) -> Result<Part> {
        let fields = format!(
            "Content-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n{disposition}\r\n"
        );
        Ok(Part {
            fields,
            body: transfer(bytes, "base64")?,
        })
    }

    /// Parts in one another.
    pub(super) fn multipart(subtype: &str, boundary: &str, parts: &[Part]) -> Part {
        let mut body = Vec::new();
        for part in parts {
            body.extend_from_slice(format!("--{boundary}\r\n{}\r\n", part.fields).as_bytes());
            body.extend_from_slice(&part.body);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        let fields = format!("Content-Type: multipart/{subtype};\r\n\tboundary=\"{boundary}\"\r\n");
        Part { fields, body }
    }
}

/// Text in a charset; what the charset lacks is an error of the one who wrote the text.
pub(super) fn encoded(text: &str, charset: &str) -> Result<Vec<u8>> {
    if charset == "iso-8859-1" {
        let byte = |it: char| u8::try_from(u32::from(it)).with_context(|| format!("{it:?}"));
        let bytes = text.chars().map(byte).collect::<Result<_>>();
        return bytes.context("not in ISO-8859-1");
    }
    let encoding = encoding_rs::Encoding::for_label(charset.as_bytes());
    let encoding = encoding.with_context(|| format!("no charset {charset}"))?;
    let (bytes, _, unmappable) = encoding.encode(text);
    if unmappable {
        let lacks = |it: &char| encoding.encode(&it.to_string()).2;
        let letter = text.chars().find(lacks);
        bail!("{charset} has no {:?}", letter.unwrap_or_default());
    }
    Ok(bytes.into_owned())
}

fn transfer(bytes: &[u8], encoding: &str) -> Result<Vec<u8>> {
    Ok(match encoding {
        "7bit" | "8bit" => {
            let limit = if encoding == "7bit" { 127 } else { 255 };
            ensure!(bytes.iter().all(|it| *it <= limit), "not of 7 bits");
            let lines = bytes.split(|it| *it == b'\n');
            lines.collect::<Vec<_>>().join(&b"\r\n"[..])
        }
        "quoted-printable" => quoted_printable(bytes),
        "base64" => {
            let mut body = Vec::new();
            for line in base64(bytes).as_bytes().chunks(76) {
                body.extend_from_slice(line);
                body.extend_from_slice(b"\r\n");
            }
            body
        }
        other => bail!("no transfer encoding {other}"),
    })
}

fn quoted_printable(bytes: &[u8]) -> Vec<u8> {
    let mut body = Vec::with_capacity(bytes.len() * 2);
    for line in bytes.split(|it| *it == b'\n') {
        let mut width = 0;
        for (at, byte) in line.iter().enumerate() {
            let is_last = at + 1 == line.len();
            let is_plain = matches!(byte, b'!'..=b'<' | b'>'..=b'~') || (*byte == b' ' && !is_last);
            let written = if is_plain {
                vec![*byte]
            } else {
                format!("={byte:02X}").into_bytes()
            };
            if width + written.len() > 75 {
                body.extend_from_slice(b"=\r\n");
                width = 0;
            }
            width += written.len();
            body.extend(written);
        }
        body.extend_from_slice(b"\r\n");
    }
    body
}

/// RFC 4648 section 4, in one line.
pub(super) fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let byte = |at: usize| u32::from(three.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let six = (bits >> (18 - 6 * place) & 63) as usize;
            let letter = ALPHABET.get(six).filter(|_| place <= three.len());
            text.push(char::from(*letter.unwrap_or(&b'=')));
        }
    }
    text
}

/// Unstructured text or a phrase for a header field: as it is, or in encoded words of at most 75 letters each.
pub(super) fn words(text: &str, charset: &str) -> Result<String> {
    if text.is_ascii() {
        return Ok(text.to_owned());
    }
    let mut words = Vec::new();
    let mut chunk = String::new();
    for letter in text.chars() {
        let mut longer = chunk.clone();
        longer.push(letter);
        if encoded(&longer, charset)?.len() > 39 {
            words.push(encoded(&chunk, charset)?);
            chunk = letter.to_string();
        } else {
            chunk = longer;
        }
    }
    words.push(encoded(&chunk, charset)?);
    let words: Vec<String> = words
        .iter()
        .map(|it| format!("=?{charset}?B?{}?=", base64(it)))
        .collect();
    Ok(words.join("\r\n "))
}

/// A display name and an address.
pub(super) fn mailbox(name: &str, address: &str, charset: &str) -> Result<String> {
    let is_plain = |it: char| it.is_ascii_alphanumeric() || " !#$%&'*+-/=?^_`{|}~".contains(it);
    Ok(if !name.is_ascii() {
        format!("{} <{address}>", words(name, charset)?)
    } else if name.chars().all(is_plain) {
        format!("{name} <{address}>")
    } else {
        format!("\"{name}\" <{address}>")
    })
}

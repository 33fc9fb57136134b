//! Transfer encodings (RFC 2045 section 6) and charsets, read as clients read them: what does not belong is passed over,
//! so that a stray character cannot hide a content that the recipient's client will show.

use std::borrow::Cow;

use bytes::Bytes;
use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::charsets::map::charset_decoder;

use super::Encoding;

/// The whole content. Shares `raw` where nothing is encoded.
pub(super) fn content(raw: &Bytes, encoding: Encoding) -> Bytes {
    match encoding {
        Encoding::Identity => raw.clone(),
        Encoding::Base64 => Bytes::from(base64(raw)),
        Encoding::QuotedPrintable => Bytes::from(quoted_printable(raw)),
    }
}

/// The first `bytes_max` bytes of the content.
pub(super) fn head(raw: &Bytes, encoding: Encoding, bytes_max: usize) -> Bytes {
    // Four characters for three bytes and a line end for each 76 come to less than double; a quoted byte takes three.
    let taken = match encoding {
        Encoding::Identity => bytes_max,
        Encoding::Base64 => bytes_max.saturating_mul(2).saturating_add(8),
        Encoding::QuotedPrintable => bytes_max.saturating_mul(3).saturating_add(8),
    };
    let mut head = content(&raw.slice(..raw.len().min(taken)), encoding);
    head.truncate(bytes_max);
    head
}

/// Base64 (RFC 2045 section 6.8): characters outside of its alphabet are ignored.
fn base64(raw: &[u8]) -> Vec<u8> {
    base64_decode(raw)
        .or_else(|| {
            let kept: Vec<u8> = raw
                .iter()
                .copied()
                .filter(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))
                .collect();
            base64_decode(&kept)
        })
        .unwrap_or_default()
}

/// Quoted-printable (RFC 2045 section 6.7): an `=` that begins no valid sequence stands for itself. Our own, since
/// mail-parser's gives up on the whole text at the first such sign.
fn quoted_printable(raw: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(raw.len());
    for line in raw.split_inclusive(|byte| *byte == b'\n') {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        let line_end = line.get(text.len()..).unwrap_or_default();
        // Blanks at the end of a line were added in transport (rule 3).
        let text = if line_end.is_empty() {
            text
        } else {
            text.trim_ascii_end()
        };
        match text.strip_suffix(b"=") {
            Some(text) => quoted_text(text, &mut decoded),
            None => {
                quoted_text(text, &mut decoded);
                decoded.extend_from_slice(line_end);
            }
        }
    }
    decoded
}

fn quoted_text(text: &[u8], decoded: &mut Vec<u8>) {
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'=', rest) {
        let (plain, sequence) = rest.split_at(at);
        decoded.extend_from_slice(plain);
        if let [_, high, low, tail @ ..] = sequence
            && let (Some(high), Some(low)) = (hex(*high), hex(*low))
        {
            decoded.push(high << 4 | low);
            rest = tail;
        } else {
            decoded.push(b'=');
            rest = sequence.get(1..).unwrap_or_default();
        }
    }
    decoded.extend_from_slice(rest);
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

/// `content` in `charset`; in UTF-8 where that is unknown or not given.
pub(super) fn text<'a>(content: &'a [u8], charset: Option<&str>) -> Cow<'a, str> {
    let Some(charset) = charset.filter(|charset| !charset.eq_ignore_ascii_case("utf-8")) else {
        return String::from_utf8_lossy(content);
    };
    if content.is_ascii() && !is_stateful(charset) {
        return String::from_utf8_lossy(content);
    }
    match charset_decoder(charset.as_bytes()) {
        Some(decoder) => Cow::Owned(decoder(content)),
        None => String::from_utf8_lossy(content),
    }
}

/// Whether ASCII bytes may mean other than ASCII characters in `charset`: ISO-2022, HZ, UTF-7 and UTF-16.
fn is_stateful(charset: &str) -> bool {
    let charset = charset.to_ascii_lowercase();
    ["2022", "hz", "utf-7", "utf7", "utf-16", "utf16", "utf_16"]
        .iter()
        .any(|name| charset.contains(name))
}

#[cfg(test)]
mod tests;

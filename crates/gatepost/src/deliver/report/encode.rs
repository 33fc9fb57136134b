//! Encodings of a report: quoted-printable and base64 (RFC 2045 6.7, 6.8), encoded-words (RFC 2047), folded and sanitised
//! fields of message/delivery-status (RFC 3464 2.1.2).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use smtp::Mailbox;

/// Characters of a line, its CRLF not counted (RFC 5322 2.1.1, RFC 2045 6.7).
pub(super) const LINE_COLUMNS: usize = 76;

/// Bytes of a diagnostic that are passed on: what a server may say in a dozen lines (RFC 5321 4.5.3.1.5).
const DIAGNOSTIC_BYTES_MAX: usize = 4096;

/// Quoted-printable of a text whose lines end with CRLF. Anything else of control becomes `=XX`.
pub(super) fn quoted_printable(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + text.len() / 8);
    let mut column = 0;
    let mut rest = text;
    while let Some((&byte, behind)) = rest.split_first() {
        if rest.starts_with(b"\r\n") {
            out.extend(b"\r\n");
            column = 0;
            rest = rest.get(2..).unwrap_or_default();
            continue;
        }
        // A blank at the end of a line would be lost, a dot alone on a line is best not there at all.
        let last = behind.is_empty() || behind.starts_with(b"\r\n");
        let plain = match byte {
            b' ' | b'\t' => !last,
            b'=' => false,
            b'.' => column > 0,
            byte => byte.is_ascii_graphic(),
        };
        let width = if plain { 1 } else { 3 };
        // One column is kept for the `=` of a soft line break.
        if column + width > LINE_COLUMNS - 1 {
            out.extend(b"=\r\n");
            column = 0;
        }
        if plain {
            out.push(byte);
        } else {
            out.extend(format!("={byte:02X}").into_bytes());
        }
        column += width;
        rest = behind;
    }
    out
}

/// Base64 in lines of 76 characters, each ended by CRLF.
pub fn base64_lines(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() * 4 / 3 + bytes.len() / 32 + 4);
    // 57 bytes are 76 characters.
    for line in bytes.chunks(57) {
        out.extend(STANDARD.encode(line).into_bytes());
        out.extend(b"\r\n");
    }
    out
}

/// A phrase or an unstructured value: as it is if ASCII, else as encoded-words of at most 75 characters, folded between.
pub(super) fn phrase(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let mut words = Vec::new();
    let mut word = String::new();
    for c in text.chars() {
        // 42 bytes are 56 characters of base64; with `=?UTF-8?B?` and `?=` that is 68.
        if word.len() + c.len_utf8() > 42 {
            words.push(std::mem::take(&mut word));
        }
        word.push(c);
    }
    words.push(word);
    let encoded = words
        .iter()
        .map(|word| format!("=?UTF-8?B?{}?=", STANDARD.encode(word)));
    encoded.collect::<Vec<_>>().join("\r\n\t")
}

/// A mailbox as a header field of a report has it. Its domain is ASCII if its local-part is, so that no other part of a
/// report needs SMTPUTF8 for it.
pub(super) fn mailbox(mailbox: &Mailbox) -> String {
    if mailbox.local_part.as_str().is_ascii() {
        return format!("{}@{}", mailbox.local_part, mailbox.domain.ascii());
    }
    mailbox.to_string()
}

/// Text of a peer as printable ASCII in one line, with `?` for what is not; cut where it is too long.
pub(super) fn sanitised(text: &str) -> String {
    let cut = text.get(..text.floor_char_boundary(DIAGNOSTIC_BYTES_MAX));
    let cut = cut.unwrap_or_default();
    let mut out = String::with_capacity(cut.len());
    for c in cut.chars() {
        match c {
            '\r' | '\n' | '\t' | ' ' if out.ends_with(' ') => {}
            '\r' | '\n' | '\t' | ' ' => out.push(' '),
            '!'..='~' => out.push(c),
            _ => out.push('?'),
        }
    }
    if cut.len() < text.len() {
        out.push_str(" [...]");
    }
    out.trim().to_owned()
}

/// Lines of at most `columns` characters, broken at blanks; a word that is longer is cut.
pub(super) fn wrapped(text: &str, columns: usize) -> Vec<String> {
    filled(text, columns, columns)
}

/// Lines filled up to `columns` characters; a longer word has a line of its own, and is cut at `word_max` characters.
fn filled(text: &str, columns: usize, word_max: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut width = 0;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let mut rest = word;
        while !rest.is_empty() {
            let cut = rest
                .char_indices()
                .nth(word_max)
                .map_or(rest.len(), |(at, _)| at);
            let (piece, behind) = rest.split_at(cut);
            let piece_width = piece.chars().count();
            match lines.last_mut() {
                // A piece that was cut goes on without a blank.
                Some(line) if rest.len() == word.len() && width + 1 + piece_width <= columns => {
                    line.push(' ');
                    line.push_str(piece);
                    width += 1 + piece_width;
                }
                _ => {
                    lines.push(piece.to_owned());
                    width = piece_width;
                }
            }
            rest = behind;
        }
    }
    lines
}

/// Characters at which a word of a field is cut: a folded line stays below the 998 of RFC 5322 2.1.1.
const WORD_MAX: usize = 900;

/// A field of message/delivery-status, folded at blanks, ended by CRLF. `value` is one line; an address is never broken. What is
/// left of the blank begins the next line, so that unfolding (RFC 5322 2.2.3) gives the value back.
pub(super) fn field(name: &str, value: &str) -> String {
    let lines = filled(value, LINE_COLUMNS - 2 - name.len(), WORD_MAX);
    format!("{name}: {}\r\n", lines.join("\r\n "))
}

/// Base64 in one line.
pub(crate) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

//! xtext (RFC 3461 4), the escaping of DSN and AUTH parameters, and utf-8-addr-xtext (RFC 6533 3).
//!
//! Which parameter uses which is in `parameters`.

use std::fmt::Write as _;

#[cfg(test)]
mod tests;

/// Decodes xtext to printable ASCII.
///
/// `None` if an escape is malformed or a character stands bare that must not, or if something is
/// escaped that is not printable ASCII: a line end smuggled this way would reappear in reports
/// and logs (RFC 3461 4.4 permits printable characters alone).
pub fn decode(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => {
                let digits = [bytes.next()?, bytes.next()?];
                let value = hex(digits[0])? << 4 | hex(digits[1])?;
                out.push(matches!(value, b' '..=b'~').then_some(char::from(value))?);
            }
            b'!'..=b'~' if byte != b'=' => out.push(char::from(byte)),
            _ => return None,
        }
    }
    Some(out)
}

/// Encodes as xtext. Characters beyond ASCII, which xtext cannot carry, are encoded byte by byte.
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'!'..=b'~' if byte != b'+' && byte != b'=' => out.push(char::from(byte)),
            _ => push_hex(&mut out, byte),
        }
    }
    out
}

/// Decodes utf-8-addr-xtext or utf-8-addr-unitext: `\x{HEX}` for a code point, or UTF-8 as it is.
pub fn decode_utf8_addr(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '\\' => {
                let (digits, after) = rest.strip_prefix("x{")?.split_once('}')?;
                let is_hex = |b| matches!(b, b'0'..=b'9' | b'A'..=b'F');
                if !(2..=6).contains(&digits.len()) || !digits.bytes().all(is_hex) {
                    return None;
                }
                let c = char::from_u32(u32::from_str_radix(digits, 16).ok()?)?;
                out.push((!c.is_control()).then_some(c)?);
                rest = after;
            }
            '+' | '=' => return None,
            c if c.is_ascii() => out.push(c.is_ascii_graphic().then_some(c)?),
            c => out.push((!c.is_control()).then_some(c)?),
        }
    }
    Some(out)
}

/// Encodes as utf-8-addr-xtext: ASCII only, fit for any server with DSN.
pub fn encode_utf8_addr(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '!'..='~' if !matches!(c, '+' | '=' | '\\') => out.push(c),
            _ => {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\x{{{:02X}}}", u32::from(c));
            }
        }
    }
    out
}

/// RFC 3461 4: hexchar is upper-case. Lower-case is tolerated from senders that get it wrong.
fn hex(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

fn push_hex(out: &mut String, byte: u8) {
    // Writing to a String cannot fail.
    let _ = write!(out, "+{byte:02X}");
}

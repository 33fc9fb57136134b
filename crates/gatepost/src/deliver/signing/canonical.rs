//! The relaxed canonical form of header fields and body (RFC 6376 3.4.2, 3.4.4).

use ring::digest::{Context, SHA256};

/// A header field as it stands in a message.
pub(super) struct Field<'a> {
    pub(super) name: &'a [u8],
    /// With its name, folding and CRLF.
    pub(super) whole: &'a [u8],
}

/// The fields of a header section, in order; lines that belong to none are passed over.
pub(super) fn fields(header_section: &[u8]) -> Vec<Field<'_>> {
    let mut fields = Vec::with_capacity(32);
    let mut rest = header_section;
    while !rest.is_empty() {
        let mut end = line_end(rest, 0);
        while matches!(rest.get(end), Some(b' ' | b'\t')) {
            end = line_end(rest, end);
        }
        let (whole, behind) = rest.split_at(end);
        rest = behind;
        if let Some(colon) = memchr::memchr(b':', whole) {
            let name = whole.get(..colon).unwrap_or_default().trim_ascii_end();
            if !name.is_empty() && name.iter().all(u8::is_ascii_graphic) {
                fields.push(Field { name, whole });
            }
        }
    }
    fields
}

fn line_end(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    memchr::memmem::find(rest, b"\r\n").map_or(bytes.len(), |at| from + at + 2)
}

/// Appends one field: its name in lower case, unfolded, blanks drawn together, ended by CRLF.
pub(super) fn field(whole: &[u8], out: &mut Vec<u8>) {
    let colon = memchr::memchr(b':', whole).unwrap_or(whole.len());
    let (name, value) = whole.split_at(colon);
    out.extend(name.trim_ascii_end().to_ascii_lowercase());
    out.push(b':');
    let start = out.len();
    let mut blank = false;
    for &byte in value.get(1..).unwrap_or_default() {
        match byte {
            b' ' | b'\t' => blank = true,
            // Only line ends of folding are left here.
            b'\r' | b'\n' => {}
            byte => {
                if blank && out.len() > start {
                    out.push(b' ');
                }
                blank = false;
                out.push(byte);
            }
        }
    }
    out.extend(b"\r\n");
}

/// SHA-256 of the body: blanks drawn together and left out at line ends, without the empty lines at its end.
pub(super) fn body_hash(body: &[u8]) -> Vec<u8> {
    let mut context = Context::new(&SHA256);
    let mut empty_lines = 0_usize;
    let mut line = Vec::with_capacity(1024);
    let mut rest = body;
    while !rest.is_empty() {
        let end = memchr::memmem::find(rest, b"\r\n").unwrap_or(rest.len());
        let (raw, behind) = rest.split_at(end);
        rest = behind.get(2..).unwrap_or_default();
        line.clear();
        let mut blank = false;
        for &byte in raw {
            if matches!(byte, b' ' | b'\t') {
                blank = true;
                continue;
            }
            if blank {
                line.push(b' ');
                blank = false;
            }
            line.push(byte);
        }
        if line.is_empty() {
            empty_lines += 1;
            continue;
        }
        for _ in 0..std::mem::take(&mut empty_lines) {
            context.update(b"\r\n");
        }
        line.extend(b"\r\n");
        context.update(&line);
    }
    context.finish().as_ref().to_vec()
}

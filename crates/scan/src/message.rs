//! One message as it came: an immutable buffer, its header section (RFC 5322 section 2.1) and, on demand, its MIME view.
//!
//! Nothing here fails: what is not a header field is passed over, and the bytes are never changed. Lines end in CRLF as
//! the SMTP session guarantees; a bare LF is understood too, so that files from a disk can be examined.

use std::ops::Range;
use std::sync::OnceLock;

use bytes::Bytes;

use crate::content::reading::Reading;
use crate::view::View;

/// One immutable message. Clones of its bytes are cheap and share the buffer.
#[derive(Debug)]
pub struct Message {
    bytes: Bytes,
    header_bytes: usize,
    body_start: usize,
    view: OnceLock<View>,
    reading: OnceLock<Reading>,
}

/// One header field of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderField<'a> {
    /// The field name as written, without the blanks that obsolete syntax allows before the colon (RFC 5322 section 4.5).
    pub name: &'a str,
    /// The field body with its folding, without the final line end.
    pub body: &'a [u8],
    /// Where the whole field, its line end included, stands in the message.
    pub range: Range<usize>,
}

impl Message {
    /// A message of these bytes: header section, empty line, body.
    pub fn new(bytes: Bytes) -> Message {
        let (header_bytes, body_start) = divide(&bytes);
        Message {
            bytes,
            header_bytes,
            body_start,
            view: OnceLock::new(),
            reading: OnceLock::new(),
        }
    }

    /// The whole message.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The header fields with their line ends, without the empty line that follows them.
    pub fn header_section(&self) -> &[u8] {
        self.bytes.get(..self.header_bytes).unwrap_or_default()
    }

    /// What follows the empty line.
    pub fn body(&self) -> &[u8] {
        self.bytes.get(self.body_start..).unwrap_or_default()
    }

    /// The MIME view, made once, when first asked for, and shared by all engines.
    pub fn view(&self) -> &View {
        self.view.get_or_init(|| View::parse(&self.bytes))
    }

    /// What a human sees of it, made once, when first asked for, and shared by all that judge content.
    pub fn reading(&self) -> &Reading {
        self.reading.get_or_init(|| Reading::of(self))
    }

    /// The header fields in order. Lines that are not part of a field are passed over.
    pub fn header_fields(&self) -> impl Iterator<Item = HeaderField<'_>> {
        HeaderFields {
            section: self.header_section(),
            position: 0,
        }
    }
}

/// The length of the header section and the start of the body.
fn divide(bytes: &[u8]) -> (usize, usize) {
    let mut position = 0;
    while position < bytes.len() {
        let next = line_end(bytes, position);
        if trim_line_end(bytes.get(position..next).unwrap_or_default()).is_empty() {
            return (position, next);
        }
        position = next;
    }
    (bytes.len(), bytes.len())
}

/// The position after the line that begins at `start`.
fn line_end(bytes: &[u8], start: usize) -> usize {
    let rest = bytes.get(start..).unwrap_or_default();
    memchr::memchr(b'\n', rest).map_or(bytes.len(), |at| start + at + 1)
}

fn trim_line_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

struct HeaderFields<'a> {
    section: &'a [u8],
    position: usize,
}

impl<'a> Iterator for HeaderFields<'a> {
    type Item = HeaderField<'a>;

    fn next(&mut self) -> Option<HeaderField<'a>> {
        while self.position < self.section.len() {
            let start = self.position;
            let mut end = line_end(self.section, start);
            while matches!(self.section.get(end), Some(b' ' | b'\t')) {
                end = line_end(self.section, end);
            }
            self.position = end;
            if let Some(field) = field(self.section, start..end) {
                return Some(field);
            }
        }
        None
    }
}

/// The field in `range`, if it has a name of printable US-ASCII (RFC 5322 section 3.6.8) and a colon.
fn field(section: &[u8], range: Range<usize>) -> Option<HeaderField<'_>> {
    let line = section.get(range.clone())?;
    let colon = memchr::memchr(b':', line)?;
    let name = line.get(..colon)?.trim_ascii_end();
    if name.is_empty() || !name.iter().all(u8::is_ascii_graphic) {
        return None;
    }
    Some(HeaderField {
        name: str::from_utf8(name).ok()?,
        body: trim_line_end(line.get(colon + 1..)?),
        range,
    })
}

#[cfg(test)]
mod tests;

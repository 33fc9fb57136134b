//! Edits on a message: what goes before it and which bytes of it are left out. The message stays where it is.
//!
//! A line ends with CRLF and nothing else here, as everywhere behind the session (RFC 5321 2.3.8).

use std::ops::Range;

use bytes::Bytes;

use super::OWN_PREFIX;

/// A message as it goes out: `prepend`, then the message without the ranges in `removed`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edited {
    /// Fields that go before the message, each ended by CRLF.
    pub prepend: Vec<u8>,
    /// Byte ranges of the message that are left out: in order, not overlapping, as [`strip_own`] gives them.
    pub removed: Vec<Range<usize>>,
}

impl Edited {
    /// The ranges of a message of `length` bytes that are kept, in order. For messages that are in a file.
    pub fn kept(&self, length: usize) -> impl Iterator<Item = Range<usize>> {
        let ends = self.removed.iter().map(|range| range.start);
        let starts = self.removed.iter().map(|range| range.end);
        std::iter::once(0)
            .chain(starts)
            .zip(ends.chain(std::iter::once(length)))
            .map(move |(start, end)| start.min(length)..end.min(length))
            .filter(|range| range.start < range.end)
    }

    /// The bytes as they go out, piece by piece.
    pub fn slices<'a>(&'a self, message: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        let prepend = (!self.prepend.is_empty()).then_some(self.prepend.as_slice());
        let kept = self.kept(message.len());
        prepend
            .into_iter()
            .chain(kept.filter_map(|range| message.get(range)))
    }

    /// The same as pieces that share the memory of `message`, for whoever keeps them.
    pub fn pieces(&self, message: &Bytes) -> Vec<Bytes> {
        let prepend = (!self.prepend.is_empty()).then(|| Bytes::copy_from_slice(&self.prepend));
        let kept = self.kept(message.len()).map(|range| message.slice(range));
        prepend.into_iter().chain(kept).collect()
    }

    /// How many bytes go out for a message of `length` bytes: for SIZE and BDAT.
    pub fn length(&self, length: usize) -> usize {
        self.prepend.len() + self.kept(length).map(|range| range.len()).sum::<usize>()
    }
}

/// Where our result fields are in a header section: whoever sends a message can't say what we found. Reads up to the
/// empty line; `message` may go on behind it. Folded lines belong to their field; names are compared without regard to
/// case (RFC 5322 1.2.2), and blanks before the colon are allowed for (RFC 5322 4.5). A folded line that no field goes
/// before is taken as well: behind [`Edited::prepend`] it would go on with the last field of ours.
pub fn strip_own(message: &[u8]) -> Vec<Range<usize>> {
    let mut removed: Vec<Range<usize>> = Vec::new();
    let mut own = true;
    let mut start = 0;
    while let Some(rest) = message.get(start..).filter(|rest| !rest.is_empty()) {
        let length = line_length(rest);
        let line = &rest[..length];
        if line == b"\r\n" {
            break;
        }
        own = match line.first() {
            Some(b' ' | b'\t') => own,
            _ => is_own(line),
        };
        if own {
            match removed.last_mut() {
                Some(last) if last.end == start => last.end += length,
                _ => removed.push(start..start + length),
            }
        }
        start += length;
    }
    removed
}

/// Bytes of the first line, its CRLF included.
fn line_length(bytes: &[u8]) -> usize {
    memchr::memmem::find(bytes, b"\r\n").map_or(bytes.len(), |at| at + 2)
}

/// Whether a line begins one of our fields.
fn is_own(line: &[u8]) -> bool {
    let prefix = OWN_PREFIX.as_bytes();
    let Some((begin, rest)) = line.split_at_checked(prefix.len()) else {
        return false;
    };
    if !begin.eq_ignore_ascii_case(prefix) {
        return false;
    }
    let Some(colon) = memchr::memchr(b':', rest) else {
        return false;
    };
    // Not only the names of RFC 5322 2.2: a lenient reader may take others too.
    rest[..colon]
        .trim_ascii_end()
        .iter()
        .all(|byte| !byte.is_ascii_whitespace() && !byte.is_ascii_control())
}

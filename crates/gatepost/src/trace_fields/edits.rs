//! Edits on a message: what goes before it and which bytes of it are left out. The message stays where it is.
//!
//! A line ends with CRLF and nothing else here, as everywhere behind the session (RFC 5321 2.3.8).

use std::ops::Range;

use bytes::Bytes;

use scan::auth::results::Results;

use super::{OWN_PREFIX, RESULTS_NAME};

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
///
/// Ours are those that begin with [`OWN_PREFIX`], and Authentication-Results that claim to be of `authserv_id` (RFC 8601
/// section 5); others' results stay.
pub fn strip_own(message: &[u8], authserv_id: &str) -> Vec<Range<usize>> {
    let mut removed: Vec<Range<usize>> = Vec::new();
    let mut start = 0;
    while let Some(rest) = message.get(start..).filter(|rest| !rest.is_empty()) {
        let field = field_length(rest);
        if field == 0 {
            break;
        }
        let whole = &rest[..field];
        let orphan = start == 0 && matches!(whole.first(), Some(b' ' | b'\t'));
        if orphan || is_own(whole) || claims_to_be(whole, authserv_id) {
            match removed.last_mut() {
                Some(last) if last.end == start => last.end += field,
                _ => removed.push(start..start + field),
            }
        }
        start += field;
    }
    removed
}

/// Bytes of the first field with its folded lines; 0 at the empty line.
fn field_length(bytes: &[u8]) -> usize {
    let mut length = line_length(bytes);
    if &bytes[..length] == b"\r\n" {
        return 0;
    }
    while let Some(b' ' | b'\t') = bytes.get(length) {
        length += line_length(&bytes[length..]);
    }
    length
}

/// Whether a field is Authentication-Results of this server.
fn claims_to_be(field: &[u8], authserv_id: &str) -> bool {
    let Some((name, body)) = memchr::memchr(b':', field).and_then(|at| field.split_at_checked(at))
    else {
        return false;
    };
    if !name
        .trim_ascii_end()
        .eq_ignore_ascii_case(RESULTS_NAME.as_bytes())
    {
        return false;
    }
    let body = String::from_utf8_lossy(body.get(1..).unwrap_or_default());
    let results = Results::parse(&body);
    // A lenient reader may take a final dot for nothing.
    results.is_some_and(|results| results.authserv_id.trim_end_matches('.') == authserv_id)
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

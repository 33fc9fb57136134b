//! Finds the ends of command lines: CRLF and nothing else (RFC 5321 2.3.8, 4.1.1).
//!
//! A line within one piece of input is borrowed from it; only what is cut is kept, at most
//! `COMMAND_LINE_BYTES_MAX`, and given back when complete.

use std::borrow::Cow;

use memchr::memchr_iter;

use crate::limits::{COMMAND_LINE_BYTES_MAX, ENDLESS_COMMAND_BYTES_MAX};

/// Bytes of a line without its CRLF.
const TEXT_BYTES_MAX: usize = COMMAND_LINE_BYTES_MAX - 2;

#[derive(Debug, Default)]
pub(super) struct LineReader {
    /// The beginning of a line whose end has not come; at most one byte longer than a line may be
    /// without its LF.
    partial: Vec<u8>,
    /// Bytes dropped of a line that is too long, 0 if it is not.
    dropped: u32,
    /// The last byte dropped was a CR.
    dropped_cr: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// All input is used and the line has not ended.
    More,
    /// A line, without CRLF.
    Complete(Cow<'a, [u8]>),
    /// A line has ended that was too long to keep.
    TooLong,
    /// A line that is too long does not even end.
    Endless,
}

impl LineReader {
    /// Whether no line has begun.
    pub(super) fn is_empty(&self) -> bool {
        self.partial.is_empty() && self.dropped == 0
    }

    /// Memory in use, for the tests.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn kept_bytes(&self) -> usize {
        self.partial.len()
    }

    pub(super) fn next<'a>(&mut self, input: &mut &'a [u8]) -> Line<'a> {
        let data = *input;
        if data.is_empty() {
            return Line::More;
        }
        let cr_before = match self.partial.last() {
            Some(last) => *last == b'\r',
            None => self.dropped_cr,
        };
        let Some(end) = line_end(data, cr_before) else {
            *input = &[];
            return self.keep(data);
        };
        let (head, rest) = data.split_at(end);
        *input = rest;
        if self.dropped > 0 {
            return self.ended_too_long(head);
        }
        if self.partial.is_empty() {
            let text = head.strip_suffix(b"\r\n").unwrap_or(head);
            if text.len() > TEXT_BYTES_MAX {
                return self.ended_too_long(head);
            }
            return Line::Complete(Cow::Borrowed(text));
        }
        if self.partial.len() + head.len() > COMMAND_LINE_BYTES_MAX {
            self.dropped = self.partial.len() as u32;
            self.partial = Vec::new();
            return self.ended_too_long(head);
        }
        let mut line = std::mem::take(&mut self.partial);
        line.extend_from_slice(head);
        line.truncate(line.len() - 2);
        Line::Complete(Cow::Owned(line))
    }

    /// Keeps the beginning of a line, or drops it if it is too long.
    fn keep<'a>(&mut self, data: &[u8]) -> Line<'a> {
        // One byte more than the text may be the CR of a line that just fits.
        if self.dropped == 0 && self.partial.len() + data.len() <= TEXT_BYTES_MAX + 1 {
            self.partial.extend_from_slice(data);
            return Line::More;
        }
        let bytes = self.partial.len() + data.len();
        self.partial = Vec::new();
        self.dropped_cr = data.last() == Some(&b'\r');
        if self.drop_bytes(bytes) {
            return Line::Endless;
        }
        Line::More
    }

    fn ended_too_long<'a>(&mut self, head: &[u8]) -> Line<'a> {
        let endless = self.drop_bytes(head.len());
        *self = LineReader::default();
        if endless {
            Line::Endless
        } else {
            Line::TooLong
        }
    }

    /// Whether too much has been dropped.
    fn drop_bytes(&mut self, bytes: usize) -> bool {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.dropped = self.dropped.saturating_add(bytes);
        self.dropped > ENDLESS_COMMAND_BYTES_MAX
    }
}

/// The index behind the first CRLF. The CR may have come before.
fn line_end(data: &[u8], cr_before: bool) -> Option<usize> {
    memchr_iter(b'\n', data)
        .find(|&at| match at.checked_sub(1) {
            Some(before) => data.get(before) == Some(&b'\r'),
            None => cr_before,
        })
        .map(|at| at + 1)
}

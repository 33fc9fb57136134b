//! Replies (RFC 5321 4.2) with enhanced status codes (RFC 2034): the value and how it is written.
//!
//! Reading the replies of a peer is in `reply::parse`. What a reply should say is decided by the
//! sessions and by their callers.

pub(crate) mod parse;

use std::fmt;

use crate::limits::{REPLY_LINE_BYTES_MAX, REPLY_LINES_MAX};
use crate::status::{Class, Status};

#[cfg(test)]
mod tests;

/// A reply: a code, perhaps a status, and text of one or more lines.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reply {
    code: u16,
    status: Option<Status>,
    text: String,
}

impl Reply {
    /// A reply. The text may hold line feeds; each begins a new line of the reply.
    ///
    /// # Panics
    /// If the code is not one of 200 to 599: it would not be a reply (RFC 5321 4.2).
    pub fn new(code: u16, status: impl Into<Option<Status>>, text: impl Into<String>) -> Reply {
        assert!((200..=599).contains(&code), "{code} is not a reply code");
        Reply {
            code,
            status: status.into(),
            text: text.into(),
        }
    }

    /// The three-digit code.
    pub fn code(&self) -> u16 {
        self.code
    }

    /// The enhanced status code.
    pub fn status(&self) -> Option<Status> {
        self.status
    }

    /// The text without codes, its lines separated by line feeds.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text line by line, without codes. An empty text has one empty line.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.text.split('\n')
    }

    /// 2xx or 3xx: the command was accepted.
    pub fn is_positive(&self) -> bool {
        self.code < 400
    }

    /// 4xx: the same command may succeed later.
    pub fn is_transient(&self) -> bool {
        (400..500).contains(&self.code)
    }

    /// 5xx: the same command will fail again.
    pub fn is_permanent(&self) -> bool {
        self.code >= 500
    }

    /// Appends the reply as it goes over the wire, in ASCII: other characters become `?`.
    ///
    /// Code and status stand on every line (RFC 2034 4), no line is longer than
    /// [`REPLY_LINE_BYTES_MAX`] (longer text continues on a line of its own, broken at a blank),
    /// and control characters become blanks, so that no text can forge a line. A status whose
    /// class contradicts the code is left out, as RFC 2034 4 demands.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        write_reply(out, self.code, self.status, &self.text, false);
    }

    /// As [`write_to`](Reply::write_to), but keeps UTF-8: only for a client that has shown by
    /// SMTPUTF8 that it takes it (RFC 6531 3.7.4).
    pub fn write_utf8_to(&self, out: &mut Vec<u8>) {
        write_reply(out, self.code, self.status, &self.text, true);
    }
}

impl fmt::Display for Reply {
    /// On one line: `550 5.7.1 first line second line`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        if let Some(status) = self.status {
            write!(f, " {status}")?;
        }
        for line in self.lines().filter(|line| !line.is_empty()) {
            write!(f, " {line}")?;
        }
        Ok(())
    }
}

/// Writes a reply from its parts: what the server session answers by itself is never allocated.
pub(crate) fn write_reply(
    out: &mut Vec<u8>,
    code: u16,
    status: Option<Status>,
    text: &str,
    utf8: bool,
) {
    let status = status.filter(|status| Class::from_digit(code / 100) == Some(status.class));
    let prefix = 4 + status.map_or(0, |status| status_bytes(status) + 1);
    let room = REPLY_LINE_BYTES_MAX - prefix - 2;
    let mut pieces = text
        .split('\n')
        .flat_map(|line| Pieces {
            rest: Some(line.trim_end_matches('\r')),
            room,
        })
        .take(REPLY_LINES_MAX)
        .peekable();
    while let Some(piece) = pieces.next() {
        let last = pieces.peek().is_none();
        write_line(out, code, last, status, piece, utf8);
    }
}

fn write_line(
    out: &mut Vec<u8>,
    code: u16,
    last: bool,
    status: Option<Status>,
    text: &str,
    utf8: bool,
) {
    push_number(out, code);
    // RFC 5321 4.2.1: the blank of the last line should be sent even if no text follows.
    out.push(if last { b' ' } else { b'-' });
    if let Some(status) = status {
        push_number(out, status.class.digit());
        out.push(b'.');
        push_number(out, status.subject);
        out.push(b'.');
        push_number(out, status.detail);
        if !text.is_empty() {
            out.push(b' ');
        }
    }
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        out.extend_from_slice(text.as_bytes());
    } else {
        out.extend(text.chars().flat_map(|c| clean(c, utf8).bytes()));
    }
    out.extend_from_slice(b"\r\n");
}

/// One character as it may stand in a reply; never longer than it was.
fn clean(c: char, utf8: bool) -> CleanChar {
    let c = match c {
        ' '..='~' => c,
        c if c.is_control() => ' ',
        c if utf8 => c,
        _ => '?',
    };
    let mut buffer = [0; 4];
    let length = c.encode_utf8(&mut buffer).len();
    CleanChar { buffer, length }
}

struct CleanChar {
    buffer: [u8; 4],
    length: usize,
}

impl CleanChar {
    fn bytes(self) -> impl Iterator<Item = u8> {
        self.buffer.into_iter().take(self.length)
    }
}

fn push_number(out: &mut Vec<u8>, number: u16) {
    for divisor in [10_000, 1_000, 100, 10, 1] {
        if divisor == 1 || number >= divisor {
            // A single digit: always fits.
            out.push(b'0' + (number / divisor % 10) as u8);
        }
    }
}

/// The length of a status as text.
fn status_bytes(status: Status) -> usize {
    let digits = |number: u16| 1 + number.checked_ilog10().unwrap_or(0) as usize;
    1 + 1 + digits(status.subject) + 1 + digits(status.detail)
}

/// A line of text in pieces that fit: broken at the last blank within the room, else anywhere.
struct Pieces<'a> {
    rest: Option<&'a str>,
    room: usize,
}

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let rest = self.rest.take()?;
        if rest.len() <= self.room {
            return Some(rest);
        }
        let end = rest.floor_char_boundary(self.room);
        // The blank may stand just behind the piece.
        let within = rest.floor_char_boundary(self.room + 1);
        let (piece, next) = match rest[..within].rfind(' ') {
            Some(blank) if blank > 0 => (&rest[..blank], &rest[blank + 1..]),
            _ => rest.split_at(end),
        };
        self.rest = Some(next);
        Some(piece)
    }
}

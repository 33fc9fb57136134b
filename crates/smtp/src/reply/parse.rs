//! Reading replies (RFC 5321 section 4.2.1) as they arrive, with enhanced status codes (RFC 2034).
//!
//! Liberal where no harm can come of it (a missing text, a bare LF at the end of a line, 8-bit
//! text, controls), strict in the code, and bounded: `limits` says how long a line and how many lines
//! a peer may send. Which reply belongs to which command is the client session's business.

use std::fmt;

use memchr::memchr;

use super::Reply;
use crate::limits::{REPLY_LINE_BYTES_ACCEPTED_MAX, REPLY_LINES_MAX};
use crate::status::{Class, Status};

/// Puts replies together from bytes cut anywhere.
#[derive(Debug, Default)]
pub struct ReplyParser {
    /// The part of a line that has arrived.
    line: Vec<u8>,
    /// The lines of the reply that has begun.
    begun: Option<Begun>,
}

#[derive(Debug)]
struct Begun {
    code: u16,
    status: Option<Status>,
    text: String,
    lines: usize,
}

/// What the peer sent is no reply. There is no way to tell where the next one begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MalformedReply {
    /// A line is longer than [`REPLY_LINE_BYTES_ACCEPTED_MAX`].
    LineTooLong,
    /// A reply has more lines than [`REPLY_LINES_MAX`].
    TooManyLines,
    /// A line does not begin with a code from 200 to 599; how it does begin.
    NoCode(String),
    /// The lines of one reply bear different codes (RFC 5321 section 4.2.1 forbids it).
    CodesDiffer(u16, u16),
}

impl ReplyParser {
    /// A parser at the start of a reply.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The next whole reply; takes from `input` what it uses. `None`: all of `input` is used, and
    /// more is needed.
    ///
    /// # Errors
    /// If the bytes are no reply. The parser then stands somewhere within the garbage.
    pub fn next(&mut self, input: &mut &[u8]) -> Result<Option<Reply>, MalformedReply> {
        while let Some(end) = memchr(b'\n', input) {
            let (piece, rest) = input.split_at(end + 1);
            *input = rest;
            let reply = if self.line.is_empty() {
                self.take_line(piece)?
            } else {
                self.keep(piece)?;
                let line = std::mem::take(&mut self.line);
                self.take_line(&line)?
            };
            if reply.is_some() {
                return Ok(reply);
            }
        }
        let piece = std::mem::take(input);
        self.keep(piece)?;
        Ok(None)
    }

    fn keep(&mut self, piece: &[u8]) -> Result<(), MalformedReply> {
        if self.line.len() + piece.len() > REPLY_LINE_BYTES_ACCEPTED_MAX {
            return Err(MalformedReply::LineTooLong);
        }
        self.line.extend_from_slice(piece);
        Ok(())
    }

    fn take_line(&mut self, line: &[u8]) -> Result<Option<Reply>, MalformedReply> {
        if line.len() > REPLY_LINE_BYTES_ACCEPTED_MAX {
            return Err(MalformedReply::LineTooLong);
        }
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let (code, last, text) = split_line(line)?;
        let text = clean(text);
        match &mut self.begun {
            None => self.begun = Some(Begun::new(code, &text)),
            Some(begun) => begun.add(code, &text)?,
        }
        if !last {
            return Ok(None);
        }
        Ok(self
            .begun
            .take()
            .map(|begun| Reply::new(begun.code, begun.status, begun.text)))
    }
}

impl Begun {
    fn new(code: u16, text: &str) -> Self {
        let (status, text) = split_status(code, text);
        Self {
            code,
            status,
            text: text.to_owned(),
            lines: 1,
        }
    }

    fn add(&mut self, code: u16, text: &str) -> Result<(), MalformedReply> {
        if code != self.code {
            return Err(MalformedReply::CodesDiffer(self.code, code));
        }
        if self.lines == REPLY_LINES_MAX {
            return Err(MalformedReply::TooManyLines);
        }
        self.lines += 1;
        self.text.push('\n');
        // RFC 2034 section 4: the status is repeated on each line.
        match split_status(code, text) {
            (Some(status), rest) if self.status == Some(status) => self.text.push_str(rest),
            _ => self.text.push_str(text),
        }
        Ok(())
    }
}

/// Code, whether this is the last line, text.
fn split_line(line: &[u8]) -> Result<(u16, bool, &[u8]), MalformedReply> {
    let no_code = || {
        let beginning = line.get(..NO_CODE_BYTES_SHOWN).unwrap_or(line);
        MalformedReply::NoCode(clean(beginning))
    };
    let Some((digits @ [b'2'..=b'5', b'0'..=b'9', b'0'..=b'9'], rest)) = line.split_first_chunk()
    else {
        return Err(no_code());
    };
    let code = digits
        .iter()
        .fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
    match rest.split_first() {
        // RFC 5321 section 4.2: the blank may be missing where no text follows.
        None => Ok((code, true, rest)),
        Some((b' ', text)) => Ok((code, true, text)),
        Some((b'-', text)) => Ok((code, false, text)),
        Some(_) => Err(no_code()),
    }
}

/// How much of a line that is no reply is worth showing.
const NO_CODE_BYTES_SHOWN: usize = 60;

/// The status that a text begins with, and the rest. RFC 2034 section 4: its class is that of the
/// code; one of another class is no status but text.
fn split_status(code: u16, text: &str) -> (Option<Status>, &str) {
    let (first, rest) = text.split_once(' ').unwrap_or((text, ""));
    match first.parse::<Status>() {
        Ok(status) if Class::from_digit(code / 100) == Some(status.class) => (Some(status), rest),
        _ => (None, text),
    }
}

/// Text fit for logs and for other replies: whatever the peer sent, no control characters.
fn clean(text: &[u8]) -> String {
    let mut text = String::from_utf8_lossy(text).into_owned();
    if text.contains(char::is_control) {
        text = text.replace('\t', " ").replace(char::is_control, "?");
    }
    text
}

impl fmt::Display for MalformedReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LineTooLong => {
                write!(
                    f,
                    "a line of a reply is over {REPLY_LINE_BYTES_ACCEPTED_MAX} bytes long"
                )
            }
            Self::TooManyLines => write!(f, "a reply has over {REPLY_LINES_MAX} lines"),
            Self::NoCode(line) => write!(f, "not a reply: {line:?}"),
            Self::CodesDiffer(first, other) => {
                write!(f, "one reply bears the codes {first} and {other}")
            }
        }
    }
}

impl std::error::Error for MalformedReply {}

#[cfg(test)]
mod tests;

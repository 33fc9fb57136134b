//! Messages as they lie on a disk: one to a file, or many in an mbox (RFC 4155), read one at a time.
//!
//! A file is an mbox if it begins with `From `. Further messages begin at a line `From ADDRESS DATE` behind an empty one, and
//! `>From ` loses its mark again (the "mboxrd" rules). Files of Unix have LF alone: it becomes CRLF, as it does when such
//! a message is sent. No more of a message is held than `bytes_max`, whatever the file has.

use std::io::{self, BufRead, Read};

/// A line is read in pieces of at most this many bytes.
const PIECE_BYTES_MAX: u64 = 64 * 1024;
/// No line of this many bytes separates messages: it has a path (RFC 5321 4.5.3.1.3: 256 bytes) and a date.
const SEPARATOR_BYTES_MAX: usize = 500;

/// One message of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// Its number in an mbox, from 1; `None` where the file is the message.
    pub number: Option<usize>,
    /// The address in the line `From ADDRESS DATE` of the mbox.
    pub envelope_address: Option<String>,
    /// The message, ended by a line end; empty if it has more than `bytes_max` bytes.
    pub bytes: Vec<u8>,
    /// How many bytes it has, also where they are not kept.
    pub bytes_total: u64,
    /// Whether LF alone ended its lines and became CRLF.
    pub was_unix: bool,
}

/// The messages of one file, in their order. The first error ends them.
#[derive(Debug)]
pub struct Messages<R> {
    reader: R,
    bytes_max: u64,
    /// The line that separates the message that comes next from what was before.
    separator: Option<Vec<u8>>,
    number: Option<usize>,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Begin,
    Within,
    End,
}

impl<R: BufRead> Messages<R> {
    /// The messages in `reader`, of which none is kept that has more than `bytes_max` bytes.
    pub fn new(reader: R, bytes_max: u64) -> Messages<R> {
        Messages {
            reader,
            bytes_max,
            separator: None,
            number: None,
            state: State::Begin,
        }
    }

    /// The next line, or the next piece of a long one, line end included; empty at the end.
    fn piece(&mut self) -> io::Result<Vec<u8>> {
        let mut piece = Vec::new();
        self.reader
            .by_ref()
            .take(PIECE_BYTES_MAX)
            .read_until(b'\n', &mut piece)?;
        Ok(piece)
    }

    fn message(&mut self) -> io::Result<Option<Stored>> {
        let mut first = None;
        if self.state == State::Begin {
            self.state = State::Within;
            let piece = self.piece()?;
            if piece.starts_with(b"From ") {
                self.separator = Some(piece);
            } else {
                first = Some(piece);
            }
        }
        let is_mbox = match self.separator.as_ref() {
            Some(_) => {
                self.number = Some(self.number.unwrap_or(0) + 1);
                true
            }
            None => false,
        };
        let mut message = Growing::new(self.bytes_max);
        message.stored.number = self.number;
        message.stored.envelope_address = self.separator.take().and_then(|line| address_of(&line));
        // An mbox has an empty line behind each message that is no part of it; only what follows tells.
        let mut held: Option<Vec<u8>> = None;
        let mut at_line_start = true;
        loop {
            let piece = match first.take() {
                Some(piece) => piece,
                None => self.piece()?,
            };
            if piece.is_empty() {
                self.state = State::End;
                break;
            }
            let is_line = at_line_start;
            at_line_start = piece.ends_with(b"\n");
            if is_mbox && is_line && (held.is_some() || message.is_empty()) && is_separator(&piece)
            {
                self.separator = Some(piece);
                break;
            }
            if let Some(empty) = held.take() {
                message.append(&empty);
            }
            if is_mbox && is_line && matches!(piece.as_slice(), b"\n" | b"\r\n") {
                held = Some(piece);
            } else {
                message.append(if is_mbox && is_line {
                    unescaped(&piece)
                } else {
                    &piece
                });
            }
        }
        Ok(Some(message.finish()))
    }
}

impl<R: BufRead> Iterator for Messages<R> {
    type Item = io::Result<Stored>;

    fn next(&mut self) -> Option<io::Result<Stored>> {
        if self.state == State::End {
            return None;
        }
        let message = self.message();
        if message.is_err() {
            self.state = State::End;
        }
        message.transpose()
    }
}

/// A message while it is read.
struct Growing {
    stored: Stored,
    bytes_max: u64,
    /// Whether the first line was ended by LF alone; unknown before its end.
    unix: Option<bool>,
    last: Option<u8>,
}

impl Growing {
    fn new(bytes_max: u64) -> Growing {
        Growing {
            stored: Stored::default(),
            bytes_max,
            unix: None,
            last: None,
        }
    }

    fn is_empty(&self) -> bool {
        self.stored.bytes_total == 0
    }

    fn append(&mut self, piece: &[u8]) {
        let bare = match piece {
            [.., b'\r', b'\n'] => false,
            [b'\n'] => self.last != Some(b'\r'),
            [.., b'\n'] => true,
            _ => return self.push(piece),
        };
        // The first line tells what kind of file it is: a bare LF among CRLF is a defect of the message and stays one.
        if *self.unix.get_or_insert(bare) && bare {
            self.stored.was_unix = true;
            self.push(piece.strip_suffix(b"\n").unwrap_or(piece));
            self.push(b"\r\n");
        } else {
            self.push(piece);
        }
    }

    fn push(&mut self, bytes: &[u8]) {
        self.stored.bytes_total += bytes.len() as u64;
        self.last = bytes.last().copied().or(self.last);
        if self.stored.bytes_total <= self.bytes_max {
            self.stored.bytes.extend_from_slice(bytes);
        } else {
            self.stored.bytes = Vec::new();
        }
    }

    fn finish(mut self) -> Stored {
        if !self.is_empty() && self.last != Some(b'\n') {
            // The end of data stands on a line of its own (RFC 5321 4.1.1.4): who sends it ends the last one.
            self.push(if self.last == Some(b'\r') {
                b"\n"
            } else {
                b"\r\n"
            });
        }
        self.stored
    }
}

/// Whether a line behind an empty one begins a message: `From ADDRESS ... HH:MM... YYYY`, as ctime(3) writes it.
fn is_separator(line: &[u8]) -> bool {
    let Some(rest) = line.strip_prefix(b"From ") else {
        return false;
    };
    if line.len() > SEPARATOR_BYTES_MAX || !line.ends_with(b"\n") {
        return false;
    }
    let words = || {
        rest.split(u8::is_ascii_whitespace)
            .filter(|word| !word.is_empty())
    };
    let digits = |word: &[u8]| word.iter().all(u8::is_ascii_digit);
    let is_time = |word: &[u8]| {
        word.len() >= 4
            && word.contains(&b':')
            && word.iter().all(|b| b.is_ascii_digit() || *b == b':')
    };
    let dates = || words().skip(1);
    dates().any(is_time) && dates().any(|word| word.len() == 4 && digits(word))
}

/// The line without the mark that keeps it from being a separator.
fn unescaped(line: &[u8]) -> &[u8] {
    let marks = line.iter().take_while(|b| **b == b'>').count();
    let is_marked = marks > 0
        && line
            .get(marks..)
            .is_some_and(|rest| rest.starts_with(b"From "));
    line.get(usize::from(is_marked)..).unwrap_or_default()
}

/// The address of a separator line.
fn address_of(line: &[u8]) -> Option<String> {
    let line = line.get(..SEPARATOR_BYTES_MAX).unwrap_or(line);
    let text = String::from_utf8_lossy(line);
    let address = text.strip_prefix("From ")?.split_whitespace().next()?;
    Some(address.to_owned())
}

#[cfg(test)]
mod tests;

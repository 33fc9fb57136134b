//! Mail data on its way in: the end of DATA, dots, line ends, bounds (RFC 5321 4.1.1.4, 4.5.2).
//!
//! Content is handed on in slices of the input as long as possible: they break only at a stuffed
//! dot, at a newline that is normalised and where the input is cut. DATA ends with
//! `<CRLF>.<CRLF>` (or `.<CRLF>` at its very beginning) and with nothing that merely resembles it:
//! a bare CR or LF ends no line, so no dot behind it is special. BDAT counts, in `bdat`.

use memchr::memchr2;

use crate::limits::{EXCESS_BYTES_MAX, LINE_BYTES_MAX};
use crate::server::request::{Content, Defect};

#[cfg(test)]
mod tests;

const CRLF: &[u8] = b"\r\n";

/// Decodes the data of one message.
#[derive(Debug)]
pub(super) struct Decoder {
    bytes: u64,
    header_bytes: u64,
    lines: u64,
    /// Bytes read behind a defect.
    excess_bytes: u64,
    /// Bytes of the line so far, at most what a line may have.
    line_bytes: u32,
    place: Place,
    /// DATA, where dots are special, rather than BDAT.
    dots: bool,
    in_header: bool,
    eight_bit: bool,
    defect: Option<Defect>,
    /// A CRLF is due that cannot be a slice of the input.
    crlf_due: bool,
}

/// Where the next byte stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Behind a true CRLF, or at the very beginning.
    LineStart,
    Within,
    /// Behind a CR that has not been handed on.
    Cr,
    /// Behind a dot at the start of a line, which has not been handed on.
    Dot,
    /// Behind a dot at the start of a line and a CR, neither handed on.
    DotCr,
}

/// What a message may have, and what happens to bare newlines.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) message_bytes_max: u64,
    pub(super) header_bytes_max: u64,
    pub(super) normalise: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    Content(&'a [u8]),
    /// All input is used.
    More,
    /// The end of DATA; what follows in the input are commands.
    End,
    /// The data does not end, and is of no use any more.
    TooMuch,
}

impl Default for Decoder {
    fn default() -> Decoder {
        Decoder {
            bytes: 0,
            header_bytes: 0,
            lines: 0,
            excess_bytes: 0,
            line_bytes: 0,
            place: Place::LineStart,
            dots: false,
            in_header: true,
            eight_bit: false,
            defect: None,
            crlf_due: false,
        }
    }
}

impl Decoder {
    /// For DATA, where dots are special. The default is for BDAT.
    pub(super) fn with_dots() -> Decoder {
        Decoder {
            dots: true,
            ..Decoder::default()
        }
    }

    /// The next piece from the front of the input.
    pub(super) fn next<'a>(&mut self, input: &mut &'a [u8], bounds: Bounds) -> Piece<'a> {
        loop {
            if std::mem::take(&mut self.crlf_due) {
                return Piece::Content(CRLF);
            }
            let Some(&next) = input.first() else {
                return Piece::More;
            };
            if self.excess_bytes > EXCESS_BYTES_MAX {
                return Piece::TooMuch;
            }
            if self.resume(next, input, bounds) {
                return Piece::End;
            }
            if self.crlf_due {
                continue;
            }
            let content = self.scan(input, bounds);
            if !content.is_empty() {
                self.eight_bit = self.eight_bit || !content.is_ascii();
                return Piece::Content(content);
            }
        }
    }

    /// The data has ended by count: a CR that waits for its LF is bare.
    pub(super) fn finish(&mut self, bounds: Bounds) -> Option<&'static [u8]> {
        if self.place == Place::Cr {
            self.bare_newline(bounds);
        }
        std::mem::take(&mut self.crlf_due).then_some(CRLF)
    }

    /// Gives up on the content before it comes.
    pub(super) fn refuse(&mut self, defect: Defect) {
        self.defect.get_or_insert(defect);
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn defect(&self) -> Option<Defect> {
        self.defect
    }

    /// What is known of the data so far.
    pub(super) fn content(&self) -> Content {
        Content {
            bytes: self.bytes,
            header_bytes: self.header_bytes,
            lines: self.lines,
            eight_bit: self.eight_bit,
            defect: self.defect,
        }
    }

    /// Settles what the byte before has left open, now that the next one is here. Whether the data
    /// has ended.
    fn resume(&mut self, next: u8, input: &mut &[u8], bounds: Bounds) -> bool {
        match (self.place, next) {
            (Place::LineStart | Place::Within, _) => {}
            (Place::Cr, b'\n') => {
                advance(input, 1);
                self.place = Place::LineStart;
                self.crlf_due = self.end_line(bounds);
            }
            (Place::Cr, _) => self.bare_newline(bounds),
            (Place::Dot, b'\r') => {
                advance(input, 1);
                self.place = Place::DotCr;
            }
            // RFC 5321 4.5.2: a dot with anything but CRLF behind it is dropped.
            (Place::Dot, _) => self.place = Place::Within,
            (Place::DotCr, b'\n') => {
                advance(input, 1);
                self.place = Place::LineStart;
                return true;
            }
            (Place::DotCr, _) => self.bare_newline(bounds),
        }
        false
    }

    /// Goes on from the start or the middle of a line as far as the content is one slice of the
    /// input. What is left open by its last byte is told by the place.
    fn scan<'a>(&mut self, input: &mut &'a [u8], bounds: Bounds) -> &'a [u8] {
        if self.defect.is_some() {
            self.skip(input);
            return &[];
        }
        let data = *input;
        let mut at = 0;
        while self.place == Place::LineStart || self.place == Place::Within {
            let rest = data.get(at..).unwrap_or_default();
            if self.place == Place::LineStart && self.dots && rest.first() == Some(&b'.') {
                self.place = Place::Dot;
                *input = rest.get(1..).unwrap_or_default();
                return data.get(..at).unwrap_or_default();
            }
            let newline = memchr2(b'\r', b'\n', rest);
            let text = newline.unwrap_or(rest.len());
            if text > 0 {
                self.place = Place::Within;
            }
            if let Err(fitting) = self.extend_line(text, bounds) {
                at += fitting;
                *input = data.get(at..).unwrap_or_default();
                return data.get(..at).unwrap_or_default();
            }
            let Some(newline) = newline else {
                *input = &[];
                return data;
            };
            at += newline;
            if rest.get(newline..newline + 2) == Some(CRLF) {
                let fits = self.end_line(bounds);
                self.place = Place::LineStart;
                if !fits {
                    *input = data.get(at + 2..).unwrap_or_default();
                    return data.get(..at).unwrap_or_default();
                }
                at += 2;
                continue;
            }
            if rest.get(newline) == Some(&b'\r') {
                self.place = Place::Cr;
            } else {
                self.bare_newline(bounds);
            }
            *input = data.get(at + 1..).unwrap_or_default();
            return data.get(..at).unwrap_or_default();
        }
        &[]
    }

    /// Behind a defect: only the end matters.
    fn skip(&mut self, input: &mut &[u8]) {
        let data = *input;
        let mut at = 0;
        while self.place == Place::LineStart || self.place == Place::Within {
            let rest = data.get(at..).unwrap_or_default();
            if self.place == Place::LineStart && self.dots && rest.first() == Some(&b'.') {
                self.place = Place::Dot;
                at += 1;
                break;
            }
            let Some(cr) = memchr::memchr(b'\r', rest) else {
                if !rest.is_empty() {
                    self.place = Place::Within;
                }
                at = data.len();
                break;
            };
            if rest.get(cr + 1) == Some(&b'\n') {
                self.place = Place::LineStart;
                at += cr + 2;
            } else {
                self.place = Place::Cr;
                at += cr + 1;
            }
        }
        self.excess_bytes = self.excess_bytes.saturating_add(at as u64);
        advance(input, at);
    }

    /// Counts text, which holds no newline. If it does not fit: the defect, and how much does.
    fn extend_line(&mut self, text: usize, bounds: Bounds) -> Result<(), usize> {
        let line_room = (LINE_BYTES_MAX - CRLF.len()) as u64 - u64::from(self.line_bytes);
        let size_room = bounds.message_bytes_max.saturating_sub(self.bytes);
        let header_room = if self.in_header {
            bounds.header_bytes_max.saturating_sub(self.header_bytes)
        } else {
            u64::MAX
        };
        let room = line_room.min(size_room).min(header_room);
        let fitting = room.min(text as u64);
        self.bytes += fitting;
        if self.in_header {
            self.header_bytes += fitting;
        }
        // At most LINE_BYTES_MAX in all.
        self.line_bytes += fitting as u32;
        if fitting == text as u64 {
            return Ok(());
        }
        self.defect = Some(if room == line_room {
            Defect::LineTooLong
        } else if room == size_room {
            Defect::TooLarge
        } else {
            Defect::HeaderTooLarge
        });
        Err(fitting as usize)
    }

    /// Counts the CRLF that ends a line. Whether it belongs to the content: there is no defect.
    fn end_line(&mut self, bounds: Bounds) -> bool {
        if self.defect.is_some() {
            return false;
        }
        let crlf = CRLF.len() as u64;
        if self.bytes + crlf > bounds.message_bytes_max {
            self.defect = Some(Defect::TooLarge);
            return false;
        }
        if self.in_header && self.line_bytes == 0 {
            self.in_header = false;
        }
        if self.in_header {
            if self.header_bytes + crlf > bounds.header_bytes_max {
                self.defect = Some(Defect::HeaderTooLarge);
                return false;
            }
            self.header_bytes += crlf;
        }
        self.bytes += crlf;
        self.lines += 1;
        self.line_bytes = 0;
        true
    }

    /// A CR or LF stands alone. What follows is no start of a line: a dot there is content.
    fn bare_newline(&mut self, bounds: Bounds) {
        self.place = Place::Within;
        if bounds.normalise {
            self.crlf_due = self.end_line(bounds);
        } else {
            self.refuse(Defect::BareNewline);
        }
    }
}

fn advance(input: &mut &[u8], bytes: usize) {
    *input = input.get(bytes..).unwrap_or_default();
}

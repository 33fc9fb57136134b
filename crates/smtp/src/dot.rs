//! Mail data on its way out (RFC 5321 section 4.5.2): a dot in front of each line that begins with
//! one, and the line `.` that ends the data.
//!
//! The encoder also keeps the promise that only CRLF ends a line: a bare CR or LF, which some
//! receivers take for a line end and others do not (and a message could hide a second one behind),
//! leaves as CRLF. Content that is strict already, as everything our server session lets through is,
//! leaves byte for byte but for the dots. Decoding is the server's business.

use memchr::memchr2;

/// The line that ends the mail data (RFC 5321 section 4.1.1.4). It must follow a CRLF.
pub const END: &[u8] = b".\r\n";

/// Content is examined in blocks of this size (bytes), so that one line that begins with a dot
/// slows down its own block only. Small enough for the first-level cache to hold it twice.
const BLOCK_BYTES: usize = 4096;

/// Encodes one message, piece by piece; the pieces may be cut anywhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Encoder {
    place: Place,
}

/// Where the next byte stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    LineStart,
    WithinLine,
    /// A CR was written; whether it is bare shows with the next byte.
    AfterCr,
}

impl Encoder {
    /// An encoder at the start of a message.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            place: Place::LineStart,
        }
    }

    /// Appends `chunk` to `out`, encoded.
    pub fn encode(&mut self, chunk: &[u8], out: &mut Vec<u8>) {
        out.reserve(chunk.len());
        for block in chunk.chunks(BLOCK_BYTES) {
            if is_verbatim(self.place, block) {
                out.extend_from_slice(block);
                self.place = place_after(self.place, block);
            } else {
                self.encode_by_line(block, out);
            }
        }
    }

    /// Whether `chunk`, coming next, leaves unchanged. If so the encoder counts it as sent, and the
    /// caller writes those bytes itself, without a copy; if not nothing happens.
    #[must_use = "when true, the caller has to write the chunk"]
    pub fn pass(&mut self, chunk: &[u8]) -> bool {
        let mut place = self.place;
        for block in chunk.chunks(BLOCK_BYTES) {
            if !is_verbatim(place, block) {
                return false;
            }
            place = place_after(place, block);
        }
        self.place = place;
        true
    }

    /// Appends the CRLF that the last line lacks, if it does. [`END`] may be written after it.
    pub fn end_line(&mut self, out: &mut Vec<u8>) {
        match self.place {
            Place::LineStart => {}
            Place::WithinLine => out.extend_from_slice(b"\r\n"),
            Place::AfterCr => out.push(b'\n'),
        }
        self.place = Place::LineStart;
    }

    /// Ends the mail data: the CRLF that the last line may lack, then [`END`].
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        self.end_line(out);
        out.extend_from_slice(END);
    }

    fn encode_by_line(&mut self, block: &[u8], out: &mut Vec<u8>) {
        let mut rest = block;
        while let Some(&first) = rest.first() {
            match (self.place, first) {
                (Place::AfterCr, b'\n') => {
                    out.push(b'\n');
                    self.place = Place::LineStart;
                    rest = rest.split_at(1).1;
                    continue;
                }
                // The CR was a bare one: it becomes CRLF, and `first` begins a line.
                (Place::AfterCr, _) => {
                    out.push(b'\n');
                    self.place = Place::LineStart;
                    continue;
                }
                (Place::LineStart, b'.') => out.push(b'.'),
                _ => {}
            }
            let Some(end) = memchr2(b'\r', b'\n', rest) else {
                out.extend_from_slice(rest);
                self.place = Place::WithinLine;
                return;
            };
            let (line, newline) = rest.split_at(end);
            out.extend_from_slice(line);
            out.push(b'\r');
            if newline.first() == Some(&b'\n') {
                out.push(b'\n');
                self.place = Place::LineStart;
            } else {
                self.place = Place::AfterCr;
            }
            rest = newline.split_at(1).1;
        }
    }
}

/// Whether `message` has to go through an [`Encoder`]: a line begins with a dot, or a CR or LF is bare.
/// If not it may be written as it is; [`END`] must then follow a CRLF, see [`Encoder::pass`].
#[must_use]
pub fn needs_stuffing(message: &[u8]) -> bool {
    !Encoder::new().pass(message)
}

/// Whether nothing has to be added within `block`, or between it and what stands before.
fn is_verbatim(place: Place, block: &[u8]) -> bool {
    let Some((&first, rest)) = block.split_first() else {
        return true;
    };
    let joins = match place {
        Place::LineStart => first != b'.' && first != b'\n',
        Place::WithinLine => first != b'\n',
        Place::AfterCr => first == b'\n',
    };
    // Without branches, so that the compiler makes SIMD of it: each line end costs nothing extra.
    let defects = block.iter().zip(rest).fold(0, |defects, (&left, &right)| {
        let bare = u8::from(left == b'\r') ^ u8::from(right == b'\n');
        let dot = u8::from(left == b'\n') & u8::from(right == b'.');
        defects | bare | dot
    });
    joins && defects == 0
}

/// Where the byte after a verbatim block stands.
fn place_after(place: Place, block: &[u8]) -> Place {
    match block.last() {
        None => place,
        Some(b'\n') => Place::LineStart,
        Some(b'\r') => Place::AfterCr,
        Some(_) => Place::WithinLine,
    }
}

#[cfg(test)]
mod tests;

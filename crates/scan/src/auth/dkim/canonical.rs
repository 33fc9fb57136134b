//! The canonical forms of header fields and bodies (RFC 6376 section 3.4), and the hashes of bodies.
//!
//! A body is read once for each form, however many signatures there are and however much of it they sign.

use memchr::memmem;
use ring::digest::{Context, SHA256};

/// Bytes that are canonicalised before they are hashed.
const BLOCK_BYTES: usize = 16 * 1024;

/// How much may change on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::auth) enum Form {
    /// Nothing.
    Simple,
    /// Blanks, and the case of field names.
    Relaxed,
}

/// The hashes of one body in one form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::auth) struct BodyHashes {
    /// As many as there were lengths; `None` where the body is shorter than that.
    pub(in crate::auth) hashes: Vec<Option<Vec<u8>>>,
    /// Bytes of the canonical body.
    pub(in crate::auth) length: u64,
}

impl Form {
    /// The form of that name.
    pub(super) fn named(name: &str) -> Option<Form> {
        match name {
            "simple" => Some(Form::Simple),
            "relaxed" => Some(Form::Relaxed),
            _ => None,
        }
    }

    /// Appends a field in this form: its name, and what is behind the colon, without the CRLF at its end.
    pub(in crate::auth) fn field(self, name: &[u8], body: &[u8], out: &mut Vec<u8>) {
        match self {
            Form::Simple => {
                out.extend(name);
                out.push(b':');
                out.extend(body);
            }
            Form::Relaxed => {
                out.extend(name.trim_ascii_end().to_ascii_lowercase());
                out.push(b':');
                relaxed_value(body, out);
            }
        }
    }

    /// The SHA-256 of a body's first bytes; `None` as a length means all of it.
    pub(in crate::auth) fn body_hashes(self, body: &[u8], lengths: &[Option<u64>]) -> BodyHashes {
        let mut hasher = Hasher::new(lengths);
        match self {
            Form::Simple => {
                let mut kept = body;
                while let Some(shorter) = kept.strip_suffix(b"\r\n") {
                    kept = shorter;
                }
                hasher.take(kept);
                // Section 3.4.3: also an empty body is a CRLF.
                hasher.take(b"\r\n");
            }
            Form::Relaxed => relaxed_body(body, &mut hasher),
        }
        hasher.finish(lengths)
    }
}

/// Unfolded, blanks drawn together, none at the ends (section 3.4.2).
fn relaxed_value(body: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    let mut blank = false;
    for &byte in body {
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
}

/// Blanks drawn together and left out at line ends, without the empty lines at the end (section 3.4.4).
fn relaxed_body(body: &[u8], hasher: &mut Hasher) {
    let mut empty_lines = 0_u64;
    let mut block = Vec::with_capacity(2 * BLOCK_BYTES);
    let mut rest = body;
    while !rest.is_empty() {
        let end = memmem::find(rest, b"\r\n").unwrap_or(rest.len());
        let (line, behind) = rest.split_at(end);
        rest = behind.get(2..).unwrap_or_default();
        let line = without_blanks_at_end(line);
        if line.is_empty() {
            empty_lines += 1;
            continue;
        }
        for _ in 0..std::mem::take(&mut empty_lines) {
            block.extend(b"\r\n");
            if block.len() >= BLOCK_BYTES {
                hasher.take(&block);
                block.clear();
            }
        }
        append_line(line, &mut block);
        if block.len() >= BLOCK_BYTES {
            hasher.take(&block);
            block.clear();
        }
    }
    hasher.take(&block);
}

fn append_line(line: &[u8], block: &mut Vec<u8>) {
    let mut rest = line;
    while let Some(at) = memchr::memchr2(b' ', b'\t', rest) {
        let (word, behind) = rest.split_at(at);
        block.extend(word);
        block.push(b' ');
        let blanks = behind
            .iter()
            .take_while(|byte| matches!(byte, b' ' | b'\t'));
        rest = behind.get(blanks.count()..).unwrap_or_default();
    }
    block.extend(rest);
    block.extend(b"\r\n");
}

fn without_blanks_at_end(line: &[u8]) -> &[u8] {
    let kept = line.iter().rposition(|byte| !matches!(byte, b' ' | b'\t'));
    line.get(..kept.map_or(0, |last| last + 1))
        .unwrap_or_default()
}

/// Hashes a stream, and notes the hash at some places on the way.
struct Hasher {
    context: Context,
    length: u64,
    /// Where a hash is wanted, furthest first.
    marks: Vec<u64>,
    found: Vec<(u64, Vec<u8>)>,
}

impl Hasher {
    fn new(lengths: &[Option<u64>]) -> Hasher {
        let mut marks: Vec<u64> = lengths.iter().copied().flatten().collect();
        marks.sort_unstable_by(|one, other| other.cmp(one));
        marks.dedup();
        Hasher {
            context: Context::new(&SHA256),
            length: 0,
            marks,
            found: Vec::new(),
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some(&mark) = self.marks.last() {
            let until = usize::try_from(mark - self.length).unwrap_or(usize::MAX);
            let Some((part, behind)) = rest.split_at_checked(until) else {
                break;
            };
            self.update(part);
            rest = behind;
            self.marks.pop();
            let hash = self.context.clone().finish().as_ref().to_vec();
            self.found.push((mark, hash));
        }
        self.update(rest);
    }

    fn update(&mut self, bytes: &[u8]) {
        self.context.update(bytes);
        self.length += bytes.len() as u64;
    }

    fn finish(self, lengths: &[Option<u64>]) -> BodyHashes {
        let whole = self.context.finish().as_ref().to_vec();
        let hashes = lengths.iter().map(|length| match length {
            None => Some(whole.clone()),
            Some(length) => {
                let found = self.found.iter().find(|(mark, _)| mark == length);
                found.map(|(_, hash)| hash.clone())
            }
        });
        BodyHashes {
            hashes: hashes.collect(),
            length: self.length,
        }
    }
}

#[cfg(test)]
mod tests;

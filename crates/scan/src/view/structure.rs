//! The division of a message into parts (RFC 2046 section 5.1): one pass from front to back with a stack of open
//! containers, and no recursion but into messages that are themselves encoded, at most three times.
//!
//! A delimiter of any open multipart ends what is inside of it (RFC 2046 section 5.1.2), and a line need only begin with
//! the boundary (section 5.1.1). Where senders and clients differ, the reading that shows more parts is taken.

use std::sync::OnceLock;

use bytes::Bytes;
use memchr::memmem;

use super::field::Fields;
use super::{
    BOUNDARY_COMPARISONS_MAX, DEPTH_MAX, Defect, Disposition, ENCODED_MESSAGES_MAX, Encoding, Kind,
    PARTS_MAX, Part, View,
};

/// The view of `message`.
pub(super) fn parse(message: &Bytes) -> View {
    let mut builder = Builder {
        view: View {
            parts: Vec::with_capacity(4),
            authors: Vec::new(),
            subject: None,
            defects: Vec::new(),
        },
        comparisons: BOUNDARY_COMPARISONS_MAX,
    };
    Walk::new(message, None, 0, 0).run(&mut builder);
    builder.view
}

struct Builder {
    view: View,
    /// Comparisons with a boundary that are left.
    comparisons: usize,
}

impl Builder {
    fn defect(&mut self, defect: Defect) {
        if !self.view.defects.contains(&defect) {
            self.view.defects.push(defect);
        }
    }

    fn part(&mut self, index: usize) -> Option<&mut Part> {
        self.view.parts.get_mut(index)
    }
}

/// A container that is open.
struct Open {
    /// None for a message.
    boundary: Option<Vec<u8>>,
    part: usize,
    /// Whether its parts are messages unless they say otherwise (RFC 2046 section 5.1.5).
    is_digest: bool,
    body_start: usize,
}

/// A delimiter line that was found.
struct Delimiter {
    /// Where the line begins, its preceding line end excluded: the end of the body before it.
    body_end: usize,
    /// After the line.
    next: usize,
    /// Which of the open containers it belongs to.
    open: usize,
    closes: bool,
}

/// One pass over one buffer: the message, or an encoded message in it.
struct Walk<'a> {
    source: &'a Bytes,
    position: usize,
    open: Vec<Open>,
    /// What holds the whole buffer.
    container: Option<usize>,
    depth: usize,
    encoded_messages: usize,
}

impl<'a> Walk<'a> {
    fn new(
        source: &'a Bytes,
        container: Option<usize>,
        depth: usize,
        encoded_messages: usize,
    ) -> Walk<'a> {
        Walk {
            source,
            position: 0,
            open: Vec::new(),
            container,
            depth,
            encoded_messages,
        }
    }

    fn run(mut self, builder: &mut Builder) {
        loop {
            if builder.view.parts.len() >= PARTS_MAX {
                builder.defect(Defect::TooManyParts);
                break;
            }
            match self.entity(builder) {
                // A container begins: for a message its header section follows at once.
                Step::Header => {}
                Step::Seek => {
                    if !self.seek(builder) {
                        break;
                    }
                }
                Step::Delimiter(delimiter) => {
                    if !self.delimited(builder, &delimiter) && !self.seek(builder) {
                        break;
                    }
                }
                Step::End => break,
            }
        }
        if self.open.iter().any(|open| open.boundary.is_some()) {
            builder.defect(Defect::UnclosedMultipart);
        }
        self.close(builder, 0, self.source.len());
    }

    /// Reads the entity at the current position: its header section, and its body if it is a leaf.
    fn entity(&mut self, builder: &mut Builder) -> Step {
        let header_start = self.position;
        let is_root = builder.view.parts.is_empty();
        let (mut fields, header_end, ended_by) = self.header_section(builder, is_root);
        if fields.is_repeated {
            builder.defect(Defect::RepeatedField);
        }
        if fields.is_too_long {
            builder.defect(Defect::FieldTooLong);
        }
        if is_root {
            if !fields.has_from() {
                builder.defect(Defect::MissingFrom);
            }
            builder.view.authors = std::mem::take(&mut fields.authors);
            builder.view.subject = fields.subject.take();
        }
        let index = builder.view.parts.len();
        let header = self.source.slice(header_start..header_end);
        let part = self.new_part(&mut fields, header);
        builder.view.parts.push(part);
        if let Some(delimiter) = ended_by {
            return Step::Delimiter(delimiter);
        }
        self.body(builder, index, fields.boundary)
    }

    fn new_part(&self, fields: &mut Fields, header: Bytes) -> Part {
        let in_digest = self.open.last().is_some_and(|open| open.is_digest);
        Part {
            kind: Kind::Leaf,
            container: self.open.last().map(|open| open.part).or(self.container),
            depth: self.depth + self.open.len(),
            media_type: fields
                .media_type
                .take()
                .unwrap_or_else(|| default_type(in_digest).to_owned()),
            charset: fields.charset.take(),
            disposition: fields.disposition.unwrap_or(Disposition::Unstated),
            names: fields.names(),
            encoding: fields.encoding.unwrap_or(Encoding::Identity),
            header,
            raw: Bytes::new(),
            decoded: OnceLock::new(),
        }
    }

    /// Enters the body of part `index` if it is a container, else reads it to its end.
    fn body(&mut self, builder: &mut Builder, index: usize, boundary: Option<Vec<u8>>) -> Step {
        let Some(part) = builder.part(index) else {
            return Step::End;
        };
        let encoding = part.encoding;
        let is_multipart = part.media_type.starts_with("multipart/");
        let is_digest = part.media_type == "multipart/digest";
        let is_message = matches!(&*part.media_type, "message/rfc822" | "message/global");
        let is_deep = part.depth >= DEPTH_MAX;
        if is_multipart && boundary.is_none() {
            builder.defect(Defect::MissingBoundary);
        }
        if is_deep && (is_message || (is_multipart && boundary.is_some())) {
            builder.defect(Defect::OverDeep);
        } else if is_multipart && let Some(boundary) = boundary {
            if encoding != Encoding::Identity {
                builder.defect(Defect::EncodedMultipart);
            }
            self.enter(index, Some(boundary), is_digest);
            return Step::Seek;
        } else if is_message && encoding == Encoding::Identity {
            self.enter(index, None, false);
            if let Some(part) = builder.part(index) {
                part.kind = Kind::Message;
            }
            return Step::Header;
        }
        let start = self.position;
        let delimiter = self.next_delimiter(builder, start);
        let end = delimiter.as_ref().map_or(self.source.len(), |d| d.body_end);
        if let Some(part) = builder.part(index) {
            part.raw = self.source.slice(start..end.max(start));
        }
        if is_message && !is_deep {
            self.encoded_message(builder, index);
        }
        delimiter.map_or(Step::End, Step::Delimiter)
    }

    fn enter(&mut self, part: usize, boundary: Option<Vec<u8>>, is_digest: bool) {
        self.open.push(Open {
            boundary,
            part,
            is_digest,
            body_start: self.position,
        });
    }

    /// A message with a transfer encoding: forbidden, but opened by clients, so it is divided like any other.
    fn encoded_message(&self, builder: &mut Builder, index: usize) {
        if self.encoded_messages >= ENCODED_MESSAGES_MAX {
            builder.defect(Defect::EncodedMessages);
            return;
        }
        let Some(part) = builder.part(index) else {
            return;
        };
        part.kind = Kind::Message;
        let depth = part.depth + 1;
        let content = part.content().clone();
        Walk::new(&content, Some(index), depth, self.encoded_messages + 1).run(builder);
    }

    /// Moves behind the next delimiter line that begins a part. False at the end.
    fn seek(&mut self, builder: &mut Builder) -> bool {
        while let Some(delimiter) = self.next_delimiter(builder, self.position) {
            if self.delimited(builder, &delimiter) {
                return true;
            }
        }
        false
    }

    /// Closes what `delimiter` ends. Whether it begins another part.
    fn delimited(&mut self, builder: &mut Builder, delimiter: &Delimiter) -> bool {
        self.position = delimiter.next;
        let inner = delimiter.open + 1;
        let mut ended = self.open.iter().skip(inner);
        if ended.any(|open| open.boundary.is_some()) {
            builder.defect(Defect::UnclosedMultipart);
        }
        self.close(builder, inner, delimiter.body_end);
        if let Some(part) = self
            .open
            .get(delimiter.open)
            .and_then(|open| builder.part(open.part))
        {
            part.kind = Kind::Multipart;
        }
        if delimiter.closes {
            self.close(builder, delimiter.open, delimiter.next);
        }
        !delimiter.closes
    }

    /// Closes the open containers from `first` on; their bodies end at `end`.
    fn close(&mut self, builder: &mut Builder, first: usize, end: usize) {
        for open in self.open.drain(first..) {
            let Some(part) = builder.view.parts.get_mut(open.part) else {
                continue;
            };
            part.raw = self.source.slice(open.body_start..end.max(open.body_start));
            if part.kind == Kind::Leaf {
                // Without any delimiter it holds no parts, only a content that some client may show as text.
                builder.defect(Defect::EmptyMultipart);
            }
        }
    }

    /// Reads the fields at the current position and moves behind the empty line. The header section ends at a delimiter
    /// too, for a part that has no body.
    fn header_section(
        &mut self,
        builder: &mut Builder,
        is_root: bool,
    ) -> (Fields, usize, Option<Delimiter>) {
        let source = self.source.as_ref();
        let mut fields = Fields::default();
        let mut position = self.position;
        while position < source.len() {
            let mut next = line_end(source, position);
            let line = source.get(position..next).unwrap_or_default();
            if matches!(line, b"\r\n" | b"\n") {
                self.position = next;
                return (fields, position, None);
            }
            if line.starts_with(b"--")
                && let Some(delimiter) = self.delimiter_at(builder, position)
            {
                return (fields, position, Some(delimiter));
            }
            while matches!(source.get(next), Some(b' ' | b'\t')) {
                next = line_end(source, next);
            }
            let field = source.get(position..next).unwrap_or_default();
            if let Some(colon) = memchr::memchr(b':', field) {
                let (name, body) = field.split_at(colon);
                fields.add(
                    name.trim_ascii_end(),
                    body.get(1..).unwrap_or_default(),
                    is_root,
                );
            }
            position = next;
        }
        self.position = position;
        (fields, position, None)
    }

    /// The first delimiter line of an open multipart at or after `from`, which begins a line.
    fn next_delimiter(&self, builder: &mut Builder, from: usize) -> Option<Delimiter> {
        if self.open.iter().all(|open| open.boundary.is_none()) {
            return None;
        }
        let source = self.source.as_ref();
        if source
            .get(from..)
            .is_some_and(|rest| rest.starts_with(b"--"))
            && let Some(delimiter) = self.delimiter_at(builder, from)
        {
            return Some(delimiter);
        }
        memmem::find_iter(source.get(from..)?, b"\n--")
            .find_map(|at| self.delimiter_at(builder, from + at + 1))
    }

    /// The delimiter on the line that begins at `start` with two hyphens.
    fn delimiter_at(&self, builder: &mut Builder, start: usize) -> Option<Delimiter> {
        let source = self.source.as_ref();
        let rest = source.get(start + 2..)?;
        let (open, boundary) = self.matching(builder, rest)?;
        let closes = rest
            .get(boundary.len()..)
            .is_some_and(|tail| tail.starts_with(b"--"));
        let before = source.get(..start).unwrap_or_default();
        let before = before.strip_suffix(b"\n").unwrap_or(before);
        let before = before.strip_suffix(b"\r").unwrap_or(before);
        Some(Delimiter {
            body_end: before.len(),
            next: line_end(source, start),
            open,
            closes,
        })
    }

    /// The innermost open multipart whose boundary `rest` begins with.
    fn matching(&self, builder: &mut Builder, rest: &[u8]) -> Option<(usize, &[u8])> {
        let candidates = self
            .open
            .iter()
            .enumerate()
            .rev()
            .filter_map(|(index, open)| Some((index, open.boundary.as_deref()?)));
        for (index, boundary) in candidates {
            if rest.starts_with(boundary) {
                return Some((index, boundary));
            }
            match builder.comparisons.checked_sub(1) {
                Some(left) => builder.comparisons = left,
                None => {
                    builder.defect(Defect::TooManyBoundaryLines);
                    return None;
                }
            }
        }
        None
    }
}

/// What follows an entity.
enum Step {
    /// Another header section at the current position.
    Header,
    /// The next delimiter has to be found.
    Seek,
    /// A delimiter line.
    Delimiter(Delimiter),
    /// Nothing.
    End,
}

/// RFC 2045 section 5.2 and RFC 2046 section 5.1.5.
fn default_type(in_digest: bool) -> &'static str {
    if in_digest {
        "message/rfc822"
    } else {
        "text/plain"
    }
}

/// The position after the line that begins at `start`.
fn line_end(bytes: &[u8], start: usize) -> usize {
    let rest = bytes.get(start..).unwrap_or_default();
    memchr::memchr(b'\n', rest).map_or(bytes.len(), |at| start + at + 1)
}

//! The MIME view of a message (RFC 2045-2047, 2183, 2231): its parts with declared type, names and decoded content, the
//! authors of its From fields, its subject, and every defect met on the way.
//!
//! Parsing never fails and takes time linear in the message, whatever it holds: the division into parts is our own
//! (`structure`), since mail-parser searches the whole rest for each boundary that is missing, overflows the stack when a
//! deeply nested message is dropped, and misses what follows an inner multipart that is not closed. Fields, encoded
//! words, base64 and charsets are mail-parser's. What the content means is not judged here.

mod decode;
mod field;
mod structure;

use std::borrow::Cow;
use std::fmt;
use std::sync::OnceLock;

use bytes::Bytes;

/// Parts of one message that are told apart; what follows is not divided any further.
pub const PARTS_MAX: usize = 1_000;

/// Levels of multiparts and messages in one another that are entered; RFC 2046 names no limit, real mail stays below 20.
pub const DEPTH_MAX: usize = 100;

/// Bytes of one MIME or address field that are parsed.
pub const FIELD_BYTES_MAX: usize = 16 * 1024;

/// Messages that are themselves transfer-encoded, in one another: RFC 2046 section 5.2.1 forbids even one, yet clients
/// open them.
pub const ENCODED_MESSAGES_MAX: usize = 3;

/// Comparisons of a line with an open boundary, per message: keeps a message of nothing but `--` lines inside a hundred
/// multiparts from costing a hundred times its size.
pub const BOUNDARY_COMPARISONS_MAX: usize = 10_000_000;

/// Names taken from one part's fields, since a part may give several and clients differ in which they honour.
pub const NAMES_MAX: usize = 8;

/// Authors taken from the From fields.
pub const AUTHORS_MAX: usize = 100;

/// The MIME view of one message.
#[derive(Debug)]
pub struct View {
    parts: Vec<Part>,
    authors: Vec<Author>,
    subject: Option<String>,
    defects: Vec<Defect>,
}

impl View {
    /// The view of `message`, which is shared, not copied. Decoding waits until a part's content is asked for.
    pub fn parse(message: &Bytes) -> View {
        structure::parse(message)
    }

    /// Every part in the order of the message: the message itself first, containers before what they hold. Never empty.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The parts that hold content rather than other parts.
    pub fn leaves(&self) -> impl Iterator<Item = &Part> {
        self.parts.iter().filter(|part| part.kind == Kind::Leaf)
    }

    /// The mailboxes of the header field From (RFC 5322 section 3.6.2), of all such fields if there are several.
    pub fn authors(&self) -> &[Author] {
        &self.authors
    }

    /// The Subject, decoded (RFC 2047), if there is one.
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// What is wrong with the message, each kind once.
    pub fn defects(&self) -> &[Defect] {
        &self.defects
    }

    /// Whether parts of the message may have been left undivided because a limit was reached.
    pub fn is_cut_short(&self) -> bool {
        self.defects.iter().any(Defect::cuts_short)
    }
}

/// A mailbox of the From field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    /// The display name, decoded.
    pub display_name: Option<String>,
    /// The address `local-part@domain` as written, if there is one.
    pub address: Option<String>,
}

/// What a part is to the division of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It holds content.
    Leaf,
    /// A multipart of which at least one delimiter was found.
    Multipart,
    /// A message inside the message (`message/rfc822`, `message/global`).
    Message,
}

/// How a part asks to be shown (RFC 2183).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// No Content-Disposition field.
    Unstated,
    /// To be shown with the message.
    Inline,
    /// A file; words that are unknown count as this (RFC 2183 section 2.8).
    Attachment,
}

/// The transfer encoding of a part (RFC 2045 section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// `7bit`, `8bit`, `binary`, none, or one that nobody knows: the content stands as it is.
    Identity,
    /// `base64`.
    Base64,
    /// `quoted-printable`.
    QuotedPrintable,
}

/// One part of a message.
pub struct Part {
    kind: Kind,
    container: Option<usize>,
    depth: usize,
    media_type: String,
    charset: Option<String>,
    disposition: Disposition,
    names: Vec<String>,
    encoding: Encoding,
    header: Bytes,
    raw: Bytes,
    decoded: OnceLock<Bytes>,
}

impl Part {
    /// What it is to the division of the message.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The index in `View::parts` of the part that holds this one; none for the message itself.
    pub fn container(&self) -> Option<usize> {
        self.container
    }

    /// How many containers hold this part: 0 for the message itself.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// The declared media type in lower case, such as `text/plain`; the default of RFC 2045 section 5.2 if none is given.
    pub fn media_type(&self) -> &str {
        &self.media_type
    }

    /// Whether the declared type is `text/...`.
    pub fn is_text(&self) -> bool {
        self.media_type.starts_with("text/")
    }

    /// The declared charset as written.
    pub fn charset(&self) -> Option<&str> {
        self.charset.as_deref()
    }

    /// How it asks to be shown.
    pub fn disposition(&self) -> Disposition {
        self.disposition
    }

    /// The file name that most clients show: that of Content-Disposition, else the `name` of Content-Type, decoded.
    pub fn file_name(&self) -> Option<&str> {
        self.names.first().map(String::as_str)
    }

    /// Every file name that its fields give, without repetition.
    pub fn file_names(&self) -> &[String] {
        &self.names
    }

    /// The declared transfer encoding.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// The part's own header section as it stands.
    pub fn header_section(&self) -> &Bytes {
        &self.header
    }

    /// The body as it stands, still encoded.
    pub fn raw(&self) -> &Bytes {
        &self.raw
    }

    /// The decoded content. Decoded once, when first asked for; never larger than `raw`.
    pub fn content(&self) -> &Bytes {
        self.decoded
            .get_or_init(|| decode::content(&self.raw, self.encoding))
    }

    /// The first `bytes_max` bytes of the decoded content, without decoding the rest.
    pub fn head(&self, bytes_max: usize) -> Bytes {
        match self.decoded.get() {
            Some(content) => content.slice(..content.len().min(bytes_max)),
            None => decode::head(&self.raw, self.encoding, bytes_max),
        }
    }

    /// The content as text in its declared charset. Bytes that are not of that charset become U+FFFD.
    pub fn text(&self) -> Cow<'_, str> {
        decode::text(self.content(), self.charset())
    }
}

impl fmt::Debug for Part {
    /// Leaves the content out: it may be large, and must not reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Part")
            .field("kind", &self.kind)
            .field("depth", &self.depth)
            .field("media_type", &self.media_type)
            .field("charset", &self.charset)
            .field("disposition", &self.disposition)
            .field("names", &self.names)
            .field("encoding", &self.encoding)
            .field("raw_bytes", &self.raw.len())
            .finish_non_exhaustive()
    }
}

/// Something wrong with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Defect {
    /// Parts nest deeper than `DEPTH_MAX`.
    OverDeep,
    /// There are more than `PARTS_MAX` parts.
    TooManyParts,
    /// There were more than `BOUNDARY_COMPARISONS_MAX` comparisons; only the innermost boundary was honoured from there.
    TooManyBoundaryLines,
    /// An encoded message holds an encoded message, more than `ENCODED_MESSAGES_MAX` times.
    EncodedMessages,
    /// A field that has to be parsed is longer than `FIELD_BYTES_MAX`.
    FieldTooLong,
    /// A multipart without a boundary parameter.
    MissingBoundary,
    /// A multipart whose boundary never comes.
    EmptyMultipart,
    /// A multipart that is not closed.
    UnclosedMultipart,
    /// A multipart with a transfer encoding that RFC 2045 section 6.4 forbids.
    EncodedMultipart,
    /// A MIME field or From that is given more than once in one header section.
    RepeatedField,
    /// No From field.
    MissingFrom,
}

impl Defect {
    /// The defect's name as a symbol.
    pub fn symbol(&self) -> &'static str {
        match self {
            Defect::OverDeep => "MIME_OVER_DEEP",
            Defect::TooManyParts => "MIME_TOO_MANY_PARTS",
            Defect::TooManyBoundaryLines => "MIME_TOO_MANY_BOUNDARY_LINES",
            Defect::EncodedMessages => "MIME_ENCODED_MESSAGES",
            Defect::FieldTooLong => "MIME_FIELD_TOO_LONG",
            Defect::MissingBoundary => "MIME_MISSING_BOUNDARY",
            Defect::EmptyMultipart => "MIME_EMPTY_MULTIPART",
            Defect::UnclosedMultipart => "MIME_UNCLOSED_MULTIPART",
            Defect::EncodedMultipart => "MIME_ENCODED_MULTIPART",
            Defect::RepeatedField => "MIME_REPEATED_FIELD",
            Defect::MissingFrom => "MISSING_FROM",
        }
    }

    /// Whether it means that parts may have gone unseen.
    pub fn cuts_short(&self) -> bool {
        matches!(
            self,
            Defect::OverDeep
                | Defect::TooManyParts
                | Defect::TooManyBoundaryLines
                | Defect::EncodedMessages
        )
    }
}

#[cfg(test)]
mod tests;

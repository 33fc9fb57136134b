//! The fields of a part's header section that the view needs: Content-Type, Content-Disposition,
//! Content-Transfer-Encoding and, of the message itself, From and Subject. Their syntax is mail-parser's business; this
//! is what is asked of it, within bounds.

use mail_parser::parsers::MessageStream;
use mail_parser::{Address, ContentType, HeaderValue};

use super::{AUTHORS_MAX, Author, Disposition, Encoding, FIELD_BYTES_MAX, NAMES_MAX};

/// Bytes of a name, charset or boundary that are kept.
const VALUE_BYTES_MAX: usize = 1_024;

/// What a header section says of its part.
#[derive(Default)]
pub(super) struct Fields {
    /// In lower case, if there is a Content-Type that can be read.
    pub(super) media_type: Option<String>,
    pub(super) boundary: Option<Vec<u8>>,
    pub(super) charset: Option<String>,
    pub(super) disposition: Option<Disposition>,
    pub(super) encoding: Option<Encoding>,
    pub(super) authors: Vec<Author>,
    pub(super) subject: Option<String>,
    disposition_names: Vec<String>,
    type_names: Vec<String>,
    has_from: bool,
    /// A field that must stand alone came again.
    pub(super) is_repeated: bool,
    /// A field was longer than is parsed.
    pub(super) is_too_long: bool,
}

impl Fields {
    /// Takes in one field: `name` without the colon, `body` with its folding and its line end.
    pub(super) fn add(&mut self, name: &[u8], body: &[u8], is_root: bool) {
        if name.eq_ignore_ascii_case(b"Content-Type") {
            let body = self.bounded(body);
            self.content_type(&body);
        } else if name.eq_ignore_ascii_case(b"Content-Disposition") {
            let body = self.bounded(body);
            self.content_disposition(&body);
        } else if name.eq_ignore_ascii_case(b"Content-Transfer-Encoding") {
            self.is_repeated |= self.encoding.is_some();
            self.encoding.get_or_insert(transfer_encoding(body));
        } else if is_root && name.eq_ignore_ascii_case(b"From") {
            self.is_repeated |= std::mem::replace(&mut self.has_from, true);
            let body = self.bounded(body);
            self.from(&body);
        } else if is_root && name.eq_ignore_ascii_case(b"Subject") && self.subject.is_none() {
            let body = self.bounded(body);
            if let HeaderValue::Text(text) = MessageStream::new(&body).parse_unstructured() {
                self.subject = Some(text.into_owned());
            }
        }
    }

    /// Whether a From field was among them.
    pub(super) fn has_from(&self) -> bool {
        self.has_from
    }

    /// All names, those of Content-Disposition first, each once.
    pub(super) fn names(&mut self) -> Vec<String> {
        let mut names = std::mem::take(&mut self.disposition_names);
        for name in self.type_names.drain(..) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names.truncate(NAMES_MAX);
        names
    }

    /// What mail-parser is given: cut to the limit, since its work on parameters grows faster than their number, and
    /// ended by the line end that it waits for.
    fn bounded(&mut self, body: &[u8]) -> Vec<u8> {
        self.is_too_long |= body.len() > FIELD_BYTES_MAX;
        let kept = body.get(..FIELD_BYTES_MAX).unwrap_or(body);
        let mut bounded = Vec::with_capacity(kept.len() + 1);
        bounded.extend_from_slice(kept);
        if !bounded.ends_with(b"\n") {
            bounded.push(b'\n');
        }
        bounded
    }

    fn content_type(&mut self, body: &[u8]) {
        let HeaderValue::ContentType(parsed) = MessageStream::new(body).parse_content_type() else {
            return;
        };
        names(&parsed, "name", &mut self.type_names);
        // Clients differ in which of several they honour: the first decides, the names of all count.
        if self.media_type.is_some() {
            self.is_repeated = true;
            return;
        }
        let media_type = match parsed.subtype() {
            Some(subtype) => format!("{}/{subtype}", parsed.ctype().trim()),
            // RFC 2045 section 5.2: what cannot be read counts as plain text.
            None => "text/plain".to_owned(),
        };
        self.media_type = Some(bounded_value(&media_type).to_ascii_lowercase());
        self.boundary = boundary(&parsed);
        self.charset = parsed
            .attribute("charset")
            .map(|charset| bounded_value(charset.trim()).to_owned());
    }

    fn content_disposition(&mut self, body: &[u8]) {
        let HeaderValue::ContentType(parsed) = MessageStream::new(body).parse_content_type() else {
            return;
        };
        names(&parsed, "filename", &mut self.disposition_names);
        names(&parsed, "name", &mut self.type_names);
        self.is_repeated |= self.disposition.is_some();
        self.disposition.get_or_insert(if parsed.is_inline() {
            Disposition::Inline
        } else {
            Disposition::Attachment
        });
    }

    fn from(&mut self, body: &[u8]) {
        let HeaderValue::Address(address) = MessageStream::new(body).parse_address() else {
            return;
        };
        let members = match address {
            Address::List(list) => list,
            Address::Group(groups) => groups
                .into_iter()
                .flat_map(|group| group.addresses)
                .collect(),
        };
        let room = AUTHORS_MAX.saturating_sub(self.authors.len());
        self.authors
            .extend(members.into_iter().take(room).map(|member| {
                Author {
                    display_name: member.name.map(|name| bounded_value(&name).to_owned()),
                    address: member
                        .address
                        .map(|address| bounded_value(&address).to_owned()),
                }
            }));
    }
}

/// Adds the values of every parameter `key`, RFC 2231 forms included, that is not there yet.
fn names(parsed: &ContentType<'_>, key: &str, names: &mut Vec<String>) {
    for attribute in parsed.attributes().unwrap_or_default() {
        let name = bounded_value(attribute.value.trim());
        if attribute.name == key
            && !name.is_empty()
            && names.len() < NAMES_MAX
            && !names.iter().any(|known| known == name)
        {
            names.push(name.to_owned());
        }
    }
}

/// The boundary as delimiter lines show it: blanks at its end do not count (RFC 2046 section 5.1.1).
fn boundary(parsed: &ContentType<'_>) -> Option<Vec<u8>> {
    let boundary = parsed.attribute("boundary")?.trim_end();
    (!boundary.is_empty() && boundary.len() <= VALUE_BYTES_MAX)
        .then(|| boundary.as_bytes().to_vec())
}

fn transfer_encoding(body: &[u8]) -> Encoding {
    let word = body.trim_ascii();
    let word = word
        .split(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b';' | b'('))
        .next()
        .unwrap_or_default();
    if word.eq_ignore_ascii_case(b"base64") {
        Encoding::Base64
    } else if word.eq_ignore_ascii_case(b"quoted-printable") {
        Encoding::QuotedPrintable
    } else {
        Encoding::Identity
    }
}

fn bounded_value(value: &str) -> &str {
    let mut end = value.len().min(VALUE_BYTES_MAX);
    while !value.is_char_boundary(end) {
        end -= 1;
    }
    value.get(..end).unwrap_or_default()
}

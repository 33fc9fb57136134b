//! What the header section says of its writer, and where it contradicts itself (RFC 5322 section 3.6): names that claim
//! another address or a company, identifiers of an odd shape, dates that no clock showed, marks of lists.
//!
//! It is read as it stands; who really sent the message is the business of authentication.

mod brand;
mod mailbox;

use mail_parser::{DateTime, HeaderValue, parsers::MessageStream};

pub use self::mailbox::Mailbox;

use super::fold::{self, FoldFacts};
use super::link;
use crate::message::Message;

/// Header fields that are read of one message.
pub const FIELDS_MAX: usize = 300;

/// Bytes of one field that are read.
pub const FIELD_BYTES_MAX: usize = 4 * 1024;

/// Mailboxes that are read of one field.
pub const MAILBOXES_MAX: usize = 50;

/// A header field as people read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The field name in lower case.
    pub name: String,
    /// The field body, unfolded, its encoded words decoded (RFC 2047), and folded like all text.
    pub value: String,
    /// Whether it holds encoded words.
    pub is_encoded: bool,
    /// Whether it holds bytes outside of US-ASCII.
    pub is_raw: bool,
}

/// What the header section says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderFacts {
    /// The fields in their order, trace fields included.
    pub fields: Vec<Field>,
    /// The mailboxes of From.
    pub from: Vec<Mailbox>,
    /// The mailboxes of Reply-To.
    pub reply_to: Vec<Mailbox>,
    /// The mailbox of Sender.
    pub sender: Option<Mailbox>,
    /// The mailboxes of To and Cc.
    pub to: Vec<Mailbox>,
    /// The identifier without its angle brackets, as far as it has the form of one.
    pub message_id: Option<String>,
    /// The part of the identifier behind the `@`.
    pub message_id_domain: Option<String>,
    /// Whether there is a Message-ID that is none by RFC 5322 section 3.6.4.
    pub is_message_id_malformed: bool,
    /// When the message was written, in seconds since 1970, as far as Date can be read.
    pub date: Option<i64>,
    /// The zone of Date, in minutes east of Greenwich.
    pub zone_minutes: Option<i32>,
    /// Whether there is a Date that cannot be read.
    pub is_date_malformed: bool,
    /// When the newest Received field was written, in seconds since 1970.
    pub received_date: Option<i64>,
    /// How many Received fields there are.
    pub received: u32,
    /// What the writer's program calls itself: X-Mailer or User-Agent.
    pub mailer: Option<String>,
    /// An address in the display name of From that is of another registrable domain than the address of From.
    pub name_address: Option<String>,
    /// A company whose name the display name of From bears, although the address belongs to somebody else.
    pub name_brand: Option<&'static str>,
    /// A hash of the names of the fields that writers set, in their order: the hand of the program that wrote it.
    pub order: u32,
    /// Fields that must stand alone and come again.
    pub repeated: u32,
}

impl HeaderFacts {
    /// Reads the header section of `message`; what folding meets in Subject and From is added to `folding`.
    pub(super) fn of(message: &Message, folding: &mut FoldFacts) -> HeaderFacts {
        let mut facts = HeaderFacts::default();
        let mut order = Fnv::default();
        for field in message.header_fields().take(FIELDS_MAX) {
            let name = field.name.to_ascii_lowercase();
            let body = field.body.get(..FIELD_BYTES_MAX).unwrap_or(field.body);
            if !is_trace(&name) {
                order.add(&name);
            }
            facts.add(name, body, folding);
        }
        facts.order = order.0;
        facts.compare();
        facts
    }

    /// The values of all fields called `name`, which is in lower case.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let fields = self.fields.iter().filter(move |field| field.name == name);
        fields.map(|field| field.value.as_str())
    }

    /// Whether there is a field called `name`, which is in lower case.
    pub fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|field| field.name == name)
    }

    /// Seconds by which Date lies after the newest Received field, or after `received_at`; negative if before.
    pub fn date_skew(&self, received_at: Option<i64>) -> Option<i64> {
        Some(
            self.date?
                .saturating_sub(received_at.or(self.received_date)?),
        )
    }

    /// Whether a list or a sender of bulk says so by the means of RFC 2369, 2919 or 3834.
    pub fn is_bulk(&self) -> bool {
        self.has("list-id") || self.has("list-unsubscribe") || self.has("precedence")
    }

    fn add(&mut self, name: String, body: &[u8], folding: &mut FoldFacts) {
        let is_again = self.has(&name);
        match name.as_str() {
            "from" => self.from.append(&mut mailbox::mailboxes(body)),
            "reply-to" => self.reply_to.append(&mut mailbox::mailboxes(body)),
            "sender" => self.sender = mailbox::mailboxes(body).into_iter().next(),
            "to" | "cc" if self.to.len() < MAILBOXES_MAX => {
                self.to.append(&mut mailbox::mailboxes(body));
            }
            "message-id" if !is_again => self.message_id(body),
            "date" if !is_again => self.date(body),
            "received" => {
                self.received += 1;
                if !is_again {
                    let date = body.rsplit(|byte| *byte == b';').next().unwrap_or_default();
                    self.received_date = date_time(date).map(|date| date.to_timestamp());
                }
            }
            _ => {}
        }
        let is_single = matches!(
            name.as_str(),
            "from" | "sender" | "reply-to" | "to" | "cc" | "message-id" | "date" | "subject"
        );
        self.repeated += u32::from(is_again && is_single);
        let is_shown = matches!(name.as_str(), "subject" | "from");
        let mut unseen = FoldFacts::default();
        let folding = if is_shown { folding } else { &mut unseen };
        let value = fold::fold(&unstructured(body), FIELD_BYTES_MAX, folding);
        if matches!(name.as_str(), "x-mailer" | "user-agent") && self.mailer.is_none() {
            self.mailer = Some(value.clone());
        }
        self.fields.push(Field {
            name,
            value,
            is_encoded: memchr::memmem::find(body, b"=?").is_some(),
            is_raw: !body.is_ascii(),
        });
    }

    fn message_id(&mut self, body: &[u8]) {
        let text = String::from_utf8_lossy(body);
        let inner = text
            .trim()
            .strip_prefix('<')
            .and_then(|text| text.strip_suffix('>'));
        let parts = inner.and_then(|inner| inner.rsplit_once('@'));
        match parts {
            Some((left, right)) if !left.is_empty() && !right.is_empty() => {
                self.message_id = Some(format!("{left}@{right}"));
                self.message_id_domain = Some(right.to_ascii_lowercase());
                self.is_message_id_malformed = text.trim().contains(char::is_whitespace);
            }
            _ => {
                self.is_message_id_malformed = true;
                self.message_id = inner.map(str::to_owned);
            }
        }
    }

    fn date(&mut self, body: &[u8]) {
        match date_time(body) {
            Some(date) => {
                self.date = Some(date.to_timestamp());
                let minutes = i32::from(date.tz_hour) * 60 + i32::from(date.tz_minute);
                self.zone_minutes = Some(if date.tz_before_gmt {
                    -minutes
                } else {
                    minutes
                });
            }
            None => self.is_date_malformed = true,
        }
    }

    /// What can be said once all fields are read.
    fn compare(&mut self) {
        let Some(author) = self.from.first() else {
            return;
        };
        let Some(name) = &author.name else { return };
        let own = author.address.as_deref().unwrap_or_default();
        self.name_address = name
            .split(|char: char| {
                char.is_whitespace() || matches!(char, '<' | '>' | '(' | ')' | '"' | ',')
            })
            .find(|word| mailbox::is_address(word))
            .map(str::to_ascii_lowercase)
            .filter(|address| {
                // Another mailbox of the same domain deceives nobody about where the message is from.
                let domain = address.rsplit_once('@').map(|(_, domain)| domain);
                address != own && domain.and_then(link::registrable) != author.registrable
            });
        self.name_brand = brand::claimed(name, author.registrable.as_deref());
    }
}

/// Fields that relays and receivers add: they tell nothing of the program that wrote the message.
fn is_trace(name: &str) -> bool {
    matches!(
        name,
        "received"
            | "return-path"
            | "delivered-to"
            | "x-original-to"
            | "authentication-results"
            | "received-spf"
            | "status"
            | "x-status"
            | "x-keywords"
    ) || name.starts_with("arc-")
        || name.starts_with("x-spam-")
        || name.starts_with("x-ms-exchange-")
}

/// What mail-parser makes of a field body as text; it waits for a line end.
fn unstructured(body: &[u8]) -> String {
    let line = ended(body);
    match MessageStream::new(&line).parse_unstructured() {
        HeaderValue::Text(text) => text.into_owned(),
        _ => String::new(),
    }
}

/// `body` with the line end that mail-parser waits for.
fn ended(body: &[u8]) -> Vec<u8> {
    let mut line = Vec::with_capacity(body.len() + 1);
    line.extend_from_slice(body);
    line.push(b'\n');
    line
}

fn date_time(body: &[u8]) -> Option<DateTime> {
    match MessageStream::new(&ended(body)).parse_date() {
        HeaderValue::DateTime(date) if date.is_valid() => Some(date),
        _ => None,
    }
}

/// The hash FNV-1a of 32 bits: small, and the same on every machine and version.
struct Fnv(u32);

impl Default for Fnv {
    fn default() -> Fnv {
        Fnv(0x811c_9dc5)
    }
}

impl Fnv {
    fn add(&mut self, name: &str) {
        for byte in name.bytes().chain([b'\n']) {
            self.0 = (self.0 ^ u32::from(byte)).wrapping_mul(0x0100_0193);
        }
    }
}

#[cfg(test)]
mod tests;

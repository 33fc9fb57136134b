//! Delivery status notifications: what Gatepost writes to whoever sent a message when it is not delivered, delayed, delivered
//! or relayed (RFC 3461, 3464, 6522, 6533).
//!
//! Pure: facts and the time come in, a submission for the queue comes out. Who may be written to is in `rule`, what people
//! read in `human` and `words`, what programs read in `status`, the returned message in `original`, encodings in `encode`.
//! When a report is due is not known here.

use std::sync::Arc;

use bytes::Bytes;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use queue::{Envelope, Origin, QueuedRecipient, Submission};
use smtp::{
    Body, ForwardPath, MailParameters, Mailbox, Notify, RcptParameters, ReversePath, Status,
};

use crate::config::Rate;

mod encode;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod human;
mod original;
mod rule;
mod status;
mod words;

pub(crate) use encode::base64;
pub use encode::base64_lines;
pub use rule::{Addressee, Silence, Unproven, addressee};

/// What a report is made from.
#[derive(Clone, Debug)]
pub struct ReportFacts<'a> {
    /// Who reports.
    pub reporter: &'a Reporter,
    /// The language of the route of the first concerned recipient, as a tag: `de-AT` falls back to `de`, then to English.
    pub language: &'a str,
    /// A reference for the report itself: one that no other transaction of the node has.
    pub reference: &'a str,
    /// What makes the boundary of its parts one that no sender can guess: references count up, and a message that is returned
    /// whole must not be able to end its part and begin one of its own.
    pub nonce: u64,
    /// Reports that our postmaster did not get since the last one, since there were too many. Told to nobody else.
    pub left_out: u64,
    /// The envelope of the message that is reported on.
    pub envelope: &'a Envelope,
    /// Its content as it lies in the queue.
    pub content: &'a [u8],
    /// Whether the transaction has proven the reverse-path to be its sender's own, by other means than
    /// [`Envelope::submitted`].
    pub proven: bool,
    /// Whether the message travels under REQUIRETLS (RFC 8689): its body is not returned, and the report is under it too.
    pub require_tls: bool,
    /// The time; its time zone is that of all dates.
    pub now: &'a Zoned,
    /// The recipients that it is about.
    pub concerned: &'a [Concerned<'a>],
}

/// Who reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reporter {
    /// The reporting MTA: our name.
    pub name: String,
    /// The author of reports.
    pub from: Mailbox,
    /// Whom the reader can ask, and who gets what may go to nobody else.
    pub postmaster: Mailbox,
    /// Bytes of a message that are returned whole at most, if that was asked for.
    pub return_bytes_max: u64,
    /// Who gets reports on messages whose reverse-path is not proven.
    pub unproven: Unproven,
    /// How many reports our postmaster gets.
    pub postmaster_rate: Rate,
}

/// What is told of one recipient.
#[derive(Clone, Debug)]
pub struct Concerned<'a> {
    /// Its place in [`Envelope::recipients`].
    pub index: u32,
    /// What became of the message for it.
    pub action: Action,
    /// The status: of class 5 or 4 for `Failed`, 4 for `Delayed`, 2 for the others.
    pub status: Status,
    /// What the nexthop replied, or in our words why it did not: any bytes, as they came. May be empty.
    pub diagnostic: &'a str,
    /// Whether `diagnostic` is an SMTP reply (`smtp;`, RFC 3464 2.3.6) and not our own words.
    pub is_reply: bool,
    /// The name of the server that said so.
    pub remote_mta: Option<&'a str>,
    /// When delivery was last attempted, in milliseconds since 1970.
    pub last_attempt: Option<u64>,
    /// Until when it is tried, in milliseconds since 1970: for `Delayed`.
    pub will_retry_until: Option<u64>,
}

/// What became of a message for a recipient (RFC 3464 2.3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// It could not be delivered, and is no longer tried.
    Failed,
    /// It could not be delivered so far.
    Delayed,
    /// It was handed to a server that does not speak DSN: nobody will tell more.
    Relayed,
    /// It was handed to several addresses in place of this one.
    Expanded,
    /// It is in the mailbox.
    Delivered,
}

impl Action {
    /// Every action, the gravest first.
    pub const ALL: [Action; 5] = [
        Action::Failed,
        Action::Delayed,
        Action::Relayed,
        Action::Expanded,
        Action::Delivered,
    ];

    /// The word in the report (RFC 3464 2.3.3).
    pub const fn word(self) -> &'static str {
        match self {
            Action::Failed => "failed",
            Action::Delayed => "delayed",
            Action::Relayed => "relayed",
            Action::Expanded => "expanded",
            Action::Delivered => "delivered",
        }
    }
}

/// The report on these facts, ready for the queue; `None` where none may be sent, for the reason that [`addressee`] gives.
pub fn report(facts: &ReportFacts<'_>) -> Option<Submission> {
    let (mailbox, told, to_postmaster) = match addressee(facts) {
        Addressee::ReversePath { mailbox, told } => (mailbox, told, false),
        Addressee::Postmaster { told, .. } => (&facts.reporter.postmaster, told, true),
        Addressee::Nobody(_) => return None,
    };
    let concerned: Vec<Told<'_>> = told
        .iter()
        .filter_map(|&place| {
            let concerned = facts.concerned.get(place)?;
            let index = usize::try_from(concerned.index).ok()?;
            Some(Told {
                concerned,
                recipient: facts.envelope.recipients.get(index)?,
            })
        })
        .collect();
    let gravest = concerned.iter().map(|told| told.concerned.action).min()?;
    let letter = Letter {
        facts,
        to: mailbox,
        to_postmaster,
        told: &concerned,
        gravest,
        utf8: !mailbox.is_ascii() || !facts.reporter.from.is_ascii(),
    };
    let content = letter.write();
    let eight_bit = !content.is_ascii();
    Some(Submission {
        envelope: envelope(&letter, eight_bit),
        content: vec![Bytes::from(content)],
    })
}

/// A recipient that the report tells of.
struct Told<'a> {
    concerned: &'a Concerned<'a>,
    recipient: &'a QueuedRecipient,
}

/// A report in the making.
struct Letter<'a> {
    facts: &'a ReportFacts<'a>,
    to: &'a Mailbox,
    to_postmaster: bool,
    told: &'a [Told<'a>],
    gravest: Action,
    /// Whether it can only travel with SMTPUTF8 (RFC 6533 4): its own addresses hold UTF-8.
    utf8: bool,
}

/// RFC 3461 6.1: from the null reverse-path, and no report is ever wanted on it (6.2, NOTIFY=NEVER).
fn envelope(letter: &Letter<'_>, eight_bit: bool) -> Envelope {
    let facts = letter.facts;
    let original = facts.envelope;
    Envelope {
        reference: facts.reference.to_owned(),
        origin: Origin::Report,
        arrived: milliseconds(facts.now),
        customer: Arc::clone(&original.customer),
        reverse_path: ReversePath::Null,
        mail: MailParameters {
            body: eight_bit.then_some(Body::EightBitMime),
            smtputf8: letter.utf8,
            require_tls: facts.require_tls,
            ..MailParameters::default()
        },
        eight_bit,
        submitted: true,
        lifetime: original.lifetime,
        delay_warning: 0,
        recipients: vec![QueuedRecipient {
            forward_path: ForwardPath::Mailbox(letter.to.clone()),
            parameters: RcptParameters {
                notify: Some(Notify::NEVER),
                orcpt: None,
            },
        }],
    }
}

impl Letter<'_> {
    /// The message: header section and the three parts (RFC 6522 3).
    fn write(&self) -> Vec<u8> {
        let original = original::part(self);
        let boundary = format!("=_{}_{:016x}", self.facts.reference, self.facts.nonce);
        let mut out = Vec::with_capacity(4096 + original.len());
        self.header_section(&boundary, &mut out);
        let parts = [human::part(self), status::part(self), original];
        for part in parts {
            out.extend(format!("--{boundary}\r\n").into_bytes());
            out.extend(part);
            out.extend(b"\r\n");
        }
        out.extend(format!("--{boundary}--\r\n").into_bytes());
        out
    }

    fn header_section(&self, boundary: &str, out: &mut Vec<u8>) {
        let facts = self.facts;
        let reporter = facts.reporter;
        let words = words::of(facts.language);
        let original_id = original::message_id(facts.content);
        let mut field = |name: &str, value: &str| {
            out.extend(format!("{name}: {value}\r\n").into_bytes());
        };
        field("Date", &date(facts.now));
        field(
            "From",
            &format!(
                "{} <{}>",
                encode::phrase(words.from_phrase),
                encode::mailbox(&reporter.from)
            ),
        );
        field("To", &format!("<{}>", encode::mailbox(self.to)));
        field("Subject", &encode::phrase(self.subject(words)));
        field(
            "Message-ID",
            &format!("<{}.report@{}>", facts.reference, reporter.name),
        );
        if let Some(id) = original_id {
            field("In-Reply-To", &id);
            field("References", &id);
        }
        // RFC 3834 5, RFC 3461 6.1: nothing automatic may answer to this.
        field("Auto-Submitted", "auto-replied");
        field("MIME-Version", "1.0");
        field(
            "Content-Type",
            &format!("multipart/report; report-type=delivery-status;\r\n\tboundary=\"{boundary}\""),
        );
        if self.utf8 || original::is_eight_bit(self) {
            field("Content-Transfer-Encoding", "8bit");
        }
        // RFC 6522 3: what is here is for readers without MIME, who read the parts below as they are.
        out.extend(b"\r\n");
    }

    fn subject(&self, words: &'static words::Words) -> &'static str {
        if self.to_postmaster {
            return words.subject_postmaster;
        }
        words.subject(self.gravest)
    }
}

fn milliseconds(time: &Zoned) -> u64 {
    u64::try_from(time.timestamp().as_millisecond()).unwrap_or_default()
}

/// RFC 5322 3.3.
fn date(time: &Zoned) -> String {
    jiff::fmt::rfc2822::to_string(time).unwrap_or_else(|_| {
        // Years before 0 or after 9999 have no form there; no clock of ours says so.
        "Thu, 1 Jan 1970 00:00:00 +0000".to_owned()
    })
}

/// The date of these milliseconds since 1970, in the time zone of `zone`.
fn date_of(milliseconds: u64, zone: &TimeZone) -> String {
    let timestamp = i64::try_from(milliseconds)
        .ok()
        .and_then(|milliseconds| Timestamp::from_millisecond(milliseconds).ok())
        .unwrap_or(Timestamp::UNIX_EPOCH);
    date(&timestamp.to_zoned(zone.clone()))
}

#[cfg(test)]
mod tests;

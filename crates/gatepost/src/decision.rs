//! The decision: the record of one transaction. Log line, history row, page and replay all come from it.
//!
//! It holds facts, findings, verdicts, replies and timings; never a subject, a body or a password. It is written by
//! `crate::event` and replayed by [`Decision::replay`]. Every field is described in `event/fields.rs`.

use std::net::IpAddr;
use std::sync::Arc;

use scan::finding::Finding;
use serde::{Deserialize, Serialize};

use crate::event::Time;
use crate::policy::{self, ListMatch, MessageFacts, Settings, Verdict};
use crate::reference::Reference;

mod envelope;

pub use envelope::{Disposition, MailParameters, Protocol, Recipient, Reply};

/// The record of one transaction, also of one that ended before its message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// Its id.
    pub reference: Reference,
    /// When MAIL was given.
    pub begun: Time,
    /// The node's name.
    pub node: Arc<str>,
    /// The listener's name.
    pub listener: Arc<str>,
    /// Who connected.
    pub client: Client,
    /// The encryption of the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
    /// The name given with EHLO, HELO or LHLO.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub ehlo: String,
    /// The identity proven by AUTH.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authenticated_as: Option<String>,
    /// The protocol of the session.
    pub protocol: Protocol,
    /// The reverse-path without angle brackets; `<>` for the null reverse-path.
    pub reverse_path: String,
    /// What came with MAIL.
    #[serde(default, skip_serializing_if = "MailParameters::is_empty")]
    pub mail_parameters: MailParameters,
    /// Each recipient that was named, refused ones too, in the order of RCPT.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recipients: Vec<Recipient>,
    /// How large the message was.
    #[serde(default, skip_serializing_if = "Sizes::is_empty")]
    pub sizes: Sizes,
    /// The header field Message-ID, without angle brackets, shortened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// The last stage that was reached.
    pub stage: Stage,
    /// The list entries that matched the client, the reverse-path or the header field From.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lists: Vec<ListMatch>,
    /// What the engines said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// What was decided on the whole; none if the client left before anything was to decide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// The last reply given in the transaction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<Reply>,
    /// How long things took.
    pub timings: Timings,
    /// What ended the transaction.
    pub ended_by: EndedBy,
}

impl Decision {
    /// What became of the transaction as a whole, in one word; the best news of any recipient counts.
    pub fn outcome(&self) -> &'static str {
        let has = |wanted| {
            self.recipients
                .iter()
                .any(|recipient| recipient.disposition == wanted)
        };
        let verdict = self.verdict.as_ref().map(Verdict::outcome);
        if has(Disposition::Relayed) {
            "relayed"
        } else if has(Disposition::Delivered) {
            "delivered"
        } else if has(Disposition::Queued) {
            "queued"
        } else if has(Disposition::Refused) || verdict == Some("refuse") {
            "refused"
        } else if has(Disposition::Deferred) || verdict == Some("defer") {
            "deferred"
        } else {
            "abandoned"
        }
    }

    /// The verdict on the message for one of the recipients, as `settings` would have it.
    pub fn replay(&self, recipient: &Recipient, settings: &Settings) -> Verdict {
        let facts = MessageFacts {
            lists: [self.lists.as_slice(), recipient.lists.as_slice()].concat(),
        };
        policy::message(&facts, &self.findings, settings)
    }
}

/// Who connected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// Its address: that of the PROXY header or XCLIENT, where one is trusted.
    pub ip: IpAddr,
    /// Its port.
    pub port: u16,
    /// Its name in the DNS, if the name leads back to the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The proxy that named the client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxied_by: Option<IpAddr>,
}

impl Client {
    /// A client of which only the address is known.
    pub fn new(ip: IpAddr, port: u16) -> Client {
        Client {
            ip,
            port,
            name: None,
            proxied_by: None,
        }
    }
}

/// The encryption of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tls {
    /// `TLSv1.3`.
    pub version: String,
    /// `TLS_AES_128_GCM_SHA256`.
    pub cipher: String,
    /// The name that the client asked for (SNI).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_name: Option<String>,
}

/// How large a message was, as received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sizes {
    /// The message, dot-unstuffed, without the final dot.
    pub bytes: u64,
    /// Its header section, the empty line included.
    pub header_bytes: u64,
}

impl Sizes {
    fn is_empty(&self) -> bool {
        *self == Sizes::default()
    }
}

/// How long things took, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Timings {
    /// From MAIL to the end of the transaction.
    pub total: f32,
    /// From DATA to the final dot.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub receive: f32,
    /// All engines.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub scan: f32,
    /// From the verdict to the nexthop's last reply, or to safety on disk.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub dispose: f32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(milliseconds: &f32) -> bool {
    *milliseconds == 0.0
}

/// How far a session or transaction came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Connected.
    Connect,
    /// EHLO, HELO or LHLO given.
    Ehlo,
    /// AUTH given.
    Auth,
    /// MAIL given.
    Mail,
    /// RCPT given.
    Rcpt,
    /// DATA or BDAT given.
    Data,
    /// The message is there.
    Message,
}

/// What ended a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EndedBy {
    /// The reply to the message, or the one that refused MAIL.
    Reply,
    /// RSET, or another EHLO.
    Rset,
    /// QUIT.
    Quit,
    /// The client closed the connection, or it broke.
    Disconnect,
    /// The client was too slow.
    Timeout,
    /// We were stopped.
    Stop,
}

#[cfg(test)]
mod tests;

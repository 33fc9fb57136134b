//! The types of reasons, each with its reply code (RFC 5321 4.2.3) and enhanced status (RFC 3463, RFC 5248): one table.
//!
//! The texts are in `crate::replies`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use smtp::{Class, Status};

/// Why something is refused or deferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The message is spam: one engine is sure, or two find it likely.
    Spam,
    /// The message carries a virus.
    Virus,
    /// An attachment is of a kind that is not let through.
    Attachment,
    /// The message or its header section is larger than the listener takes.
    Size,
    /// A line of the message is longer than 8192 bytes.
    Line,
    /// The message holds a bare CR or LF.
    BareNewline,
    /// The message has passed too many servers, or this one too often: it goes round in circles.
    Loop,
    /// We don't relay for that domain.
    Relay,
    /// There is no such mailbox.
    Mailbox,
    /// A block list of the operator.
    List,
    /// The author's domain is not authenticated, and its owner asks for rejection (DMARC).
    Dmarc,
    /// The client may not send for the domain of the reverse-path (SPF).
    SpfFail,
    /// Nearly all that came from this sender was refused.
    Reputation,
    /// The same, where it is not beyond doubt: it may try again later.
    ReputationDefer,
    /// Lists in the DNS have the sending server as a source of spam.
    Listed,
    /// The same, where too few lists do: it may try again later.
    ListedDefer,
    /// A newcomer is asked to come again.
    Greylist,
    /// More comes from this sender in a time than is taken.
    Rate,
    /// Another rule of the operator.
    Policy,
    /// An engine that must not be gone without does not answer.
    EngineUnavailable,
    /// No nexthop can be reached.
    NexthopDown,
    /// The recipient needs a transaction of its own (`452 4.5.3`): its policy or nexthop differs.
    AnotherTransaction,
    /// Memory or disk is used up for the moment.
    Exhausted,
    /// The queue can't be written.
    QueueFault,
}

impl Kind {
    /// Every kind, in the order of the documentation.
    pub const ALL: [Kind; 24] = [
        Kind::Spam,
        Kind::Virus,
        Kind::Attachment,
        Kind::Size,
        Kind::Line,
        Kind::BareNewline,
        Kind::Loop,
        Kind::Relay,
        Kind::Mailbox,
        Kind::List,
        Kind::Dmarc,
        Kind::SpfFail,
        Kind::Reputation,
        Kind::ReputationDefer,
        Kind::Listed,
        Kind::ListedDefer,
        Kind::Greylist,
        Kind::Rate,
        Kind::Policy,
        Kind::EngineUnavailable,
        Kind::NexthopDown,
        Kind::AnotherTransaction,
        Kind::Exhausted,
        Kind::QueueFault,
    ];

    /// The table: name, reply code, subject and detail of the status (its class is that of the code).
    const fn row(self) -> (&'static str, u16, u16, u16) {
        match self {
            // RFC 3463 3.8: X.7.1, delivery not authorised; what senders' systems know as "refused by a rule".
            Kind::Spam => ("spam", 550, 7, 1),
            Kind::Virus => ("virus", 550, 7, 1),
            Kind::Attachment => ("attachment", 550, 7, 1),
            // RFC 1870 6.2, 6.3 and RFC 3463 3.4: X.3.4, message too big for system.
            Kind::Size => ("size", 552, 3, 4),
            // RFC 3463 3.7: X.6.0, undefined media error; no conversion mends an over-long line.
            Kind::Line => ("line", 554, 6, 0),
            // RFC 5321 2.3.8: CR and LF only together. RFC 3463 3.6: X.5.2, syntax error.
            Kind::BareNewline => ("bare-newline", 550, 5, 2),
            // RFC 5321 6.3; RFC 3463 3.5: X.4.6, routing loop detected.
            Kind::Loop => ("loop", 554, 4, 6),
            Kind::Relay => ("relay", 550, 7, 1),
            Kind::Mailbox => ("mailbox", 550, 1, 1),
            Kind::List => ("list", 550, 7, 1),
            // RFC 7372 3.3: X.7.26, multiple authentication checks failed; what DMARC (RFC 9989 8.3) is answered with.
            Kind::Dmarc => ("dmarc", 550, 7, 26),
            // RFC 7372 3.2: X.7.23, SPF validation failed.
            Kind::SpfFail => ("spf-fail", 550, 7, 23),
            Kind::Reputation => ("reputation", 550, 7, 1),
            Kind::ReputationDefer => ("reputation-defer", 451, 7, 1),
            Kind::Listed => ("listed", 550, 7, 1),
            Kind::ListedDefer => ("listed-defer", 451, 7, 1),
            // RFC 6647 2.1: a reply of 4yz; X.7.1 as for any refusal by a rule.
            Kind::Greylist => ("greylist", 451, 7, 1),
            // RFC 5321 4.2.2: 450 where policy keeps the mailbox from being had now.
            Kind::Rate => ("rate", 450, 7, 1),
            Kind::Policy => ("policy", 550, 7, 1),
            // RFC 3463 3.4: X.3.0, other mail system status.
            Kind::EngineUnavailable => ("engine-unavailable", 451, 3, 0),
            // RFC 3463 3.5: X.4.1, no answer from host.
            Kind::NexthopDown => ("nexthop-down", 451, 4, 1),
            // RFC 5321 4.5.3.1.10: the client opens another transaction for the rest.
            Kind::AnotherTransaction => ("another-transaction", 452, 5, 3),
            // RFC 3463 3.4: X.3.1, mail system full.
            Kind::Exhausted => ("exhausted", 452, 3, 1),
            // RFC 3463 3.4: X.3.0, other mail system status.
            Kind::QueueFault => ("queue-fault", 451, 3, 0),
        }
    }

    /// The name in configuration, events and documentation.
    pub const fn name(self) -> &'static str {
        self.row().0
    }

    /// The reply code.
    pub const fn code(self) -> u16 {
        self.row().1
    }

    /// The enhanced status.
    pub const fn status(self) -> Status {
        let (_, code, subject, detail) = self.row();
        let class = if code < 500 {
            Class::Transient
        } else {
            Class::Permanent
        };
        Status::new(class, subject, detail)
    }

    /// Whether the client should try again later.
    pub const fn is_transient(self) -> bool {
        self.code() < 500
    }

    /// The code in place of the banner: RFC 5321 3.1 and 4.3.2 know 554 there, and 421 for later.
    pub const fn code_at_connect(self) -> u16 {
        if self.is_transient() { 421 } else { 554 }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No kind has this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownKind;

impl FromStr for Kind {
    type Err = UnknownKind;

    /// Takes the name, also with `_` for `-`, as keys of the configuration have it.
    fn from_str(name: &str) -> Result<Kind, UnknownKind> {
        let name = name.replace('_', "-");
        Kind::ALL
            .into_iter()
            .find(|kind| kind.name() == name)
            .ok_or(UnknownKind)
    }
}

//! The envelope of a queued message: what was said with MAIL and RCPT, and what delivery needs to know besides.
//!
//! How it lies on the disk is not told here.

use std::sync::Arc;

use smtp::{ForwardPath, MailParameters, RcptParameters, ReversePath};

/// The envelope of a queued message; immutable once it is submitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The reference of the transaction that brought the message, or one made for a report.
    pub reference: String,
    /// Where the message comes from.
    pub origin: Origin,
    /// When it was accepted, in milliseconds since 1970 UTC.
    pub arrived: u64,
    /// Whose message it is, for a fair share of the schedule: the customer of the recipients' route, or the domain of whoever
    /// submitted it; empty for nobody in particular.
    pub customer: Arc<str>,
    /// The reverse-path.
    pub reverse_path: ReversePath,
    /// What came with MAIL.
    pub mail: MailParameters,
    /// Whether the content holds any byte beyond ASCII (RFC 6152).
    pub eight_bit: bool,
    /// Whether the client proved who it is (AUTH) or is of a trusted network: reports to the reverse-path are no backscatter.
    pub submitted: bool,
    /// Milliseconds after `arrived` at which undelivered recipients fail (RFC 5321 4.5.4.1).
    pub lifetime: u64,
    /// Milliseconds after `arrived` at which a delay is reported (RFC 3461 4.1 `DELAY`); 0 for never.
    pub delay_warning: u64,
    /// The recipients, in the order of RCPT; not empty.
    pub recipients: Vec<QueuedRecipient>,
}

/// One recipient of a queued message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuedRecipient {
    /// The forward-path.
    pub forward_path: ForwardPath,
    /// What came with RCPT.
    pub parameters: RcptParameters,
}

/// Where a queued message comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// A client sent it.
    Received,
    /// A delivery status notification of ours (RFC 3464).
    Report,
    /// A daily report of ours, on TLS (RFC 8460) or DMARC (RFC 9990).
    AggregateReport,
}

/// What the recipients of one lane share: they wait for the same thing, in the order of their arrival.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LaneKey {
    /// Whose messages, as in [`Envelope::customer`].
    pub customer: Arc<str>,
    /// The recipient domain: lower case, A-labels, or an address literal in brackets.
    pub domain: Arc<str>,
    /// The nexthop that an operator chose for them in place of the configured one.
    pub nexthop: Option<Arc<str>>,
}

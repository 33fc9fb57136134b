//! Events: every observable fact is one variant of one closed enum. The decision log writes each as a line of JSON,
//! metrics count the same values; `docs/events.md` describes every field.
//!
//! Building and writing an event must cost microseconds: one is written for each transaction. Where lines go (file,
//! rotation, back-pressure) is not decided here.

use std::net::SocketAddr;
use std::sync::Arc;

use scan::finding::UnavailableCause;
use serde::{Deserialize, Serialize};

use crate::decision::{Client, Decision, Reply};
use crate::deliver::families::Family;

mod delivery;
pub mod fields;
mod operation;
mod session;
mod time;

pub use delivery::{DeliveredRecipient, Delivery, DeliveryResult};
pub use operation::{QueueAction, QueueChange, QueueMoved, SuspensionKind};
pub use session::{ConnectionRefusal, SessionEnd, SessionEnded};
pub use time::Time;

/// A fact worth a line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// A transaction ended.
    Decided(Box<Decision>),
    /// A queued message was delivered, or it was tried.
    Delivery(Box<Delivery>),
    /// A report on a queued message was queued (RFC 3464).
    ReportQueued {
        /// The reference of the report.
        reference: String,
        /// The report in the queue.
        queue_id: String,
        /// The reference of the message that it is about.
        about: String,
        /// Whom it goes to.
        forward_path: String,
    },
    /// Whoever sent a message gets no report on it.
    ReportWithheld {
        /// The reference of the message.
        about: String,
        /// What became of it (RFC 3464 2.3.3).
        action: String,
        /// The recipients that it is about.
        recipients: Vec<String>,
        /// Why.
        reason: String,
        /// Our postmaster gets it; otherwise nobody does.
        to_postmaster: bool,
    },
    /// A message leaves without the signature that it should have (RFC 6376).
    Unsigned {
        /// Its reference.
        reference: String,
        /// Whose signature.
        domain: String,
        /// What went wrong.
        detail: String,
    },
    /// The disk of the queue has less room than is to stay free: messages are told 452.
    DiskFull {
        /// Bytes that are free.
        bytes_free: u64,
        /// Bytes that are to stay free.
        bytes_reserved: u64,
    },
    /// There is enough room again.
    DiskFree {
        /// Bytes that are free.
        bytes_free: u64,
    },
    /// The disk of the queue can't be written: messages are told 451.
    DiskFault {
        /// What was being done.
        what: String,
        /// What the system said.
        detail: String,
    },
    /// The disk of the queue can be written again.
    DiskWorks,
    /// A damaged record of the queue was set aside.
    QueueDamaged {
        /// The number of its segment.
        segment: u64,
        /// Where in the segment, in bytes.
        offset: u64,
        /// What is wrong with it.
        detail: String,
        /// The file in `corrupt/` that holds it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kept_as: Option<String>,
    },
    /// The messages of earlier runs have been read.
    QueueRecovered {
        /// Messages that wait.
        messages: u64,
        /// Their recipients that wait.
        recipients: u64,
        /// Records that were damaged.
        damaged: u64,
        /// How long it took.
        milliseconds: f32,
    },
    /// An operator did something to a queued message.
    QueueChanged(Box<QueueChange>),
    /// An operator moved messages from the queue into a file.
    QueueExported(Box<QueueMoved>),
    /// An operator moved messages from a file into the queue.
    QueueImported(Box<QueueMoved>),
    /// An export that an earlier run left behind was ended.
    QueueExportEnded {
        /// The file; empty if the note of it was damaged.
        file: String,
        /// Whether the file was finished: then its messages left the queue, else they go on.
        finished: bool,
        /// How many messages.
        messages: u64,
    },
    /// An operator suspended deliveries.
    DeliverySuspended {
        /// What the name is one of.
        kind: SuspensionKind,
        /// What is suspended.
        name: String,
        /// Who did it.
        by: String,
        /// Why.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        reason: String,
    },
    /// An operator let suspended deliveries go on.
    DeliveryResumed {
        /// What the name is one of.
        kind: SuspensionKind,
        /// What goes on.
        name: String,
        /// Who did it.
        by: String,
        /// Why.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        reason: String,
    },
    /// A session without any transaction ended.
    SessionEnded(Box<SessionEnded>),
    /// A connection was refused before its banner.
    ConnectionRefused {
        /// The listener's name.
        listener: Arc<str>,
        /// Who connected.
        client: Client,
        /// Why.
        reason: ConnectionRefusal,
        /// The limit that was reached, in connections.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limit: Option<u64>,
        /// What happened, where the reason does not say all.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        detail: String,
        /// The reply given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reply: Option<Reply>,
    },
    /// An engine stopped answering.
    EngineDown {
        /// Its name.
        engine: Arc<str>,
        /// The kind of failure.
        cause: UnavailableCause,
        /// What happened.
        detail: String,
    },
    /// An engine answers again.
    EngineUp {
        /// Its name.
        engine: Arc<str>,
        /// How long it was away, in seconds.
        down_seconds: f64,
    },
    /// A list in the DNS fails, or answers what is no listing: it is left out.
    ListLeftOut {
        /// Its name in the configuration.
        list: Arc<str>,
        /// What is wrong with it.
        detail: String,
    },
    /// A list in the DNS is asked again.
    ListBack {
        /// Its name in the configuration.
        list: Arc<str>,
    },
    /// What earlier runs knew of senders was damaged, and set aside.
    ReputationDamaged {
        /// Where it is now.
        path: String,
        /// What is wrong with it.
        detail: String,
    },
    /// An operator had what is known of a sender forgotten.
    ReputationForgotten {
        /// Of whom.
        sender: String,
        /// Who did it.
        by: String,
    },
    /// A nexthop can no longer be reached.
    NexthopDown {
        /// As in the configuration.
        nexthop: Arc<str>,
        /// What happened.
        detail: String,
    },
    /// A nexthop can be reached again.
    NexthopUp {
        /// As in the configuration.
        nexthop: Arc<str>,
        /// How long it was away, in seconds.
        down_seconds: f64,
    },
    /// An address family leads nowhere: servers in several networks can't be reached over it.
    FamilyDown {
        /// The family.
        family: Family,
        /// What was told about the last one.
        detail: String,
    },
    /// A server was reached over that family again.
    FamilyUp {
        /// The family.
        family: Family,
        /// How long none was, in seconds.
        down_seconds: f64,
    },
    /// No nameserver answers. Questions fail at once until one does.
    DnsDown,
    /// A nameserver answered again.
    DnsUp {
        /// How long none did, in seconds.
        down_seconds: f64,
    },
    /// The configuration was read again and is in force.
    Reloaded {
        /// Listeners in it.
        listeners: u64,
        /// Routes in it.
        routes: u64,
        /// Recipient domains in it.
        domains: u64,
        /// How long it took.
        milliseconds: f32,
    },
    /// The configuration was read again and is wrong: the old one stays in force.
    ReloadFailed {
        /// Every error, with file, line and column.
        errors: Vec<String>,
    },
    /// A certificate changed on disk and is in use.
    CertificateReloaded {
        /// Its file.
        path: String,
        /// The names it is for.
        names: Vec<String>,
    },
    /// A certificate changed on disk and can't be used: the old one stays in use.
    CertificateFailed {
        /// Its file.
        path: String,
        /// What is wrong with it.
        detail: String,
    },
    /// The process is up.
    Started {
        /// The version of Gatepost.
        version: String,
        /// The node's name.
        node: Arc<str>,
        /// Its number, the first 8 bits of its references.
        node_number: u8,
        /// Process id.
        pid: u32,
    },
    /// A listener accepts connections.
    Listening {
        /// Its name.
        listener: Arc<str>,
        /// The address it is bound to.
        address: SocketAddr,
        /// Whether TLS comes before the banner.
        implicit_tls: bool,
    },
    /// The process was told to stop: no more connections, transactions may finish.
    Stopping {
        /// Sessions that are open.
        sessions: u64,
        /// How long they have.
        deadline_seconds: f64,
    },
    /// The process ends.
    Stopped {
        /// Sessions that were cut off with 421.
        sessions_cut: u64,
        /// How long the process was up.
        uptime_seconds: f64,
    },
    /// A kept MTA-STS policy could not be read and is fetched anew.
    StsPolicyDamaged {
        /// Its file.
        path: String,
        /// What is wrong with it.
        detail: String,
    },
    /// A report on TLS was sent (RFC 8460).
    TlsReportSent {
        /// The domain that it is on.
        domain: String,
        /// Where it was sent.
        to: String,
        /// Sessions that were as the domain's policies say.
        successes: u64,
        /// Sessions that were not.
        failures: u64,
    },
    /// A report on TLS could not be sent; it is tried again.
    TlsReportFailed {
        /// The domain that it is on.
        domain: String,
        /// Where it was to go.
        to: String,
        /// What happened.
        detail: String,
    },
    /// An aggregate report on DMARC was put into the queue (RFC 9990).
    DmarcReportSent {
        /// The domain that it is on.
        domain: String,
        /// Whom it goes to.
        to: String,
        /// Messages that it is on.
        messages: u64,
    },
    /// An aggregate report on DMARC could not be put into the queue; it is tried again.
    DmarcReportFailed {
        /// The domain that it is on.
        domain: String,
        /// Whom it was to go to.
        to: String,
        /// What happened.
        detail: String,
    },
    /// A message had to wait or was deferred because the memory for messages is used up.
    MemoryExhausted {
        /// Bytes in use.
        bytes: u64,
        /// The budget in bytes.
        bytes_max: u64,
    },
    /// Lines of this log could not be written and were lost.
    LinesLost {
        /// How many.
        lines: u64,
    },
}

impl Event {
    /// The event as a line of JSON with a final LF, `time` first.
    pub fn json_line(&self, time: Time) -> String {
        let mut line = Vec::new();
        self.write_to(time, &mut line);
        // JSON of serde_json is UTF-8.
        String::from_utf8_lossy(&line).into_owned()
    }

    /// Appends the event as a line of JSON with a final LF, `time` first.
    pub fn write_to(&self, time: Time, out: &mut Vec<u8>) {
        out.reserve(2048);
        out.extend_from_slice(b"{\"time\":\"");
        time.write_to(out);
        out.push(b'"');
        let joint = out.len();
        // Every field is a string, number or list of such: the only error would be one of writing, and a Vec has none.
        if serde_json::to_writer(&mut *out, self).is_err() {
            out.truncate(joint);
            out.extend_from_slice(b"{\"event\":\"unwritable\"}");
        }
        // Both objects become one: the brace that opens the second makes way for a comma.
        if let Some(brace) = out.get_mut(joint) {
            *brace = b',';
        }
        out.push(b'\n');
    }

    /// Reads a line that [`write_to`](Event::write_to) wrote.
    ///
    /// # Errors
    /// If it is no event, or one of a version that knows other fields.
    pub fn from_json_line(line: &str) -> Result<(Time, Event), serde_json::Error> {
        #[derive(Deserialize)]
        struct Line {
            time: Time,
            #[serde(flatten)]
            event: Event,
        }
        serde_json::from_str(line).map(|Line { time, event }| (time, event))
    }

    /// The event's name, as in the field `event`.
    pub fn name(&self) -> &'static str {
        match self {
            Event::Decided(_) => "decided",
            Event::Delivery(_) => "delivery",
            Event::ReportQueued { .. } => "report-queued",
            Event::ReportWithheld { .. } => "report-withheld",
            Event::Unsigned { .. } => "unsigned",
            Event::DiskFull { .. } => "disk-full",
            Event::DiskFree { .. } => "disk-free",
            Event::DiskFault { .. } => "disk-fault",
            Event::DiskWorks => "disk-works",
            Event::QueueDamaged { .. } => "queue-damaged",
            Event::QueueRecovered { .. } => "queue-recovered",
            Event::QueueChanged(_) => "queue-changed",
            Event::QueueExported(_) => "queue-exported",
            Event::QueueImported(_) => "queue-imported",
            Event::QueueExportEnded { .. } => "queue-export-ended",
            Event::DeliverySuspended { .. } => "delivery-suspended",
            Event::DeliveryResumed { .. } => "delivery-resumed",
            Event::SessionEnded(_) => "session-ended",
            Event::ConnectionRefused { .. } => "connection-refused",
            Event::EngineDown { .. } => "engine-down",
            Event::EngineUp { .. } => "engine-up",
            Event::NexthopDown { .. } => "nexthop-down",
            Event::NexthopUp { .. } => "nexthop-up",
            Event::FamilyDown { .. } => "family-down",
            Event::FamilyUp { .. } => "family-up",
            Event::DnsDown => "dns-down",
            Event::DnsUp { .. } => "dns-up",
            Event::Reloaded { .. } => "reloaded",
            Event::ReloadFailed { .. } => "reload-failed",
            Event::CertificateReloaded { .. } => "certificate-reloaded",
            Event::CertificateFailed { .. } => "certificate-failed",
            Event::Started { .. } => "started",
            Event::Listening { .. } => "listening",
            Event::Stopping { .. } => "stopping",
            Event::Stopped { .. } => "stopped",
            Event::ListLeftOut { .. } => "list-left-out",
            Event::ListBack { .. } => "list-back",
            Event::ReputationDamaged { .. } => "reputation-damaged",
            Event::ReputationForgotten { .. } => "reputation-forgotten",
            Event::StsPolicyDamaged { .. } => "sts-policy-damaged",
            Event::TlsReportSent { .. } => "tls-report-sent",
            Event::TlsReportFailed { .. } => "tls-report-failed",
            Event::DmarcReportSent { .. } => "dmarc-report-sent",
            Event::DmarcReportFailed { .. } => "dmarc-report-failed",
            Event::MemoryExhausted { .. } => "memory-exhausted",
            Event::LinesLost { .. } => "lines-lost",
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;

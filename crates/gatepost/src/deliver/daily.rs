//! What the daily reports on TLS (RFC 8460) and on DMARC (RFC 9990) have in common: which ones wait for the end of their day or to be
//! sent, and what became of each in a round.

use serde::{Deserialize, Serialize};

/// What a report is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReportKind {
    /// Sender authentication (RFC 9990).
    Dmarc,
    /// TLS towards other servers (RFC 8460).
    Tls,
}

/// A report that is not sent yet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct WaitingReport {
    /// What it is on.
    pub kind: ReportKind,
    /// The UTC day, `2026-11-23`.
    pub day: String,
    /// Whose record it answers to (DMARC), or the recipient domain (TLS).
    pub domain: String,
    /// Messages (DMARC) or sessions (TLS) that it is on.
    pub count: u64,
    /// Its day is over: the next round sends it.
    pub is_due: bool,
}

/// What became of one report in a round.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportOutcome {
    /// What it is on.
    pub kind: ReportKind,
    /// The UTC day.
    pub day: String,
    /// As in [`WaitingReport`].
    pub domain: String,
    /// The address, or the web server; missing if there is none that takes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Why it was not sent; missing if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// It stays, and is tried again.
    #[serde(default)]
    pub is_kept: bool,
}

/// Nobody takes it: it is done with.
pub(super) const NOBODY: &str =
    "nobody takes it: the record names no address, or none that consents";
/// Whether anybody takes it is not known.
pub(super) const UNKNOWN: &str = "the DNS does not tell who takes it";

//! Results of TLS towards other servers, kept by day, domain and policy, and the reports made of them (RFC 8460).
//!
//! The counts are in `tally`, what a domain asks for in `record`, the report in `document`, the message that carries it in
//! `message`, the daily round in `round`. Delivery only ever notes a result, which waits for nobody.

use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

pub mod document;
pub mod message;
pub mod record;
pub mod round;
pub mod tally;

use super::sts::cache::{Kept, unix_seconds};
use tally::Tally;

/// The policy that a session was held to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ReportPolicy {
    /// Its kind.
    pub kind: PolicyKind,
    /// Its text, line by line; record by record for TLSA.
    pub strings: Vec<String>,
    /// Whose it is: the recipient domain, or the TLSA base domain with port and protocol.
    pub domain: String,
    /// The patterns of an MTA-STS policy for servers.
    pub mx_hosts: Vec<String>,
}

/// The kind of a policy (RFC 8460 section 4.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PolicyKind {
    /// TLSA records.
    Tlsa,
    /// MTA-STS.
    Sts,
    /// Neither.
    NoPolicyFound,
}

/// What went wrong (RFC 8460 section 4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResultType {
    /// The server does not offer STARTTLS.
    StarttlsNotSupported,
    /// The certificate is for other names.
    CertificateHostMismatch,
    /// The certificate's time is over, or has not begun.
    CertificateExpired,
    /// Nobody whom we trust has issued the certificate.
    CertificateNotTrusted,
    /// Anything else.
    ValidationFailure,
    /// No TLSA record is right.
    TlsaInvalid,
    /// The TLSA records cannot be validated.
    DnssecInvalid,
    /// We are to use DANE, and the server has no TLSA records.
    DaneRequired,
    /// The MTA-STS policy could not be got.
    StsPolicyFetchError,
    /// The MTA-STS policy is none.
    StsPolicyInvalid,
    /// The web server of the MTA-STS policy did not prove who it is.
    StsWebpkiInvalid,
}

/// A session that was not as the policy says.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Failure {
    /// What went wrong.
    pub result: ResultType,
    /// Our address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sending_ip: Option<IpAddr>,
    /// The server's name.
    pub receiving_host: String,
    /// Its address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receiving_ip: Option<IpAddr>,
    /// In words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// The results of this node. Cheap to clone; survives reloads.
#[derive(Clone)]
pub struct TlsReports {
    folder: Option<PathBuf>,
    tally: Arc<Mutex<Option<Tally>>>,
    saving: Arc<Mutex<()>>,
}

impl TlsReports {
    /// Keeps no results until it is [switched](TlsReports::switch) on; without a folder not even then.
    pub fn new(folder: Option<PathBuf>) -> TlsReports {
        TlsReports {
            folder,
            tally: Arc::default(),
            saving: Arc::default(),
        }
    }

    /// Keeps results from now on, and takes up those that lie in the folder; or keeps none any longer. It blocks on the file system.
    ///
    /// # Errors
    /// The folder cannot be made or read.
    pub fn switch(&self, on: bool) -> io::Result<()> {
        let is_on = self.with(|_| ()).is_some();
        let tally = match &self.folder {
            Some(folder) if on && !is_on => Some(Tally::open(folder.clone())?),
            Some(_) if on => return Ok(()),
            _ => None,
        };
        *self.tally.lock().unwrap_or_else(PoisonError::into_inner) = tally;
        Ok(())
    }

    /// Notes a session towards a server of the recipient domain `domain`: as the policy says, or how it failed.
    pub fn note(&self, domain: &str, policy: &Arc<ReportPolicy>, failure: Option<Failure>) {
        self.with(|tally| tally.note(unix_seconds(), domain, policy, failure));
    }

    /// Writes what was noted since the last time to the disk. It blocks, but keeps nobody who notes: for housekeeping, and before
    /// the end.
    ///
    /// # Errors
    /// Those of the file system; what could not be written is tried again with the next call.
    pub fn save(&self) -> io::Result<()> {
        let _one_at_a_time = self.saving.lock().unwrap_or_else(PoisonError::into_inner);
        let gone = self.with(Tally::take_gone).unwrap_or_default();
        for path in gone {
            // It may never have been written.
            let _ = std::fs::remove_file(path);
        }
        let mut failure = Ok(());
        for batch in self.with(Tally::take).unwrap_or_default() {
            if let Err(error) = batch.write() {
                failure = Err(error);
                self.with(|tally| tally.give_back(batch));
            }
        }
        failure
    }

    fn with<T>(&self, act: impl FnOnce(&mut Tally) -> T) -> Option<T> {
        let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        tally.as_mut().map(act)
    }
}

impl ReportPolicy {
    /// A policy of `domain`, with its text.
    pub fn new(kind: PolicyKind, domain: &str, strings: Vec<String>) -> Arc<ReportPolicy> {
        Arc::new(ReportPolicy {
            kind,
            strings,
            domain: domain.to_owned(),
            mx_hosts: Vec::new(),
        })
    }

    /// An MTA-STS policy; of a long one its beginning.
    pub fn of_sts(kept: &Kept) -> Arc<ReportPolicy> {
        let first = |lines: &[String]| lines.iter().take(100).cloned().collect();
        Arc::new(ReportPolicy {
            kind: PolicyKind::Sts,
            strings: first(&kept.policy.lines),
            domain: kept.domain.clone(),
            mx_hosts: first(&kept.policy.mx),
        })
    }
}

//! What a connection, or the attempt at one, is in a report (RFC 8460 section 4.3).

use std::net::IpAddr;

use net::tls::{Proof, TlsFault};

use super::{Basis, HostSecurity, Refused};
use crate::deliver::fault::{Cause, Fault, Step};
use crate::deliver::sts::fetch::FetchFault;
use crate::deliver::tls_reports::{Failure, ResultType, TlsReports};

/// Who talked to whom.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    /// The recipient domain.
    pub domain: &'a str,
    /// The server's name.
    pub host: &'a str,
    /// The server's address, if known.
    pub ip: Option<IpAddr>,
    /// Our address, if known.
    pub local_ip: Option<IpAddr>,
}

/// What a fault is in a report; `None` if it says nothing of TLS.
pub fn result_type(fault: &Fault) -> Option<ResultType> {
    match (&fault.cause, fault.step) {
        (Cause::NoStartTls, _) => Some(ResultType::StarttlsNotSupported),
        (Cause::Handshake { kind, .. }, _) => Some((*kind).into()),
        (Cause::Tls(_) | Cause::TlsPolicy(_), _) => Some(ResultType::ValidationFailure),
        // It says no to STARTTLS, or leaves after it.
        (Cause::Refused(_) | Cause::Closed | Cause::Io(_) | Cause::Timeout(_), Step::Tls) => {
            Some(ResultType::ValidationFailure)
        }
        _ => None,
    }
}

impl HostSecurity {
    /// Notes how it went: the connection's proof and whether it is encrypted, or the fault. Faults that say nothing of TLS are no
    /// sessions.
    pub fn note(
        &self,
        reports: &TlsReports,
        attempt: &Attempt<'_>,
        outcome: Result<(Proof, bool), &Fault>,
    ) {
        if self.basis == Basis::Off {
            return;
        }
        let failed = |result, reason: &str| Some(attempt.failure(result, reason));
        let failure = match (outcome, &self.flaw) {
            (Err(fault), _) => match result_type(fault) {
                Some(result) => failed(result, &fault.what_happened().to_string()),
                None => return,
            },
            (Ok(_), Some((result, reason))) => failed(*result, reason),
            (Ok((_, false)), None) => failed(ResultType::StarttlsNotSupported, ""),
            (Ok((Proof::Observed(Some(kind)), _)), None) => failed(kind.into(), ""),
            (Ok(_), None) => None,
        };
        reports.note(attempt.domain, &self.policy, failure);
    }
}

impl Refused {
    /// Notes that nothing was tried.
    pub fn note(&self, reports: &TlsReports, attempt: &Attempt<'_>) {
        if let Some((policy, result)) = &self.noted {
            let reason = self.fault.what_happened().to_string();
            let failure = attempt.failure(*result, &reason);
            reports.note(attempt.domain, policy, Some(failure));
        }
    }
}

impl Attempt<'_> {
    fn failure(&self, result: ResultType, reason: &str) -> Failure {
        Failure {
            result,
            sending_ip: self.local_ip,
            receiving_host: self.host.to_owned(),
            receiving_ip: self.ip,
            reason: reason.to_owned(),
        }
    }
}

impl From<TlsFault> for ResultType {
    fn from(kind: TlsFault) -> ResultType {
        match kind {
            TlsFault::Expired => ResultType::CertificateExpired,
            TlsFault::HostMismatch => ResultType::CertificateHostMismatch,
            TlsFault::NotTrusted => ResultType::CertificateNotTrusted,
            TlsFault::TlsaMismatch => ResultType::TlsaInvalid,
            TlsFault::Handshake | TlsFault::Connection => ResultType::ValidationFailure,
        }
    }
}

impl From<FetchFault> for ResultType {
    fn from(kind: FetchFault) -> ResultType {
        match kind {
            FetchFault::Fetch => ResultType::StsPolicyFetchError,
            FetchFault::WebPki => ResultType::StsWebpkiInvalid,
            FetchFault::Invalid => ResultType::StsPolicyInvalid,
        }
    }
}

#[cfg(test)]
mod tests;

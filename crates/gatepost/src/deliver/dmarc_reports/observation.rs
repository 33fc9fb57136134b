//! What is noted of one message: the record that applies, and a row of its report (RFC 9990 section 3).

use std::net::IpAddr;
use std::sync::Arc;

use scan::auth::facts::{
    Authentication, DkimResult, DmarcFact, DmarcPolicy, DmarcRecord, DmarcResult, SpfResult,
};
use scan::finding::{Excuse, Finding};
use scan::specimen::Specimen;
use serde::{Deserialize, Serialize};

use crate::policy::DmarcAction;

/// DKIM results of one row; the standard asks for those that matter.
const DKIM_RESULTS_MAX: usize = 4;

/// A message as a report has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// The record.
    pub published: Arc<Published>,
    /// The row.
    pub row: Row,
}

/// A record with its owner.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Published {
    /// As it was understood.
    pub record: DmarcRecord,
    /// The organisational domain of its domain.
    pub organizational_domain: String,
}

/// What alike messages have in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Row {
    /// The client.
    pub source_ip: IpAddr,
    /// What became of it as far as DMARC goes.
    pub disposition: Disposition,
    /// Whether an aligned DKIM signature passes.
    pub dkim_aligned: bool,
    /// Whether aligned SPF passes.
    pub spf_aligned: bool,
    /// Why something else happened than the owner asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overridden: Option<Override>,
    /// The author's domain.
    pub header_from: String,
    /// The domain of the reverse-path; empty for the null reverse-path.
    pub envelope_from: String,
    /// Domain, selector and result of DKIM signatures.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dkim: Vec<(String, String, DkimResult)>,
    /// Domain and result of SPF.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spf: Option<(String, SpfResult)>,
}

/// What became of a message (RFC 9990 section 3.1.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Disposition {
    /// It passes.
    Pass,
    /// It failed, and nothing followed.
    None,
    /// It was taken for suspect.
    Quarantine,
    /// It was refused.
    Reject,
}

/// Why something else happened than the owner asks for (RFC 9990 section 3.1.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Override {
    /// The operator's rules.
    LocalPolicy,
    /// A mailing list that is trusted.
    MailingList,
    /// A forwarder or sealer that is trusted.
    TrustedForwarder,
    /// The record says that it is for a test.
    PolicyTestMode,
}

impl Disposition {
    /// The word of the schema.
    pub fn word(self) -> &'static str {
        match self {
            Disposition::Pass => "pass",
            Disposition::None => "none",
            Disposition::Quarantine => "quarantine",
            Disposition::Reject => "reject",
        }
    }
}

impl Override {
    /// The word of the schema.
    pub fn word(self) -> &'static str {
        match self {
            Override::LocalPolicy => "local_policy",
            Override::MailingList => "mailing_list",
            Override::TrustedForwarder => "trusted_forwarder",
            Override::PolicyTestMode => "policy_test_mode",
        }
    }
}

/// What there is to report of a message, if its author's domain wants reports. `is_refused`: what became of it at last; `action`:
/// what its route makes of DMARC.
pub fn observed(
    findings: &[Finding],
    specimen: &Specimen,
    is_refused: bool,
    action: DmarcAction,
) -> Option<Observation> {
    let finding = findings
        .iter()
        .find(|finding| finding.authentication.is_some())?;
    let facts = finding.authentication.as_ref()?;
    let dmarc = facts.dmarc.as_ref()?;
    let record = dmarc.published.as_ref()?;
    let is_judged = matches!(dmarc.result, DmarcResult::Pass | DmarcResult::Fail);
    if record.report_uris.is_empty() || !is_judged {
        return None;
    }
    let excuse = finding
        .policy
        .as_ref()
        .and_then(|failure| failure.excused_by.as_ref());
    let (disposition, overridden) = disposition(dmarc, record, excuse, is_refused, action);
    let reverse_path = specimen.reverse_path.mailbox();
    Some(Observation {
        published: Arc::new(Published {
            record: record.clone(),
            organizational_domain: dmarc.organizational_domain.clone(),
        }),
        row: Row {
            source_ip: specimen.client_ip.to_canonical(),
            disposition,
            dkim_aligned: dmarc.dkim_aligned.is_some(),
            spf_aligned: dmarc.spf_aligned.is_some(),
            overridden,
            header_from: dmarc.from_domain.clone(),
            envelope_from: reverse_path
                .map(|mailbox| mailbox.domain.ascii().into_owned())
                .unwrap_or_default(),
            dkim: dkim(facts, dmarc),
            spf: facts
                .spf_mail
                .as_ref()
                .map(|fact| (fact.domain.clone(), fact.result)),
        },
    })
}

fn disposition(
    dmarc: &DmarcFact,
    record: &DmarcRecord,
    excuse: Option<&Excuse>,
    is_refused: bool,
    action: DmarcAction,
) -> (Disposition, Option<Override>) {
    if dmarc.result == DmarcResult::Pass {
        return (Disposition::Pass, None);
    }
    let excused = excuse.map(|excuse| match excuse {
        Excuse::List(_) => Override::MailingList,
        Excuse::Forwarder | Excuse::Sealer(_) => Override::TrustedForwarder,
    });
    // What is asked for is one step milder in a test already.
    let test = record.testing.then_some(Override::PolicyTestMode);
    let local = Some(Override::LocalPolicy);
    match dmarc.policy {
        DmarcPolicy::None => (Disposition::None, test),
        DmarcPolicy::Quarantine | DmarcPolicy::Reject if excused.is_some() => {
            (Disposition::None, excused)
        }
        DmarcPolicy::Quarantine | DmarcPolicy::Reject if action == DmarcAction::Note => {
            (Disposition::None, local)
        }
        DmarcPolicy::Quarantine => (Disposition::Quarantine, test),
        DmarcPolicy::Reject if is_refused => (Disposition::Reject, None),
        DmarcPolicy::Reject if action == DmarcAction::Likely => (Disposition::Quarantine, local),
        DmarcPolicy::Reject => (Disposition::None, local),
    }
}

/// The aligned signatures first, since not all may find room.
fn dkim(facts: &Authentication, dmarc: &DmarcFact) -> Vec<(String, String, DkimResult)> {
    let named = facts.dkim.iter().filter(|fact| !fact.domain.is_empty());
    let mut results: Vec<_> = named
        .map(|fact| (fact.domain.clone(), fact.selector.clone(), fact.result))
        .collect();
    results.sort_by_key(|(domain, _, _)| Some(domain) != dmarc.dkim_aligned.as_ref());
    results.truncate(DKIM_RESULTS_MAX);
    results
}

#[cfg(test)]
pub(in crate::deliver::dmarc_reports) mod tests;

//! The facts as a finding: symbols, and a reason that a postmaster understands.

use std::sync::Arc;

use super::dmarc::is_within;
use super::facts::{
    ArcResult, Authentication, DkimFact, DkimResult, DmarcFact, DmarcPolicy, DmarcResult,
    IprevResult, SpfFact, SpfResult,
};
use crate::finding::{Excuse, Finding, PolicyFailure, Symbol};
use crate::printable::printable;

/// Bytes of the detail of a symbol.
const DETAIL_BYTES_MAX: usize = 160;

/// `is_forwarder`: the client is one whom the operator trusts to hand on messages; `lists`: mailing lists that he trusts.
pub(super) fn finding(
    engine: &str,
    authentication: Arc<Authentication>,
    is_forwarder: bool,
    lists: &[String],
) -> Finding {
    let mut finding = Finding::new(engine);
    finding.symbols = symbols(&authentication);
    finding.reason = reason(&authentication);
    finding.policy = failure(&authentication).map(|failure| PolicyFailure {
        excused_by: excuse(&authentication, is_forwarder, lists),
        ..failure
    });
    finding.authentication = Some(authentication);
    finding
}

fn symbols(facts: &Authentication) -> Vec<Symbol> {
    let mut symbols = Vec::new();
    let mut add = |name: &str, detail: &str| {
        symbols.push(Symbol {
            name: name.to_owned(),
            score: None,
            detail: Some(printable(detail, DETAIL_BYTES_MAX)).filter(|detail| !detail.is_empty()),
        });
    };
    if let Some(fact) = &facts.iprev {
        let name = match fact.result {
            IprevResult::Pass => "IPREV_PASS",
            IprevResult::Fail => "IPREV_FAIL",
            IprevResult::Temperror => "IPREV_TEMPERROR",
        };
        add(name, fact.name.as_deref().unwrap_or_default());
    }
    if let Some(fact) = &facts.spf_helo {
        add(
            &format!("SPF_HELO_{}", fact.result.word().to_ascii_uppercase()),
            &fact.domain,
        );
    }
    if let Some(fact) = &facts.spf_mail {
        add(
            &format!("SPF_{}", fact.result.word().to_ascii_uppercase()),
            &fact.domain,
        );
    }
    for fact in &facts.dkim {
        let name = match fact.result {
            DkimResult::Pass => "DKIM_VALID",
            DkimResult::Fail => "DKIM_INVALID",
            DkimResult::Policy => "DKIM_NOT_ACCEPTED",
            DkimResult::Neutral | DkimResult::Permerror => "DKIM_BROKEN",
            DkimResult::Temperror => "DKIM_TEMPERROR",
        };
        add(name, &signature(fact));
    }
    if facts.dkim.is_empty() {
        add("DKIM_NONE", "");
    }
    if facts.dkim_skipped > 0 {
        add(
            "DKIM_MANY",
            &format!("{} more signatures were not looked at", facts.dkim_skipped),
        );
    }
    if let Some(fact) = &facts.arc {
        let name = match fact.result {
            ArcResult::Pass => "ARC_VALID",
            ArcResult::Fail => "ARC_INVALID",
            ArcResult::Temperror => "ARC_TEMPERROR",
        };
        add(
            name,
            fact.problem.as_deref().unwrap_or(&fact.sealers.join(", ")),
        );
        if let Some(sealer) = &fact.vouched_by {
            add("ARC_TRUSTED", sealer);
        }
    }
    if let Some(fact) = &facts.dmarc {
        add(dmarc_symbol(fact), &fact.from_domain);
    }
    symbols
}

fn dmarc_symbol(fact: &DmarcFact) -> &'static str {
    match (fact.result, fact.policy) {
        (DmarcResult::None, _) => "DMARC_NONE",
        (DmarcResult::Pass, _) => "DMARC_PASS",
        (DmarcResult::Temperror, _) => "DMARC_TEMPERROR",
        (DmarcResult::Permerror, _) => "DMARC_PERMERROR",
        (DmarcResult::Fail, DmarcPolicy::None) => "DMARC_FAIL",
        (DmarcResult::Fail, DmarcPolicy::Quarantine) => "DMARC_QUARANTINE",
        (DmarcResult::Fail, DmarcPolicy::Reject) => "DMARC_REJECT",
    }
}

/// A signature and why it did not pass.
fn signature(fact: &DkimFact) -> String {
    match (fact.domain.as_str(), fact.problem.as_deref()) {
        ("", problem) => problem.unwrap_or_default().to_owned(),
        (domain, None) => domain.to_owned(),
        (domain, Some(problem)) => format!("{domain}: {problem}"),
    }
}

/// One line: what the author's domain asks for, and what there is to show for it.
fn reason(facts: &Authentication) -> String {
    let Some(fact) = &facts.dmarc else {
        return format!("no author's domain; {}", shown(facts));
    };
    let domain = &fact.from_domain;
    let text = match fact.result {
        DmarcResult::Pass => {
            let by = match (&fact.dkim_aligned, &fact.spf_aligned) {
                (Some(signer), _) => format!("DKIM of {signer}"),
                (None, Some(sender)) => format!("SPF of {sender}"),
                (None, None) => "its domain".to_owned(),
            };
            format!("{domain} is authenticated by {by}")
        }
        DmarcResult::None => format!("{domain} publishes no DMARC policy; {}", shown(facts)),
        DmarcResult::Fail => {
            let wish = match fact.policy {
                DmarcPolicy::None => "asks for nothing",
                DmarcPolicy::Quarantine => "asks for quarantine",
                DmarcPolicy::Reject => "asks for refusal",
            };
            format!(
                "{domain} is not authenticated and {wish} (DMARC): {}",
                shown(facts)
            )
        }
        DmarcResult::Temperror | DmarcResult::Permerror => {
            let problem = fact.problem.as_deref().unwrap_or("the DNS does not tell");
            format!("{domain} could not be checked: {problem}")
        }
    };
    printable(&text, 400)
}

/// Signatures that a reason names.
const NAMED_MAX: usize = 3;

/// What SPF and DKIM have to show: of many signatures those that pass, and the first of the others.
fn shown(facts: &Authentication) -> String {
    let mut shown = Vec::new();
    if let Some(fact) = &facts.spf_mail {
        shown.push(spf(fact));
    }
    let (good, bad): (Vec<&DkimFact>, Vec<_>) = facts
        .dkim
        .iter()
        .partition(|fact| fact.result == DkimResult::Pass);
    let named = good.into_iter().chain(bad).take(NAMED_MAX);
    shown.extend(named.map(|fact| match fact.result {
        DkimResult::Pass => format!("DKIM passes for {}", fact.domain),
        _ => format!("DKIM {} ({})", fact.result.word(), signature(fact)),
    }));
    if facts.dkim.is_empty() {
        shown.push("no DKIM signature".to_owned());
    }
    if facts.dkim_skipped > 0 {
        let (looked_at, all) = (facts.dkim.len(), facts.dkim.len() + facts.dkim_skipped);
        shown.push(format!(
            "of {all} DKIM signatures only {looked_at} were looked at, the uppermost and the lowermost"
        ));
    } else if facts.dkim.len() > NAMED_MAX {
        let more = facts.dkim.len() - NAMED_MAX;
        shown.push(format!("{more} more DKIM signatures"));
    }
    shown.join(", ")
}

fn spf(fact: &SpfFact) -> String {
    match fact.result {
        SpfResult::Pass => format!("SPF passes for {}", fact.domain),
        SpfResult::None => "no SPF".to_owned(),
        result => format!("SPF {} for {}", result.word(), fact.domain),
    }
}

/// What a domain owner asks to be done.
fn failure(facts: &Authentication) -> Option<PolicyFailure> {
    let fact = facts.dmarc.as_ref()?;
    if fact.result != DmarcResult::Fail {
        return None;
    }
    Some(PolicyFailure {
        domain: fact.from_domain.clone(),
        what_failed: printable(&shown(facts), 200),
        asked: fact.policy,
        excused_by: None,
    })
}

/// Why the author need not be authentic. A list is one only if its own domain is authenticated: anybody can write a
/// `List-Id`.
fn excuse(facts: &Authentication, is_forwarder: bool, lists: &[String]) -> Option<Excuse> {
    if is_forwarder {
        return Some(Excuse::Forwarder);
    }
    let vouched_by = facts.arc.as_ref().and_then(|arc| arc.vouched_by.as_ref());
    if let Some(sealer) = vouched_by {
        return Some(Excuse::Sealer(sealer.clone()));
    }
    let list = facts.list_id.as_ref()?;
    let trusted = lists.iter().any(|trusted| is_within(list, trusted));
    let mut domains = facts.authenticated_domains();
    let authentic = domains.any(|domain| is_within(list, domain));
    (trusted && authentic).then(|| Excuse::List(list.clone()))
}

//! DMARC (RFC 9989): is the author's domain authenticated, and what does its owner ask for if it is not?
//!
//! `record` reads what is published, `walk` finds it and the organisational domains by the DNS Tree Walk. What is done with
//! a message is decided by the policy of the gateway.

use futures_util::future::join_all;
use net::resolver::Resolver;
use tokio::time::timeout;

use super::facts::{
    Authentication, DkimResult, DmarcFact, DmarcPolicy, DmarcRecord, DmarcResult, SpfResult,
};
use crate::limits::{AUTH_DMARC_DEADLINE, DMARC_AUTHOR_DOMAINS_MAX};

mod record;
mod walk;

use record::Record;
use walk::{Unknown, Walker, organizational};

pub(super) use walk::is_within;

/// What DMARC says of a message whose authors are of these domains (A-labels, lower case). RFC 9989 section 5.3.1 leaves it
/// open what becomes of several; here the one counts that fares worst, so that none can hide behind another. `None` if there
/// is no author's domain.
pub(super) async fn verify(
    resolver: &Resolver,
    authentication: &Authentication,
    from_domains: &[String],
) -> Option<DmarcFact> {
    // Each has a time of its own: a slow domain of a second author must not hide what is known of the first.
    let judged = from_domains.iter().take(DMARC_AUTHOR_DOMAINS_MAX);
    let judged = judged.map(|domain| async move {
        let mut walker = Walker::new(resolver);
        let judging = one(&mut walker, authentication, domain);
        let outcome = timeout(AUTH_DMARC_DEADLINE, judging).await;
        let late = || Err(Unknown("the DNS took too long".to_owned()));
        outcome
            .unwrap_or_else(|_| late())
            .unwrap_or_else(|Unknown(problem)| {
                DmarcFact::without_record(domain, DmarcResult::Temperror, Some(problem))
            })
    });
    let mut facts = join_all(judged).await;
    if let Some(beyond) = from_domains.get(DMARC_AUTHOR_DOMAINS_MAX) {
        let problem = format!(
            "the message names authors of {} domains, of which only {DMARC_AUTHOR_DOMAINS_MAX} were asked for",
            from_domains.len()
        );
        let unasked = DmarcFact::without_record(beyond, DmarcResult::Permerror, Some(problem));
        facts.push(unasked);
    }
    facts.into_iter().reduce(|worst, fact| {
        if fact.badness() > worst.badness() {
            fact
        } else {
            worst
        }
    })
}

async fn one(
    walker: &mut Walker<'_>,
    authentication: &Authentication,
    from_domain: &str,
) -> Result<DmarcFact, Unknown> {
    let walked = walker.walk(from_domain).await?;
    let organization = organizational(&walked, from_domain);
    let Some((domain, record)) = applicable(&walked, from_domain, &organization) else {
        let fact = DmarcFact::without_record(from_domain, DmarcResult::None, None);
        return Ok(fact);
    };
    let Some(published) = record.published(&domain) else {
        let problem = format!("the record of {domain} has no valid policy");
        let fact = DmarcFact::without_record(from_domain, DmarcResult::None, Some(problem));
        return Ok(fact);
    };
    let asked = asked(walker, &published, from_domain).await;
    let aligned = Alignment::of(
        walker,
        authentication,
        &published,
        from_domain,
        &organization,
    )
    .await;
    let result = match (&aligned.dkim, &aligned.spf, &aligned.unknown) {
        (Some(_), _, _) | (_, Some(_), _) => DmarcResult::Pass,
        (None, None, Some(_)) => DmarcResult::Temperror,
        (None, None, None) => DmarcResult::Fail,
    };
    Ok(DmarcFact {
        result,
        from_domain: from_domain.to_owned(),
        organizational_domain: organization,
        policy: asked,
        published: Some(published),
        dkim_aligned: aligned.dkim,
        spf_aligned: aligned.spf,
        problem: aligned.unknown.filter(|_| result == DmarcResult::Temperror),
    })
}

/// The record to apply (section 4.10.1): the author's domain's own, else that of its organisational domain, else that of the
/// public suffix above.
fn applicable(
    walked: &[(String, Record)],
    from_domain: &str,
    organization: &str,
) -> Option<(String, Record)> {
    let at = |wanted: &str| walked.iter().find(|(domain, _)| domain == wanted);
    at(from_domain)
        .or_else(|| at(organization))
        .or_else(|| walked.iter().find(|(_, record)| record.is_public_suffix()))
        .cloned()
}

/// What is asked for: `p`, or `sp` or `np` for a domain below (section 4.10.1), one step milder in test mode (section 4.7,
/// `t`).
async fn asked(walker: &Walker<'_>, record: &DmarcRecord, from_domain: &str) -> DmarcPolicy {
    let mut policy = record.policy;
    if from_domain != record.domain {
        policy = record.subdomain_policy.unwrap_or(policy);
        match record.nonexistent_policy {
            Some(nonexistent) if nonexistent != policy && !walker.exists(from_domain).await => {
                policy = nonexistent;
            }
            _ => {}
        }
    }
    match policy {
        DmarcPolicy::Reject if record.testing => DmarcPolicy::Quarantine,
        DmarcPolicy::Quarantine if record.testing => DmarcPolicy::None,
        policy => policy,
    }
}

/// Which of the authenticated domains is aligned with the author's (section 4.10.2).
#[derive(Default)]
struct Alignment {
    dkim: Option<String>,
    spf: Option<String>,
    /// What could have been aligned, had the DNS answered.
    unknown: Option<String>,
}

impl Alignment {
    async fn of(
        walker: &mut Walker<'_>,
        authentication: &Authentication,
        record: &DmarcRecord,
        from_domain: &str,
        organization: &str,
    ) -> Alignment {
        let mut alignment = Alignment::default();
        let aligned = |domain: &str, strict: bool| {
            domain == from_domain || (!strict && is_within(domain, organization))
        };
        for fact in &authentication.dkim {
            if !aligned(&fact.domain, record.strict_dkim) {
                continue;
            }
            match fact.result {
                DkimResult::Pass if alignment.dkim.is_none() => {
                    let belongs = walker.is_of(&fact.domain, from_domain, organization).await;
                    alignment.dkim = alignment.known(belongs, &fact.domain);
                }
                DkimResult::Temperror => {
                    alignment.unknown = Some(format!("the key of {} is not known", fact.domain));
                }
                _ => {}
            }
        }
        let spf = authentication.spf_mail.as_ref();
        if let Some(fact) = spf.filter(|fact| aligned(&fact.domain, record.strict_spf)) {
            match fact.result {
                SpfResult::Pass => {
                    let belongs = walker.is_of(&fact.domain, from_domain, organization).await;
                    alignment.spf = alignment.known(belongs, &fact.domain);
                }
                SpfResult::Temperror => {
                    alignment.unknown = Some(format!("SPF of {} is not known", fact.domain));
                }
                _ => {}
            }
        }
        alignment
    }

    /// The domain, if it belongs to the author's organisation. That this cannot be known of one must not hide another that passes.
    fn known(&mut self, belongs: Result<bool, Unknown>, domain: &str) -> Option<String> {
        match belongs {
            Ok(belongs) => belongs.then(|| domain.to_owned()),
            Err(Unknown(problem)) => {
                self.unknown = Some(problem);
                None
            }
        }
    }
}

impl DmarcFact {
    fn without_record(
        from_domain: &str,
        result: DmarcResult,
        problem: Option<String>,
    ) -> DmarcFact {
        DmarcFact {
            result,
            from_domain: from_domain.to_owned(),
            organizational_domain: from_domain.to_owned(),
            published: None,
            policy: DmarcPolicy::None,
            dkim_aligned: None,
            spf_aligned: None,
            problem,
        }
    }

    /// How bad it is for one of several authors.
    fn badness(&self) -> (u8, DmarcPolicy) {
        let result = match self.result {
            DmarcResult::Pass => 0,
            DmarcResult::None => 1,
            DmarcResult::Temperror | DmarcResult::Permerror => 2,
            DmarcResult::Fail => 3,
        };
        (result, self.policy)
    }
}

/// Whether a text is a record. For the fuzzer.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn fuzz(text: &str) {
    if let Some(record) = Record::parse(text)
        && let Some(published) = record.published("example.com")
    {
        assert!(published.report_uris.len() <= record::REPORT_URIS_MAX);
    }
}

#[cfg(test)]
mod tests;

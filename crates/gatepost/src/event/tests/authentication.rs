//! Facts of sender authentication with every result and part.

use std::sync::Arc;

use scan::auth::facts::*;
use scan::finding::{Excuse, Finding, PolicyFailure};

fn spf(result: SpfResult, is_full: bool) -> SpfFact {
    let text = |text: &str| is_full.then(|| text.to_owned());
    SpfFact {
        result,
        domain: "example.org".to_owned(),
        term: text("-all"),
        explanation: text("ask us"),
        problem: text("timeout"),
    }
}

fn dkim(result: DkimResult, is_full: bool) -> DkimFact {
    DkimFact {
        result,
        domain: "example.org".to_owned(),
        selector: "s1".to_owned(),
        algorithm: "rsa-sha256".to_owned(),
        value_start: "abcdefgh".to_owned(),
        key_bits: is_full.then_some(2048),
        testing: is_full,
        problem: is_full.then(|| "the body was changed".to_owned()),
    }
}

fn dmarc(result: DmarcResult, published: Option<DmarcRecord>) -> DmarcFact {
    let text = |text: &str| published.as_ref().map(|_| text.to_owned());
    DmarcFact {
        result,
        from_domain: "example.org".to_owned(),
        organizational_domain: "example.org".to_owned(),
        policy: DmarcPolicy::Reject,
        dkim_aligned: text("example.org"),
        spf_aligned: text("example.org"),
        problem: text("timeout"),
        published,
    }
}

fn record(policy: DmarcPolicy, public_suffix: PublicSuffix, is_full: bool) -> DmarcRecord {
    DmarcRecord {
        domain: "example.org".to_owned(),
        policy,
        subdomain_policy: is_full.then_some(policy),
        nonexistent_policy: is_full.then_some(policy),
        strict_dkim: true,
        strict_spf: false,
        testing: true,
        failure_options: "1".to_owned(),
        public_suffix,
        report_uris: if is_full {
            vec!["mailto:a@example.org".to_owned()]
        } else {
            Vec::new()
        },
    }
}

fn with(authentication: Authentication) -> Finding {
    Finding {
        authentication: Some(Arc::new(authentication)),
        ..Finding::new("auth")
    }
}

/// Findings of the engine `auth` with every part and word.
pub(super) fn findings() -> Vec<Finding> {
    let mut findings = vec![with(Authentication::default())];
    findings.extend(SpfResult::ALL.map(|result| {
        let (helo, mail) = (spf(result, false), spf(result, true));
        with(Authentication {
            spf_helo: Some(helo),
            spf_mail: Some(mail),
            ..Authentication::default()
        })
    }));
    findings.push(with(Authentication {
        dkim: DkimResult::ALL
            .map(|result| dkim(result, result == DkimResult::Fail))
            .to_vec(),
        dkim_skipped: 3,
        list_id: Some("list.example.org".to_owned()),
        ..Authentication::default()
    }));
    for (index, result) in ArcResult::ALL.into_iter().enumerate() {
        let text = |text: &str| (index == 0).then(|| text.to_owned());
        findings.push(with(Authentication {
            arc: Some(ArcFact {
                result,
                sealers: vec!["example.org".to_owned()],
                vouched_by: text("example.org"),
                problem: text("broken"),
            }),
            iprev: Some(IprevFact {
                result: IprevResult::ALL[index],
                name: text("mx.example.org"),
            }),
            ..Authentication::default()
        }));
    }
    let suffixes = [PublicSuffix::Yes, PublicSuffix::No, PublicSuffix::Unsaid];
    let policies = DmarcPolicy::ALL.into_iter().zip(suffixes);
    let full = policies.map(|(policy, suffix)| Some(record(policy, suffix, true)));
    let bare = Some(record(DmarcPolicy::None, PublicSuffix::Unsaid, false));
    let mut records = full.chain([bare, None]);
    let mut policies = DmarcPolicy::ALL.into_iter().cycle();
    findings.extend(DmarcResult::ALL.map(|result| {
        let mut dmarc = dmarc(result, records.next().flatten());
        dmarc.policy = policies.next().unwrap_or_default();
        with(Authentication {
            dmarc: Some(dmarc),
            ..Authentication::default()
        })
    }));
    let excuses = [
        None,
        Some(Excuse::Forwarder),
        Some(Excuse::List("list.example.org".to_owned())),
        Some(Excuse::Sealer("example.org".to_owned())),
    ];
    findings.extend(
        excuses
            .into_iter()
            .zip(DmarcPolicy::ALL.into_iter().cycle())
            .map(|(excused_by, asked)| Finding {
                policy: Some(PolicyFailure {
                    domain: "example.org".to_owned(),
                    what_failed: "no DKIM signature".to_owned(),
                    asked,
                    excused_by,
                }),
                ..Finding::new("auth")
            }),
    );
    findings
}

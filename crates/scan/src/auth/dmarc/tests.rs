use proptest::prelude::*;

use super::*;
use crate::auth::facts::{DkimFact, SpfFact};

fn facts(dkim: &[(&str, DkimResult)], spf: Option<(&str, SpfResult)>) -> Authentication {
    let dkim = dkim.iter().map(|(domain, result)| DkimFact {
        domain: (*domain).to_owned(),
        ..DkimFact::flawed(*result, String::new())
    });
    Authentication {
        dkim: dkim.collect(),
        spf_mail: spf.map(|(domain, result)| SpfFact {
            result,
            domain: domain.to_owned(),
            term: None,
            explanation: None,
            problem: None,
        }),
        ..Authentication::default()
    }
}

async fn verified(zone: &str, facts: &Authentication, from: &[&str]) -> Option<DmarcFact> {
    let resolver = Resolver::zone(zone).unwrap();
    let from: Vec<String> = from.iter().map(|&domain| domain.to_owned()).collect();
    verify(&resolver, facts, &from).await
}

/// Zone, author's domain, what passes, result, what is asked for.
#[tokio::test]
async fn domains_are_aligned_as_the_record_has_it() {
    use DmarcResult::{Fail, None as NoRecord, Pass};
    let pass = |domain| facts(&[(domain, DkimResult::Pass)], None);
    let spf = |domain| facts(&[], Some((domain, SpfResult::Pass)));
    let at = |tags: &str| {
        format!("_dmarc.example.com TXT \"v=DMARC1; {tags}\"\nsub.example.com A 192.0.2.1\n")
    };
    let reject = at("p=reject");
    let strict = at("p=reject; adkim=s; aspf=s");
    let parted = at("p=reject") + "_dmarc.part.example.com TXT \"v=DMARC1; p=none; psd=n\"\n";
    let suffix = "_dmarc.com TXT \"v=DMARC1; p=reject; psd=y\"\n";
    let cases = [
        (&reject, "example.com", pass("example.com"), Pass),
        (&reject, "example.com", pass("mail.example.com"), Pass),
        (&reject, "sub.example.com", pass("example.com"), Pass),
        (&reject, "sub.example.com", pass("other.example.com"), Pass),
        (&reject, "example.com", spf("bounce.example.com"), Pass),
        (&reject, "example.com", pass("example.net"), Fail),
        (&reject, "example.com", pass("badexample.com"), Fail),
        (&reject, "example.com", pass("com"), Fail),
        (&reject, "example.com", facts(&[], None), Fail),
        (
            &reject,
            "example.com",
            facts(
                &[("example.com", DkimResult::Fail)],
                Some(("example.com", SpfResult::Softfail)),
            ),
            Fail,
        ),
        (&reject, "example.org", pass("example.com"), NoRecord),
        (&strict, "example.com", pass("example.com"), Pass),
        (&strict, "example.com", pass("mail.example.com"), Fail),
        (&strict, "example.com", spf("mail.example.com"), Fail),
        (&strict, "example.com", spf("example.com"), Pass),
        // A department that says that it is an organisation of its own is one.
        (&parted, "example.com", pass("part.example.com"), Fail),
        (&parted, "x.part.example.com", pass("example.com"), Fail),
        (
            &parted,
            "x.part.example.com",
            pass("y.part.example.com"),
            Pass,
        ),
        // Below a public suffix each domain is its own.
        (&suffix.to_owned(), "one.com", pass("two.com"), Fail),
        (&suffix.to_owned(), "a.one.com", pass("b.one.com"), Pass),
    ];
    for (zone, from, facts, wanted) in cases {
        let fact = verified(zone, &facts, &[from]).await.unwrap();
        assert_eq!(fact.result, wanted, "{zone} {from} {facts:?}: {fact:?}");
    }
}

#[tokio::test]
async fn what_is_asked_for_is_found() {
    use DmarcPolicy::{None as Nothing, Quarantine, Reject};
    let at = |tags: &str| {
        format!(
            "_dmarc.example.com TXT \"v=DMARC1; {tags}\"\nsub.example.com A 192.0.2.1\nnote.example.com TXT \"hello\"\n"
        )
    };
    let cases = [
        ("p=reject", "example.com", Reject),
        ("p = Reject", "example.com", Reject),
        ("p=reject", "sub.example.com", Reject),
        ("p=reject; sp=quarantine", "sub.example.com", Quarantine),
        ("p=reject; sp=quarantine", "example.com", Reject),
        (
            "p=none; sp=quarantine; np=reject",
            "sub.example.com",
            Quarantine,
        ),
        (
            "p=none; sp=quarantine; np=reject",
            "gone.example.com",
            Reject,
        ),
        ("p=none; np=reject", "sub.example.com", Nothing),
        ("p=none; np=reject", "gone.example.com", Reject),
        // A name that has only a TXT record exists.
        ("p=none; np=reject", "note.example.com", Nothing),
        ("p=reject; t=y", "example.com", Quarantine),
        ("p=quarantine; t=y", "example.com", Nothing),
        ("p=reject; t=n; pct=0", "example.com", Reject),
        // Wrong or missing policies ask for reports only.
        ("p=refuse; rua=mailto:a@example.com", "example.com", Nothing),
        ("rua=mailto:a@example.com", "example.com", Nothing),
        (
            "p=reject; sp=refuse; rua=mailto:a@example.com",
            "example.com",
            Nothing,
        ),
        ("p=reject; nonsense; p=none", "example.com", Reject),
    ];
    for (tags, from, wanted) in cases {
        let fact = verified(&at(tags), &facts(&[], None), &[from])
            .await
            .unwrap();
        assert_eq!(
            (fact.result, fact.policy),
            (DmarcResult::Fail, wanted),
            "{tags} {from}: {fact:?}"
        );
    }
}

#[tokio::test]
async fn what_is_no_record_is_none() {
    for zone in [
        "",
        "_dmarc.example.com TXT \"v=dmarc1; p=reject\"",
        "_dmarc.example.com TXT \"p=reject; v=DMARC1\"",
        "_dmarc.example.com TXT \"v=DMARC1; p=reject\"\n_dmarc.example.com TXT \"v=DMARC1; p=none\"",
        "_dmarc.example.com TXT \"v=DMARC1; p=refuse\"",
        "_dmarc.example.com TXT \"v=DMARC1; p=reject; np=what; rua=nowhere\"",
    ] {
        let fact = verified(zone, &facts(&[], None), &["example.com"])
            .await
            .unwrap();
        assert_eq!(
            (fact.result, fact.policy),
            (DmarcResult::None, DmarcPolicy::None),
            "{zone}"
        );
    }
}

#[tokio::test]
async fn what_the_dns_does_not_tell_is_no_failure() {
    let reject = "_dmarc.example.com TXT \"v=DMARC1; p=reject\"\n";
    let away = "_dmarc.com SERVFAIL\n";
    let nothing = facts(&[], None);
    let unknown_key = facts(&[("mail.example.com", DkimResult::Temperror)], None);
    let unknown_spf = facts(&[], Some(("example.com", SpfResult::Temperror)));
    let foreign = facts(
        &[("example.net", DkimResult::Temperror)],
        Some(("example.net", SpfResult::Temperror)),
    );
    let both = facts(
        &[
            ("example.com", DkimResult::Temperror),
            ("example.com", DkimResult::Pass),
        ],
        None,
    );
    // Whose one of them is cannot be known, and another one passes.
    let silent_below = format!("{reject}_dmarc.mail.example.com SERVFAIL\n");
    let two = facts(
        &[
            ("mail.example.com", DkimResult::Pass),
            ("example.com", DkimResult::Pass),
        ],
        None,
    );
    let one = facts(&[("mail.example.com", DkimResult::Pass)], None);
    for (zone, facts, wanted) in [
        (silent_below.clone(), &two, DmarcResult::Pass),
        (silent_below, &one, DmarcResult::Temperror),
        (away.to_owned(), &nothing, DmarcResult::Temperror),
        (format!("{reject}{away}"), &nothing, DmarcResult::Temperror),
        (reject.to_owned(), &unknown_key, DmarcResult::Temperror),
        (reject.to_owned(), &unknown_spf, DmarcResult::Temperror),
        (reject.to_owned(), &foreign, DmarcResult::Fail),
        (reject.to_owned(), &both, DmarcResult::Pass),
    ] {
        let fact = verified(&zone, facts, &["example.com"]).await.unwrap();
        assert_eq!(fact.result, wanted, "{zone} {facts:?}");
        assert_eq!(fact.problem.is_some(), wanted == DmarcResult::Temperror);
    }
}

/// RFC 9989 section 11.5: nobody hides behind a second author.
#[tokio::test]
async fn of_several_authors_the_worst_counts() {
    let zone = "_dmarc.bank.example TXT \"v=DMARC1; p=reject\"\n_dmarc.bad.example TXT \"v=DMARC1; p=none\"\n";
    let passes = facts(&[("bad.example", DkimResult::Pass)], None);
    for from in [
        ["bank.example", "bad.example"],
        ["bad.example", "bank.example"],
    ] {
        let fact = verified(zone, &passes, &from).await.unwrap();
        assert_eq!(
            (fact.from_domain.as_str(), fact.result),
            ("bank.example", DmarcResult::Fail)
        );
    }
    // Nor behind one whose DNS does not answer.
    let away = format!("{zone}_dmarc.slow.example TIMEOUT\n");
    let fact = verified(&away, &passes, &["slow.example", "bank.example"])
        .await
        .unwrap();
    assert_eq!(
        (fact.from_domain.as_str(), fact.result),
        ("bank.example", DmarcResult::Fail)
    );
    assert_eq!(verified(zone, &passes, &[]).await, None);
    // Nor behind so many that not all are asked for.
    let many = [
        "a.example",
        "b.example",
        "c.example",
        "d.example",
        "bank.example",
    ];
    let fact = verified(zone, &passes, &many).await.unwrap();
    assert_eq!(
        (fact.from_domain.as_str(), fact.result),
        ("bank.example", DmarcResult::Permerror)
    );
    assert!(fact.problem.unwrap().contains("authors of 5 domains"));
}

#[tokio::test]
async fn destinations_of_reports_are_kept() {
    let zone = "_dmarc.example.com TXT \"v=DMARC1; p=none; rua=mailto:a@example.com!10m , mailto:b@example.net,nonsense,http://x\"";
    let fact = verified(zone, &facts(&[], None), &["example.com"])
        .await
        .unwrap();
    let uris = fact.published.unwrap().report_uris;
    assert_eq!(
        uris,
        ["mailto:a@example.com", "mailto:b@example.net", "http://x"]
    );
}

proptest! {
    #[test]
    fn any_text_is_a_record_or_none(text in "(v=DMARC1;)?[ -~]{0,120}") {
        fuzz(&text);
    }
}

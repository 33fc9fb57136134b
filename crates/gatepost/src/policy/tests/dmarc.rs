//! What follows from sender authentication: every combination of what is asked for, what the route does with it, who excuses it,
//! and what lists say.

use scan::auth::facts::{DmarcPolicy, SpfFact, SpfResult};
use scan::finding::{Excuse, PolicyFailure};

use super::*;
use crate::policy::{DmarcAction, stages};

fn failing(asked: DmarcPolicy, excused_by: Option<Excuse>) -> Finding {
    Finding {
        policy: Some(PolicyFailure {
            domain: "bank.example".to_owned(),
            what_failed: "no DKIM signature".to_owned(),
            asked,
            excused_by,
        }),
        ..Finding::new("auth")
    }
}

fn settings(dmarc: DmarcAction) -> Settings {
    Settings {
        dmarc,
        ..Settings::default()
    }
}

fn allow(field: ListField) -> MessageFacts {
    MessageFacts {
        lists: vec![ListMatch {
            list: List::Allow,
            field,
            entry: "entry".to_owned(),
        }],
    }
}

/// What an auth engine says alone, and what it says beside one that finds the message likely spam.
fn kinds(finding: &Finding, action: DmarcAction, facts: &MessageFacts) -> [Option<Kind>; 2] {
    let likely = Finding {
        spam: Some(SpamClass::Bulk),
        ..Finding::new("ctasd")
    };
    let settings = settings(action);
    [vec![finding.clone()], vec![finding.clone(), likely]].map(|findings| {
        let verdict = message(facts, &findings, &settings);
        verdict.reason().map(|reason| reason.kind)
    })
}

#[test]
fn what_is_asked_for_happens_as_the_route_says() {
    use DmarcAction::{Likely, Note, Refuse};
    use DmarcPolicy::{Quarantine, Reject};
    let (spam, dmarc) = (Some(Kind::Spam), Some(Kind::Dmarc));
    let cases = [
        (Reject, Refuse, [dmarc, dmarc]),
        (Reject, Likely, [None, spam]),
        (Reject, Note, [None, None]),
        (Quarantine, Refuse, [None, spam]),
        (Quarantine, Likely, [None, spam]),
        (Quarantine, Note, [None, None]),
        (DmarcPolicy::None, Refuse, [None, None]),
        (DmarcPolicy::None, Likely, [None, None]),
        (DmarcPolicy::None, Note, [None, None]),
    ];
    let facts = MessageFacts::default();
    for (asked, action, wanted) in cases {
        assert_eq!(
            kinds(&failing(asked, None), action, &facts),
            wanted,
            "{asked:?} {action:?}"
        );
        for excuse in [
            Excuse::Forwarder,
            Excuse::List("l".into()),
            Excuse::Sealer("s".into()),
        ] {
            let excused = failing(asked, Some(excuse));
            assert_eq!(
                kinds(&excused, action, &facts),
                [None, None],
                "{asked:?} {action:?}"
            );
        }
    }
}

/// An author on the allow list is the one who is forged: only what can't be forged lifts it.
#[test]
fn only_unforgeable_entries_lift_it() {
    let finding = failing(DmarcPolicy::Reject, None);
    for (field, wanted) in [
        (ListField::Client, None),
        (ListField::Recipient, None),
        (ListField::From, Some(Kind::Dmarc)),
        (ListField::ReversePath, Some(Kind::Dmarc)),
    ] {
        let found = kinds(&finding, DmarcAction::Refuse, &allow(field));
        assert_eq!(found, [wanted; 2], "{field:?}");
    }
    let verdict = message(
        &allow(ListField::Client),
        &[finding],
        &settings(DmarcAction::Refuse),
    );
    let Verdict::Accept { notes } = verdict else {
        panic!("{verdict:?}");
    };
    assert!(
        matches!(
            notes.as_slice(),
            [Note::Allowed {
                kind: Kind::Dmarc,
                ..
            }]
        ),
        "{notes:?}"
    );
}

#[test]
fn an_engine_that_is_off_says_nothing() {
    let rule = EngineRule {
        enabled: false,
        ..EngineRule::default()
    };
    let settings = Settings {
        engines: [("auth".to_owned(), rule)].into(),
        ..Settings::default()
    };
    let findings = [failing(DmarcPolicy::Reject, None)];
    assert_eq!(
        message(&MessageFacts::default(), &findings, &settings),
        Verdict::ACCEPT
    );
}

#[test]
fn the_sender_learns_what_failed() {
    let findings = [failing(DmarcPolicy::Reject, None)];
    let verdict = message(&MessageFacts::default(), &findings, &Settings::default());
    let reason = verdict.reason().unwrap();
    assert_eq!(reason.told, "bank.example: no DKIM signature");
    assert_eq!(reason.engines, ["auth"]);
    assert!(certain(
        &MessageFacts::default(),
        &findings,
        &["ctasd"],
        &Settings::default()
    ));
}

#[test]
fn settings_are_told_apart_by_what_follows_from_dmarc() {
    let names = [DmarcAction::Refuse, DmarcAction::Likely, DmarcAction::Note]
        .map(|action| settings(action).fingerprint());
    assert!(names[0] != names[1] && names[1] != names[2] && names[0] != names[2]);
}

#[test]
fn spf_counts_at_mail_only_if_it_fails() {
    let fact = |result, explanation: Option<&str>| SpfFact {
        result,
        domain: "sender.example".to_owned(),
        term: Some("-all".to_owned()),
        explanation: explanation.map(str::to_owned),
        problem: None,
    };
    for result in [
        SpfResult::None,
        SpfResult::Neutral,
        SpfResult::Pass,
        SpfResult::Softfail,
        SpfResult::Temperror,
        SpfResult::Permerror,
    ] {
        assert_eq!(
            stages::mail(&[], Some(&fact(result, None))),
            Verdict::ACCEPT,
            "{result:?}"
        );
    }
    let verdict = stages::mail(&[], Some(&fact(SpfResult::Fail, Some("ask us"))));
    let reason = verdict.reason().unwrap();
    assert_eq!(reason.kind, Kind::SpfFail);
    assert_eq!(reason.told, "sender.example, which says: ask us");
    assert_eq!(reason.detail, "sender.example: -all");
    for (field, accepted) in [(ListField::Client, true), (ListField::ReversePath, false)] {
        let verdict = stages::mail(&allow(field).lists, Some(&fact(SpfResult::Fail, None)));
        assert_eq!(verdict.is_accept(), accepted, "{field:?}");
    }
}

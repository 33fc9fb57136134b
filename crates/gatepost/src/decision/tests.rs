//! Decisions are records to judge by again: through JSON and back, any policy gives what it gave before.

use std::collections::BTreeMap;

use proptest::prelude::*;
use scan::finding::{Banned, Score, SpamClass, Unavailable, UnavailableCause, VirusClass};

use super::*;
use crate::event::Event;
use crate::event::tests::decisions;
use crate::policy::{EngineRule, List, ListField, OnFailure};

fn through_json(decision: &Decision) -> Decision {
    let event = Event::Decided(Box::new(decision.clone()));
    let (_, read) = Event::from_json_line(&event.json_line(decision.begun)).unwrap();
    match read {
        Event::Decided(decision) => *decision,
        other => panic!("{other:?}"),
    }
}

#[test]
fn records_are_read_back_as_they_were() {
    for decision in decisions() {
        assert_eq!(through_json(&decision), decision);
    }
}

#[test]
fn secrets_and_content_have_no_place_in_a_record() {
    let json = serde_json::to_value(&decisions()[0]).unwrap();
    let keys: Vec<&String> = json.as_object().unwrap().keys().collect();
    for forbidden in ["subject", "body", "password", "content"] {
        assert!(!keys.iter().any(|key| key.contains(forbidden)));
    }
}

fn finding() -> impl Strategy<Value = Finding> {
    let engine = prop_oneof![
        Just("clamav"),
        Just("spamassassin"),
        Just("rspamd"),
        Just("ctasd")
    ];
    let score = (-1000_f32..1000.0, proptest::option::of(0_f32..20.0));
    let action = prop_oneof![Just("no action"), Just("add header"), Just("reject")];
    (
        engine,
        proptest::option::of(proptest::sample::select(SpamClass::ALL.to_vec())),
        proptest::option::of(proptest::sample::select(VirusClass::ALL.to_vec())),
        proptest::option::of(score),
        proptest::option::of(action),
        any::<bool>(),
        prop_oneof![4 => Just(None), 1 => Just(Some(UnavailableCause::Timeout)), 1 => Just(Some(UnavailableCause::TooLarge))],
    )
        .prop_map(|(engine, spam, virus, score, action, banned, away)| Finding {
            spam,
            virus,
            score: score.map(|(value, required)| Score { value, required }),
            action: action.map(str::to_owned),
            banned: banned.then(|| Banned {
                what: "a \"b\".exe".to_owned(),
                why: "executable file".to_owned(),
            }),
            unavailable: away.map(|cause| Unavailable::new(cause, "away")),
            ..Finding::new(engine)
        })
}

fn settings() -> impl Strategy<Value = Settings> {
    let threshold = || proptest::option::of(-1000_f32..1000.0);
    let rule = (
        prop::bool::weighted(0.9),
        threshold(),
        threshold(),
        any::<bool>(),
    )
        .prop_map(|(enabled, likely, sure, defer)| EngineRule {
            enabled,
            likely,
            sure,
            on_failure: if defer {
                OnFailure::Defer
            } else {
                OnFailure::Open
            },
        });
    proptest::collection::vec(rule, 4).prop_map(|rules| {
        let engines = ["clamav", "spamassassin", "rspamd", "ctasd"].map(str::to_owned);
        Settings {
            engines: BTreeMap::from_iter(engines.into_iter().zip(rules)),
            ..Settings::default()
        }
    })
}

fn lists() -> impl Strategy<Value = Vec<ListMatch>> {
    let entry = (any::<bool>(), any::<bool>()).prop_map(|(allow, recipient)| ListMatch {
        list: if allow { List::Allow } else { List::Block },
        field: if recipient {
            ListField::Recipient
        } else {
            ListField::From
        },
        entry: "*.example.org".to_owned(),
    });
    proptest::collection::vec(entry, 0..3)
}

proptest! {
    #[test]
    fn a_replay_gives_the_verdict_that_was_given(
        findings in proptest::collection::vec(finding(), 0..5),
        settings in settings(),
        of_message in lists(),
        of_recipient in lists(),
    ) {
        let facts = MessageFacts {
            lists: of_message.iter().chain(&of_recipient).cloned().collect(),
        };
        let verdict = policy::message(&facts, &findings, &settings);
        let recipient = Recipient {
            lists: of_recipient,
            policy: Some(settings.fingerprint().into()),
            verdict: Some(verdict.clone()),
            ..Recipient::new("jane@example.com")
        };
        let decision = Decision {
            lists: of_message,
            findings,
            recipients: vec![recipient],
            ..decisions().swap_remove(1)
        };
        let read = through_json(&decision);
        let settings: Settings =
            serde_json::from_str(&serde_json::to_string(&settings).unwrap()).unwrap();
        let recipient = &read.recipients[0];
        prop_assert_eq!(recipient.policy.clone(), Some(settings.fingerprint().into()));
        prop_assert_eq!(recipient.verdict.as_ref(), Some(&verdict));
        prop_assert_eq!(read.replay(recipient, &settings), verdict);
    }
}

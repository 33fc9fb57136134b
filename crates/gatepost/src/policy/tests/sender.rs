//! What follows from the past of a sender.

use scan::reputation::record::{Advice, Class, Judgement, Key};

use super::*;

fn judgement(advice: Advice) -> Judgement {
    Judgement {
        advice,
        class: Class::Bad,
        key: Key::address([192, 0, 2, 7].into()),
        reason: "of 15 messages 15 were refused".to_owned(),
    }
}

fn entry(list: List, field: ListField) -> ListMatch {
    ListMatch {
        list,
        field,
        entry: "192.0.2.0/24".to_owned(),
    }
}

#[test]
fn every_advice_under_every_setting() {
    use AtConnect::{Defer, Note, Refuse};
    for (at_connect, advice, expected) in [
        (Note, Advice::Permfail, None),
        (Note, Advice::Tempfail, None),
        (Defer, Advice::Accept, None),
        (Defer, Advice::Tempfail, Some(Kind::ReputationDefer)),
        (Defer, Advice::Permfail, Some(Kind::ReputationDefer)),
        (Refuse, Advice::Accept, None),
        (Refuse, Advice::Tempfail, Some(Kind::ReputationDefer)),
        (Refuse, Advice::Permfail, Some(Kind::Reputation)),
    ] {
        let verdict = standing(&[], &judgement(advice), at_connect);
        let kind = verdict.reason().map(|reason| reason.kind);
        assert_eq!(kind, expected, "{at_connect:?} {advice:?}");
        let allowed = [entry(List::Allow, ListField::Client)];
        assert!(standing(&allowed, &judgement(advice), at_connect).is_accept());
    }
    let verdict = standing(&[], &judgement(Advice::Permfail), Refuse);
    let reason = verdict.reason().unwrap();
    assert_eq!(
        (reason.told.as_str(), reason.kind.code_at_connect()),
        ("192.0.2.7", 554)
    );
    assert_eq!(Kind::ReputationDefer.code_at_connect(), 421);
}

#[test]
fn whoever_is_over_its_rate_may_come_again() {
    let verdict = over_rate(&[], "192.0.2.0/24", "more than 5");
    assert!(matches!(verdict, Verdict::Defer { .. }));
    let forged = [entry(List::Allow, ListField::ReversePath)];
    assert!(!over_rate(&forged, "192.0.2.0/24", "more than 5").is_accept());
    let allowed = [entry(List::Allow, ListField::Client)];
    assert!(over_rate(&allowed, "192.0.2.0/24", "more than 5").is_accept());
}

#[test]
fn only_newcomers_who_prove_nothing_are_asked_to_come_again() {
    let newcomer = NewcomerFacts {
        is_known: false,
        is_proven: false,
        has_name: false,
    };
    let plain = Verdict::ACCEPT;
    assert!(greylists(&plain, &[], newcomer));
    let is = |facts| greylists(&plain, &[], facts);
    assert!(!is(NewcomerFacts {
        is_known: true,
        ..newcomer
    }));
    assert!(!is(NewcomerFacts {
        is_proven: true,
        ..newcomer
    }));
    let named = NewcomerFacts {
        has_name: true,
        ..newcomer
    };
    assert!(!is(named));
    let likely = Verdict::Accept {
        notes: vec![Note::LikelyAlone {
            engine: "content".to_owned(),
        }],
    };
    assert!(greylists(&likely, &[], named));
    let allowed = [entry(List::Allow, ListField::From)];
    assert!(!greylists(&plain, &allowed, newcomer));
    assert!(!greylists(&come_again(String::new()), &[], newcomer));
    assert_eq!(come_again(String::new()).outcome(), "defer");
}

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

fn lists(points: f32) -> ListsAtConnect {
    ListsAtConnect {
        points,
        told: "192.0.2.7 (zen)".to_owned(),
        likely: 5.0,
        sure: 15.0,
    }
}

#[test]
fn every_advice_under_every_setting() {
    use AtConnect::{Defer, Note, Refuse};
    let (deferred, refused) = (Some(Kind::ReputationDefer), Some(Kind::Reputation));
    let (listed_defer, listed) = (Some(Kind::ListedDefer), Some(Kind::Listed));
    for (at_connect, advice, points, expected) in [
        (Note, Advice::Permfail, 20.0, None),
        (Note, Advice::Tempfail, 0.0, None),
        (Defer, Advice::Accept, 4.9, None),
        (Defer, Advice::Tempfail, 0.0, deferred),
        (Defer, Advice::Permfail, 0.0, deferred),
        (Defer, Advice::Accept, 5.0, listed_defer),
        (Defer, Advice::Accept, 15.0, listed_defer),
        (Refuse, Advice::Accept, 0.0, None),
        (Refuse, Advice::Tempfail, 4.9, deferred),
        (Refuse, Advice::Tempfail, 5.0, listed_defer),
        (Refuse, Advice::Permfail, 5.0, refused),
        (Refuse, Advice::Accept, 14.9, listed_defer),
        (Refuse, Advice::Accept, 15.0, listed),
        // Its own address counts, whatever lists of trusted ones say.
        (Refuse, Advice::Permfail, -5.0, refused),
        (Refuse, Advice::Tempfail, -5.0, deferred),
    ] {
        let verdict = standing(&[], &judgement(advice), &lists(points), at_connect);
        let kind = verdict.reason().map(|reason| reason.kind);
        assert_eq!(kind, expected, "{at_connect:?} {advice:?} {points}");
        let allowed = [entry(List::Allow, ListField::Client)];
        assert!(standing(&allowed, &judgement(advice), &lists(points), at_connect).is_accept());
    }
    let verdict = standing(&[], &judgement(Advice::Permfail), &lists(0.0), Refuse);
    let reason = verdict.reason().unwrap();
    assert_eq!(
        (reason.told.as_str(), reason.kind.code_at_connect()),
        ("192.0.2.7", 554)
    );
    let verdict = standing(&[], &judgement(Advice::Accept), &lists(15.0), Refuse);
    let reason = verdict.reason().unwrap();
    assert_eq!(
        (reason.told.as_str(), reason.kind.code_at_connect()),
        ("192.0.2.7 (zen)", 554)
    );
    assert_eq!(reason.detail, "192.0.2.7 (zen): 15 points");
    assert_eq!(Kind::ListedDefer.code_at_connect(), 421);
    assert_eq!(Kind::ReputationDefer.code_at_connect(), 421);
}

#[test]
fn whom_lists_trust_is_not_put_off_for_its_network() {
    let network = Judgement {
        key: Key::network([192, 0, 2, 7].into()),
        ..judgement(Advice::Tempfail)
    };
    let is_heard = |points| standing(&[], &network, &lists(points), AtConnect::Defer).is_accept();
    assert!(is_heard(-3.0) && !is_heard(-1.0) && !is_heard(0.0));
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
fn only_newcomers_who_prove_nothing_or_look_bad_are_asked_to_come_again() {
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
    // A domain that is new and proven may be one that was bought for this.
    let proven = NewcomerFacts {
        is_proven: true,
        ..named
    };
    assert!(greylists(&likely, &[], proven) && !is(proven));
    let known = NewcomerFacts {
        is_known: true,
        ..newcomer
    };
    assert!(!greylists(&likely, &[], known));
    let allowed = [entry(List::Allow, ListField::From)];
    assert!(!greylists(&plain, &allowed, newcomer));
    assert!(!greylists(&come_again(String::new()), &[], newcomer));
    assert_eq!(come_again(String::new()).outcome(), "defer");
}

use super::*;
use crate::decision::Recipient;
use crate::event::tests::decisions;
use crate::policy::{List, ListField, ListMatch};

/// A transaction whose message was examined, with these recipients.
fn decision(recipients: Vec<Recipient>) -> Decision {
    Decision {
        recipients,
        verdict: None,
        findings: Vec::new(),
        stage: Stage::Message,
        reverse_path: "jane@example.org".to_owned(),
        ..decisions().remove(0)
    }
}

fn recipient(disposition: Disposition, verdict: Option<Verdict>) -> Recipient {
    Recipient {
        disposition,
        verdict,
        ..Recipient::new("anna@example.net")
    }
}

fn refused(kind: Kind, engines: &[&str]) -> Recipient {
    let reason = Reason {
        engines: engines.iter().map(|&engine| engine.to_owned()).collect(),
        ..Reason::new(kind)
    };
    recipient(Disposition::Refused, Some(Verdict::because(reason)))
}

fn accepted(notes: Vec<Note>) -> Recipient {
    recipient(Disposition::Relayed, Some(Verdict::Accept { notes }))
}

#[test]
fn what_is_handed_on_is_good_unless_something_was_held_against_it() {
    let of = |notes| lessons(&decision(vec![accepted(notes)]));
    let known = Lesson::KnownRecipients(1);
    assert_eq!(of(vec![]), [known, Lesson::Good]);
    let engine = || "content".to_owned();
    let unexamined = Note::Unexamined { engine: engine() };
    assert_eq!(of(vec![unexamined]), [known, Lesson::Good]);
    assert_eq!(of(vec![Note::LikelyAlone { engine: engine() }]), [known]);
    let list = ListMatch {
        list: List::Allow,
        field: ListField::Recipient,
        entry: "anna@example.net".to_owned(),
    };
    let allowed = Note::Allowed {
        kind: Kind::Spam,
        list,
    };
    assert_eq!(of(vec![allowed]), [known]);
}

#[test]
fn only_what_others_found_is_held_against_a_sender() {
    let of = |kind, engines: &[&str]| lessons(&decision(vec![refused(kind, engines)]));
    let known = Lesson::KnownRecipients(1);
    for (kind, engines, lesson) in [
        (Kind::Spam, &["content"][..], Lesson::Bad(1.0)),
        (Kind::Spam, &["content", "spamassassin"], Lesson::Bad(1.0)),
        (
            Kind::Spam,
            &["content", "reputation", "rspamd"],
            Lesson::Bad(1.0),
        ),
        (Kind::Spam, &["content", "reputation"], Lesson::Bad(0.5)),
        (Kind::Spam, &["reputation"], Lesson::Refused),
        (Kind::Virus, &["clamav"], Lesson::Bad(1.0)),
        (Kind::Attachment, &["attachment"], Lesson::Refused),
        (Kind::Dmarc, &["auth"], Lesson::Refused),
    ] {
        assert_eq!(of(kind, engines), [known, lesson], "{kind:?} {engines:?}");
    }
    for kind in [Kind::List, Kind::Rate] {
        assert_eq!(of(kind, &[]), [Lesson::Refused], "{kind:?}");
    }
    for kind in [
        Kind::Greylist,
        Kind::Size,
        Kind::EngineUnavailable,
        Kind::NexthopDown,
    ] {
        assert_eq!(of(kind, &[]), [], "{kind:?}");
    }
}

#[test]
fn recipients_that_do_not_exist_are_counted_but_those_of_bounces() {
    let mut decision = decision(vec![
        refused(Kind::Mailbox, &[]),
        refused(Kind::Mailbox, &[]),
        recipient(Disposition::Abandoned, None),
        refused(Kind::Relay, &[]),
        recipient(Disposition::Deferred, None),
    ]);
    decision.stage = Stage::Rcpt;
    let expected = [Lesson::UnknownRecipients(2), Lesson::KnownRecipients(1)];
    assert_eq!(lessons(&decision), expected);
    decision.reverse_path = "<>".to_owned();
    assert_eq!(lessons(&decision), [Lesson::KnownRecipients(1)]);
}

#[test]
fn what_the_nexthop_refuses_teaches_nothing() {
    let decision = decision(vec![recipient(Disposition::Refused, Some(Verdict::ACCEPT))]);
    assert_eq!(lessons(&decision), []);
}

#[test]
fn of_several_verdicts_a_refusal_counts() {
    let decision = decision(vec![accepted(vec![]), refused(Kind::Spam, &["content"])]);
    let expected = [Lesson::KnownRecipients(2), Lesson::Bad(1.0)];
    assert_eq!(lessons(&decision), expected);
}

#[test]
fn a_transaction_that_was_refused_at_mail_teaches_no_more_than_that() {
    let mut decision = decision(vec![]);
    decision.stage = Stage::Mail;
    assert_eq!(lessons(&decision), []);
    decision.verdict = Some(Verdict::because(Reason::new(Kind::Reputation)));
    assert_eq!(lessons(&decision), [Lesson::Refused]);
}

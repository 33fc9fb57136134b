//! A line for people is one line, whatever a client put into it.

use std::sync::Arc;

use smtp::{Reply, Status};

use super::*;
use crate::decision::{Client, Disposition, Recipient, Stage};
use crate::event::SessionEnd;
use crate::policy::{Kind, Reason};

fn ended(detail: &str) -> Event {
    Event::SessionEnded(Box::new(SessionEnded {
        listener: Arc::from("inbound"),
        client: Client::new([192, 0, 2, 1].into(), 4711),
        tls: None,
        ehlo: "x\ny".to_owned(),
        stage: Stage::Connect,
        reason: SessionEnd::TooManyErrors,
        detail: detail.to_owned(),
        bad_commands: 10,
        reply: None,
        milliseconds: 12.5,
    }))
}

#[test]
fn a_line_tells_ids_first_and_holds_no_control_characters() {
    let (level, line) = line(&ended("last\nrefused\u{7}"));
    assert_eq!(level, Level::Info);
    assert_eq!(
        line,
        "session ended listener=inbound client=192.0.2.1 reason=too-many-errors bad_commands=10 (last?refused?)"
    );
}

#[test]
fn a_recipient_that_is_refused_is_told_with_the_reason() {
    let mut decision = crate::event::tests::decisions().pop().unwrap();
    decision.verdict = None;
    decision.reply = None;
    decision.recipients = vec![Recipient {
        verdict: Some(Verdict::because(Reason::new(Kind::Relay))),
        reply: Some((&Reply::new(550, Status::NOT_AUTHORISED, "Relay denied")).into()),
        disposition: Disposition::Refused,
        ..Recipient::new("jane@example.com")
    }];
    let (_, line) = line(&Event::Decided(Box::new(decision)));
    assert!(
        line.contains(" refused ")
            && line.contains(" reason=relay reply=\"550 5.7.1 Relay denied\" "),
        "{line}"
    );
}

#[test]
fn a_gap_is_told_with_its_size() {
    assert!(gap(3).ends_with("3 lines of this log were lost\n"));
}

#[test]
fn errors_of_a_reload_stay_on_one_line() {
    let errors = vec!["a.toml:1:1: no\n  remedy: yes".to_owned(), "b".to_owned()];
    let (_, line) = line(&Event::ReloadFailed { errors });
    assert!(
        line.ends_with("stays: a.toml:1:1: no, remedy: yes; b"),
        "{line}"
    );
}

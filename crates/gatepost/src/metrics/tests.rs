//! The page of the metrics, and which of a decision's reasons are counted.

use super::*;
use crate::decision::Recipient;
use crate::event;
use crate::policy::Kind;

#[test]
fn the_document_is_that_of_the_table() {
    crate::golden::check("../../docs/metrics.md", &reference_markdown());
}

#[test]
fn each_refused_recipient_counts_once_and_a_refused_mail_too() {
    let verdict = |kind| Some(Verdict::because(Reason::new(kind)));
    let recipient = |kind| Recipient {
        verdict: verdict(kind),
        ..Recipient::new("jane@example.com")
    };
    let mut decision = event::tests::decisions().pop().unwrap();
    let kinds = |decision: &Decision| -> Vec<Kind> {
        refusals(decision).map(|reason| reason.kind).collect()
    };

    decision.recipients = Vec::new();
    decision.verdict = verdict(Kind::List);
    assert_eq!(kinds(&decision), [Kind::List]);

    decision.verdict = None;
    decision.recipients = vec![recipient(Kind::Relay), recipient(Kind::Mailbox)];
    assert_eq!(kinds(&decision), [Kind::Relay, Kind::Mailbox]);

    decision.verdict = verdict(Kind::Spam);
    decision.recipients = vec![recipient(Kind::Spam), recipient(Kind::Spam)];
    decision.recipients.push(Recipient {
        verdict: Some(Verdict::ACCEPT),
        ..Recipient::new("joe@example.com")
    });
    assert_eq!(kinds(&decision), [Kind::Spam, Kind::Spam]);
}

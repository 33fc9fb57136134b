//! What a transaction teaches of its sender.
//!
//! Only what others found is held against a sender: a refusal on the word of its past alone is counted as a refusal and no
//! more, or a bad name would feed on itself. What an allow list let through, and what one engine alone found likely to be
//! spam, teaches nothing.

use scan::reputation::record::{Lesson, Sender};
use scan::reputation::{domains, helo_is_proven, seconds_now};

use crate::context::Context;
use crate::decision::{Decision, Disposition, Recipient, Stage};
use crate::engines::{AUTH, REPUTATION};
use crate::policy::{Kind, Note, Reason, Verdict};
use crate::serve::conversation::Client;

/// Learns from a transaction that has ended, unless its client may relay or hands on messages of others.
pub fn learn(cx: &Context, client: &Client, decision: &Decision) {
    if !cx.learns_of_senders || client.may_relay(cx) || cx.trusted_forwarders.contains(client.ip) {
        return;
    }
    let facts = decision
        .findings
        .iter()
        .filter(|finding| finding.engine == AUTH)
        .find_map(|finding| finding.authentication.as_deref());
    let domains = domains(facts);
    let sender = Sender {
        ip: client.ip,
        helo: &decision.ehlo,
        helo_is_proven: helo_is_proven(&decision.ehlo, client.name.known(), facts),
        domains: &domains,
    };
    let now = seconds_now();
    for lesson in lessons(decision) {
        cx.services.senders.record.learn(&sender, lesson, now);
    }
}

/// What there is to be learnt of a transaction.
fn lessons(decision: &Decision) -> Vec<Lesson> {
    let mut lessons = Vec::new();
    let count = |is: fn(&Recipient) -> bool| {
        let those = decision.recipients.iter().filter(|recipient| is(recipient));
        u32::try_from(those.count()).unwrap_or(u32::MAX)
    };
    let unknown = count(|recipient| kind_of(recipient) == Some(Kind::Mailbox));
    // Bounces of what somebody else sent in the name of our mailboxes say nothing of the server that brings them.
    if unknown > 0 && decision.reverse_path != "<>" {
        lessons.push(Lesson::UnknownRecipients(unknown));
    }
    let known = count(is_known);
    if known > 0 {
        lessons.push(Lesson::KnownRecipients(known));
    }
    lessons.extend(of_message(decision));
    lessons
}

/// The recipient was accepted at RCPT, whatever became of the message then.
fn is_known(recipient: &Recipient) -> bool {
    match kind_of(recipient) {
        None => {
            recipient.disposition != Disposition::Refused
                && recipient.disposition != Disposition::Deferred
        }
        Some(kind) => matches!(
            kind,
            Kind::Spam | Kind::Virus | Kind::Attachment | Kind::Dmarc
        ),
    }
}

fn kind_of(recipient: &Recipient) -> Option<Kind> {
    let reason = recipient.verdict.as_ref().and_then(Verdict::reason);
    reason.map(|reason| reason.kind)
}

/// What the message itself teaches. Of several verdicts (PRDR) a refusal counts.
fn of_message(decision: &Decision) -> Option<Lesson> {
    let verdicts = decision
        .recipients
        .iter()
        .filter_map(|recipient| recipient.verdict.as_ref())
        .chain(&decision.verdict);
    let refused = verdicts
        .clone()
        .filter_map(Verdict::reason)
        .find_map(of_refusal);
    if refused.is_some() || decision.stage < Stage::Message {
        return refused;
    }
    let is_handed_on = decision.recipients.iter().any(|recipient| {
        matches!(
            recipient.disposition,
            Disposition::Relayed | Disposition::Delivered | Disposition::Queued
        )
    });
    let mut accepted = verdicts.filter_map(|verdict| match verdict {
        Verdict::Accept { notes } => Some(notes),
        _ => None,
    });
    let is_clean = accepted.all(|notes| !notes.iter().any(is_held_against));
    (is_handed_on && is_clean).then_some(Lesson::Good)
}

/// The evidence of other engines counts whole; that of one which needed this engine to agree, half.
fn of_refusal(reason: &Reason) -> Option<Lesson> {
    match reason.kind {
        Kind::Spam | Kind::Virus => {
            let others = reason.engines.iter().filter(|engine| *engine != REPUTATION);
            Some(match (others.count(), reason.engines.len()) {
                (0, _) => Lesson::Refused,
                (1, 2..) => Lesson::Bad(0.5),
                _ => Lesson::Bad(1.0),
            })
        }
        Kind::List
        | Kind::Dmarc
        | Kind::SpfFail
        | Kind::Attachment
        | Kind::Reputation
        | Kind::ReputationDefer
        | Kind::Listed
        | Kind::ListedDefer
        | Kind::Rate => Some(Lesson::Refused),
        _ => None,
    }
}

fn is_held_against(note: &Note) -> bool {
    matches!(note, Note::LikelyAlone { .. } | Note::Allowed { .. })
}

#[cfg(test)]
mod tests;

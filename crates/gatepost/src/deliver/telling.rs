//! Reports on queued messages, put into the queue themselves: whoever must be told is told, on synced disk, before the queue
//! forgets what it is about.
//!
//! What a report says and who may get it is in `report`.

use std::sync::Arc;

use jiff::{Timestamp, Zoned};
use queue::{Queue, QueuedMessage, Submission, SubmitError};
use smtp::{Class, Status};

use super::report::{Addressee, Concerned, ReportFacts, Silence, addressee, report};
use super::settling::{host, is_reply, now};
use super::{Custody, outcome};
use crate::context::Context;
use crate::event::Event;
use crate::replies::LANGUAGE_DEFAULT;

/// Queues the report on recipients whose message was handed over while the client waited: for those who want to hear of success,
/// where nobody else will tell it (RFC 3461 5.2.2). `kept` has their places in the envelope.
pub async fn tell_handed_over(
    cx: &Context,
    queue: &Queue,
    message: &QueuedMessage,
    kept: &[(u32, &Custody)],
) -> Result<(), SubmitError> {
    let words: Vec<String> = kept
        .iter()
        .map(|(_, custody)| custody.reply().map_or("stored".to_owned(), outcome::words))
        .collect();
    let concerned = kept
        .iter()
        .zip(&words)
        .filter_map(|((index, custody), words)| {
            Some(Concerned {
                index: *index,
                action: custody.untold()?,
                status: Status::new(Class::Success, 0, 0),
                diagnostic: words,
                is_reply: is_reply(words),
                remote_mta: custody.nexthop().and_then(host),
                last_attempt: Some(now()),
                will_retry_until: None,
            })
        });
    let concerned: Vec<Concerned<'_>> = concerned.collect();
    if concerned.is_empty() {
        return Ok(());
    }
    tell(cx, queue, message, &concerned).await
}

/// Queues the report on what became of `concerned`, if one may be sent.
///
/// # Errors
/// The queue does not take it.
pub(crate) async fn tell(
    cx: &Context,
    queue: &Queue,
    message: &QueuedMessage,
    concerned: &[Concerned<'_>],
) -> Result<(), SubmitError> {
    let now = Zoned::now();
    let seconds = u64::try_from(Timestamp::now().as_second()).unwrap_or(0);
    let reference = cx.services.references.next(seconds).to_string();
    let mut facts = ReportFacts {
        reporter: &cx.config.reports,
        language: language(cx, message, concerned),
        reference: &reference,
        nonce: nonce(),
        left_out: 0,
        envelope: &message.envelope,
        content: &message.content,
        proven: false,
        require_tls: message.envelope.mail.require_tls,
        now: &now,
        concerned,
    };
    let is_for_postmaster = matches!(addressee(&facts), Addressee::Postmaster { .. });
    if is_for_postmaster {
        let left_out = cx.services.allowance.take(facts.reporter.postmaster_rate);
        let Some(left_out) = left_out else {
            note_withheld(cx, &facts, true);
            return Ok(());
        };
        facts.left_out = left_out;
    }
    note_withheld(cx, &facts, false);
    let Some(submission) = report(&facts) else {
        return Ok(());
    };
    let to = submission.envelope.recipients.first();
    let forward_path = to.map_or(String::new(), |to| to.forward_path.to_string());
    let stored = queue.submit(signed(cx, submission, seconds).await).await;
    let stored = stored.inspect_err(|_| {
        if is_for_postmaster {
            cx.services.allowance.give_back(facts.left_out);
        }
    })?;
    cx.services.journal.emit(&Event::ReportQueued {
        reference,
        queue_id: stored.id.to_string(),
        about: message.envelope.reference.clone(),
        forward_path,
    });
    Ok(())
}

/// 64 bits that nobody can guess. Without randomness of the system those of this process must do: a report is not withheld for it.
fn nonce() -> u64 {
    getrandom::u64().unwrap_or_else(|_| fastrand::u64(..))
}

/// No silence is kept silently: each recipient of whom the reverse-path is not told is named. With `too_many` our postmaster is
/// not told either.
fn note_withheld(cx: &Context, facts: &ReportFacts<'_>, too_many: bool) {
    let (told, because, to_postmaster) = match addressee(facts) {
        Addressee::ReversePath { told, .. } => (told, Silence::Unwanted, false),
        Addressee::Postmaster { because, told } => (told, because, true),
        Addressee::Nobody(because) => (Vec::new(), because, false),
    };
    let (told, untold): (Vec<_>, Vec<_>) =
        (0..facts.concerned.len()).partition(|it| told.binary_search(it).is_ok());
    if too_many {
        emit_withheld(cx, facts, &told, Silence::TooMany, false);
    } else if to_postmaster {
        emit_withheld(cx, facts, &told, because, true);
    }
    emit_withheld(cx, facts, &untold, because, false);
}

fn emit_withheld(
    cx: &Context,
    facts: &ReportFacts<'_>,
    places: &[usize],
    because: Silence,
    to_postmaster: bool,
) {
    let concerned = || {
        places
            .iter()
            .filter_map(|place| facts.concerned.get(*place))
    };
    let Some(gravest) = concerned().map(|it| it.action).min() else {
        return;
    };
    let named = concerned().filter_map(|concerned| {
        let index = usize::try_from(concerned.index).ok()?;
        let recipient = facts.envelope.recipients.get(index)?;
        Some(recipient.forward_path.to_string())
    });
    cx.services.journal.emit(&Event::ReportWithheld {
        about: facts.envelope.reference.clone(),
        action: gravest.word().to_owned(),
        recipients: named.collect(),
        reason: because.word().to_owned(),
        to_postmaster,
    });
}

/// The report with the signatures of its author's domain. One without them is better than none.
async fn signed(cx: &Context, report: Submission, unix_seconds: u64) -> Submission {
    let domain = cx.config.reports.from.domain.ascii().to_ascii_lowercase();
    if cx.signer.signatory(&domain).is_none() {
        return report;
    }
    let (signer, plain) = (Arc::clone(&cx.signer), report.clone());
    let author = domain.clone();
    // RSA takes its time: not on the threads that serve connections.
    let signing =
        tokio::task::spawn_blocking(move || signer.signed(&author, report, unix_seconds)).await;
    let signing = signing.map_err(|error| error.to_string());
    match signing.and_then(|signed| signed.map_err(|error| error.to_string())) {
        Ok(signed) => signed,
        Err(detail) => {
            cx.services.journal.emit(&Event::Unsigned {
                reference: plain.envelope.reference.clone(),
                domain,
                detail,
            });
            plain
        }
    }
}

/// The language of the route of the first recipient that it is about.
fn language<'c>(cx: &'c Context, message: &QueuedMessage, concerned: &[Concerned<'_>]) -> &'c str {
    let first = concerned.first();
    let index = first.and_then(|first| usize::try_from(first.index).ok());
    let recipient = index.and_then(|index| message.envelope.recipients.get(index));
    let domain = recipient.and_then(|recipient| recipient.forward_path.domain());
    let route = domain.and_then(|domain| cx.relay(Some(domain), true).0);
    route.map_or(LANGUAGE_DEFAULT, |route| &route.language)
}

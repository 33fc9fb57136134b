//! Reports on queued messages, put into the queue themselves: whoever must be told is told, on synced disk, before the queue
//! forgets what it is about.
//!
//! What a report says and who may get it is in `report`.

use jiff::{Timestamp, Zoned};
use queue::{Queue, QueuedMessage, SubmitError};

use super::report::{Concerned, ReportFacts, report};
use crate::context::Context;
use crate::event::Event;
use crate::replies::LANGUAGE_DEFAULT;

/// Queues the report on what became of `concerned`, if one may be sent.
///
/// # Errors
/// The queue does not take it.
pub(super) async fn tell(
    cx: &Context,
    queue: &Queue,
    message: &QueuedMessage,
    concerned: &[Concerned<'_>],
) -> Result<(), SubmitError> {
    let now = Zoned::now();
    let seconds = u64::try_from(Timestamp::now().as_second()).unwrap_or(0);
    let reference = cx.services.references.next(seconds).to_string();
    let facts = ReportFacts {
        reporter: &cx.config.reports,
        language: language(cx, message, concerned),
        reference: &reference,
        envelope: &message.envelope,
        content: &message.content,
        proven: false,
        require_tls: message.envelope.mail.require_tls,
        now: &now,
        concerned,
    };
    let Some(submission) = report(&facts) else {
        return Ok(());
    };
    let to = submission.envelope.recipients.first();
    let forward_path = to.map_or(String::new(), |to| to.forward_path.to_string());
    let stored = queue.submit(submission).await?;
    cx.services.journal.emit(&Event::ReportQueued {
        reference,
        queue_id: stored.id.to_string(),
        about: message.envelope.reference.clone(),
        forward_path,
    });
    Ok(())
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

//! Messages that wait for long: the report on a delay, and the end of the lifetime (RFC 5321 4.5.4.1).
//!
//! When they are due is the queue's affair. What a report says stands in `report`.

use std::sync::Arc;

use bytes::Bytes;
use queue::{Parcel, Queue, QueuedMessage, ReadError, RecipientOutcome};
use smtp::Status;

use super::gathering::Ending;
use super::report::{Action, Concerned};
use super::settling::{InHand, OWN_FAULT_PAUSE, Settling, host, is_reply};
use crate::context::Context;

/// Said of a message of which only the envelope is left.
const LOST: &str =
    "its content was damaged on the disk of this node and is lost, header fields included";

/// The time for a delay report has come: those who want it are told, and nothing else changes.
pub(super) async fn warn(cx: &Arc<Context>, queue: &Queue, parcel: Parcel) {
    let in_hand = InHand::new(queue, parcel);
    match queue.read(in_hand.parcel()).await {
        Ok(message) => Ending::Late(message, in_hand).finish(cx, queue).await,
        Err(error) => {
            tracing::error!(?error, "a queued message that is late can't be read");
            let untried = |index: &u32| (*index, RecipientOutcome::Untried);
            let outcomes = in_hand.parcel().recipients.iter().map(untried).collect();
            in_hand.settle(outcomes);
        }
    }
}

/// What a report on a delay has to tell.
pub(super) fn delayed<'p>(parcel: &'p Parcel, message: &QueuedMessage) -> Vec<Concerned<'p>> {
    let last = parcel.last.as_ref();
    let diagnostic = last.map_or("", |last| last.diagnostic.as_str());
    let envelope = &message.envelope;
    let concerned = |index: &u32| Concerned {
        index: *index,
        action: Action::Delayed,
        status: last.map_or(Status::transient(4, 7), |last| last.status),
        diagnostic,
        is_reply: is_reply(diagnostic),
        remote_mta: last.and_then(|last| host(&last.nexthop)),
        last_attempt: None,
        will_retry_until: Some(envelope.arrived.saturating_add(envelope.lifetime)),
    };
    parcel.recipients.iter().map(concerned).collect()
}

/// The lifetime of a message is over for these recipients.
pub(super) async fn expire(cx: &Arc<Context>, queue: &Queue, parcel: Parcel) {
    let in_hand = InHand::new(queue, parcel);
    let message = match queue.read(in_hand.parcel()).await {
        Ok(message) => message,
        Err(error) => {
            tracing::error!(?error, "a queued message whose time is over can't be read");
            return match error {
                ReadError::Fault(_) | ReadError::Exporting => {
                    let status = Status::transient(3, 0);
                    in_hand.delay(status, "it can't be read", OWN_FAULT_PAUSE);
                }
                // No later attempt reads what is not there; what was is set aside and told (`queue-damaged`).
                ReadError::Gone | ReadError::Damaged(_) => give_up(cx, queue, in_hand).await,
            };
        }
    };
    let mut settling = Settling::new(cx, &message, in_hand.parcel());
    let (nexthop, last) = match &in_hand.parcel().last {
        Some(last) => (last.nexthop.clone(), last.diagnostic.clone()),
        None => (String::new(), "it was never tried".to_owned()),
    };
    // RFC 3463 3.5: X.4.7, delivery time expired.
    settling.settle_all(&RecipientOutcome::Failed {
        nexthop,
        status: Status::permanent(4, 7),
        diagnostic: last,
    });
    settling.expire();
    settling.finish(queue, in_hand).await;
}

/// The content is lost. If the envelope is not, whoever must be told is told that much: it is all that is left of the message.
async fn give_up(cx: &Arc<Context>, queue: &Queue, in_hand: InHand) {
    let status = Status::permanent(3, 0);
    let (asked, id) = (queue.clone(), in_hand.parcel().message);
    let listed = tokio::task::spawn_blocking(move || asked.listed(id)).await;
    let Ok(Ok(Some(listed))) = listed else {
        return in_hand.fail(status, "it can't be read");
    };
    let message = QueuedMessage {
        envelope: listed.envelope,
        content: Bytes::new(),
    };
    let mut settling = Settling::new(cx, &message, in_hand.parcel());
    settling.settle_all(&RecipientOutcome::Failed {
        nexthop: String::new(),
        status,
        diagnostic: LOST.to_owned(),
    });
    settling.expire();
    settling.finish(queue, in_hand).await;
}

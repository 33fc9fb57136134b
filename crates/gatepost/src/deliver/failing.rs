//! Messages that are not sent although there is a slot for them: no plan can ever be made for their lane, their route was taken
//! out of the configuration, or they can't be read.
//!
//! What a server's answer means stands in `outcome`, who is told of a failure in `settling`.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use queue::{
    LaneKey, Origin, Parcel, Queue, QueuedMessage, ReadError, RecipientOutcome, Slot, Taken,
};
use smtp::Status;
use tokio::sync::watch;

use super::fault::{Cause, Fault, Step};
use super::outcome;
use super::settling::{InHand, Settling};
use crate::context::Context;

/// How long a message waits whose content can't be read.
const UNREADABLE_PAUSE: Duration = Duration::from_secs(300);

/// Messages of one lane that fail at one time: their reports share a sync of the disk.
const FAILING_MAX: usize = 32;

/// No plan can ever be made for the lane as it stands: each of its messages fails. When the node stops, the rest waits for the
/// next start.
pub(super) async fn fail_all(
    cx: &Arc<Context>,
    queue: &Queue,
    mut slot: Slot,
    (status, text): (Status, &str),
    stop: &watch::Receiver<Option<Duration>>,
) {
    let next = || match slot.take() {
        Taken::Parcel(parcel) => {
            let in_hand = InHand::new(queue, parcel);
            Some(fail(cx, queue, in_hand, status, text))
        }
        Taken::Wait(_) | Taken::Nothing => None,
    };
    several_at_a_time(next, stop).await;
}

/// Does what `next` has until there is nothing more or the node stops, and finishes what is begun.
async fn several_at_a_time<F: Future<Output = ()>>(
    mut next: impl FnMut() -> Option<F>,
    stop: &watch::Receiver<Option<Duration>>,
) {
    let mut running = FuturesUnordered::new();
    loop {
        while running.len() < FAILING_MAX
            && stop.borrow().is_none()
            && let Some(one) = next()
        {
            running.push(one);
        }
        if running.next().await.is_none() {
            return;
        }
    }
}

/// Gives the recipients of one parcel up, unless the configuration may be what is wrong.
pub(super) async fn fail(
    cx: &Arc<Context>,
    queue: &Queue,
    in_hand: InHand,
    status: Status,
    text: &str,
) {
    let message = match queue.read(in_hand.parcel()).await {
        Ok(message) => message,
        Err(error) => return unreadable(in_hand, &error),
    };
    let mut settling = Settling::new(cx, &message, in_hand.parcel());
    let outcome = ownerless(cx, in_hand.parcel(), &message);
    settling.settle_all(&outcome.unwrap_or_else(|| RecipientOutcome::Failed {
        nexthop: in_hand.parcel().lane.domain.to_string(),
        status,
        diagnostic: text.to_owned(),
    }));
    settling.finish(queue, in_hand).await;
}

/// Whether no route of ours has the domain, so that messages for it from strangers have lost their owner.
pub(super) fn is_ownerless(cx: &Context, domain: &str) -> bool {
    cx.table.route_for_text(domain).is_none()
}

/// What holds for a message that was taken for a route which is no longer in the configuration. That is mended there, and
/// nothing is lost by an oversight: it neither bounces nor leaves for the servers that the DNS names, since the domain may exist
/// inside only, or its public servers may be what stands before us. Nothing else brings us messages from those who may not relay.
pub(super) fn ownerless(
    cx: &Context,
    parcel: &Parcel,
    message: &QueuedMessage,
) -> Option<RecipientOutcome> {
    let LaneKey {
        domain, nexthop, ..
    } = &parcel.lane;
    let envelope = &message.envelope;
    let is_relayed = envelope.origin != Origin::Received || envelope.submitted;
    if is_relayed || nexthop.is_some() || !is_ownerless(cx, domain) {
        return None;
    }
    let detail = "no route has this domain any more: put it back into the configuration";
    let fault = Fault::new(
        &**domain,
        Step::Resolve,
        Cause::Unroutable(detail.to_owned()),
    );
    Some(RecipientOutcome::Delayed {
        status: fault.status(),
        diagnostic: fault.what_happened().to_string(),
        nexthop: fault.nexthop,
        retry_after: outcome::pause(&cx.anywhere.route.queueing, parcel.attempts),
    })
}

/// What can't be read can't be sent, and nobody can be told: it stays in the queue, for whoever looks after it.
pub(super) fn unreadable(in_hand: InHand, error: &ReadError) {
    match error {
        // An operator removed it meanwhile.
        ReadError::Gone | ReadError::Exporting => in_hand.untried(),
        ReadError::Damaged(detail) | ReadError::Fault(detail) => {
            tracing::error!(detail, "a queued message can't be read");
            in_hand.delay(Status::transient(3, 0), detail, UNREADABLE_PAUSE);
        }
    }
}

#[cfg(test)]
mod tests;

//! What delivery gets from the queue and gives back: tasks, parcels and outcomes (RFC 3464 2.3.3 names the outcomes).

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use smtp::Status;

use crate::queue::Shared;
use crate::queue::slot::Slot;
use crate::schedule::ParcelId;
use crate::{Envelope, LaneKey, MessageId};

/// Something to do.
#[derive(Debug)]
pub enum Task {
    /// Deliver what is due in a lane.
    Deliver(Slot),
    /// The time for a delay report has come (RFC 3461 4.1 `DELAY`): report it, then settle as [`RecipientOutcome::Untried`],
    /// which marks them as warned.
    Warn(Parcel),
    /// The lifetime is over (RFC 5321 4.5.4.1): report it, then settle as [`RecipientOutcome::Failed`].
    Expire(Parcel),
    /// The queue is closed: nothing more will come.
    Closed,
}

/// The recipients of one message that go together in one transaction now. Dropping it unsettled is the same as settling all
/// of them as [`RecipientOutcome::Untried`].
#[derive(Debug)]
pub struct Parcel {
    /// Which message.
    pub message: MessageId,
    /// What they wait in.
    pub lane: LaneKey,
    /// Indices in [`Envelope::recipients`].
    pub recipients: Vec<u32>,
    /// How often delivery to the first of them was tried before.
    pub attempts: u32,
    /// What the last attempt met, if there was one; read for [`Task::Warn`] and [`Task::Expire`] only.
    pub last: Option<LastFault>,
    pub(crate) hold: Option<ParcelHold>,
}

/// What a parcel needs in order to be given back.
#[derive(Debug)]
pub(crate) struct ParcelHold {
    pub(crate) shared: Arc<Shared>,
    pub(crate) id: ParcelId,
    /// Whether its delay is being reported.
    pub(crate) warns: bool,
}

impl Drop for Parcel {
    fn drop(&mut self) {
        if let Some(hold) = self.hold.take() {
            let shared = Arc::clone(&hold.shared);
            shared.give_back(&hold);
        }
    }
}

/// What an attempt met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastFault {
    /// The enhanced status (RFC 3463).
    pub status: Status,
    /// The reply, or what happened in its place; at most 512 bytes.
    pub diagnostic: String,
    /// Where.
    pub nexthop: String,
}

/// What became of one recipient in one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecipientOutcome {
    /// The nexthop has it.
    Delivered {
        /// Which.
        nexthop: String,
        /// Its reply.
        reply: String,
    },
    /// It will never be delivered; whoever must know has been told.
    Failed {
        /// Where.
        nexthop: String,
        /// The enhanced status (RFC 3463).
        status: Status,
        /// The reply, or what happened in its place.
        diagnostic: String,
    },
    /// Try again.
    Delayed {
        /// Where.
        nexthop: String,
        /// The enhanced status (RFC 3463).
        status: Status,
        /// The reply, or what happened in its place.
        diagnostic: String,
        /// No earlier than this from now.
        retry_after: Duration,
    },
    /// Nothing was tried.
    Untried,
}

/// What a slot has to do.
#[derive(Debug)]
pub enum Taken {
    /// This.
    Parcel(Parcel),
    /// Nothing before this time has passed: a rate is used up.
    Wait(Duration),
    /// Nothing: drop the slot.
    Nothing,
}

/// A queued message as it is delivered.
#[derive(Clone, Debug)]
pub struct QueuedMessage {
    /// Its envelope.
    pub envelope: Arc<Envelope>,
    /// Header section and body.
    pub content: Bytes,
}

//! The durable queue: what cannot be handed on at once is kept here, synced to disk, until each recipient is delivered or has
//! failed (RFC 5321 4.5.4.1).
//!
//! A submission is answered after body and envelope are synced; all that wait share one sync. Which destination may be tried
//! when is the schedule's affair; how it is tried is not: no sockets, no DNS, no SMTP sessions here.

mod codec;
pub mod disk;
pub mod envelope;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
pub mod id;
mod index;
mod journal;
pub mod limits;
mod listed;
mod notice;
pub mod queue;
mod record;
mod recovery;
pub mod schedule;
mod sidecar;
#[cfg(test)]
mod simulation;
pub mod site;
mod store;
mod task;
pub mod transfer;
mod writer;

pub use disk::{Disk, DiskFile, RealDisk};
pub use envelope::{Envelope, LaneKey, Origin, QueuedRecipient};
pub use id::MessageId;
pub use listed::{Action, Actor, Listed, ListedRecipient, RecipientState, Suspended, Suspension};
pub use notice::{Notice, Observer};
pub use queue::slot::Slot;
pub use queue::{
    Announcement, OpenError, Queue, ReadError, Recovery, Settings, Stats, Stored, Submission,
    SubmitError,
};
pub use site::{BackOff, Entered, LaneState, Quota, Rate, SiteFault, SiteLimits, SiteState};
pub use task::{LastFault, Parcel, QueuedMessage, RecipientOutcome, Taken, Task};

//! The durable queue: what cannot be handed on at once is kept here, synced to disk, until each recipient is delivered or has
//! failed (RFC 5321 4.5.4.1).
//!
//! A submission is answered after body and envelope are synced; all that wait share one sync. Which destination may be tried
//! when is the schedule's affair; how it is tried is not: no sockets, no DNS, no SMTP sessions here.

pub mod envelope;
pub mod id;

pub use envelope::{Envelope, LaneKey, Origin, QueuedRecipient};
pub use id::MessageId;

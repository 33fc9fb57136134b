//! Gatepost: an SMTP gateway that examines each message while the sender waits, and refuses with a reason.
//!
//! The path of a message is `serve` (listener, connection, stages), `scan` (its own crate), `policy`, `serve::dispose`, `deliver`.
//! ARCHITECTURE.md has the map.

pub mod cli;
pub mod config;
pub mod context;
pub mod decision;
pub mod deliver;
pub mod doctor;
pub mod engines;
pub mod event;
pub mod expiring;
pub mod explain;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
pub mod journal;
pub mod learning;
pub mod line_log;
pub mod lists;
pub mod mbox;
pub mod metrics;
pub mod policy;
pub mod reference;
pub mod relay_table;
pub mod replies;
pub mod scratch;
pub mod senders;
pub mod serve;
pub mod trace_fields;

#[cfg(test)]
mod golden;

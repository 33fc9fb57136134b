//! Gatepost: an SMTP gateway that examines each message while the sender waits, and refuses with a reason.
//!
//! The path of a message is `serve` (listener, connection, stages), `scan` (its own crate), `policy`, `serve::dispose`, `deliver`.
//! ARCHITECTURE.md has the map.

pub mod config;
pub mod decision;
pub mod event;
pub mod lists;
pub mod policy;
pub mod reference;
pub mod relay_table;
pub mod replies;
pub mod trace_fields;

#[cfg(test)]
mod golden;

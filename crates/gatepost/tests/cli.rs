//! The binary's commands that need no running node, as an operator runs them: scan, explain, doctor, check and what the binary
//! makes of itself. Each test has a configuration and a nameserver of its own; nothing leaves this machine.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that can't go on fails"
)]

#[path = "cli/support.rs"]
mod support;

#[path = "cli/classifier.rs"]
mod classifier;
#[path = "cli/doctor.rs"]
mod doctor;
#[path = "cli/explain.rs"]
mod explain;
#[path = "cli/itself.rs"]
mod itself;
#[path = "cli/scan.rs"]
mod scan;

//! The gateway as a process, end to end: real clients in front (swaks, Python's smtplib, curl, openssl, Postfix), real servers
//! behind (Postfix, smtp-sink, sinks of our own that record every byte and can misbehave), real engines beside.
//!
//! Every test starts its own gateway on ports that the system gives, so that they run in parallel. A peer that is missing fails
//! the test with the name of its package.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test that can't go on fails"
)]

#[path = "e2e/support.rs"]
mod support;

#[path = "e2e/authentication.rs"]
mod authentication;
#[path = "e2e/cut_through.rs"]
mod cut_through;
#[path = "e2e/dane.rs"]
mod dane;
#[path = "e2e/dialogs.rs"]
mod dialogs;
#[path = "e2e/disk_space.rs"]
mod disk_space;
#[path = "e2e/dkim.rs"]
mod dkim;
#[path = "e2e/dns_outage.rs"]
mod dns_outage;
#[path = "e2e/dsn.rs"]
mod dsn;
#[path = "e2e/encryption.rs"]
mod encryption;
#[path = "e2e/engines.rs"]
mod engines;
#[path = "e2e/gathered.rs"]
mod gathered;
#[path = "e2e/good_mail.rs"]
mod good_mail;
#[path = "e2e/hostile.rs"]
mod hostile;
#[path = "e2e/lifetime.rs"]
mod lifetime;
#[path = "e2e/limits.rs"]
mod limits;
#[path = "e2e/mx.rs"]
mod mx;
#[path = "e2e/nexthop_faults.rs"]
mod nexthop_faults;
#[path = "e2e/nexthop_replies.rs"]
mod nexthop_replies;
#[path = "e2e/nexthop_security.rs"]
mod nexthop_security;
#[path = "e2e/operation.rs"]
mod operation;
#[path = "e2e/peers.rs"]
mod peers;
#[path = "e2e/pools.rs"]
mod pools;
#[path = "e2e/queue.rs"]
mod queue;
#[path = "e2e/queue_faults.rs"]
mod queue_faults;
#[path = "e2e/queue_moving.rs"]
mod queue_moving;
#[path = "e2e/queue_operation.rs"]
mod queue_operation;
#[path = "e2e/queue_removal.rs"]
mod queue_removal;
#[path = "e2e/refusals.rs"]
mod refusals;
#[path = "e2e/reputation.rs"]
mod reputation;
#[path = "e2e/requiretls.rs"]
mod requiretls;
#[path = "e2e/smuggling.rs"]
mod smuggling;
#[path = "e2e/sts.rs"]
mod sts;

//! What a nexthop's word means for a recipient of a queued message: one table (RFC 5321 4.2.1, 4.5.3.1.10, 5.1).
//!
//! Whom to try next, and when, follows from it; nothing is done here.

use std::time::Duration;

use queue::RecipientOutcome;
use smtp::{Class, Reply, Status};

use super::connection::Answered;
use super::fault::{Fault, Step};
use crate::config::Queueing;

/// Jitter of a pause, in parts of it to either side: recipients that failed together do not all come back together.
const JITTER: f64 = 0.2;

/// What follows for a recipient.
#[derive(Debug)]
pub(super) enum Fate {
    /// This is settled.
    Settled(RecipientOutcome),
    /// The server does not have the message: another server of the plan may be tried at once. If there is none, this.
    Elsewhere(RecipientOutcome),
}

/// What the table is read with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Circumstances<'a> {
    /// The server, for people.
    pub(super) nexthop: &'a str,
    /// How long the recipient waits if it must.
    pub(super) pause: Duration,
    /// Another recipient of the transaction was accepted.
    pub(super) others_accepted: bool,
}

/// The table.
pub(super) fn fate(answered: Answered, at: Circumstances<'_>) -> Fate {
    match answered {
        Answered::Reply(step, reply) => Fate::Settled(of_reply(step, &reply, at)),
        Answered::Unsupported(unsupported) => Fate::Elsewhere(RecipientOutcome::Failed {
            nexthop: at.nexthop.to_owned(),
            status: permanent(unsupported.status()),
            diagnostic: unsupported.to_string(),
        }),
        Answered::Unnamed => Fate::Settled(RecipientOutcome::Untried),
        // The server may have the message. Whoever tries again at once risks a second copy; later it may tell.
        Answered::Lost(fault) if fault.step == Step::Final => Fate::Settled(of_fault(&fault, at)),
        Answered::Lost(fault) => Fate::Elsewhere(of_fault(&fault, at)),
    }
}

fn of_reply(step: Step, reply: &Reply, at: Circumstances<'_>) -> RecipientOutcome {
    let nexthop = at.nexthop.to_owned();
    match reply.code() {
        200..=299 if step == Step::Final => RecipientOutcome::Delivered {
            nexthop,
            reply: words(reply),
        },
        // RFC 5321 4.5.3.1.10: no more recipients in this transaction; also by the code of old, 552. The next one has room.
        452 | 552 if step == Step::Rcpt && at.others_accepted && is_too_many(reply) => {
            RecipientOutcome::Untried
        }
        500..=599 if !(step == Step::Rcpt && reply.code() == 552 && is_too_many(reply)) => {
            RecipientOutcome::Failed {
                nexthop,
                status: reply
                    .status()
                    .filter(|status| status.class == Class::Permanent)
                    .unwrap_or(Status::permanent(0, 0)),
                diagnostic: words(reply),
            }
        }
        // A 4xx, or what is no answer to the command (a 3xx after the data promises nothing).
        _ => RecipientOutcome::Delayed {
            nexthop,
            status: reply
                .status()
                .filter(|status| status.class == Class::Transient)
                .unwrap_or(Status::transient(0, 0)),
            diagnostic: words(reply),
            retry_after: at.pause,
        },
    }
}

/// RFC 3463 3.6: X.5.3, too many recipients; 452 and 552 of servers without enhanced status mean that at RCPT.
fn is_too_many(reply: &Reply) -> bool {
    reply
        .status()
        .is_none_or(|status| (status.subject, status.detail) == (5, 3))
}

fn of_fault(fault: &Fault, at: Circumstances<'_>) -> RecipientOutcome {
    let mut diagnostic = match &fault.reply {
        Some(reply) => words(reply),
        None => fault.what_happened().to_string(),
    };
    if fault.reply_lost() {
        diagnostic.push_str("; it may have the message: a repetition is possible");
    }
    let nexthop = at.nexthop.to_owned();
    let status = fault.status();
    // No waiting mends it, and no server has said anything that may pass (RFC 8689 4.2.1).
    if fault.is_permanent() && fault.reply.is_none() {
        return RecipientOutcome::Failed {
            nexthop,
            status,
            diagnostic,
        };
    }
    RecipientOutcome::Delayed {
        nexthop,
        status,
        diagnostic,
        retry_after: at.pause,
    }
}

/// A failure that no server of the plan can mend.
fn permanent(status: Status) -> Status {
    Status {
        class: Class::Permanent,
        ..status
    }
}

/// A reply in one line, with its code and status.
pub(super) fn words(reply: &Reply) -> String {
    let text = reply.lines().collect::<Vec<_>>().join(" ");
    match reply.status() {
        Some(status) => format!("{} {status} {text}", reply.code()),
        None => format!("{} {text}", reply.code()),
    }
}

/// How long a recipient waits that was tried `attempts` times before.
pub(super) fn pause(queueing: &Queueing, attempts: u32) -> Duration {
    let doubled = queueing.retry_min.saturating_mul(1 << attempts.min(20));
    let jitter = 1.0 + JITTER * (2.0 * fastrand::f64() - 1.0);
    doubled.min(queueing.retry_max).mul_f64(jitter)
}

#[cfg(test)]
mod tests;

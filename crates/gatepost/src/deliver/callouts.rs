//! What nexthops said about mailboxes: the positive and negative cache of recipient checks.
//!
//! It learns from callouts and from transactions alike: a recipient that a nexthop refused as unknown is refused here the next
//! time, before anybody is dialled.

use std::sync::Arc;
use std::time::Duration;

use smtp::{Class, ForwardPath, Reply, Status};

use crate::expiring::Expiring;

/// Mailboxes remembered at one time.
const MAILBOXES_MAX: usize = 500_000;

/// The cache.
#[derive(Debug)]
pub struct Callouts {
    mailboxes: Expiring<Key, Answer>,
}

/// A mailbox at a set of nexthops.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    nexthop: Arc<str>,
    mailbox: String,
}

/// What a nexthop said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The mailbox exists.
    Known,
    /// It does not; the nexthop's words.
    Unknown(Arc<str>),
}

impl Default for Callouts {
    fn default() -> Callouts {
        Callouts {
            mailboxes: Expiring::new(MAILBOXES_MAX),
        }
    }
}

impl Callouts {
    /// What is remembered of a mailbox at `nexthop`.
    pub fn find(&self, nexthop: &Arc<str>, forward_path: &ForwardPath) -> Option<Answer> {
        self.mailboxes.find(&key(nexthop, forward_path))
    }

    /// Remembers an answer.
    pub fn learn(
        &self,
        nexthop: &Arc<str>,
        forward_path: &ForwardPath,
        answer: Answer,
        lifetime: Duration,
    ) {
        self.mailboxes
            .insert(key(nexthop, forward_path), answer, lifetime);
    }

    /// Forgets everything, for an operator who has just made a mailbox.
    pub fn clear(&self) {
        self.mailboxes.clear();
    }
}

/// Whether a refusal of RCPT says that there is no such mailbox (RFC 3463 3.2), rather than that it is full or that the
/// client is not wanted.
pub fn is_unknown_mailbox(reply: &Reply) -> bool {
    match reply.status() {
        Some(Status {
            class: Class::Permanent,
            subject: 1,
            detail,
        }) => matches!(detail, 0..=3 | 6 | 10),
        Some(_) => false,
        // RFC 5321 4.2.3: 550 mailbox unavailable, 551 user not local, 553 mailbox name not allowed.
        None => matches!(reply.code(), 550 | 551 | 553),
    }
}

fn key(nexthop: &Arc<str>, forward_path: &ForwardPath) -> Key {
    // Hardly a mail server tells mailboxes apart by case; one that does is asked once for both.
    Key {
        nexthop: Arc::clone(nexthop),
        mailbox: forward_path.to_string().to_lowercase(),
    }
}

//! What nexthops said about mailboxes: the positive and negative cache of recipient checks.
//!
//! It learns from callouts and from transactions alike: a recipient that a nexthop refused as unknown is refused here the next
//! time, before anybody is dialled.

use std::sync::Arc;
use std::time::Duration;

use smtp::{Class, ForwardPath, Reply, ReversePath, Status};

use crate::expiring::Expiring;

/// Mailboxes remembered at one time.
const MAILBOXES_MAX: usize = 500_000;

/// Recipients that kept others from a message, remembered at one time.
const SPLITS_MAX: usize = 100_000;
/// How long they are. Longer than any sending server waits for its first retry: the same recipients must not meet again.
const SPLIT_LIFETIME: Duration = Duration::from_secs(2 * 3600);

/// The cache.
#[derive(Debug)]
pub struct Callouts {
    mailboxes: Expiring<Key, Answer>,
    /// What kept a mailbox from a message that others could have had, by the reverse-path too: the reply may be about it.
    splits: Expiring<(Key, String), Reply>,
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
            splits: Expiring::new(SPLITS_MAX),
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

    /// Remembers that the nexthop refused a recipient in these words while it took others of the same message: on the retry
    /// it is told so at RCPT, and the others get the message.
    pub fn learn_split(
        &self,
        nexthop: &Arc<str>,
        forward_path: &ForwardPath,
        reverse_path: &ReversePath,
        reply: &Reply,
    ) {
        let key = (key(nexthop, forward_path), reverse_path.to_wire());
        self.splits.insert(key, reply.clone(), SPLIT_LIFETIME);
    }

    /// What is remembered of such a recipient. A 4xx is told once: alone, the recipient is asked for again.
    pub fn find_split(
        &self,
        nexthop: &Arc<str>,
        forward_path: &ForwardPath,
        reverse_path: &ReversePath,
    ) -> Option<Reply> {
        let key = (key(nexthop, forward_path), reverse_path.to_wire());
        let reply = self.splits.find(&key)?;
        if reply.is_transient() {
            self.splits.remove(&key);
        }
        Some(reply)
    }

    /// Forgets everything, for an operator who has just made a mailbox.
    pub fn clear(&self) {
        self.mailboxes.clear();
        self.splits.clear();
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

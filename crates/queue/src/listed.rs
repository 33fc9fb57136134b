//! What operators see of queued messages, and what they do to them.

use std::sync::Arc;

use crate::{Envelope, LaneKey, LastFault, MessageId, sidecar};

/// A queued message as it is listed.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// Which.
    pub id: MessageId,
    /// Its envelope.
    pub envelope: Arc<Envelope>,
    /// Bytes of its content.
    pub content_bytes: u64,
    /// Whether all that wait are held by an operator.
    pub held: bool,
    /// In the order of [`Envelope::recipients`].
    pub recipients: Vec<ListedRecipient>,
}

impl Listed {
    /// What the recipient at this place waits in, or did.
    pub fn lane(&self, at: usize) -> Option<LaneKey> {
        Some(LaneKey {
            customer: Arc::clone(&self.envelope.customer),
            domain: sidecar::domain_of(self.envelope.recipients.get(at)?),
            nexthop: self.recipients.get(at)?.rerouted.as_deref().map(Arc::from),
        })
    }
}

/// How one recipient of a queued message fares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedRecipient {
    /// What became of it.
    pub state: RecipientState,
    /// How often delivery was tried.
    pub attempts: u32,
    /// What the last attempt met.
    pub last: Option<LastFault>,
    /// When the next attempt is due at the earliest, in milliseconds since 1970 UTC; `None` for now, or never.
    pub next_attempt: Option<u64>,
    /// Whether a delay was reported.
    pub warned: bool,
    /// The nexthop that an operator chose in place of the configured one.
    pub rerouted: Option<String>,
    /// The actor and reason of the last thing that an operator did to it.
    pub by: Option<Actor>,
}

/// What became of a recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RecipientState {
    /// It waits, untried or delayed.
    Waiting,
    /// An operator holds it back.
    Held,
    /// The nexthop has it.
    Delivered,
    /// It could not be delivered.
    Failed,
    /// An operator removed it.
    Removed,
}

impl RecipientState {
    /// Whether nothing will change it any more.
    pub fn is_final(self) -> bool {
        match self {
            RecipientState::Waiting | RecipientState::Held => false,
            RecipientState::Delivered | RecipientState::Failed | RecipientState::Removed => true,
        }
    }
}

/// What an operator does to a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Try it now.
    Retry,
    /// Try it no more until it is released.
    Hold,
    /// Go on, at once.
    Release,
    /// Take a hold back: go on when it would have.
    Unhold,
    /// Give it up; nobody is told but whoever reads the record.
    Remove,
    /// Send it to this nexthop, or to the configured one again.
    Reroute(Option<String>),
}

/// Who did something, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Actor {
    /// Who; at most 192 bytes are kept.
    pub name: String,
    /// Why, in the actor's words; at most 256 bytes are kept.
    pub reason: String,
}

/// What an operator may suspend.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Suspended {
    /// A recipient domain: lower case, A-labels.
    Domain(String),
    /// The messages of a customer.
    Customer(String),
    /// A site.
    Site(String),
}

/// A suspension in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspension {
    /// What.
    pub what: Suspended,
    /// By whom, and why.
    pub by: Actor,
    /// Since when, in milliseconds since 1970 UTC.
    pub since: u64,
}

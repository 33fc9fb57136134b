//! Queued messages as they are told: one JSON object for each, with what its recipients wait for.

use std::time::Duration;

use jiff::Timestamp;
use queue::{LaneKey, Listed, MessageId, Origin, Queue, ReadError, RecipientState};
use serde::{Deserialize, Serialize};
use smtp::ReversePath;

use crate::event::Time;

/// A queued message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QueuedMessage {
    /// Its id in the queue of this node.
    pub queue_id: String,
    /// The reference of the transaction that brought it.
    pub reference: String,
    /// `received`, `report` or `aggregate-report`.
    pub origin: String,
    /// When it was accepted.
    pub arrived: Time,
    /// When what is not delivered fails.
    pub expires: Time,
    /// How long it has been in the queue.
    pub age_seconds: u64,
    /// Whose message it is.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub customer: String,
    /// Without angle brackets; `<>` for the null reverse-path.
    pub reverse_path: String,
    /// Bytes of its content.
    pub bytes: u64,
    /// The state that all recipients share, or that of the first that waits.
    pub state: State,
    /// Recipients that wait or are held.
    pub waiting: u64,
    /// Its recipients: in a list those that the filters mean, so many at most.
    pub recipients: Vec<QueuedRecipient>,
    /// Recipients that the filters mean and that are left out.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more_recipients: u64,
}

/// A recipient of a queued message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QueuedRecipient {
    /// Without angle brackets.
    pub forward_path: String,
    /// How it fares.
    #[serde(flatten)]
    pub facts: Facts,
}

/// How a recipient fares.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// What becomes of it.
    pub state: State,
    /// How often delivery was tried.
    pub attempts: u32,
    /// The enhanced status of the last attempt (RFC 3463).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The last reply, or what happened in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<String>,
    /// Where that was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nexthop: Option<String>,
    /// The destination that it leads to, once that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// When it is tried again at the earliest; left out for now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_attempt: Option<Time>,
    /// A delivery, or a report on it, is under way just now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub active: bool,
    /// An operator has suspended its domain, customer or destination.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub suspended: bool,
    /// Its delay was reported to whoever wants to know.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub delay_reported: bool,
    /// The nexthop that an operator chose in place of the configured one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rerouted: Option<String>,
    /// Who did the last thing to it that an operator did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What becomes of a recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It waits, and nothing has gone wrong.
    New,
    /// It waits since an attempt failed, or its destination is left alone.
    Delayed,
    /// An operator holds it back.
    Held,
    /// The nexthop has it.
    Delivered,
    /// It could not be delivered.
    Failed,
    /// An operator removed it.
    Removed,
}

impl State {
    /// The word in JSON and tables.
    pub const fn word(self) -> &'static str {
        match self {
            State::New => "new",
            State::Delayed => "delayed",
            State::Held => "held",
            State::Delivered => "delivered",
            State::Failed => "failed",
            State::Removed => "removed",
        }
    }

    /// Whether it is still to be delivered.
    pub const fn is_open(self) -> bool {
        matches!(self, State::New | State::Delayed | State::Held)
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks for a reference"
)]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// What the recipients of one message wait for. Neighbours mostly wait for the same: that is looked up once.
pub struct Waits<'q> {
    queue: &'q Queue,
    last: Option<(LaneKey, Lane)>,
    /// The recipients of a message that are under way, in ascending order.
    in_hand: Option<(MessageId, Vec<u32>)>,
}

/// What there is to tell of a lane.
#[derive(Clone, Default)]
struct Lane {
    site: Option<String>,
    suspended: bool,
    backed_off: Option<Duration>,
    fault: Option<queue::SiteFault>,
}

impl<'q> Waits<'q> {
    pub fn new(queue: &'q Queue) -> Waits<'q> {
        Waits {
            queue,
            last: None,
            in_hand: None,
        }
    }

    fn lane(&mut self, key: LaneKey) -> &Lane {
        if self.last.as_ref().is_none_or(|(last, _)| *last != key) {
            let lane = self
                .queue
                .lane(&key)
                .map_or_else(Lane::default, |(state, fault)| Lane {
                    site: state.site,
                    suspended: state.suspended,
                    backed_off: state.backed_off,
                    fault,
                });
            return &self.last.insert((key, lane)).1;
        }
        // It is there, or the lines above would have put it there.
        &self.last.get_or_insert_with(|| (key, Lane::default())).1
    }

    fn is_in_hand(&mut self, message: MessageId, at: usize) -> bool {
        if self.in_hand.as_ref().is_none_or(|(id, _)| *id != message) {
            self.in_hand = Some((message, self.queue.in_hand(message)));
        }
        let in_hand = self.in_hand.as_ref().map(|(_, places)| places.as_slice());
        u32::try_from(at).is_ok_and(|at| in_hand.unwrap_or_default().binary_search(&at).is_ok())
    }

    /// How the recipient at this place fares.
    pub fn facts(&mut self, listed: &Listed, at: usize) -> Facts {
        let now = now();
        let Some(recipient) = listed.recipients.get(at) else {
            return Facts::none();
        };
        let is_open = !recipient.state.is_final();
        let lane = match listed.lane(at).filter(|_| is_open) {
            Some(key) => self.lane(key).clone(),
            None => Lane::default(),
        };
        let site_fault = lane
            .fault
            .map(|fault| (fault.status, fault.detail, fault.nexthop));
        let own_fault = recipient.last.clone();
        let own_fault = own_fault.map(|last| (last.status, last.diagnostic, last.nexthop));
        let fault = own_fault.or(site_fault);
        let state = match recipient.state {
            RecipientState::Held => State::Held,
            RecipientState::Delivered => State::Delivered,
            RecipientState::Failed => State::Failed,
            RecipientState::Removed => State::Removed,
            RecipientState::Waiting if fault.is_some() || recipient.attempts > 0 => State::Delayed,
            RecipientState::Waiting => State::New,
        };
        // Neither before its own time nor before that of its destination.
        let of_site = lane
            .backed_off
            .map_or(0, |wait| now.saturating_add(millis(wait)));
        let next = recipient.next_attempt.unwrap_or(0).max(of_site);
        let waits = matches!(state, State::New | State::Delayed) && !lane.suspended && next > now;
        let (status, reply, nexthop) = fault
            .map_or((None, None, None), |(status, reply, nexthop)| {
                (Some(status.to_string()), Some(reply), Some(nexthop))
            });
        let by = recipient.by.as_ref();
        Facts {
            state,
            attempts: recipient.attempts,
            status,
            reply: reply.filter(|it| !it.is_empty()),
            nexthop: nexthop.filter(|it| !it.is_empty()),
            site: lane.site,
            next_attempt: waits.then(|| time(next)),
            active: is_open && self.is_in_hand(listed.id, at),
            suspended: lane.suspended,
            delay_reported: recipient.warned,
            rerouted: recipient.rerouted.clone(),
            by: by.map(|by| by.name.clone()),
            reason: by.map(|by| by.reason.clone()).filter(|it| !it.is_empty()),
        }
    }
}

impl Facts {
    /// Of a recipient that is not there.
    fn none() -> Facts {
        Facts {
            state: State::Removed,
            attempts: 0,
            status: None,
            reply: None,
            nexthop: None,
            site: None,
            next_attempt: None,
            active: false,
            suspended: false,
            delay_reported: false,
            rerouted: None,
            by: None,
            reason: None,
        }
    }
}

impl QueuedMessage {
    /// The message with the recipients at these places, so many at most.
    pub fn new(
        listed: &Listed,
        places: &[usize],
        most: usize,
        waits: &mut Waits<'_>,
    ) -> QueuedMessage {
        let envelope = &listed.envelope;
        let recipients: Vec<QueuedRecipient> = places
            .iter()
            .take(most)
            .filter_map(|&at| {
                Some(QueuedRecipient {
                    forward_path: envelope.recipients.get(at)?.forward_path.to_string(),
                    facts: waits.facts(listed, at),
                })
            })
            .collect();
        let mut states = recipients.iter().map(|recipient| recipient.facts.state);
        let first = states.clone().find(|state| state.is_open());
        let state = first.or(states.next()).unwrap_or(State::New);
        let open = listed
            .recipients
            .iter()
            .filter(|recipient| !recipient.state.is_final());
        QueuedMessage {
            queue_id: listed.id.to_string(),
            reference: envelope.reference.clone(),
            origin: match envelope.origin {
                Origin::Received => "received",
                Origin::Report => "report",
                Origin::AggregateReport => "aggregate-report",
            }
            .to_owned(),
            arrived: time(envelope.arrived),
            expires: time(envelope.arrived.saturating_add(envelope.lifetime)),
            age_seconds: now().saturating_sub(envelope.arrived) / 1000,
            customer: envelope.customer.to_string(),
            reverse_path: reverse_path(&envelope.reverse_path),
            bytes: listed.content_bytes,
            state,
            waiting: open.count() as u64,
            recipients,
            more_recipients: places.len().saturating_sub(most) as u64,
        }
    }

    /// The message with all of its recipients.
    ///
    /// # Errors
    /// It is not in the queue, or can't be read.
    pub fn whole(queue: &Queue, id: MessageId) -> Result<QueuedMessage, ReadError> {
        let listed = queue.listed(id)?.ok_or(ReadError::Gone)?;
        let places: Vec<usize> = (0..listed.recipients.len()).collect();
        Ok(QueuedMessage::new(
            &listed,
            &places,
            places.len(),
            &mut Waits::new(queue),
        ))
    }
}

/// A reverse-path as events have it.
pub(super) fn reverse_path(path: &ReversePath) -> String {
    match path {
        ReversePath::Null => "<>".to_owned(),
        ReversePath::Mailbox(mailbox) => mailbox.to_string(),
    }
}

/// Milliseconds since 1970 UTC as a time; the end of time for what is beyond.
fn time(milliseconds: u64) -> Time {
    let signed = i64::try_from(milliseconds).unwrap_or(i64::MAX);
    Time::new(Timestamp::from_millisecond(signed).unwrap_or(Timestamp::MAX))
}

/// Now, in milliseconds since 1970 UTC.
pub(super) fn now() -> u64 {
    u64::try_from(Timestamp::now().as_millisecond()).unwrap_or(0)
}

/// In milliseconds.
pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

//! What became of a parcel: gathered over one or more transactions, told in events, and settled with the queue as a whole.
//!
//! Whoever must be told of a failure is told before the recipient is settled as failed: a report that could not be stored leaves
//! the recipient in the queue.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use queue::{Parcel, Queue, QueuedMessage, RecipientOutcome, SubmitError};
use smtp::{Class, ForwardPath, RcptParameters, ReversePath, Status};
use tokio::time::Instant;

use super::connection::{Answered, Connection};
use super::fault::Fault;
use super::gathering::Ending;
use super::outcome::Fate;
use super::report::{Action, Concerned};
use crate::context::Context;
use crate::decision::Tls;
use crate::event::{DeliveredRecipient, Delivery, DeliveryResult, Event};

/// How long a message waits whose report could not be stored, or whose delivery ended by our own fault.
pub(super) const OWN_FAULT_PAUSE: Duration = Duration::from_secs(300);

/// A parcel that is being delivered. Whatever cuts its delivery off, recipients that a nexthop has taken do not get the message
/// again. In a panic the others are delayed, so that they can't be taken again at once.
pub(super) struct InHand {
    queue: Queue,
    parcel: Option<Parcel>,
    delivered: Vec<(u32, RecipientOutcome)>,
}

impl InHand {
    pub(super) fn new(queue: &Queue, parcel: Parcel) -> InHand {
        InHand {
            queue: queue.clone(),
            parcel: Some(parcel),
            delivered: Vec::new(),
        }
    }

    /// Takes note of the recipients that are delivered so far.
    pub(super) fn note(&mut self, settling: &Settling) {
        let delivered = |(_, outcome): &&(u32, RecipientOutcome)| {
            matches!(outcome, RecipientOutcome::Delivered { .. })
        };
        self.delivered = settling
            .outcomes
            .iter()
            .filter(delivered)
            .cloned()
            .collect();
    }

    /// The parcel. It is there until it is settled, which takes `self`.
    #[expect(
        clippy::expect_used,
        reason = "only what consumes self takes the parcel"
    )]
    pub(super) fn parcel(&self) -> &Parcel {
        self.parcel
            .as_ref()
            .expect("it is there until it is settled")
    }

    pub(super) fn settle(mut self, outcomes: Vec<(u32, RecipientOutcome)>) {
        if let Some(parcel) = self.parcel.take() {
            self.queue.settle(parcel, outcomes);
        }
    }

    /// Gives it back as it was.
    pub(super) fn untried(mut self) {
        drop(self.parcel.take());
    }

    /// Leaves all recipients alone for a while, by our own fault.
    pub(super) fn delay(mut self, status: Status, detail: &str, pause: Duration) {
        self.delay_all(status, detail, pause);
    }

    /// Gives all recipients up, by our own fault.
    pub(super) fn fail(mut self, status: Status, detail: &str) {
        self.end(&RecipientOutcome::Failed {
            nexthop: String::new(),
            status,
            diagnostic: detail.to_owned(),
        });
    }

    fn delay_all(&mut self, status: Status, detail: &str, pause: Duration) {
        self.end(&RecipientOutcome::Delayed {
            nexthop: String::new(),
            status,
            diagnostic: detail.to_owned(),
            retry_after: pause,
        });
    }

    /// Settles those that are delivered as such, and the others as this.
    fn end(&mut self, others: &RecipientOutcome) {
        let Some(parcel) = self.parcel.take() else {
            return;
        };
        let outcome = |index: &u32| {
            let known = self.delivered.iter().find(|(known, _)| known == index);
            known.cloned().unwrap_or_else(|| (*index, others.clone()))
        };
        let outcomes = parcel.recipients.iter().map(outcome).collect();
        self.queue.settle(parcel, outcomes);
    }
}

impl Drop for InHand {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let detail = "delivery ended abnormally on this node";
            self.delay_all(Status::transient(3, 0), detail, OWN_FAULT_PAUSE);
        } else {
            self.end(&RecipientOutcome::Untried);
        }
    }
}

/// What is known of a parcel's recipients so far.
pub(super) struct Settling {
    cx: Arc<Context>,
    message: QueuedMessage,
    queue_id: String,
    attempts: u32,
    /// Each recipient, with what holds if no other server takes it.
    left: Vec<(u32, Option<RecipientOutcome>)>,
    outcomes: Vec<(u32, RecipientOutcome)>,
    begun: Instant,
    /// How long the attempt took, without what the report waits for.
    took: Duration,
    tls: Option<Tls>,
    proof: Option<String>,
    repeatable: bool,
    /// It is the end of the lifetime, not an attempt.
    expired: bool,
    untold: Untold,
}

/// Who wants to know that a recipient's message was handed over, and is not told it by the server that took it.
struct Untold {
    /// What is to be told of those that are settled now; `None` where the server tells it.
    now: Option<Action>,
    by_recipient: HashMap<u32, Action>,
}

impl Untold {
    /// Takes note of a recipient that the server of this transaction has settled.
    fn note(&mut self, index: u32, outcome: &RecipientOutcome) {
        if let (RecipientOutcome::Delivered { .. }, Some(action)) = (outcome, self.now) {
            self.by_recipient.insert(index, action);
        }
    }

    fn of(&self, index: u32) -> Option<Action> {
        self.by_recipient.get(&index).copied()
    }
}

impl Settling {
    pub(super) fn new(cx: &Arc<Context>, message: &QueuedMessage, parcel: &Parcel) -> Self {
        Settling {
            cx: Arc::clone(cx),
            message: message.clone(),
            queue_id: parcel.message.to_string(),
            attempts: parcel.attempts,
            left: parcel
                .recipients
                .iter()
                .map(|index| (*index, None))
                .collect(),
            outcomes: Vec::with_capacity(parcel.recipients.len()),
            begun: Instant::now(),
            took: Duration::ZERO,
            tls: None,
            proof: None,
            repeatable: false,
            expired: false,
            untold: Untold {
                now: Some(Action::Delivered),
                by_recipient: HashMap::new(),
            },
        }
    }

    /// The recipients that are not settled.
    pub(super) fn left(&self) -> Vec<(&ForwardPath, &RcptParameters)> {
        self.left
            .iter()
            .filter_map(|(index, _)| self.recipient(*index))
            .collect()
    }

    fn recipient(&self, index: u32) -> Option<(&ForwardPath, &RcptParameters)> {
        let recipients = &self.message.envelope.recipients;
        let recipient = recipients.get(usize::try_from(index).ok()?)?;
        Some((&recipient.forward_path, &recipient.parameters))
    }

    /// How often delivery was tried before.
    pub(super) fn attempts(&self) -> u32 {
        self.attempts
    }

    pub(super) fn is_done(&self) -> bool {
        self.left.is_empty()
    }

    /// It is the end of the lifetime, not an attempt.
    pub(super) fn expire(&mut self) {
        self.expired = true;
    }

    /// Notes how a transaction went, for the event.
    pub(super) fn note_transaction(&mut self, connection: &Connection, answers: &[Answered]) {
        self.tls = connection.tls_facts().map(|tls| Tls {
            version: tls.version,
            cipher: tls.cipher,
            server_name: None,
        });
        self.proof = self
            .tls
            .is_some()
            .then(|| connection.proof().as_str().to_owned());
        self.untold.now = connection.untold();
        let lost =
            |answer: &Answered| matches!(answer, Answered::Lost(fault) if Fault::reply_lost(fault));
        self.repeatable |= answers.iter().any(lost);
    }

    /// One fate for each recipient that is left, in their order.
    pub(super) fn settle(&mut self, fates: Vec<Fate>) {
        let left = std::mem::take(&mut self.left);
        for ((index, _), fate) in left.into_iter().zip(fates) {
            match fate {
                Fate::Settled(outcome) => {
                    self.untold.note(index, &outcome);
                    self.outcomes.push((index, outcome));
                }
                Fate::Elsewhere(outcome) => self.left.push((index, Some(outcome))),
            }
        }
    }

    /// A server that was not asked may have what those lack that were: nobody fails for good before.
    pub(super) fn wait_for(&mut self, unasked: &Fault, pause: Duration) {
        for (_, otherwise) in &mut self.left {
            if let Some(RecipientOutcome::Failed {
                nexthop,
                diagnostic,
                ..
            }) = otherwise
            {
                *otherwise = Some(RecipientOutcome::Delayed {
                    nexthop: std::mem::take(nexthop),
                    status: unasked.status(),
                    diagnostic: format!("{diagnostic}; {unasked}"),
                    retry_after: pause,
                });
            }
        }
    }

    /// There is no time to ask the other servers: the next start does.
    pub(super) fn leave_unasked(&mut self) {
        for (_, otherwise) in &mut self.left {
            if matches!(otherwise, Some(RecipientOutcome::Failed { .. })) {
                *otherwise = None;
            }
        }
    }

    /// The same for all that are left.
    pub(super) fn settle_all(&mut self, outcome: &RecipientOutcome) {
        for (index, _) in self.left.drain(..) {
            self.untold.note(index, outcome);
            self.outcomes.push((index, outcome.clone()));
        }
    }

    /// Tells what became of it, and settles it with the queue.
    pub(super) async fn finish(mut self, queue: &Queue, mut in_hand: InHand) {
        for (index, otherwise) in std::mem::take(&mut self.left) {
            let outcome = otherwise.unwrap_or(RecipientOutcome::Untried);
            self.outcomes.push((index, outcome));
        }
        in_hand.note(&self);
        self.took = self.begun.elapsed();
        let cx = Arc::clone(&self.cx);
        Ending::Settled(Box::new(self), in_hand)
            .finish(&cx, queue)
            .await;
    }

    /// Tells what became of it in events, and settles it with the queue.
    pub(super) fn close(self, in_hand: InHand) {
        self.emit();
        in_hand.settle(self.outcomes);
    }

    pub(super) fn message(&self) -> &QueuedMessage {
        &self.message
    }

    /// Whether it is the end of the lifetime.
    pub(super) fn is_expired(&self) -> bool {
        self.expired
    }

    /// Whether somebody has the message, who would get it again if this were forgotten.
    pub(super) fn is_delivered_in_part(&self) -> bool {
        let is_delivered = |(_, outcome): &(u32, RecipientOutcome)| {
            matches!(outcome, RecipientOutcome::Delivered { .. })
        };
        self.outcomes.iter().any(is_delivered)
    }

    /// What a report has to tell: what failed, and what was handed over where that is wanted.
    pub(super) fn concerned(&self) -> Vec<Concerned<'_>> {
        self.outcomes
            .iter()
            .filter_map(|(index, outcome)| self.told_of(*index, outcome))
            .collect()
    }

    fn told_of<'s>(&'s self, index: u32, outcome: &'s RecipientOutcome) -> Option<Concerned<'s>> {
        let (action, status, nexthop, diagnostic) = match outcome {
            RecipientOutcome::Failed {
                nexthop,
                status,
                diagnostic,
            } => (Action::Failed, *status, nexthop, diagnostic),
            RecipientOutcome::Delivered { nexthop, reply } => {
                let (_, parameters) = self.recipient(index)?;
                parameters.notify.filter(|notify| notify.success)?;
                (
                    self.untold.of(index)?,
                    Status::new(Class::Success, 0, 0),
                    nexthop,
                    reply,
                )
            }
            RecipientOutcome::Delayed { .. } | RecipientOutcome::Untried => return None,
        };
        Some(Concerned {
            index,
            action,
            status,
            diagnostic,
            is_reply: is_reply(diagnostic),
            remote_mta: host(nexthop),
            last_attempt: (!self.expired).then(now),
            will_retry_until: None,
        })
    }

    /// Whoever must know of a failure could not be told: it has not happened yet.
    pub(super) fn keep_failed(&mut self, error: &SubmitError) {
        tracing::error!(?error, "a report can't be queued, so its message stays");
        for (_, outcome) in &mut self.outcomes {
            if let RecipientOutcome::Failed {
                nexthop,
                diagnostic,
                ..
            } = outcome
            {
                *outcome = RecipientOutcome::Delayed {
                    nexthop: std::mem::take(nexthop),
                    status: Status::transient(3, 0),
                    diagnostic: std::mem::take(diagnostic),
                    retry_after: OWN_FAULT_PAUSE,
                };
            }
        }
    }

    /// One event for each nexthop that had a word.
    fn emit(&self) {
        let mut by_nexthop: HashMap<&str, Vec<DeliveredRecipient>> = HashMap::new();
        for (index, outcome) in &self.outcomes {
            let (Some((forward_path, _)), Some(told)) =
                (self.recipient(*index), Told::of(outcome, self.expired))
            else {
                continue;
            };
            let recipients = by_nexthop.entry(told.nexthop).or_default();
            recipients.push(DeliveredRecipient {
                forward_path: forward_path.to_string(),
                result: told.result,
                status: told.status,
                reply: told.reply.to_owned(),
            });
        }
        let envelope = &self.message.envelope;
        for (nexthop, recipients) in by_nexthop {
            let event = Event::Delivery(Box::new(Delivery {
                reference: envelope.reference.clone(),
                queue_id: self.queue_id.clone(),
                customer: Arc::clone(&envelope.customer),
                reverse_path: match &envelope.reverse_path {
                    ReversePath::Null => "<>".to_owned(),
                    ReversePath::Mailbox(mailbox) => mailbox.to_string(),
                },
                recipients,
                nexthop: nexthop.to_owned(),
                tls: self.tls.clone(),
                proof: self.proof.clone(),
                bytes: self.message.content.len() as u64,
                attempts: self.attempts.saturating_add(u32::from(!self.expired)),
                repeatable: self.repeatable,
                age_seconds: age(envelope.arrived).as_secs_f64(),
                milliseconds: self.took.as_secs_f32() * 1000.0,
            }));
            self.cx.services.journal.emit(&event);
        }
    }
}

/// Milliseconds since 1970.
pub(super) fn now() -> u64 {
    u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or(0)
}

/// How long ago a message arrived.
fn age(arrived: u64) -> Duration {
    Duration::from_millis(now().saturating_sub(arrived))
}

/// Whether a diagnostic is an SMTP reply: three digits and more.
pub(super) fn is_reply(diagnostic: &str) -> bool {
    let bytes = diagnostic.as_bytes();
    bytes.len() > 3 && bytes.iter().take(3).all(u8::is_ascii_digit)
}

/// The host in the label of a nexthop: `mx HOST:PORT`, `smtp:HOST:PORT`, `lmtp:HOST:PORT`.
pub(super) fn host(nexthop: &str) -> Option<&str> {
    let place = ["mx ", "smtp:", "lmtp:"]
        .iter()
        .find_map(|scheme| nexthop.strip_prefix(scheme))?;
    let (host, _) = place.rsplit_once(':')?;
    (!host.is_empty() && host != "unix").then_some(host)
}

/// An outcome as an event has it.
struct Told<'a> {
    nexthop: &'a str,
    result: DeliveryResult,
    status: String,
    reply: &'a str,
}

impl Told<'_> {
    /// `None` where nothing was tried.
    fn of(outcome: &RecipientOutcome, expired: bool) -> Option<Told<'_>> {
        Some(match outcome {
            RecipientOutcome::Delivered { nexthop, reply } => Told {
                nexthop,
                result: DeliveryResult::Delivered,
                status: String::new(),
                reply,
            },
            RecipientOutcome::Failed {
                nexthop,
                status,
                diagnostic,
            } => Told {
                nexthop,
                result: if expired {
                    DeliveryResult::Expired
                } else {
                    DeliveryResult::Failed
                },
                status: status.to_string(),
                reply: diagnostic,
            },
            RecipientOutcome::Delayed {
                nexthop,
                status,
                diagnostic,
                ..
            } => Told {
                nexthop,
                result: DeliveryResult::Delayed,
                status: status.to_string(),
                reply: diagnostic,
            },
            RecipientOutcome::Untried => return None,
        })
    }
}

#[cfg(test)]
mod tests;

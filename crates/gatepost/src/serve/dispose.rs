//! What becomes of a message after its verdict: refused, deferred, handed on, or queued; and what the client is told about it.

use std::sync::Arc;

use queue::{QueuedMessage, Submission};
use scan::finding::Finding;
use scan::specimen::Specimen;
use smtp::Reply;
use smtp::Status;

use super::conversation::Conversation;
use super::refusals::{Concerned, lacking, passed_on, refusal, refusal_for, unqueued};
use super::signatures::sign;
use super::transaction::{Recipient, Transaction};
use crate::config::OnNexthopFailure;
use crate::context::RouteContext;
use crate::decision::Disposition;
use crate::deliver::fault::Fault;
use crate::deliver::nexthops::Lease;
use crate::deliver::{self, Consignment, Custody, Outcome};
use crate::policy::{Kind, Reason, Verdict};
use crate::trace_fields::{self, Edited};

mod queueing;

use queueing::Queued;

/// Said of a message whose final reply was lost: the only case in which it may be had twice.
const REPEATABLE: &str = "; the nexthop may have taken it: a repetition is possible";

/// A verdict on a message for one group of its recipients.
pub struct Disposal<'a> {
    /// The group.
    pub group: usize,
    /// The message.
    pub specimen: &'a Specimen,
    /// What the engines said.
    pub findings: &'a [Finding],
    /// Whether it holds any byte beyond ASCII.
    pub eight_bit: bool,
    /// What follows from it.
    pub verdict: Verdict,
}

/// Disposes of the message for the recipients of one group: their places among all recipients, and their replies.
pub async fn dispose(
    conversation: &Conversation,
    transaction: &mut Transaction,
    disposal: Disposal<'_>,
) -> Vec<(usize, Reply)> {
    let group = disposal.group;
    if transaction
        .outcome
        .verdict
        .as_ref()
        .is_none_or(Verdict::is_accept)
    {
        transaction.outcome.verdict = Some(disposal.verdict.clone());
    }
    let replies = match disposal.verdict.reason() {
        Some(reason) => refuse(conversation, transaction, group, reason),
        None => hand_on(conversation, transaction, &disposal).await,
    };
    for (place, _) in &replies {
        if let Some(recipient) = transaction.recipients.get_mut(*place) {
            recipient
                .verdict
                .get_or_insert_with(|| disposal.verdict.clone());
        }
    }
    replies
}

/// Tells each recipient of the group the reason.
fn refuse(
    conversation: &Conversation,
    transaction: &mut Transaction,
    group: usize,
    reason: &Reason,
) -> Vec<(usize, Reply)> {
    let members: Vec<usize> = transaction.members(group).map(|(place, _)| place).collect();
    if let Some(lease) = transaction
        .groups
        .get_mut(group)
        .and_then(|group| group.lease.take())
    {
        lease.abandon();
    }
    let mut replies = Vec::with_capacity(members.len());
    for place in members {
        let Some(recipient) = transaction.recipients.get(place) else {
            continue;
        };
        let reply = refusal_for(conversation, transaction, reason, recipient);
        if let Some(recipient) = transaction.recipients.get_mut(place) {
            recipient.refused_with(&reply);
        }
        replies.push((place, reply));
    }
    replies
}

/// Hands the message on: to the queue where the route says so, else to the nexthop, and to the queue if that failed and the
/// route says so then.
async fn hand_on(
    conversation: &Conversation,
    transaction: &mut Transaction,
    disposal: &Disposal<'_>,
) -> Vec<(usize, Reply)> {
    let Some(group) = transaction.groups.get_mut(disposal.group) else {
        return Vec::new();
    };
    let (lease, route) = (group.lease.take(), Arc::clone(&group.route));
    let (queues, fault) = (group.queues, group.fault.take());
    let authserv_id = &conversation.cx.config.auth.authserv_id;
    let mut edited = edits(
        transaction,
        disposal,
        route.route.result_fields,
        authserv_id,
    );
    let reference = transaction.reference;
    sign(conversation, reference, disposal.specimen, &mut edited).await;
    let places: Vec<usize> = transaction
        .members(disposal.group)
        .map(|(place, _)| place)
        .collect();
    let way = Way {
        conversation,
        disposal,
        route: &route,
        edited: &edited,
    };
    if queues {
        for place in &places {
            if let (Some(fault), Some(recipient)) = (&fault, transaction.recipients.get_mut(*place))
            {
                note_fault(recipient, fault);
            }
        }
        let outcomes = way.enqueue(transaction, &places).await;
        return way.tell(transaction, &places, outcomes);
    }
    let mut outcomes = way.transfer(transaction, lease).await;
    way.report_success(transaction, &places, &outcomes).await;
    if route.route.on_nexthop_failure == OnNexthopFailure::Queue {
        way.fall_back(transaction, &places, &mut outcomes).await;
    }
    way.tell(transaction, &places, outcomes)
}

/// A message of one group on its way out.
struct Way<'a> {
    conversation: &'a Conversation,
    disposal: &'a Disposal<'a>,
    route: &'a RouteContext,
    edited: &'a Edited,
}

impl Way<'_> {
    /// To the nexthop, while the client waits.
    async fn transfer(&self, transaction: &Transaction, lease: Option<Lease>) -> Vec<Outcome> {
        let cx = &self.conversation.cx;
        let recipients: Vec<_> = transaction
            .members(self.disposal.group)
            .map(|(_, recipient)| (&recipient.forward_path, &recipient.parameters))
            .collect();
        let consignment = Consignment {
            reverse_path: &transaction.reverse_path,
            mail: &transaction.mail,
            recipients: &recipients,
            message: self.disposal.specimen.message.bytes(),
            edited: self.edited,
            eight_bit: self.disposal.eight_bit,
            hostname: &cx.config.node.name,
        };
        let (nexthops, dialling) = (&cx.services.nexthops, &cx.dialling);
        deliver::hand_on(nexthops, dialling, &self.route.route, lease, &consignment).await
    }

    fn submission(&self, transaction: &Transaction, places: &[usize]) -> Submission {
        let queued = Queued {
            route: self.route,
            message: self.disposal.specimen.message.bytes(),
            edited: self.edited,
            eight_bit: self.disposal.eight_bit,
            submitted: self.conversation.client.may_relay(&self.conversation.cx),
        };
        queueing::submission(&self.conversation.client, transaction, &queued, places)
    }

    /// To the queue, for the recipients at these places: one outcome for each.
    async fn enqueue(&self, transaction: &mut Transaction, places: &[usize]) -> Vec<Outcome> {
        let cx = &self.conversation.cx;
        let submission = self.submission(transaction, places);
        let announced = transaction.take_announcement();
        let submitted = match cx.services.queue() {
            Ok(queue) => queue
                .submit_announced(submission, announced)
                .await
                .map_err(Arc::new),
            Err(closed) => Err(Arc::new(closed)),
        };
        let outcome = || match &submitted {
            Ok(stored) => Outcome::Kept(Custody::queued(stored)),
            Err(error) => Outcome::Unqueued(Arc::clone(error)),
        };
        places.iter().map(|_| outcome()).collect()
    }

    /// Reports to whoever wants to hear of success what the nexthop will not tell (RFC 3461 5.2.2).
    async fn report_success(
        &self,
        transaction: &Transaction,
        places: &[usize],
        outcomes: &[Outcome],
    ) {
        let wants = |place: &usize| {
            let recipient = transaction.recipients.get(*place);
            let notify = recipient.and_then(|recipient| recipient.parameters.notify);
            notify.is_some_and(|notify| notify.success)
        };
        let kept: Vec<(u32, &Custody)> = (0..)
            .zip(places.iter().zip(outcomes))
            .filter_map(|(index, (place, outcome))| match outcome {
                Outcome::Kept(custody) if wants(place) => Some((index, custody)),
                _ => None,
            })
            .collect();
        let cx = &self.conversation.cx;
        let (false, Ok(queue)) = (kept.is_empty(), cx.services.queue()) else {
            return;
        };
        let submission = self.submission(transaction, places);
        let message = QueuedMessage {
            envelope: Arc::new(submission.envelope),
            content: submission.content.concat().into(),
        };
        if let Err(error) = deliver::tell_handed_over(cx, queue, &message, &kept).await {
            // The message is where it should be, which a refusal would deny.
            tracing::error!(?error, "a report on a success can't be queued");
        }
    }

    /// To the queue after all, for the recipients whose nexthop failed.
    async fn fall_back(
        &self,
        transaction: &mut Transaction,
        places: &[usize],
        outcomes: &mut [Outcome],
    ) {
        let mut failed = Vec::new();
        for (at, outcome) in outcomes.iter().enumerate() {
            let Outcome::Fault(fault) = outcome else {
                continue;
            };
            let Some(&place) = places.get(at) else {
                continue;
            };
            if let Some(recipient) = transaction.recipients.get_mut(place) {
                note_fault(recipient, fault);
            }
            failed.push((at, place));
        }
        if failed.is_empty() {
            return;
        }
        let of_queue: Vec<usize> = failed.iter().map(|(_, place)| *place).collect();
        let queued = self.enqueue(transaction, &of_queue).await;
        for ((at, _), outcome) in failed.into_iter().zip(queued) {
            if let Some(slot) = outcomes.get_mut(at) {
                *slot = outcome;
            }
        }
    }

    /// Notes what became of the message, and what each recipient is told.
    fn tell(
        &self,
        transaction: &mut Transaction,
        places: &[usize],
        outcomes: Vec<Outcome>,
    ) -> Vec<(usize, Reply)> {
        let split = is_split(&outcomes);
        let mut replies = Vec::with_capacity(places.len());
        for (&place, outcome) in places.iter().zip(outcomes) {
            let reply = told(self.conversation, transaction, place, &outcome, split);
            if let Some(recipient) = transaction.recipients.get_mut(place) {
                note(recipient, outcome, &reply);
            }
            replies.push((place, reply));
        }
        replies
    }
}

/// Whether the nexthop took some recipients again and refused others, so that nobody got the message.
fn is_split(outcomes: &[Outcome]) -> bool {
    let positive = |outcome: &Outcome| matches!(outcome, Outcome::Refused { reply, at_rcpt: true, .. } if reply.is_positive());
    outcomes.iter().any(positive)
}

/// Our fields before the message, and those of earlier hops that claim to be ours taken out.
fn edits(
    transaction: &Transaction,
    disposal: &Disposal<'_>,
    result_fields: bool,
    authserv_id: &str,
) -> Edited {
    let specimen = disposal.specimen;
    let mut prepend = specimen.received.clone();
    if result_fields {
        let results =
            trace_fields::authentication_results(authserv_id, specimen, disposal.findings);
        prepend.extend(results);
        prepend.extend(trace_fields::result_fields(
            transaction.reference,
            &disposal.verdict,
            disposal.findings,
        ));
    }
    Edited {
        prepend,
        removed: trace_fields::strip_own(specimen.message.header_section(), authserv_id),
    }
}

/// What the client is told about one recipient.
fn told(
    conversation: &Conversation,
    transaction: &Transaction,
    place: usize,
    outcome: &Outcome,
    split: bool,
) -> Reply {
    let reference = transaction.reference;
    match outcome {
        Outcome::Kept(custody) => kept(custody, transaction),
        // The client would take one recipient's 550 for all of them. Asked again at RCPT, each gets its own.
        Outcome::Refused { .. } if split => Reply::new(
            451,
            Status::transient(5, 3),
            format!(
                "[{reference}] Not all recipients can have this message at once, please try again"
            ),
        ),
        Outcome::Refused { reply, .. } => passed_on(reply, reference),
        Outcome::Unsupported(unsupported) => lacking(*unsupported, reference),
        Outcome::Fault(fault) => {
            let reason = Reason::new(Kind::NexthopDown).with_detail(fault.to_string());
            let reply = refusal_at(conversation, transaction, place, &reason);
            Reply::new(reply.code(), fault.status(), reply.text())
        }
        Outcome::Unqueued(error) => refusal_at(conversation, transaction, place, &unqueued(error)),
    }
}

fn refusal_at(
    conversation: &Conversation,
    transaction: &Transaction,
    place: usize,
    reason: &Reason,
) -> Reply {
    match transaction.recipients.get(place) {
        Some(recipient) => refusal_for(conversation, transaction, reason, recipient),
        None => refusal(conversation, transaction, reason, Concerned::default()),
    }
}

/// The 250: there is no other place that makes one for a message, and it takes a `Custody`.
fn kept(custody: &Custody, transaction: &Transaction) -> Reply {
    let reference = transaction.reference;
    let text = match (custody.reply(), custody.queued_as()) {
        (Some(reply), _) => {
            let words = reply.lines().next().unwrap_or_default();
            format!("{reference} relayed: {words}")
        }
        (None, Some(_)) => format!("{reference} queued"),
        (None, None) => format!("{reference} delivered"),
    };
    Reply::new(250, Status::CONTENT_ACCEPTED, text)
}

/// Notes what kept the nexthop from having a message that is queued instead.
fn note_fault(recipient: &mut Recipient, fault: &Fault) {
    recipient.nexthop = Some(fault.nexthop.clone());
    let mut words = fault.to_string();
    if fault.reply_lost() {
        words.push_str(REPEATABLE);
    }
    recipient.nexthop_fault = Some(words);
}

/// Notes in the record what became of the message for a recipient.
fn note(recipient: &mut Recipient, outcome: Outcome, reply: &Reply) {
    match outcome {
        Outcome::Kept(custody) => {
            recipient.queue_id = custody.queued_as();
            if let Some(nexthop) = custody.nexthop() {
                recipient.nexthop = Some(nexthop.to_owned());
                recipient.nexthop_reply = custody.reply().cloned();
            }
            recipient.disposition = match (custody.reply(), custody.queued_as()) {
                (Some(_), _) => Disposition::Relayed,
                (None, Some(_)) => Disposition::Queued,
                (None, None) => Disposition::Delivered,
            };
            recipient.reply = Some(reply.clone());
            return;
        }
        Outcome::Refused { nexthop, reply, .. } => {
            recipient.nexthop = Some(nexthop);
            recipient.nexthop_reply = Some(reply);
        }
        Outcome::Fault(fault) => {
            recipient.nexthop = Some(fault.nexthop.clone());
            let mut reason = Reason::new(Kind::NexthopDown).with_detail(fault.to_string());
            if fault.reply_lost() {
                // The one case in which the client may send the message a second time although it has arrived.
                reason.detail.push_str(REPEATABLE);
            }
            recipient.verdict = Some(Verdict::because(reason));
        }
        Outcome::Unqueued(error) => {
            recipient.verdict = Some(Verdict::because(unqueued(&error)));
        }
        Outcome::Unsupported(_) => {}
    }
    recipient.refused_with(reply);
}

//! What becomes of a message after its verdict: refused, deferred, or handed on; and what the client is told about it.

use std::sync::Arc;

use scan::finding::Finding;
use scan::specimen::Specimen;
use smtp::Reply;
use smtp::Status;

use super::conversation::Conversation;
use super::refusals::{Concerned, lacking, passed_on, refusal, refusal_for};
use super::signatures::sign;
use super::transaction::{Recipient, Transaction};
use crate::decision::Disposition;
use crate::deliver::{self, Consignment, Custody, Outcome};
use crate::policy::{Kind, Reason, Verdict};
use crate::trace_fields::{self, Edited};

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

async fn hand_on(
    conversation: &Conversation,
    transaction: &mut Transaction,
    disposal: &Disposal<'_>,
) -> Vec<(usize, Reply)> {
    let cx = &conversation.cx;
    let Some(group) = transaction.groups.get_mut(disposal.group) else {
        return Vec::new();
    };
    let (lease, route) = (group.lease.take(), Arc::clone(&group.route));
    let mut edited = edits(transaction, disposal, route.route.result_fields);
    sign(conversation, disposal.specimen, &mut edited).await;
    let places: Vec<usize> = transaction
        .members(disposal.group)
        .map(|(place, _)| place)
        .collect();
    let recipients: Vec<_> = transaction
        .members(disposal.group)
        .map(|(_, recipient)| (&recipient.forward_path, &recipient.parameters))
        .collect();
    let consignment = Consignment {
        reverse_path: &transaction.reverse_path,
        mail: &transaction.mail,
        recipients: &recipients,
        message: disposal.specimen.message.bytes(),
        edited: &edited,
        eight_bit: disposal.eight_bit,
        hostname: &cx.config.node.name,
    };
    let outcomes = deliver::hand_on(
        &cx.services.nexthops,
        &cx.dialling,
        &route.route,
        lease,
        &consignment,
    )
    .await;
    let split = is_split(&outcomes);
    let mut replies = Vec::with_capacity(places.len());
    for (place, outcome) in places.into_iter().zip(outcomes) {
        if split
            && let Outcome::Refused { reply, .. } = &outcome
            && !reply.is_positive()
            && let Some(recipient) = transaction.recipients.get(place)
        {
            let (path, reverse_path) = (&recipient.forward_path, &transaction.reverse_path);
            let callouts = &cx.services.callouts;
            callouts.learn_split(&route.nexthop, path, reverse_path, reply);
        }
        let reply = told(conversation, transaction, place, &outcome, split);
        if let Some(recipient) = transaction.recipients.get_mut(place) {
            note(recipient, outcome, &reply);
        }
        replies.push((place, reply));
    }
    replies
}

/// Whether the nexthop took some recipients at RCPT and refused others, so that nobody got the message.
fn is_split(outcomes: &[Outcome]) -> bool {
    let positive = |outcome: &Outcome| matches!(outcome, Outcome::Refused { reply, at_rcpt: true, .. } if reply.is_positive());
    outcomes.iter().any(positive)
}

/// Our fields before the message, and those of earlier hops that claim to be ours taken out.
fn edits(transaction: &Transaction, disposal: &Disposal<'_>, result_fields: bool) -> Edited {
    let mut prepend = disposal.specimen.received.clone();
    if result_fields {
        prepend.extend(trace_fields::result_fields(
            transaction.reference,
            &disposal.verdict,
            disposal.findings,
        ));
    }
    Edited {
        prepend,
        removed: trace_fields::strip_own(disposal.specimen.message.header_section()),
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
        // The client would take one recipient's 550 for all of them. It is remembered, and given at RCPT the next time.
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
            let reply = match transaction.recipients.get(place) {
                Some(recipient) => refusal_for(conversation, transaction, &reason, recipient),
                None => refusal(conversation, transaction, &reason, Concerned::default()),
            };
            Reply::new(reply.code(), fault.status(), reply.text())
        }
    }
}

/// The 250: there is no other place that makes one for a message, and it takes a `Custody`.
fn kept(custody: &Custody, transaction: &Transaction) -> Reply {
    let reference = transaction.reference;
    match custody.reply() {
        Some(reply) => {
            let words = reply.lines().next().unwrap_or_default();
            Reply::new(
                250,
                Status::CONTENT_ACCEPTED,
                format!("{reference} relayed: {words}"),
            )
        }
        None => Reply::new(
            250,
            Status::CONTENT_ACCEPTED,
            format!("{reference} delivered"),
        ),
    }
}

/// Notes in the record what became of the message for a recipient.
fn note(recipient: &mut Recipient, outcome: Outcome, reply: &Reply) {
    match outcome {
        Outcome::Kept(custody) => {
            recipient.nexthop = Some(custody.nexthop().to_owned());
            recipient.nexthop_reply = custody.reply().cloned();
            recipient.disposition = if custody.reply().is_some() {
                Disposition::Relayed
            } else {
                Disposition::Delivered
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
                reason
                    .detail
                    .push_str("; the nexthop may have taken it: a repetition is possible");
            }
            recipient.verdict = Some(Verdict::because(reason));
        }
        Outcome::Unsupported(_) => {}
    }
    recipient.refused_with(reply);
}

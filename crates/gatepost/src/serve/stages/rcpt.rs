//! RCPT: may this recipient be had, in this transaction, at its nexthop?
//!
//! Cheap refusals come first: relaying, lists, another policy; then the mailbox, by file, by cache, or by asking the nexthop.
//! With cut-through the nexthop's transaction begins here, and its answer to RCPT is the check.

use std::sync::Arc;

use queue::{Queue, SubmitError};
use smtp::client::Unsupported;
use smtp::server::Answer;
use smtp::{ForwardPath, MailParameters, RcptParameters, Reply, ReversePath, Status};

use crate::config::{Callout, Nexthop, OnNexthopFailure, RecipientCheck};
use crate::context::{Context, RouteContext};
use crate::decision::Stage;
use crate::deliver::callouts;
use crate::deliver::fault::Fault;
use crate::deliver::nexthops::{NotOpened, Opened, Opening};
use crate::policy::{
    self, Kind, ListMatch, MailboxCheck, Reason, RecipientClass, RecipientFacts, Relay, Verdict,
};
use crate::serve::conversation::Conversation;
use crate::serve::refusals::{lacking, local_fault, passed_on, refusal_for, unqueued};
use crate::serve::transaction::{Group, Recipient, Transaction};

/// Policies and nexthops that one transaction may span with PRDR.
const GROUPS_MAX: usize = 16;

/// Why a recipient is not accepted.
enum Refused {
    /// By our policy.
    Verdict(Verdict),
    /// By the nexthop, in its words.
    Reply(Reply),
    /// By what the nexthop lacks.
    Unsupported(Unsupported),
}

/// Answers RCPT.
pub(super) async fn rcpt(
    conversation: &mut Conversation,
    forward_path: ForwardPath,
    parameters: RcptParameters,
) -> Answer {
    let cx = Arc::clone(&conversation.cx);
    let Some(mut transaction) = conversation.transaction.take() else {
        return Answer::Reply(Reply::new(503, Status::INVALID_COMMAND, "MAIL first"));
    };
    transaction.stage = Stage::Rcpt;
    let mut recipient = Recipient::new(cx.addressee(forward_path), parameters);
    let may_relay = conversation.client.may_relay(&cx);
    let answer = match consider(&cx, &mut transaction, &mut recipient, may_relay).await {
        Ok(group) => {
            recipient.group = Some(group);
            Answer::Accept
        }
        Err(refused) => {
            let reply = words(conversation, &transaction, &mut recipient, refused);
            recipient.refused_with(&reply);
            transaction.outcome.reply = Some(reply.clone());
            Answer::Reply(reply)
        }
    };
    transaction.recipients.push(recipient);
    conversation.transaction = Some(transaction);
    answer
}

async fn consider(
    cx: &Context,
    transaction: &mut Transaction,
    recipient: &mut Recipient,
    may_relay: bool,
) -> Result<usize, Refused> {
    let (route, relay) = cx.relay(recipient.forward_path.domain(), may_relay);
    let route = route.cloned();
    recipient.route = route.clone();
    recipient.trusted = relay == Relay::Trusted;
    recipient.lists = recipient
        .forward_path
        .mailbox()
        .and_then(|mailbox| cx.lists.recipient(mailbox))
        .into_iter()
        .collect();
    let mut facts = RecipientFacts {
        lists: [transaction.lists.as_slice(), recipient.lists.as_slice()].concat(),
        relay,
        mailbox: listed(route.as_deref(), recipient),
    };
    accepted(policy::rcpt(&facts))?;
    let Some(route) = route else {
        return Err(Refused::Verdict(Verdict::because(Reason::new(Kind::Relay))));
    };
    let group = join(transaction, &route, &recipient.lists)?;
    if !route.route.cut_through {
        room(cx)?;
    }
    facts.mailbox = check(cx, &route, recipient).await?;
    accepted(policy::rcpt(&facts))?;
    let group = match group {
        Some(group) => group,
        None => {
            transaction.groups.push(Group {
                class: class(&route, &recipient.lists),
                route: Arc::clone(&route),
                lease: None,
                queues: !route.route.cut_through,
                fault: None,
            });
            transaction.groups.len() - 1
        }
    };
    let queues = |group: &Group| group.queues;
    if transaction.groups.get(group).is_some_and(queues) {
        transaction.announce(cx);
        return Ok(group);
    }
    if route.dials() {
        let begun = begin_at_nexthop(cx, transaction, group, recipient).await;
        if begun.is_err() && transaction.members(group).next().is_none() {
            // Nobody is in the group: the next recipient may be of another.
            let group = transaction.groups.remove(group);
            if let Some(lease) = group.lease {
                lease.abandon();
            }
        }
        begun?;
    }
    Ok(group)
}

/// Whether the queue would take the message: a full disk is told before the message comes.
fn room(cx: &Context) -> Result<(), Refused> {
    let fault = |error: SubmitError| Refused::Verdict(Verdict::because(unqueued(&error)));
    cx.services.queue().and_then(Queue::room).map_err(fault)
}

fn accepted(verdict: Verdict) -> Result<(), Refused> {
    if verdict.is_accept() {
        Ok(())
    } else {
        Err(Refused::Verdict(verdict))
    }
}

fn class(route: &RouteContext, lists: &[ListMatch]) -> RecipientClass {
    RecipientClass {
        nexthop: Arc::clone(&route.nexthop),
        settings: Arc::clone(&route.settings),
        allowed: RecipientClass::is_allowed(lists),
        result_fields: route.route.result_fields,
        language: Arc::clone(&route.language),
    }
}

/// The group that the recipient belongs to, or `None` for a new one, if the transaction may have it.
fn join(
    transaction: &Transaction,
    route: &RouteContext,
    lists: &[ListMatch],
) -> Result<Option<usize>, Refused> {
    let class = class(route, lists);
    let group = transaction
        .groups
        .iter()
        .position(|group| group.class == class);
    if transaction.mail.prdr {
        if group.is_none() && transaction.groups.len() >= GROUPS_MAX {
            return Err(another_transaction(
                "more policies than one transaction may span",
            ));
        }
        return Ok(group);
    }
    accepted(policy::share(
        transaction.groups.first().map(|group| &group.class),
        &class,
    ))?;
    // LMTP answers for each recipient after the message (RFC 2033 4.2). DATA has one reply: with more than one recipient
    // it would have to lie about some.
    if group.is_some() && route.route.cut_through && speaks_lmtp(route) {
        return Err(another_transaction(
            "its nexthop answers for each recipient apart",
        ));
    }
    Ok(group)
}

fn another_transaction(detail: &str) -> Refused {
    Refused::Verdict(Verdict::because(
        Reason::new(Kind::AnotherTransaction).with_detail(detail),
    ))
}

fn speaks_lmtp(route: &RouteContext) -> bool {
    route
        .route
        .nexthops
        .iter()
        .any(|nexthop| matches!(nexthop, Nexthop::Lmtp(_)))
}

/// What the route's file of recipients says, if it has one.
fn listed(route: Option<&RouteContext>, recipient: &Recipient) -> MailboxCheck {
    let Some(RecipientCheck::Listed(known)) = route.map(|route| &route.route.recipients) else {
        return MailboxCheck::Unchecked;
    };
    match recipient.forward_path.mailbox() {
        Some(mailbox) if known.contains(mailbox) => MailboxCheck::Known,
        _ => MailboxCheck::Unknown("not in the recipients file".to_owned()),
    }
}

/// The recipient check of the route, as far as it takes no transaction at the nexthop that is meant for the message.
async fn check(
    cx: &Context,
    route: &RouteContext,
    recipient: &Recipient,
) -> Result<MailboxCheck, Refused> {
    let path = &recipient.forward_path;
    let callouts = &cx.services.callouts;
    match callouts.find(&route.nexthop, path) {
        Some(callouts::Answer::Known) => return Ok(MailboxCheck::Known),
        Some(callouts::Answer::Unknown(words)) => {
            return Ok(MailboxCheck::Unknown(words.to_string()));
        }
        None => {}
    }
    match &route.route.recipients {
        RecipientCheck::Callout(callout) if !route.route.cut_through && route.dials() => {
            call_out(cx, route, recipient, callout).await
        }
        _ => Ok(MailboxCheck::Unchecked),
    }
}

/// Asks the nexthop in a transaction of its own that carries no message, from the null reverse-path.
async fn call_out(
    cx: &Context,
    route: &RouteContext,
    recipient: &Recipient,
    callout: &Callout,
) -> Result<MailboxCheck, Refused> {
    let opening = Opening {
        reverse_path: &ReversePath::Null,
        mail: &MailParameters::default(),
        forward_path: &recipient.forward_path,
        rcpt: &RcptParameters::default(),
    };
    let asked = tokio::time::timeout(
        callout.timeout,
        cx.services
            .nexthops
            .open(&route.route, &cx.dialling, opening),
    )
    .await;
    let opened = match asked {
        Ok(Ok(opened)) => opened,
        Ok(Err(NotOpened::Fault(fault))) => {
            return Ok(MailboxCheck::NexthopDown(fault.to_string()));
        }
        Ok(Err(NotOpened::Unsupported(unsupported))) => {
            return Err(Refused::Unsupported(unsupported));
        }
        Err(_) => {
            let detail = format!(
                "no answer about the mailbox within {} s",
                callout.timeout.as_secs()
            );
            return Ok(MailboxCheck::NexthopDown(detail));
        }
    };
    let Opened {
        lease,
        mail_reply,
        rcpt_reply,
    } = opened;
    lease.abandon();
    let reply = rcpt_reply.unwrap_or(mail_reply);
    learn(cx, route, &recipient.forward_path, &reply);
    Ok(if reply.is_positive() {
        MailboxCheck::Known
    } else if callouts::is_unknown_mailbox(&reply) {
        MailboxCheck::Unknown(reply.to_string())
    } else if reply.is_transient() {
        return Err(Refused::Reply(reply));
    } else {
        // Refused for another reason, such as the null reverse-path: it says nothing about the mailbox.
        MailboxCheck::Unchecked
    })
}

/// Begins the nexthop's transaction with this recipient, or adds the recipient to it.
async fn begin_at_nexthop(
    cx: &Context,
    transaction: &mut Transaction,
    group: usize,
    recipient: &mut Recipient,
) -> Result<(), Refused> {
    let Some(group) = transaction.groups.get_mut(group) else {
        return Err(another_transaction("the transaction has lost its group"));
    };
    let reply = match &mut group.lease {
        Some(lease) => {
            // What one domain asks of the connection must not depend on which was named first.
            let route = &group.route.route;
            if lease.tls() != cx.dialling.tls_for(route, &recipient.forward_path) {
                return Err(another_transaction("its domain has another TLS policy"));
            }
            recipient.nexthop = Some(lease.nexthop().to_owned());
            let answered = lease
                .connection
                .recipient(&recipient.forward_path, &recipient.parameters)
                .await;
            match answered {
                Ok(reply) => reply,
                Err(fault) => return fails(cx, group, fault),
            }
        }
        None => {
            let opening = Opening {
                reverse_path: &transaction.reverse_path,
                mail: &transaction.mail,
                forward_path: &recipient.forward_path,
                rcpt: &recipient.parameters,
            };
            let opened = match cx
                .services
                .nexthops
                .open(&group.route.route, &cx.dialling, opening)
                .await
            {
                Ok(opened) => opened,
                Err(NotOpened::Fault(fault)) => return fails(cx, group, fault),
                Err(NotOpened::Unsupported(unsupported)) => {
                    return Err(Refused::Unsupported(unsupported));
                }
            };
            recipient.nexthop = Some(opened.lease.nexthop().to_owned());
            let Some(rcpt_reply) = opened.rcpt_reply else {
                opened.lease.abandon();
                recipient.nexthop_reply = Some(opened.mail_reply.clone());
                return Err(Refused::Reply(opened.mail_reply));
            };
            group.lease = Some(opened.lease);
            rcpt_reply
        }
    };
    recipient.nexthop_reply = Some(reply.clone());
    learn(cx, &group.route, &recipient.forward_path, &reply);
    if reply.is_positive() {
        Ok(())
    } else if callouts::is_unknown_mailbox(&reply) {
        accepted(policy::rcpt(&RecipientFacts {
            lists: Vec::new(),
            relay: Relay::Routed,
            mailbox: MailboxCheck::Unknown(reply.to_string()),
        }))
    } else {
        Err(Refused::Reply(reply))
    }
}

/// The nexthop failed at RCPT time: the recipient is deferred, or from here on the group's message goes into the queue.
fn fails(cx: &Context, group: &mut Group, fault: Fault) -> Result<(), Refused> {
    match group.route.route.on_nexthop_failure {
        OnNexthopFailure::Defer => Err(nexthop_down(fault.to_string())),
        OnNexthopFailure::Queue => {
            room(cx)?;
            if let Some(lease) = group.lease.take() {
                lease.abandon();
            }
            group.queues = true;
            group.fault = Some(Arc::new(fault));
            Ok(())
        }
    }
}

fn nexthop_down(detail: String) -> Refused {
    Refused::Verdict(policy::rcpt(&RecipientFacts {
        lists: Vec::new(),
        relay: Relay::Routed,
        mailbox: MailboxCheck::NexthopDown(detail),
    }))
}

/// Remembers what the nexthop said about a mailbox, on a route that asks.
fn learn(cx: &Context, route: &RouteContext, path: &ForwardPath, reply: &Reply) {
    let RecipientCheck::Callout(callout) = &route.route.recipients else {
        return;
    };
    let (answer, lifetime) = if reply.is_positive() {
        (callouts::Answer::Known, callout.positive_ttl)
    } else if callouts::is_unknown_mailbox(reply) {
        let words = Arc::from(reply.to_string());
        (callouts::Answer::Unknown(words), callout.negative_ttl)
    } else {
        return;
    };
    let callouts = &cx.services.callouts;
    callouts.learn(&route.nexthop, path, answer, lifetime);
}

/// The reply that tells why, and what the decision will say.
fn words(
    conversation: &Conversation,
    transaction: &Transaction,
    recipient: &mut Recipient,
    refused: Refused,
) -> Reply {
    let verdict = match refused {
        Refused::Reply(reply) => return passed_on(&reply, transaction.reference),
        Refused::Unsupported(unsupported) => return lacking(unsupported, transaction.reference),
        Refused::Verdict(verdict) => verdict,
    };
    let reply = match verdict.reason() {
        Some(reason) => refusal_for(conversation, transaction, reason, recipient),
        None => local_fault(transaction.reference),
    };
    recipient.verdict = Some(verdict);
    reply
}

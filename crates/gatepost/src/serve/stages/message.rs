//! The end of data: scan, decide, hand on, and say so. Nothing is promised before a `Custody` exists.

use std::sync::Arc;

use jiff::Zoned;
use jiff::tz::TimeZone;
use scan::engine::Armed;
use scan::finding::Finding;
use scan::message::Message;
use scan::specimen::Specimen;
use scan::wave::scan;
use smtp::Reply;
use smtp::Status;
use smtp::server::{Answer, Content as ContentFacts, Defect};
use tokio::time::Instant;

use super::sender::Scrutiny;
use crate::context::Context;
use crate::decision::{EndedBy, Sizes};
use crate::deliver::dmarc_reports::observation::observed;
use crate::engines::settle_sender;
use crate::policy::{self, Kind, ListMatch, MessageFacts, Reason, Verdict};
use crate::replies::LANGUAGE_DEFAULT;
use crate::serve::content::{ContentError, KeptContent};
use crate::serve::conversation::{Conversation, milliseconds};
use crate::serve::dispose::{Disposal, dispose};
use crate::serve::refusals::{Concerned, refusal};
use crate::serve::transaction::{Transaction, protocol};
use crate::trace_fields::{self, ReceivedFacts};

/// Bytes of a Message-ID that are recorded.
const MESSAGE_ID_BYTES_MAX: usize = 256;

/// Answers the end of data.
pub(super) async fn message(conversation: &mut Conversation, facts: ContentFacts) -> Answer {
    let Some(mut transaction) = conversation.transaction.take() else {
        return Answer::Reply(Reply::new(503, Status::INVALID_COMMAND, "MAIL first"));
    };
    transaction.outcome.sizes = Sizes {
        bytes: facts.bytes,
        header_bytes: facts.header_bytes,
    };
    let content = transaction.end_content();
    let kept = match (facts.defect, content) {
        (Some(defect), _) => Err(defective(defect)),
        (None, Err(error)) => Err(unkept(conversation, &error)),
        (None, Ok(content)) => content
            .finish()
            .await
            .map_err(|error| unkept(conversation, &error)),
    };
    let replies = match kept {
        Ok(kept) => examine(conversation, &mut transaction, &kept, facts.eight_bit).await,
        Err(reason) => refuse_all(conversation, &mut transaction, &reason),
    };
    let answer = answer(&mut transaction, replies);
    conversation.record(*transaction, EndedBy::Reply);
    answer
}

/// Scan, decide for each group, dispose; one reply for each accepted recipient, in their order.
async fn examine(
    conversation: &mut Conversation,
    transaction: &mut Transaction,
    kept: &KeptContent,
    eight_bit: bool,
) -> Vec<Reply> {
    let cx = Arc::clone(&conversation.cx);
    conversation.client.name.wait().await;
    let received = received_field(conversation, transaction);
    let message = Message::new(kept.bytes.clone());
    transaction.outcome.message_id = message_id(&message);
    let hops = trace_fields::hops(&message, &cx.config.node.name);
    if let Some(reason) = policy::hops(hops.received, hops.own, &cx.config.loops.limits()) {
        return refuse_all(conversation, transaction, &reason);
    }
    transaction.lists.extend(cx.lists.authors(&message));
    let specimen = Arc::new(specimen(conversation, transaction, message, received));
    let begun = Instant::now();
    let mut engines = engines_for(&cx, transaction);
    // What a client sends that may relay begins its way here: it has nothing to prove.
    let is_judged = !conversation.client.may_relay(&cx);
    settle_sender(&mut engines, &specimen, is_judged);
    let findings = scan_for(&cx, transaction, &engines, &specimen).await;
    transaction.outcome.timings.scan = milliseconds(begun);

    let begun = Instant::now();
    let mut replies: Vec<(usize, Reply)> = Vec::with_capacity(transaction.recipients.len());
    let mut scrutiny = is_judged.then(|| Scrutiny::new(&cx, &specimen, &findings));
    for group in 0..transaction.groups.len() {
        let verdict = decide(transaction, group, &findings);
        let verdict = match (&mut scrutiny, transaction.groups.get(group)) {
            (Some(scrutiny), Some(of)) => {
                let caution = &of.route.route.caution;
                scrutiny.of_group(caution, verdict, &lists(transaction, group))
            }
            _ => verdict,
        };
        let disposal = Disposal {
            group,
            specimen: &specimen,
            findings: &findings,
            eight_bit,
            verdict,
        };
        replies.extend(dispose(conversation, transaction, disposal).await);
    }
    transaction.outcome.timings.dispose = milliseconds(begun);
    note_for_reports(&cx, transaction, &specimen, &findings);
    transaction.outcome.findings = findings;
    replies.sort_unstable_by_key(|(recipient, _)| *recipient);
    replies.into_iter().map(|(_, reply)| reply).collect()
}

/// What the owner of the author's domain is told tomorrow, if he asks.
fn note_for_reports(
    cx: &Context,
    transaction: &Transaction,
    specimen: &Specimen,
    findings: &[Finding],
) {
    let reports = &cx.services.dmarc_reports;
    if !reports.is_on() {
        return;
    }
    let verdict = transaction.outcome.verdict.as_ref();
    let is_refused = verdict.is_some_and(|verdict| matches!(verdict, Verdict::Refuse { .. }));
    let first = transaction.groups.first();
    let action = first.map(|group| group.route.settings.dmarc);
    let observation = observed(findings, specimen, is_refused, action.unwrap_or_default());
    if let Some(observation) = observation {
        reports.note(&observation);
    }
}

/// All engines that any group wants.
fn engines_for(cx: &Context, transaction: &Transaction) -> Vec<Armed> {
    match transaction.groups.as_slice() {
        [] => Vec::new(),
        [group] => group.route.engines.clone(),
        groups => cx.engines.of_any(
            &groups
                .iter()
                .map(|group| &*group.route.settings)
                .collect::<Vec<_>>(),
        ),
    }
}

/// One wave, which ends once no group's verdict can change.
async fn scan_for(
    cx: &Context,
    transaction: &Transaction,
    engines: &[Armed],
    specimen: &Arc<Specimen>,
) -> Vec<Finding> {
    if engines.is_empty() {
        return Vec::new();
    }
    let names: Vec<String> = engines
        .iter()
        .map(|armed| armed.engine.name().to_owned())
        .collect();
    let facts: Vec<MessageFacts> = (0..transaction.groups.len())
        .map(|group| MessageFacts {
            lists: lists(transaction, group),
        })
        .collect();
    let mut certain =
        |findings: &[Finding]| {
            let awaited: Vec<&str> = names
                .iter()
                .map(String::as_str)
                .filter(|name| findings.iter().all(|finding| finding.engine != *name))
                .collect();
            transaction.groups.iter().zip(&facts).all(|(group, facts)| {
                policy::certain(facts, findings, &awaited, &group.route.settings)
            })
        };
    scan(
        engines,
        Arc::clone(specimen),
        cx.config.scan.deadline,
        &mut certain,
    )
    .await
}

fn decide(transaction: &Transaction, group: usize, findings: &[Finding]) -> Verdict {
    let facts = MessageFacts {
        lists: lists(transaction, group),
    };
    match transaction.groups.get(group) {
        Some(group) => policy::message(&facts, findings, &group.route.settings),
        None => Verdict::ACCEPT,
    }
}

/// What matched the client, the reverse-path, the header field From, and the recipients of the group.
fn lists(transaction: &Transaction, group: usize) -> Vec<ListMatch> {
    let mut lists = transaction.lists.clone();
    // Recipients of one class are all named by an allow list or none is, so that the first speaks for them.
    if let Some((_, recipient)) = transaction.members(group).next() {
        lists.extend(recipient.lists.iter().cloned());
    }
    lists
}

fn received_field(conversation: &Conversation, transaction: &Transaction) -> Vec<u8> {
    let client = &conversation.client;
    let mut accepted = transaction
        .recipients
        .iter()
        .filter(|recipient| recipient.group.is_some());
    let recipient = match (accepted.next(), accepted.next()) {
        (Some(only), None) => Some(only.forward_path.to_string()),
        _ => None,
    };
    trace_fields::received(&ReceivedFacts {
        ehlo: &client.ehlo,
        client_name: client.name.known(),
        client_ip: client.ip,
        hostname: &conversation.cx.config.node.name,
        protocol: protocol(client, &transaction.mail),
        tls: client.tls_facts().as_ref(),
        reference: transaction.reference,
        recipient: recipient.as_deref(),
        time: &Zoned::new(jiff::Timestamp::now(), TimeZone::system()),
    })
}

fn specimen(
    conversation: &Conversation,
    transaction: &Transaction,
    message: Message,
    received: Vec<u8>,
) -> Specimen {
    let client = &conversation.client;
    Specimen {
        reference: transaction.reference.to_string(),
        message,
        client_ip: client.ip,
        client_name: client.name.known().map(str::to_owned),
        helo: client.ehlo.clone(),
        reverse_path: transaction.reverse_path.clone(),
        recipients: transaction
            .recipients
            .iter()
            .filter(|recipient| recipient.group.is_some())
            .map(|recipient| recipient.forward_path.clone())
            .collect(),
        authenticated_as: client.authenticated_as.clone(),
        authentication: Arc::default(),
        hostname: conversation.cx.config.node.name.clone(),
        received,
    }
}

/// The Message-ID without its angle brackets, shortened.
fn message_id(message: &Message) -> Option<String> {
    let field = message
        .header_fields()
        .find(|field| field.name.eq_ignore_ascii_case("Message-ID"))?;
    let text = String::from_utf8_lossy(field.body);
    let text = text.trim().trim_start_matches('<').trim_end_matches('>');
    Some(
        text.chars()
            .filter(|c| !c.is_control())
            .take(MESSAGE_ID_BYTES_MAX)
            .collect(),
    )
}

fn defective(defect: Defect) -> Reason {
    Reason::new(match defect {
        Defect::BareNewline => Kind::BareNewline,
        Defect::LineTooLong => Kind::Line,
        Defect::TooLarge | Defect::HeaderTooLarge => Kind::Size,
    })
    .with_detail(match defect {
        Defect::BareNewline => "a bare CR or LF",
        Defect::LineTooLong => "a line longer than 8192 bytes",
        Defect::TooLarge => "larger than message_size_max",
        Defect::HeaderTooLarge => "header section larger than header_size_max",
    })
}

fn unkept(conversation: &Conversation, error: &ContentError) -> Reason {
    let services = &conversation.cx.services;
    if matches!(error, ContentError::MemoryExhausted) {
        services
            .journal
            .emit(&crate::event::Event::MemoryExhausted {
                bytes: services.budget.bytes_used(),
                bytes_max: conversation.cx.config.node.memory_max,
            });
    }
    Reason::new(Kind::Exhausted).with_detail(error.to_string())
}

/// The same refusal for every accepted recipient.
fn refuse_all(
    conversation: &Conversation,
    transaction: &mut Transaction,
    reason: &Reason,
) -> Vec<Reply> {
    let language = transaction
        .groups
        .first()
        .map_or(LANGUAGE_DEFAULT, |group| &group.route.language);
    let reply = refusal(
        conversation,
        transaction,
        reason,
        Concerned {
            language,
            ..Concerned::default()
        },
    );
    let verdict = Verdict::because(reason.clone());
    let mut replies = Vec::new();
    for recipient in transaction
        .recipients
        .iter_mut()
        .filter(|recipient| recipient.group.is_some())
    {
        recipient.refused_with(&reply);
        recipient.verdict = Some(verdict.clone());
        replies.push(reply.clone());
    }
    transaction.outcome.verdict = Some(verdict);
    replies
}

/// One reply for the message, or with PRDR one for each recipient and one for all.
fn answer(transaction: &mut Transaction, replies: Vec<Reply>) -> Answer {
    // The best news counts for the message as a whole; without PRDR all recipients have the same.
    let best = replies.iter().min_by_key(|reply| reply.code()).cloned();
    let last = best.unwrap_or_else(|| {
        Reply::new(
            554,
            Status::permanent(5, 1),
            format!("[{}] No valid recipients", transaction.reference),
        )
    });
    transaction.outcome.reply = Some(last.clone());
    if transaction.mail.prdr {
        Answer::Recipients { replies, last }
    } else {
        Answer::Reply(last)
    }
}

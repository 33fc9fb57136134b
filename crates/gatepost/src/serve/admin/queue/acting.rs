//! What changes queued messages: retry, hold, release, remove, reroute; each change is recorded before it is answered.
//!
//! The answer is a line for each message, as it is done. If the other side goes away, what was begun is finished, and no more is
//! begun.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::response::Response;
use futures_util::StreamExt as _;
use queue::{Action, Actor, Listed, MessageId, Queue, ReadError, RecipientState};
use serde::{Deserialize, Serialize};
use smtp::Status;
use tokio::sync::OwnedSemaphorePermit;

use super::filter::Filter;
use super::messages::reverse_path;
use super::problem::Problem;
use super::walk::{Found, Walk, line, ndjson};
use crate::config::Nexthop;
use crate::context::Context;
use crate::deliver::report::{Action as Outcome, Concerned};
use crate::deliver::telling::tell;
use crate::event::{Event, QueueAction, QueueChange};

/// Messages that are changed at the same time: they share syncs.
const AT_ONCE: usize = 16;
/// Bytes of a reason.
const REASON_BYTES_MAX: usize = 256;
/// Bytes of a nexthop.
const NEXTHOP_BYTES_MAX: usize = 300;
/// Recipients that a line names.
const NAMED_RECIPIENTS_MAX: usize = 50;

/// What is to be done to which messages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ActRequest {
    /// Which.
    pub filter: Filter,
    /// Every message, where no filter is given.
    pub all: bool,
    /// Why.
    pub reason: String,
    /// Remove: whoever must be told that it is not delivered is told (RFC 3464).
    pub report: bool,
    /// Reroute: where it is to go; `null` for the configured nexthop.
    pub nexthop: Option<String>,
    /// The name that the operator goes by, recorded beside that of the process that asks.
    pub operator: Option<String>,
}

/// What was done to one message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// Which.
    pub queue_id: String,
    /// Its reference.
    pub reference: String,
    /// Its reverse-path.
    pub reverse_path: String,
    /// How it went.
    pub result: DoneResult,
    /// Recipients to whom it was done, so many at most.
    pub recipients: Vec<String>,
    /// How many they are.
    pub count: u64,
    /// What stood in its way.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

/// How it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DoneResult {
    /// It is done.
    Done,
    /// It is so already.
    Unchanged,
    /// Its delivery is under way just now.
    Busy,
    /// It is not in the queue any more.
    Gone,
    /// The disk failed: it is in force, but may not outlive a crash.
    Failed,
}

/// The last line of an answer: without it not all was done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoneSummary {
    /// Messages to which it was done.
    pub done: u64,
    /// Messages to which it could not be done.
    pub failed: u64,
    /// Whether the messages of earlier runs are all read, so that none was missed.
    pub complete: bool,
}

/// What is done, by whom and why.
pub(super) struct Order {
    cx: Arc<Context>,
    queue: Queue,
    action: QueueAction,
    nexthop: Option<String>,
    report: bool,
    by: Actor,
}

impl Order {
    /// From a request, checked.
    pub(super) fn new(
        cx: Arc<Context>,
        queue: Queue,
        action: QueueAction,
        request: &ActRequest,
        by: String,
    ) -> Result<Order, Problem> {
        check(action, request)?;
        let nexthop = request.nexthop.as_deref().map(nexthops).transpose()?;
        Ok(Order {
            cx,
            queue,
            action,
            nexthop,
            report: request.report,
            by: Actor {
                name: by,
                reason: request.reason.trim().to_owned(),
            },
        })
    }

    /// Does it to each message on the way.
    pub(super) fn stream(self, walk: Walk, permit: OwnedSemaphorePermit) -> Response {
        let state = Way {
            order: Arc::new(self),
            walk,
            summary: DoneSummary::default(),
            _permit: permit,
        };
        let parts = futures_util::stream::unfold(Some(state), |state| async {
            // A task of its own: what was begun is finished and recorded, though nobody listens any more.
            match tokio::spawn(state?.step()).await {
                Ok((out, state)) => Some((Ok(Bytes::from(out)), state)),
                Err(error) => Some((Err(error), None)),
            }
        });
        ndjson(Body::from_stream(parts))
    }

    /// Does it to one message.
    async fn carry_out(self: Arc<Order>, found: Found) -> Done {
        let listed = found.listed;
        let chosen = self.chosen(&listed, &found.places);
        if chosen.is_empty() {
            return self.done(&listed, &[], DoneResult::Unchanged, self.unchanged());
        }
        if self.action == QueueAction::Remove && self.report {
            return self.remove_with_report(listed, chosen).await;
        }
        self.finish(listed, chosen, false).await
    }

    /// The recipients to whom it is done: to release what is not held, or to retry what is, means nothing.
    fn chosen(&self, listed: &Listed, places: &[usize]) -> Vec<u32> {
        let fits = |state| match self.action {
            QueueAction::Release => state == RecipientState::Held,
            QueueAction::Hold | QueueAction::Retry => state == RecipientState::Waiting,
            QueueAction::Remove | QueueAction::Reroute => true,
        };
        let places = places.iter().filter(|at| {
            let recipient = listed.recipients.get(**at);
            recipient.is_some_and(|recipient| fits(recipient.state))
        });
        places.filter_map(|at| u32::try_from(*at).ok()).collect()
    }

    fn unchanged(&self) -> &'static str {
        match self.action {
            QueueAction::Release => "it is not held",
            QueueAction::Hold => "it is held already",
            QueueAction::Retry => "it is held: release it",
            QueueAction::Remove | QueueAction::Reroute => "nothing of it waits",
        }
    }

    async fn finish(self: Arc<Order>, listed: Listed, chosen: Vec<u32>, reported: bool) -> Done {
        let order = Arc::clone(&self);
        let known = listed.clone();
        let act = move || order.act_and_record(&listed, &chosen, reported);
        match tokio::task::spawn_blocking(act).await {
            Ok(done) => done,
            Err(_) => self.done(
                &known,
                &[],
                DoneResult::Failed,
                "it ended abnormally: look at the log",
            ),
        }
    }

    fn act_and_record(&self, listed: &Listed, chosen: &[u32], reported: bool) -> Done {
        let action = match self.action {
            QueueAction::Retry => Action::Retry,
            QueueAction::Hold => Action::Hold,
            QueueAction::Release => Action::Release,
            QueueAction::Remove => Action::Remove,
            QueueAction::Reroute => Action::Reroute(self.nexthop.clone()),
        };
        match self
            .queue
            .act_on(listed.id, Some(chosen), &action, &self.by)
        {
            Ok(None) => self.done(
                listed,
                &[],
                DoneResult::Gone,
                "it has left the queue meanwhile",
            ),
            Ok(Some(done)) if done.is_empty() => self.done(listed, &[], DoneResult::Busy, BUSY),
            Ok(Some(done)) => {
                self.record(listed, &done, reported);
                let left = if done.len() < chosen.len() { BUSY } else { "" };
                self.done(listed, &done, DoneResult::Done, left)
            }
            // Nothing was changed: nothing is recorded.
            Err(error @ ReadError::Exporting) => {
                self.done(listed, &[], DoneResult::Busy, &error.to_string())
            }
            Err(error) => {
                self.record(listed, chosen, reported);
                self.done(listed, chosen, DoneResult::Failed, &error.to_string())
            }
        }
    }

    /// Held first, so that no attempt begins while the report is written; then told, then removed.
    async fn remove_with_report(self: Arc<Order>, listed: Listed, chosen: Vec<u32>) -> Done {
        let order = Arc::clone(&self);
        let (id, wanted) = (listed.id, chosen.clone());
        let prepared =
            tokio::task::spawn_blocking(move || order.hold_for_report(id, &wanted)).await;
        let content = match prepared {
            Ok(Ok(Some(content))) => content,
            Ok(Ok(None)) => {
                self.let_go(&listed, &chosen).await;
                return self.done(&listed, &[], DoneResult::Busy, BUSY);
            }
            Ok(Err(error @ ReadError::Exporting)) => {
                return self.done(&listed, &[], DoneResult::Busy, &error.to_string());
            }
            Ok(Err(ReadError::Gone)) => {
                return self.done(
                    &listed,
                    &[],
                    DoneResult::Gone,
                    "it has left the queue meanwhile",
                );
            }
            Ok(Err(error)) => {
                self.let_go(&listed, &chosen).await;
                return self.done(&listed, &[], DoneResult::Failed, &error.to_string());
            }
            Err(_) => {
                return self.done(
                    &listed,
                    &[],
                    DoneResult::Failed,
                    "it ended abnormally: look at the log",
                );
            }
        };
        let concerned = chosen.iter().map(|index| Concerned {
            index: *index,
            action: Outcome::Failed,
            status: Status::NOT_AUTHORISED,
            diagnostic: "removed from the queue by an operator",
            is_reply: false,
            remote_mta: None,
            last_attempt: None,
            will_retry_until: None,
        });
        let concerned: Vec<Concerned<'_>> = concerned.collect();
        let message = queue::QueuedMessage {
            envelope: Arc::clone(&listed.envelope),
            content,
        };
        if let Err(error) = tell(&self.cx, &self.queue, &message, &concerned).await {
            self.let_go(&listed, &chosen).await;
            let detail = format!("the report can't be queued, so it stays: {error}");
            return self.done(&listed, &[], DoneResult::Failed, &detail);
        }
        self.finish(listed, chosen, true).await
    }

    /// Holds them; the content for the report, or `None` if one of them is under way.
    fn hold_for_report(&self, id: MessageId, chosen: &[u32]) -> Result<Option<Bytes>, ReadError> {
        let held = self
            .queue
            .act_on(id, Some(chosen), &Action::Hold, &self.by)?;
        let held = held.ok_or(ReadError::Gone)?;
        let in_hand = self.queue.in_hand(id);
        if held.len() < chosen.len() || chosen.iter().any(|it| in_hand.contains(it)) {
            return Ok(None);
        }
        self.queue.content(id)?.ok_or(ReadError::Gone).map(Some)
    }

    /// Those that were not held before go on as they were.
    async fn let_go(&self, listed: &Listed, chosen: &[u32]) {
        let waited = |at: &&u32| {
            let recipient = listed.recipients.get(**at as usize);
            recipient.is_some_and(|it| it.state == RecipientState::Waiting)
        };
        let waited: Vec<u32> = chosen.iter().filter(waited).copied().collect();
        let (queue, before, id) = (self.queue.clone(), listed.clone(), listed.id);
        let release = move || queue.unhold(&before, &waited);
        match tokio::task::spawn_blocking(release).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::error!(%id, %error, "a message stays held"),
            Err(error) => tracing::error!(%id, %error, "a message stays held"),
        }
    }

    fn record(&self, listed: &Listed, recipients: &[u32], reported: bool) {
        let change = QueueChange {
            action: self.action,
            queue_id: listed.id.to_string(),
            reference: listed.envelope.reference.clone(),
            reverse_path: reverse_path(&listed.envelope.reverse_path),
            recipients: names(listed, recipients).collect(),
            nexthop: self.nexthop.clone(),
            reported,
            by: self.by.name.clone(),
            reason: self.by.reason.clone(),
        };
        let event = Event::QueueChanged(Box::new(change));
        self.cx.services.journal.emit(&event);
    }

    fn done(&self, listed: &Listed, recipients: &[u32], result: DoneResult, detail: &str) -> Done {
        Done {
            queue_id: listed.id.to_string(),
            reference: listed.envelope.reference.clone(),
            reverse_path: reverse_path(&listed.envelope.reverse_path),
            result,
            recipients: names(listed, recipients)
                .take(NAMED_RECIPIENTS_MAX)
                .collect(),
            count: recipients.len() as u64,
            detail: detail.to_owned(),
        }
    }
}

const BUSY: &str = "a delivery has it in hand just now: ask again in a moment";

fn names<'l>(listed: &'l Listed, places: &'l [u32]) -> impl Iterator<Item = String> + 'l {
    let recipients = &listed.envelope.recipients;
    let named = places.iter().filter_map(|at| recipients.get(*at as usize));
    named.map(|recipient| recipient.forward_path.to_string())
}

/// How far an order is.
struct Way {
    order: Arc<Order>,
    walk: Walk,
    summary: DoneSummary,
    _permit: OwnedSemaphorePermit,
}

impl Way {
    /// One page of messages: their lines, and the rest of the way.
    async fn step(mut self) -> (Vec<u8>, Option<Way>) {
        let mut out = Vec::new();
        let paged = tokio::task::spawn_blocking(move || {
            let page = self.walk.page();
            (self, page)
        });
        let (mut way, page) = match paged.await {
            Ok((way, page)) => (way, page),
            Err(_) => {
                let problem = Problem::fault(
                    "the reading of the queue ended abnormally",
                    "look at the log",
                );
                line(&problem, &mut out);
                return (out, None);
            }
        };
        let page = match page {
            Ok(page) => page,
            Err(problem) => {
                line(&problem, &mut out);
                return (out, None);
            }
        };
        let order = Arc::clone(&way.order);
        let mut done = futures_util::stream::iter(page)
            .map(|found| Arc::clone(&order).carry_out(found))
            .buffered(AT_ONCE);
        while let Some(done) = done.next().await {
            match done.result {
                DoneResult::Done => way.summary.done += 1,
                DoneResult::Unchanged => {}
                DoneResult::Busy | DoneResult::Gone | DoneResult::Failed => way.summary.failed += 1,
            }
            line(&done, &mut out);
        }
        drop(done);
        if way.walk.is_done() {
            way.end(&mut out);
            return (out, None);
        }
        if out.is_empty() {
            // A sign of life.
            out.push(b'\n');
        }
        (out, Some(way))
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        for missing in self.walk.unmet() {
            line(&missing, out);
        }
        self.summary.complete = self.walk.last_line().complete;
        line(&serde_json::json!({ "summary": self.summary }), out);
    }
}

fn check(action: QueueAction, request: &ActRequest) -> Result<(), Problem> {
    let word = action.word();
    if !request.filter.is_narrow() && !request.all {
        return Err(Problem::bad(
            format!("{word}: no message is named and no filter is given"),
            "name messages, give a filter, or say that all are meant",
        ));
    }
    if action == QueueAction::Remove && request.reason.trim().is_empty() {
        return Err(Problem::bad(
            "remove: there is no reason",
            "say why: it is recorded",
        ));
    }
    reason(&request.reason)?;
    if request.report && action != QueueAction::Remove {
        return Err(Problem::bad(
            format!("{word}: there is nothing to report"),
            "leave out `report`",
        ));
    }
    if request.nexthop.is_some() && action != QueueAction::Reroute {
        return Err(Problem::bad(
            format!("{word}: no nexthop is chosen by that"),
            "leave out `nexthop`",
        ));
    }
    Ok(())
}

/// A reason that can be kept.
pub(super) fn reason(text: &str) -> Result<(), Problem> {
    if text.trim().len() > REASON_BYTES_MAX {
        return Err(Problem::bad(
            format!("the reason is longer than {REASON_BYTES_MAX} bytes"),
            "shorten it: a number of a ticket can stand for the story",
        ));
    }
    Ok(())
}

/// Nexthops in the words of the configuration, separated by blanks; checked here, so that no message waits for a typing error.
fn nexthops(text: &str) -> Result<String, Problem> {
    if text.len() > NEXTHOP_BYTES_MAX {
        return Err(Problem::bad(
            format!("the nexthop is longer than {NEXTHOP_BYTES_MAX} bytes"),
            "name fewer servers",
        ));
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    if words.is_empty() {
        return Err(Problem::bad(
            "the nexthop is empty",
            "write one such as smtp:192.0.2.9:25",
        ));
    }
    for word in &words {
        if let Err(detail) = Nexthop::from_command(word) {
            let (error, remedy) = detail.split_once("; ").unwrap_or((&detail, ""));
            return Err(Problem::bad(format!("nexthop: {error}"), remedy));
        }
    }
    Ok(words.join(" "))
}

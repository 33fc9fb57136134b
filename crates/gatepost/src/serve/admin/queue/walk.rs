//! The way through the queue, page by page: only so much is in memory at a time, however long the queue is.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use queue::{Listed, MessageId, Queue, ReadError};
use serde::{Deserialize, Serialize};
use tokio::sync::OwnedSemaphorePermit;

use super::Turns;
use super::filter::Matcher;
use super::messages::{QueuedMessage, Waits, now};
use super::problem::Problem;

/// Messages that are read from the disk at a time.
const PAGE_MESSAGES: usize = 16;
/// Messages that are looked at before something is sent: the other side sees that there is life.
const STEP_MESSAGES: usize = 512;
/// Bytes that are gathered before they are sent.
const STEP_BYTES: usize = 64 << 10;
/// Recipients of one message that a list names.
pub(super) const LISTED_RECIPIENTS_MAX: usize = 50;

/// The last line of a list: without it the list is not complete.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Messages in the list.
    pub messages: u64,
    /// Their recipients that were meant.
    pub recipients: u64,
    /// Bytes of these messages.
    pub bytes: u64,
    /// The highest id in the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_id: Option<String>,
    /// Whether the messages of earlier runs are all read, so that none is missing.
    pub complete: bool,
}

/// What was named and is none of the messages in an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// Its id or reference.
    pub missing: String,
    /// It is in the queue, but its record is damaged.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub damaged: bool,
}

/// A message that is meant.
pub(super) struct Found {
    pub listed: Listed,
    /// The places of the recipients that are meant.
    pub places: Vec<usize>,
}

/// Where the way through the queue is.
pub(super) struct Walk {
    pub queue: Queue,
    matcher: Arc<Matcher>,
    after: Option<MessageId>,
    /// What was named and not met so far; ids only are looked up without a walk.
    ids_left: BTreeSet<u64>,
    /// Of these, those whose record is damaged; all are known once the way is done.
    damaged: BTreeSet<u64>,
    references_left: BTreeSet<String>,
    by_id: bool,
    done: bool,
    /// There were enough, or the rest was not asked for.
    ended_early: bool,
    pub summary: Summary,
}

impl Walk {
    pub(super) fn new(queue: Queue, matcher: Matcher) -> Walk {
        let names = matcher.names.clone().unwrap_or_default();
        Walk {
            queue,
            after: None,
            by_id: matcher.names.is_some() && names.references.is_empty(),
            ids_left: names.ids,
            damaged: BTreeSet::new(),
            references_left: names.references,
            done: matcher.limit == 0,
            ended_early: matcher.limit == 0,
            matcher: Arc::new(matcher),
            summary: Summary::default(),
        }
    }

    /// Whether there is nothing more to come.
    pub(super) fn is_done(&self) -> bool {
        self.done
    }

    /// What was named and is not in the queue; all is known once the way is done.
    pub(super) fn unmet(&self) -> impl Iterator<Item = Missing> + '_ {
        // What was not looked at since there were enough may well be there.
        let is_known = !self.ended_early;
        let ids = self.ids_left.iter().map(|id| Missing {
            missing: id.to_string(),
            damaged: self.damaged.contains(id),
        });
        let references = self.references_left.iter().map(|reference| Missing {
            missing: reference.clone(),
            damaged: false,
        });
        ids.chain(references).filter(move |_| is_known)
    }

    /// The next page. Reads the disk.
    pub(super) fn page(&mut self) -> Result<Vec<Found>, Problem> {
        let page = if self.by_id {
            self.named()?
        } else {
            self.queue.page(self.after, PAGE_MESSAGES)?
        };
        let Some(last) = page.last() else {
            // Those that are damaged are left out of pages, but a page of nothing else ends at the last id too.
            self.done = true;
            self.damaged = self.damaged_ids();
            return Ok(Vec::new());
        };
        self.after = Some(last.id);
        let mut found = Vec::new();
        let now = now();
        for listed in page {
            if self.matcher.up_to.is_some_and(|up_to| listed.id.0 > up_to) {
                self.done = true;
                self.ended_early = true;
                break;
            }
            self.ids_left.remove(&listed.id.0);
            self.references_left.remove(&listed.envelope.reference);
            if !self.matcher.takes(&listed, now) {
                continue;
            }
            let mut waits = Waits::new(&self.queue);
            let places = 0..listed.recipients.len();
            let places: Vec<usize> = places
                .filter(|at| self.matcher.takes_recipient(&listed, *at, &mut waits))
                .collect();
            if places.is_empty() {
                continue;
            }
            self.count(&listed, &places);
            found.push(Found { listed, places });
            if self.summary.messages >= self.matcher.limit {
                self.done = true;
                self.ended_early = true;
                break;
            }
        }
        Ok(found)
    }

    /// The next of those that were named by their ids.
    fn named(&self) -> Result<Vec<Listed>, Problem> {
        let from = self.after.map_or(0, |id| id.0.saturating_add(1));
        for id in self.ids_left.range(from..) {
            match self.queue.listed(MessageId(*id)) {
                Ok(Some(listed)) => return Ok(vec![listed]),
                Ok(None) | Err(ReadError::Gone | ReadError::Damaged(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Vec::new())
    }

    /// Those of the ids that were not met that are there all the same.
    fn damaged_ids(&self) -> BTreeSet<u64> {
        let is_damaged = |id: &u64| {
            matches!(
                self.queue.listed(MessageId(*id)),
                Err(ReadError::Damaged(_))
            )
        };
        self.ids_left.iter().copied().filter(is_damaged).collect()
    }

    fn count(&mut self, listed: &Listed, places: &[usize]) {
        self.summary.messages += 1;
        self.summary.recipients += places.len() as u64;
        self.summary.bytes += listed.content_bytes;
        self.summary.last_id = Some(listed.id.to_string());
    }

    /// The last line.
    pub(super) fn last_line(&mut self) -> Summary {
        self.summary.complete = self.queue.recovery().done;
        self.summary.clone()
    }

    /// Appends lines for the next messages: some, or a line end as a sign of life. False once all is said.
    fn step(&mut self, out: &mut Vec<u8>) -> bool {
        let mut pages = 0;
        while !self.done && out.len() < STEP_BYTES && pages * PAGE_MESSAGES < STEP_MESSAGES {
            pages += 1;
            match self.page() {
                Ok(found) => {
                    for Found { listed, places } in found {
                        let mut waits = Waits::new(&self.queue);
                        let most = LISTED_RECIPIENTS_MAX;
                        line(&QueuedMessage::new(&listed, &places, most, &mut waits), out);
                    }
                }
                Err(problem) => {
                    line(&problem, out);
                    return false;
                }
            }
        }
        if self.done {
            for missing in self.unmet() {
                line(&missing, out);
            }
            let summary = self.last_line();
            line(&serde_json::json!({ "summary": summary }), out);
        } else if out.is_empty() {
            out.push(b'\n');
        }
        !self.done
    }
}

/// Appends a value as a line of JSON.
pub(super) fn line(value: &impl Serialize, out: &mut Vec<u8>) {
    // Strings, numbers and lists of such: the only error would be one of writing, and a Vec has none.
    if serde_json::to_writer(&mut *out, value).is_ok() {
        out.push(b'\n');
    }
}

/// The list as it is read: each part is read from the disk when the one before is on its way, and has a turn only so long.
pub(super) fn stream(walk: Walk, turns: Turns, open: OwnedSemaphorePermit) -> Response {
    let parts = futures_util::stream::unfold(Some((walk, turns, open)), |state| async {
        let (mut walk, turns, open) = state?;
        let turn = turns.read().await;
        let step = move || {
            let mut out = Vec::new();
            let goes_on = walk.step(&mut out);
            drop(turn);
            (out, goes_on.then_some((walk, turns, open)))
        };
        match tokio::task::spawn_blocking(step).await {
            Ok((out, state)) => Some((Ok(Bytes::from(out)), state)),
            Err(error) => Some((Err(error), None)),
        }
    });
    ndjson(Body::from_stream(parts))
}

/// A body of lines.
pub(super) fn ndjson(body: Body) -> Response {
    ([(header::CONTENT_TYPE, "application/x-ndjson")], body).into_response()
}

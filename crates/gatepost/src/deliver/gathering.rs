//! One report for what becomes of a message at about the same time: a message to a thousand dead domains brings its sender a
//! handful of reports, not a thousand (RFC 3464 2.3 has a report tell of many recipients).
//!
//! Parcels whose recipients failed, or are late, wait here for those of the same message, for a moment and within bounds. They
//! are in hand all the time: the report is on synced disk before they are settled, and a crash leaves them in the queue, where
//! they fail again. A parcel of which somebody has taken the message does not wait, since a crash would repeat the message; nor
//! does the only parcel of a message. What a report says stands in `report`, who gets it in `telling`.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use queue::{MessageId, Queue, QueuedMessage, RecipientOutcome, SubmitError};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::dispatch::note;
use super::lifetime::delayed;
use super::report::Concerned;
use super::settling::{InHand, Settling};
use super::telling::tell;
use crate::context::Context;

/// How long failed parcels wait for others of their message.
const FAILED_WAIT: Duration = Duration::from_secs(2);
/// How long late and expired ones do: all of a message come due at the same time, and the queue hands out few at a time.
const DUE_WAIT: Duration = Duration::from_millis(250);
/// Recipients that one report tells of at most, if they came in different parcels.
const RECIPIENTS_MAX: usize = 1000;
/// Bytes of the replies in one such report.
const DIAGNOSTIC_BYTES_MAX: usize = 256 * 1024;
/// Parcels that wait at one time. Beyond them, each is reported on by itself.
const PARCELS_MAX: usize = 10_000;

/// A parcel that only a report keeps from being settled.
pub(super) enum Ending {
    /// Its outcomes are known.
    Settled(Box<Settling>, InHand),
    /// It is late; nothing else changes.
    Late(QueuedMessage, InHand),
}

/// The parcels that wait for one another. Shared by all deliveries of the node.
#[derive(Default)]
pub struct Gathering {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    open: HashMap<MessageId, Collection>,
    /// Parcels in all of them.
    parcels: usize,
    tasks: JoinSet<()>,
    /// The node stops: nothing waits any more.
    is_closed: bool,
}

/// What one report will tell.
struct Collection {
    endings: Vec<Ending>,
    recipients: usize,
    diagnostic_bytes: usize,
    /// Set when nothing more is waited for.
    is_full: watch::Sender<bool>,
}

impl Ending {
    /// Tells who must be told and settles the parcel, with others of its message or by itself.
    pub(super) async fn finish(self, cx: &Arc<Context>, queue: &Queue) {
        if let Some(alone) = cx.services.gathering.gather(cx, queue, self) {
            finish_all(cx, queue, vec![alone]).await;
        }
    }

    fn in_hand(&self) -> &InHand {
        match self {
            Ending::Settled(_, in_hand) | Ending::Late(_, in_hand) => in_hand,
        }
    }

    fn message(&self) -> &QueuedMessage {
        match self {
            Ending::Settled(settling, _) => settling.message(),
            Ending::Late(message, _) => message,
        }
    }

    /// What a report has to tell of it.
    fn concerned(&self) -> Vec<Concerned<'_>> {
        match self {
            Ending::Settled(settling, _) => settling.concerned(),
            Ending::Late(message, in_hand) => delayed(in_hand.parcel(), message),
        }
    }

    /// Recipients that a report has to tell of, and the bytes of what servers said.
    fn size(&self) -> (usize, usize) {
        let concerned = self.concerned();
        let diagnostics = concerned.iter().map(|concerned| concerned.diagnostic.len());
        (concerned.len(), diagnostics.sum())
    }

    /// How long it can wait for others; `None` if there can't be any, or it must not.
    fn wait(&self) -> Option<Duration> {
        let others =
            self.message().envelope.recipients.len() > self.in_hand().parcel().recipients.len();
        match self {
            Ending::Settled(settling, _) => {
                let waits = others && !settling.is_delivered_in_part();
                let wait = match settling.is_expired() {
                    true => DUE_WAIT,
                    false => FAILED_WAIT,
                };
                waits.then_some(wait)
            }
            Ending::Late(..) => others.then_some(DUE_WAIT),
        }
    }

    /// What is left after `told`.
    fn close(self, told: &Result<(), SubmitError>) {
        match self {
            Ending::Settled(mut settling, in_hand) => {
                if let Err(error) = told {
                    settling.keep_failed(error);
                }
                settling.close(in_hand);
            }
            Ending::Late(_, in_hand) => {
                if let Err(error) = told {
                    // A delay is no loss: the end of the lifetime will be told.
                    tracing::error!(?error, "a report on a delay can't be queued");
                }
                let untried = |index: &u32| (*index, RecipientOutcome::Untried);
                let outcomes = in_hand.parcel().recipients.iter().map(untried).collect();
                in_hand.settle(outcomes);
            }
        }
    }
}

impl Gathering {
    /// Keeps `ending` for a report on more than it, or gives it back if it is to be told by itself.
    fn gather(&self, cx: &Arc<Context>, queue: &Queue, ending: Ending) -> Option<Ending> {
        let Some(wait) = ending.wait() else {
            return Some(ending);
        };
        let (recipients, diagnostic_bytes) = ending.size();
        let mut state = self.state();
        if recipients == 0 || state.is_closed || state.parcels >= PARCELS_MAX {
            return Some(ending);
        }
        let State {
            open,
            parcels,
            tasks,
            ..
        } = &mut *state;
        *parcels += 1;
        let id = ending.in_hand().parcel().message;
        let collection = match open.entry(id) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let (is_full, full) = watch::channel(false);
                while let Some(ended) = tasks.try_join_next() {
                    note(ended);
                }
                tasks.spawn(report_later(Arc::clone(cx), queue.clone(), id, wait, full));
                entry.insert(Collection {
                    endings: Vec::new(),
                    recipients: 0,
                    diagnostic_bytes: 0,
                    is_full,
                })
            }
        };
        collection.endings.push(ending);
        collection.recipients += recipients;
        collection.diagnostic_bytes += diagnostic_bytes;
        if collection.recipients >= RECIPIENTS_MAX
            || collection.diagnostic_bytes >= DIAGNOSTIC_BYTES_MAX
        {
            collection.is_full.send_replace(true);
        }
        None
    }

    /// Reports at once on what waits, and on everything that comes from now on; returns when what waited is settled.
    pub(super) async fn close(&self) {
        let mut tasks = {
            let mut state = self.state();
            state.is_closed = true;
            for collection in state.open.values() {
                collection.is_full.send_replace(true);
            }
            std::mem::take(&mut state.tasks)
        };
        while let Some(ended) = tasks.join_next().await {
            note(ended);
        }
    }

    /// Gives back what could not be told in time: it fails again after the next start.
    pub(super) fn abandon(&self) {
        let abandoned = {
            let mut state = self.state();
            state.parcels = 0;
            std::mem::take(&mut state.open)
        };
        drop(abandoned);
    }

    fn take(&self, id: MessageId) -> Vec<Ending> {
        let mut state = self.state();
        let endings = state.open.remove(&id).map(|collection| collection.endings);
        let endings = endings.unwrap_or_default();
        state.parcels = state.parcels.saturating_sub(endings.len());
        endings
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for what else becomes of the message, and reports on all of it.
async fn report_later(
    cx: Arc<Context>,
    queue: Queue,
    id: MessageId,
    wait: Duration,
    mut full: watch::Receiver<bool>,
) {
    // Whether the time is over or there is enough, it is time.
    let _ = tokio::time::timeout(wait, full.wait_for(|full| *full)).await;
    let endings = cx.services.gathering.take(id);
    finish_all(&cx, &queue, endings).await;
}

/// One report for parcels of one message, which then are settled.
async fn finish_all(cx: &Context, queue: &Queue, endings: Vec<Ending>) {
    let Some(first) = endings.first() else {
        return;
    };
    let message = first.message().clone();
    let told = {
        let mut concerned: Vec<Concerned<'_>> =
            endings.iter().flat_map(Ending::concerned).collect();
        concerned.sort_by_key(|concerned| concerned.index);
        match concerned.is_empty() {
            true => Ok(()),
            false => tell(cx, queue, &message, &concerned).await,
        }
    };
    for ending in endings {
        ending.close(&told);
    }
}

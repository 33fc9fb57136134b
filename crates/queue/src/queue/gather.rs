//! When the writer is woken, and what it finds: groups of submissions that come together, and journals that have waited.
//!
//! One sync costs the same for one message as for a hundred, and a thread that is woken for each costs more than its work. So
//! a group waits for transactions that are about to submit ([`Announcement`]), and entries of journals wait for company.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::Queue;
use super::SubmitError;
use super::hot::Kept;
use super::shared::Shared;
use crate::limits::{GROUP_BYTES_MAX, GROUP_MESSAGES_MAX};
use crate::recovery::Recoverer;
use crate::writer::Pending;

/// A group of so many has its sync for next to nothing: from here on it waits no longer than for half of those that are
/// announced, who then share the next.
const WORTH_A_SYNC: usize = 16;
/// How long an entry of a journal waits for others before it is given to the system. A message that is delivered while the
/// process is killed within this time is delivered again.
pub(super) const JOURNAL_PAUSE: Duration = Duration::from_millis(20);

/// A transaction that will submit soon: a group waits for it a little. Give it along with the submission; dropping it says
/// that nothing will come.
pub struct Announcement {
    /// Of the queue that counts it.
    shared: Option<Arc<Shared>>,
}

impl Announcement {
    /// It is counted no more; returns whose it was.
    fn withdraw(&mut self) -> Option<Arc<Shared>> {
        let shared = self.shared.take()?;
        shared.announced.fetch_sub(1, Ordering::Relaxed);
        Some(shared)
    }
}

impl Drop for Announcement {
    fn drop(&mut self) {
        if let Some(shared) = self.withdraw() {
            shared.wake_for_group(&mut shared.inbox());
        }
    }
}

impl std::fmt::Debug for Announcement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Announcement")
    }
}

impl Queue {
    /// Says that a transaction will submit soon.
    pub fn announce(&self) -> Announcement {
        self.shared.announced.fetch_add(1, Ordering::Relaxed);
        Announcement {
            shared: Some(Arc::clone(&self.shared)),
        }
    }
}

/// What waits for the writer.
#[derive(Default)]
pub(crate) struct Inbox {
    pub(super) submitted: Vec<Submitted>,
    /// Told once all that was journaled before is synced, and whether it could be.
    pub(super) flush: Vec<std::sync::mpsc::Sender<bool>>,
    pub(super) recovered: Option<Recoverer>,
    pub(super) closing: Vec<oneshot::Sender<()>>,
    pub(super) stop: bool,
    /// Whether the writer has ended.
    pub(super) ended: bool,
    waits_for: WaitsFor,
}

/// What the writer sleeps for: for less it is not woken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum WaitsFor {
    /// It does not sleep.
    #[default]
    Nothing,
    /// The group to be complete.
    Group,
    /// A submission; entries of journals have company already.
    Submission,
    /// A submission or an entry.
    Anything,
}

/// A message on its way to the writer.
pub(crate) struct Submitted {
    pub(super) pending: Pending,
    pub(super) answer: oneshot::Sender<Result<(), SubmitError>>,
    pub(super) hot: Option<Kept>,
    pub(super) at: Instant,
    pub(super) announcement: Option<Announcement>,
}

impl Inbox {
    /// Whether no message waits.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.submitted.is_empty()
    }
}

impl Shared {
    /// There is work for the writer that does not wait.
    pub(crate) fn call_writer(&self) {
        // With the lock, so that it is not missed between the writer's look and its wait.
        let mut inbox = self.inbox();
        self.wake_writer(&mut inbox);
    }

    /// There are new entries of journals.
    pub(super) fn journaled(&self) {
        let mut inbox = self.inbox();
        if inbox.waits_for == WaitsFor::Anything {
            self.wake_writer(&mut inbox);
        }
    }

    /// Puts a message into the group that comes together.
    pub(super) fn line_up(&self, mut submitted: Submitted) {
        let mut inbox = self.inbox();
        // It is here: with the lock, so that the writer sees both or neither.
        if let Some(mut announcement) = submitted.announcement.take() {
            announcement.withdraw();
        }
        if inbox.ended {
            // Dropping the answer says that the queue is closed.
            return;
        }
        inbox.submitted.push(submitted);
        match inbox.waits_for {
            WaitsFor::Anything | WaitsFor::Submission => self.wake_writer(&mut inbox),
            WaitsFor::Group => self.wake_for_group(&mut inbox),
            WaitsFor::Nothing => {}
        }
    }

    /// Wakes the writer if it waits for a group and has it.
    fn wake_for_group(&self, inbox: &mut Inbox) {
        if inbox.waits_for == WaitsFor::Group && self.is_gathered(inbox) {
            self.wake_writer(inbox);
        }
    }

    fn wake_writer(&self, inbox: &mut Inbox) {
        inbox.waits_for = WaitsFor::Nothing;
        self.signal.notify_one();
    }

    /// Whether nobody need be waited for any more.
    fn is_gathered(&self, inbox: &Inbox) -> bool {
        let announced = self.announced.load(Ordering::Relaxed);
        let enough = announced.clamp(WORTH_A_SYNC, GROUP_MESSAGES_MAX);
        announced == 0 || inbox.submitted.len() >= enough
    }

    /// How much longer the group that comes together may wait; `None` if it is to be written.
    fn group_waits(&self, inbox: &Inbox) -> Option<Duration> {
        let (first, last) = (inbox.submitted.first()?, inbox.submitted.last()?);
        if self.is_gathered(inbox) {
            return None;
        }
        let gather_max = self.store.settings.gather_max;
        let left = gather_max.checked_sub(first.at.elapsed())?;
        // Who is announced may be slow: a group to which nobody comes waits no longer.
        let quiet = (gather_max / 3).checked_sub(last.at.elapsed())?;
        Some(left.min(quiet)).filter(|wait| !wait.is_zero())
    }

    /// Waits for work, at most so long: a group with those who are announced, journals that have waited, or anything else.
    pub(super) fn wait_for_work(&self, pause: Duration) -> (Vec<Submitted>, Inbox) {
        let end = Instant::now() + pause;
        let mut inbox = self.inbox();
        while !inbox.stop {
            let (waits_for, wait) = if !inbox.submitted.is_empty() {
                match self.group_waits(&inbox) {
                    Some(wait) => (WaitsFor::Group, wait),
                    None => break,
                }
            } else if inbox.flush.is_empty() && inbox.recovered.is_none() {
                let left = end.saturating_duration_since(Instant::now());
                let journal_age = self.store.index().journal.age();
                match journal_age {
                    Some(age) => (
                        WaitsFor::Submission,
                        JOURNAL_PAUSE.saturating_sub(age).min(left),
                    ),
                    None => (WaitsFor::Anything, left),
                }
            } else {
                break;
            };
            if wait.is_zero() {
                break;
            }
            inbox.waits_for = waits_for;
            inbox = sleep(&self.signal, inbox, wait);
            inbox.waits_for = WaitsFor::Nothing;
        }
        take_work(&mut inbox)
    }
}

fn sleep<'a>(
    signal: &Condvar,
    inbox: MutexGuard<'a, Inbox>,
    wait: Duration,
) -> MutexGuard<'a, Inbox> {
    signal
        .wait_timeout(inbox, wait)
        .unwrap_or_else(PoisonError::into_inner)
        .0
}

/// The group that is written next, and what else there is to do after it.
fn take_work(inbox: &mut Inbox) -> (Vec<Submitted>, Inbox) {
    let mut count = 0;
    let mut bytes = 0_u64;
    for submitted in inbox.submitted.iter().take(GROUP_MESSAGES_MAX) {
        bytes += submitted.pending.summary.record_bytes;
        if count > 0 && bytes > GROUP_BYTES_MAX {
            break;
        }
        count += 1;
    }
    let rest = inbox.submitted.split_off(count);
    let group = std::mem::replace(&mut inbox.submitted, rest);
    let work = Inbox {
        flush: std::mem::take(&mut inbox.flush),
        recovered: inbox.recovered.take(),
        stop: inbox.stop && inbox.submitted.is_empty(),
        closing: if inbox.submitted.is_empty() {
            std::mem::take(&mut inbox.closing)
        } else {
            Vec::new()
        },
        ..Inbox::default()
    };
    (group, work)
}

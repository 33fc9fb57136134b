//! Nameservers that say nothing: remembered, so that not every question waits for them.
//!
//! A domain whose own nameservers are dead looks the same to one question as a resolver that is. So silence alone is only
//! a suspicion; then the nameservers are asked for what each of them knows by itself, the NS records of the root (RFC 1034
//! section 3.6). If that gets no answer either, questions fail at once until a probe is answered, at growing intervals.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// Questions in a row without any answer that make a suspicion.
const SILENT_MAX: u32 = 2;

/// Between the first probe that failed and the next.
const PROBE_INTERVAL_MIN: Duration = Duration::from_secs(1);

/// Between probes at most.
const PROBE_INTERVAL_MAX: Duration = Duration::from_secs(30);

/// A change of what is known of the nameservers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outage {
    /// No nameserver answers. Questions fail at once.
    Began,
    /// One does again.
    Ended {
        /// How long none did.
        after: Duration,
    },
}

/// Who is told of changes.
type Observer = Box<dyn Fn(Outage) + Send + Sync>;

/// What is known of the nameservers of one resolver.
#[derive(Default)]
pub(super) struct Silence {
    /// Questions without an answer since the last answer.
    silent: AtomicU32,
    state: Mutex<State>,
    observer: OnceLock<Observer>,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    is_probing: bool,
    /// Since when there is an outage.
    out_since: Option<Instant>,
    interval: Duration,
}

impl Silence {
    /// Tells this observer from now on; the first one that is given stays.
    pub(super) fn observe(&self, observer: Observer) {
        let _ = self.observer.set(observer);
    }

    /// For how long there has been an outage.
    pub(super) fn outage(&self, now: Instant) -> Option<Duration> {
        // Nearly always: without a lock.
        if self.silent.load(Ordering::Relaxed) < SILENT_MAX {
            return None;
        }
        let since = self.state().out_since?;
        Some(now.saturating_duration_since(since))
    }

    /// A question was answered, whatever with.
    pub(super) fn answered(&self, now: Instant) {
        if self.silent.swap(0, Ordering::Relaxed) < SILENT_MAX {
            return;
        }
        let ended = self.state().out_since.take();
        if let Some(since) = ended {
            let after = now.saturating_duration_since(since);
            self.tell(Outage::Ended { after });
        }
    }

    /// A question got no answer. Whether probing has to begin.
    pub(super) fn unanswered(&self) -> bool {
        let silent = self.silent.load(Ordering::Relaxed).saturating_add(1);
        self.silent.store(silent, Ordering::Relaxed);
        if silent < SILENT_MAX {
            return false;
        }
        let mut state = self.state();
        !std::mem::replace(&mut state.is_probing, true)
    }

    /// A probe got an answer or none. After how long to probe again; `None` to end it.
    pub(super) fn probed(&self, is_answered: bool, now: Instant) -> Option<Duration> {
        if is_answered {
            self.answered(now);
        }
        let mut state = self.state();
        if is_answered {
            *state = State::default();
            return None;
        }
        let begins = state.out_since.is_none();
        if begins {
            state.out_since = Some(now);
            state.interval = PROBE_INTERVAL_MIN;
        } else {
            state.interval = (2 * state.interval).min(PROBE_INTERVAL_MAX);
        }
        let interval = state.interval;
        drop(state);
        if begins {
            // An answer that came meanwhile was too early to end what had not begun.
            self.silent.store(SILENT_MAX, Ordering::Relaxed);
            self.tell(Outage::Began);
        }
        Some(interval)
    }

    fn tell(&self, outage: Outage) {
        if let Some(observer) = self.observer.get() {
            observer(outage);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;

//! How many reports our postmaster gets: what a stranger can cause must not fill a mailbox.
//!
//! A token bucket: so many at once, and as many again in each period. What is beyond is told by an event alone, and the next
//! report says how many were left out. Reports to the sender of a message are not counted here: he is proven, and causes them
//! himself.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use crate::config::Rate;

/// The reports that may still go to our postmaster. Outlives reloads; the rate is that of the configuration in force.
#[derive(Debug, Default)]
pub struct Allowance {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Reports of the rate that were used up, as of `at`: nothing is at first.
    used: f64,
    at: Option<Instant>,
    left_out: u64,
}

impl Allowance {
    /// Takes one report, and says how many were left out since the last one; `None` if there is none left.
    pub fn take(&self, rate: Rate) -> Option<u64> {
        let mut state = self.state();
        let now = Instant::now();
        let most = f64::from(rate.messages);
        let since = state.at.map_or(0.0, |at| (now - at).as_secs_f64());
        let regained = since * most / rate.per.as_secs_f64().max(f64::MIN_POSITIVE);
        // A rate that is smaller than it was does not leave more debt than itself.
        state.used = (state.used - regained).clamp(0.0, most);
        state.at = Some(now);
        if state.used + 1.0 > most {
            state.left_out = state.left_out.saturating_add(1);
            return None;
        }
        state.used += 1.0;
        Some(std::mem::take(&mut state.left_out))
    }

    /// The report could not be queued, so nobody has read how many were left out.
    pub fn give_back(&self, left_out: u64) {
        let mut state = self.state();
        state.used = (state.used - 1.0).max(0.0);
        state.left_out = state.left_out.saturating_add(left_out);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;

//! How long something is left alone: longer each time, and never the same for two (RFC 5321 4.5.4.1).

use std::time::Duration;

use super::Schedule;
use crate::BackOff;

impl BackOff {
    /// The delay after the attempt of this number, counted from 1: `min`, then twice as long each time, at most `max`.
    pub fn delay(&self, attempt: u32) -> Duration {
        let doublings = attempt.saturating_sub(1).min(31);
        let delay = self.min.saturating_mul(1 << doublings);
        delay.min(self.max.max(self.min))
    }
}

impl Schedule {
    /// This and up to a quarter more.
    pub(super) fn jittered(&mut self, delay: Duration) -> Duration {
        let millis = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        let more = self.jitter.u64(0..=millis / 4);
        Duration::from_millis(millis.saturating_add(more))
    }
}

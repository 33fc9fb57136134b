//! The time that the record goes by: that of the system, but a clock that leaps is not believed at once.
//!
//! What is known of senders fades with time. A clock that is put forward by years, as by a broken time server, would have all of
//! it forgotten within minutes; so a leap counts only once it has lasted.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A difference that is no leap: clocks are corrected, and suspended machines wake up.
const LEAP_SECONDS_MIN: u64 = 3600;

/// How long a leap has to last until it is believed.
const DOUBT: Duration = Duration::from_secs(3600);

static CLOCK: Mutex<Option<Clock>> = Mutex::new(None);

/// Seconds since 1970.
pub fn seconds_now() -> u32 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let system = since.map_or(0, |since| since.as_secs());
    let now = Instant::now();
    let mut clock = CLOCK.lock().unwrap_or_else(PoisonError::into_inner);
    let clock = clock.get_or_insert_with(|| Clock::new(system, now));
    u32::try_from(clock.read(system, now)).unwrap_or(u32::MAX)
}

/// What was believed last, and since when it is doubted.
#[derive(Debug)]
struct Clock {
    believed: u64,
    at: Instant,
    leapt: Option<Instant>,
}

impl Clock {
    fn new(system: u64, now: Instant) -> Clock {
        Clock {
            believed: system,
            at: now,
            leapt: None,
        }
    }

    /// The time at `now`, when the system says that it is `system`.
    fn read(&mut self, system: u64, now: Instant) -> u64 {
        let passed = now.saturating_duration_since(self.at);
        let expected = self.believed + passed.as_secs();
        if system.abs_diff(expected) < LEAP_SECONDS_MIN {
            *self = Clock::new(system, now);
            return system;
        }
        let since = *self.leapt.get_or_insert(now);
        if now.saturating_duration_since(since) >= DOUBT {
            *self = Clock::new(system, now);
            return system;
        }
        expected
    }
}

#[cfg(test)]
mod tests;

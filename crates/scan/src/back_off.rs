//! Whether a daemon is asked at all: counts failures, leaves a dead daemon alone for 1 second doubling to 60, and lets
//! one examination at a time find out whether it is back.
//!
//! A state machine without I/O; the pool feeds it.

use std::time::Duration;

use tokio::time::Instant;

use crate::engine::Health;
use crate::finding::{Unavailable, UnavailableCause};
use crate::limits;

/// What is known of one daemon.
#[derive(Debug, Default)]
pub(crate) struct BackOff {
    failures: u32,
    attempts: u64,
    down: Option<Down>,
}

#[derive(Debug)]
struct Down {
    why: Unavailable,
    delay: Duration,
    retry_at: Instant,
    /// The attempt that finds out whether the daemon is back.
    attempt: Option<u64>,
}

/// Leave to ask the daemon; holds the number of the attempt if it is the one that finds out whether it is back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Leave(Option<u64>);

/// How a daemon failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// No connection could be made: it is away.
    Away,
    /// It failed on a connection: perhaps only with this message.
    Talk,
}

impl BackOff {
    /// Whether the daemon would be asked at `now`; takes nothing.
    pub(crate) fn check(&self, now: Instant) -> Result<(), Unavailable> {
        match &self.down {
            Some(down) if down.attempt.is_some() || now < down.retry_at => {
                Err(down.unavailable(now))
            }
            _ => Ok(()),
        }
    }

    /// Leave to ask the daemon at `now`.
    pub(crate) fn admit(&mut self, now: Instant) -> Result<Leave, Unavailable> {
        self.check(now)?;
        let Some(down) = &mut self.down else {
            return Ok(Leave(None));
        };
        self.attempts += 1;
        down.attempt = Some(self.attempts);
        Ok(Leave(down.attempt))
    }

    /// It answered.
    pub(crate) fn succeeded(&mut self) -> Option<Health> {
        self.failures = 0;
        self.down.take().map(|_| Health::Up)
    }

    /// It failed. Answers with the new health if that changed.
    pub(crate) fn failed(
        &mut self,
        leave: Leave,
        failure: Failure,
        why: &Unavailable,
        now: Instant,
    ) -> Option<Health> {
        if let Some(down) = &mut self.down {
            if leave.0.is_some() && leave.0 == down.attempt {
                down.postpone(now);
            }
            return None;
        }
        self.failures = self.failures.saturating_add(1);
        if failure == Failure::Talk && self.failures < limits::FAILURES_MAX {
            return None;
        }
        self.down = Some(Down {
            why: why.clone(),
            delay: limits::BACK_OFF_MIN,
            retry_at: now + limits::BACK_OFF_MIN,
            attempt: None,
        });
        Some(Health::Down(why.clone()))
    }

    /// An examination was given up at its deadline; whether it was an attempt is known from the state.
    pub(crate) fn timed_out(&mut self, now: Instant) -> Option<Health> {
        match &mut self.down {
            Some(down) if now >= down.retry_at => {
                down.postpone(now);
                None
            }
            Some(_) => None,
            None => {
                let why = Unavailable::new(UnavailableCause::Timeout, "it did not answer in time");
                self.failed(Leave(None), Failure::Talk, &why, now)
            }
        }
    }

    /// The examination was cancelled: the next one may be the attempt.
    pub(crate) fn abandoned(&mut self, leave: Leave) {
        if let Some(down) = &mut self.down
            && down.attempt == leave.0
        {
            down.attempt = None;
        }
    }

    /// What is known of the daemon's health.
    pub(crate) fn health(&self) -> Health {
        self.down
            .as_ref()
            .map_or(Health::Up, |down| Health::Down(down.why.clone()))
    }
}

impl Down {
    fn postpone(&mut self, now: Instant) {
        self.delay = (self.delay * 2).min(limits::BACK_OFF_MAX);
        self.retry_at = now + self.delay;
        self.attempt = None;
    }

    fn unavailable(&self, now: Instant) -> Unavailable {
        let seconds = self.retry_at.saturating_duration_since(now).as_secs_f32();
        let detail = &self.why.detail;
        Unavailable::new(
            UnavailableCause::BackOff,
            format!("left alone for {seconds:.1} s more, since it failed: {detail}"),
        )
    }
}

#[cfg(test)]
mod tests;

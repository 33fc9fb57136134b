//! How a list stands: whether it is asked, and when it is tried again.
//!
//! A state machine without I/O. A list serves once its test points are in order (`trial`); it is left out when it fails
//! several times in a row, or at once when it answers that it may not be asked, for a minute that doubles up to an hour.

use std::time::Duration;

use tokio::time::Instant;

use crate::limits::{
    LIST_BACK_OFF_MAX, LIST_BACK_OFF_MIN, LIST_FAILURE_SPACING, LIST_FAILURES_MAX,
    LIST_TRIAL_INTERVAL,
};

/// How a list does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListHealth {
    /// It has not been asked yet.
    Untried,
    /// It serves; what is odd about it nevertheless.
    Serving {
        /// Such as a test point that it should list and does not.
        caveat: Option<String>,
    },
    /// It is left out; why.
    LeftOut {
        /// For the postmaster.
        why: String,
    },
}

impl ListHealth {
    /// Why its word does not count, if it does not.
    pub fn trouble(&self) -> Option<String> {
        match self {
            ListHealth::LeftOut { why } => Some(why.clone()),
            ListHealth::Untried | ListHealth::Serving { .. } => None,
        }
    }
}

/// What the test points of a list come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is a list; what is odd about it nevertheless.
    Passed { caveat: Option<String> },
    /// It may not be asked, or lists everything.
    Wrong(String),
    /// It did not answer.
    Silent(String),
}

/// Whether a list is asked now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// It is; whether its test points are to be looked at meanwhile.
    Ask { trial_due: bool },
    /// It is, and its answers count if its test points are found in order.
    AfterTrial,
    /// It is left out; whether it is to be tried meanwhile.
    Leave { why: String, trial_due: bool },
}

#[derive(Debug)]
pub(super) struct Standing {
    health: ListHealth,
    failures: u32,
    /// When the last of these was counted.
    failed_at: Option<Instant>,
    /// While it serves: when its test points are due. While it is left out: when it is tried again.
    trial_at: Option<Instant>,
    delay: Duration,
}

impl Default for Standing {
    fn default() -> Standing {
        Standing {
            health: ListHealth::Untried,
            failures: 0,
            failed_at: None,
            trial_at: None,
            delay: LIST_BACK_OFF_MIN,
        }
    }
}

impl Standing {
    pub(super) fn health(&self) -> ListHealth {
        self.health.clone()
    }

    /// Whether to ask at `now`. Whoever is told that a trial is due has to run it: nobody else is told so for a while.
    pub(super) fn admit(&mut self, now: Instant) -> Admission {
        let trial_due = self.trial_at.is_some_and(|at| at <= now);
        if trial_due {
            // Should the trial never end, as when its task is cancelled, another follows.
            self.trial_at = Some(now + LIST_BACK_OFF_MIN);
        }
        match &self.health {
            ListHealth::Untried => Admission::AfterTrial,
            ListHealth::Serving { .. } => Admission::Ask { trial_due },
            ListHealth::LeftOut { why } => Admission::Leave {
                why: why.clone(),
                trial_due,
            },
        }
    }

    /// It answered.
    pub(super) fn answered(&mut self) {
        self.failures = 0;
    }

    /// It failed in a whole round. Tells the new health if that changed.
    pub(super) fn failed(&mut self, why: &str, now: Instant) -> Option<ListHealth> {
        let is_same = |at: Instant| now.saturating_duration_since(at) < LIST_FAILURE_SPACING;
        if self.failed_at.is_some_and(is_same) {
            return None;
        }
        self.failed_at = Some(now);
        self.failures = self.failures.saturating_add(1);
        if self.failures < LIST_FAILURES_MAX {
            return None;
        }
        self.leave_out(why, now)
    }

    /// It answered what is no listing.
    pub(super) fn refused(&mut self, why: &str, now: Instant) -> Option<ListHealth> {
        self.leave_out(why, now)
    }

    /// Its test points have been looked at.
    pub(super) fn tried(&mut self, outcome: Outcome, now: Instant) -> Option<ListHealth> {
        match outcome {
            Outcome::Passed { caveat } => {
                let was_left_out = matches!(self.health, ListHealth::LeftOut { .. });
                self.health = ListHealth::Serving { caveat };
                self.failures = 0;
                self.delay = LIST_BACK_OFF_MIN;
                self.trial_at = Some(now + LIST_TRIAL_INTERVAL);
                was_left_out.then(|| self.health.clone())
            }
            Outcome::Wrong(why) => self.postpone(&why, now),
            // One that serves may miss a question; rounds tell whether it is away.
            Outcome::Silent(_) if matches!(self.health, ListHealth::Serving { .. }) => {
                self.trial_at = Some(now + LIST_BACK_OFF_MIN);
                None
            }
            Outcome::Silent(why) => self.postpone(&why, now),
        }
    }

    fn leave_out(&mut self, why: &str, now: Instant) -> Option<ListHealth> {
        if matches!(self.health, ListHealth::LeftOut { .. }) {
            return None;
        }
        self.postpone(why, now)
    }

    /// Leaves it out for the current delay, which then doubles.
    fn postpone(&mut self, why: &str, now: Instant) -> Option<ListHealth> {
        let is_news = !matches!(self.health, ListHealth::LeftOut { .. });
        self.health = ListHealth::LeftOut {
            why: why.to_owned(),
        };
        self.trial_at = Some(now + self.delay);
        self.delay = (self.delay * 2).min(LIST_BACK_OFF_MAX);
        is_news.then(|| self.health.clone())
    }
}

#[cfg(test)]
mod tests;

//! What is counted of a sender, each count halved with every half-life that passes.

use std::time::Duration;

use super::Lesson;

/// Below this a key is forgotten.
const FORGOTTEN_BELOW: f32 = 0.25;

/// Counts are brought up to date in steps of this many seconds: smaller ones would be lost in the precision of the numbers.
const STEP_SECONDS: u32 = 60;

/// Counters of one sender, as they stood at some time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    /// Messages that were accepted, with nothing held against them.
    pub good: f32,
    /// Messages that were refused as spam or for a virus.
    pub bad: f32,
    /// Recipients that do not exist.
    pub unknown: f32,
    /// Recipients that were accepted.
    pub known: f32,
    /// Refusals for anything else.
    pub refused: f32,
}

impl Tally {
    /// Messages on which something is known.
    pub fn volume(&self) -> f32 {
        self.good + self.bad
    }

    /// The share of bad messages, 0 without any.
    pub fn bad_share(&self) -> f32 {
        share(self.bad, self.good)
    }

    /// The share of recipients that do not exist, 0 without any.
    pub fn unknown_share(&self) -> f32 {
        share(self.unknown, self.known)
    }

    /// Adds what was learnt.
    pub(super) fn learn(&mut self, lesson: Lesson) {
        #[expect(
            clippy::cast_precision_loss,
            reason = "counts of one transaction are far below 2^24"
        )]
        match lesson {
            Lesson::Good => self.good += 1.0,
            Lesson::Bad(weight) => self.bad += weight.clamp(0.0, 1.0),
            Lesson::UnknownRecipients(count) => self.unknown += count as f32,
            Lesson::KnownRecipients(count) => self.known += count as f32,
            Lesson::Refused => self.refused += 1.0,
        }
    }

    /// Brings the counters from `updated` to `now`, and `updated` with them.
    pub(super) fn age(&mut self, updated: &mut u32, now: u32, half_life: Duration) {
        let passed = now.saturating_sub(*updated);
        if now < *updated {
            // The clock was set back: what is known counts from here on.
            *updated = now;
        }
        if passed < STEP_SECONDS {
            return;
        }
        *updated = now;
        *self = self.faded(passed, half_life);
    }

    /// The counters as they will stand after so many seconds in which nothing is learnt.
    pub(super) fn faded(&self, seconds: u32, half_life: Duration) -> Tally {
        let factor = (-f64::from(seconds) / half_life.as_secs_f64().max(1.0)).exp2();
        #[expect(clippy::cast_possible_truncation, reason = "a factor between 0 and 1")]
        let factor = factor as f32;
        Tally {
            good: self.good * factor,
            bad: self.bad * factor,
            unknown: self.unknown * factor,
            known: self.known * factor,
            refused: self.refused * factor,
        }
    }

    /// When, in seconds since 1970, it will be forgotten if nothing more is learnt.
    ///
    /// Messages count for most: a flood of names, as cheap as they are, must not outlive those whom one knows.
    pub(super) fn forgotten_at(&self, updated: u32, half_life: Duration) -> u32 {
        let recipients = (self.unknown + self.known + self.refused) * 0.05;
        let worth = (self.good * 4.0 + self.bad + recipients).max(FORGOTTEN_BELOW * 1.1);
        let half_lives = f64::from(worth / FORGOTTEN_BELOW).log2().clamp(0.0, 64.0);
        let seconds = half_lives * half_life.as_secs_f64();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a positive number, and the conversion saturates"
        )]
        let seconds = seconds as u32;
        updated.saturating_add(seconds)
    }

    /// Whether the numbers can be counts.
    pub(super) fn is_sane(&self) -> bool {
        [self.good, self.bad, self.unknown, self.known, self.refused]
            .iter()
            .all(|count| count.is_finite() && *count >= 0.0)
    }
}

fn share(part: f32, rest: f32) -> f32 {
    if part + rest > 0.0 {
        part / (part + rest)
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests;

//! What a sender is called, from its counters: good, neutral, unknown, suspect, bad; with hysteresis, and the reason in
//! words.
//!
//! Whoever is called something keeps the name until the counters are clearly others, so that nobody flickers between two
//! replies. Nobody is called bad or good on a few messages.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Key, Tally};
use crate::limits::{RECORD_BAD_SHARE, RECORD_GOOD_AGE, RECORD_VOLUME_MIN};

/// A network needs this many times the volume of an address: it stands for many.
const NETWORK_FACTOR: f32 = 4.0;

/// What a sender is called.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// It has sent many messages for days, and hardly any was refused.
    Good,
    /// Something is known, and nothing speaks against it.
    Neutral,
    /// Nearly nothing is known.
    #[default]
    Unknown,
    /// Half of what came from it was refused, or half of the recipients that it named do not exist.
    Suspect,
    /// Nearly all that came from it was refused, or nearly no recipient that it named exists.
    Bad,
}

/// From when on a sender is called what.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measures {
    /// Bad messages of one address or domain from which on it may be called bad.
    pub volume_min: f32,
    /// The share of bad messages from which on it is.
    pub bad_share: f32,
}

impl Default for Measures {
    fn default() -> Measures {
        Measures {
            volume_min: RECORD_VOLUME_MIN,
            bad_share: RECORD_BAD_SHARE,
        }
    }
}

impl Class {
    /// All of them, the best first.
    pub const ALL: [Class; 5] = [
        Class::Good,
        Class::Neutral,
        Class::Unknown,
        Class::Suspect,
        Class::Bad,
    ];

    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Class::Good => "good",
            Class::Neutral => "neutral",
            Class::Unknown => "unknown",
            Class::Suspect => "suspect",
            Class::Bad => "bad",
        }
    }
}

impl Measures {
    /// What a sender is called that was called `before`.
    pub(super) fn class(
        &self,
        key: &Key,
        tally: &Tally,
        before: Class,
        seconds_known: u32,
    ) -> Class {
        let bounds = self.bounds(key, tally);
        let is_bad = bounds.is_bad(before == Class::Bad);
        // A name that anybody may give cannot be condemned: it would be given to harm the one whose it is.
        if is_bad && !matches!(key, Key::ClaimedHelo(_)) {
            Class::Bad
        } else if is_bad || bounds.is_suspect(before >= Class::Suspect) {
            Class::Suspect
        } else if bounds.is_good(before == Class::Good, seconds_known)
            && !matches!(key, Key::ClaimedHelo(_))
        {
            Class::Good
        } else if tally.volume() < 2.0 {
            Class::Unknown
        } else {
            Class::Neutral
        }
    }

    fn bounds<'t>(&self, key: &Key, tally: &'t Tally) -> Bounds<'t> {
        let factor = match key {
            Key::Network(_) => NETWORK_FACTOR,
            _ => 1.0,
        };
        Bounds {
            tally,
            least: self.volume_min * factor,
            bad_share: self.bad_share,
        }
    }

    /// After how many seconds a sender that is called suspect or bad now will be called something better, if nothing more is
    /// learnt of it.
    pub(super) fn seconds_until_better(
        &self,
        key: &Key,
        tally: &Tally,
        class: Class,
        half_life: Duration,
    ) -> u32 {
        let is_still = |seconds| {
            let faded = tally.faded(seconds, half_life);
            self.class(key, &faded, class, 0) >= class
        };
        // Counts fade and their shares stay as they are: the name changes once, at a time that halving finds.
        let (mut still, mut better) = (0, u32::MAX);
        while better - still > 1 {
            let middle = still + (better - still) / 2;
            if is_still(middle) {
                still = middle;
            } else {
                better = middle;
            }
        }
        better
    }

    /// Whether an address is so bad that there is nothing to wait for.
    pub(super) fn is_hopeless(&self, tally: &Tally) -> bool {
        tally.bad >= self.volume_min * 5.0 && tally.bad_share() >= 0.95
    }
}

/// The counters of one sender beside what they are measured by. Each question has an easier answer for whoever it was
/// answered with yes before.
struct Bounds<'a> {
    tally: &'a Tally,
    least: f32,
    bad_share: f32,
}

impl Bounds<'_> {
    fn is_bad(&self, before: bool) -> bool {
        let ease = if before { 0.5 } else { 1.0 };
        let share = if before {
            self.bad_share - 0.2
        } else {
            self.bad_share
        };
        self.spams(ease, share) || self.guesses(5.0 * ease, if before { 0.8 } else { 0.9 })
    }

    fn is_suspect(&self, before: bool) -> bool {
        let ease = if before { 0.5 } else { 1.0 };
        self.spams(0.4 * ease, if before { 0.35 } else { 0.5 })
            || self.guesses(2.0 * ease, if before { 0.4 } else { 0.5 })
    }

    fn is_good(&self, before: bool, seconds_known: u32) -> bool {
        let (volume, share) = if before { (0.5, 0.05) } else { (2.0, 0.02) };
        self.tally.good >= self.least * volume
            && self.tally.bad_share() <= share
            && self.tally.unknown_share() < 0.5
            && (before || u64::from(seconds_known) >= RECORD_GOOD_AGE.as_secs())
    }

    /// Whether what it sends is what gave it this name, rather than the recipients that it named.
    fn is_for_spam(&self, class: Class) -> bool {
        match class {
            Class::Bad => self.spams(0.5, self.bad_share - 0.2),
            _ => self.spams(0.2, 0.35),
        }
    }

    /// It sends what is refused.
    fn spams(&self, ease: f32, share: f32) -> bool {
        self.tally.bad >= self.least * ease && self.tally.bad_share() >= share
    }

    /// It tries which recipients exist.
    fn guesses(&self, ease: f32, share: f32) -> bool {
        let Tally { good, unknown, .. } = *self.tally;
        unknown >= self.least * ease
            && self.tally.unknown_share() >= share
            // Who sends to an old list of subscribers sends good messages too.
            && good < unknown / 4.0
    }
}

/// Why a sender is called what it is.
pub(super) fn reason(measures: &Measures, key: &Key, tally: &Tally, class: Class) -> String {
    let (volume, bad) = (rounded(tally.volume()), rounded(tally.bad));
    let messages = || match bad {
        0 => format!("of {volume} messages from {key} in the last days none was refused"),
        1 => format!("of {volume} messages from {key} in the last days 1 was refused"),
        _ => format!("of {volume} messages from {key} in the last days {bad} were refused"),
    };
    let named = rounded(tally.unknown + tally.known);
    let unknown = rounded(tally.unknown);
    let guesses =
        format!("of {named} recipients that {key} named in the last days {unknown} do not exist");
    match class {
        Class::Unknown => format!("next to nothing is known of {key}"),
        Class::Suspect | Class::Bad if !measures.bounds(key, tally).is_for_spam(class) => guesses,
        _ if volume == 0 => guesses,
        _ => messages(),
    }
}

fn rounded(count: f32) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "never negative, and the conversion saturates"
    )]
    let rounded = count.round() as u64;
    rounded
}

#[cfg(test)]
mod tests;

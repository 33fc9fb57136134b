//! What the book says: were the promises kept?

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::ledger::{Book, Fate};
use super::source;

/// A delivery that a kill follows within this time may not have been noted yet, and is then repeated. So may one shortly after
/// the kill: the sink goes on reading what the server had sent before.
const IN_FLIGHT: Duration = Duration::from_secs(1);

/// The counts; an item is a message for one recipient.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) seed: u64,
    pub(super) seconds: f64,
    kills: usize,
    /// Items that got 250.
    accepted: u64,
    /// Of these, sent by smtp-source.
    pub(super) sourced: u64,
    /// Items among them that arrived.
    arrived: u64,
    /// Items among them that did not.
    lost: u64,
    /// Items that arrived though no client read a 250 for them: the kill came between.
    unacknowledged: u64,
    /// Deliveries once more, after one that a kill followed at once.
    repeated_in_flight: u64,
    /// Deliveries once more that no kill explains.
    repeated_unexplained: u64,
    /// How long before a kill the earliest delivery was that was repeated because of it.
    in_flight_max: Duration,
    waiting_at_kills: u64,
    /// Deliveries after a stop in good order of a server that had delivered everything.
    pub(super) repeated_after_clean_stop: u64,
    harmed: Vec<String>,
    /// Replies that refused something, by code: no promise, and none broken.
    pub(super) refusals: BTreeMap<String, u64>,
}

impl Report {
    pub(super) fn of(book: &Book, harmed: Vec<String>) -> Report {
        let mut report = Report {
            kills: book.kills.len(),
            waiting_at_kills: book.waiting_at_kills,
            harmed,
            ..Report::default()
        };
        for (item, fate) in &book.items {
            let (is_accepted, has_arrived) = (fate.accepted.is_some(), !fate.delivered.is_empty());
            report.accepted += u64::from(is_accepted);
            report.sourced += u64::from(is_accepted && source::is_ours(item.message));
            report.arrived += u64::from(is_accepted && has_arrived);
            report.lost += u64::from(is_accepted && !has_arrived);
            report.unacknowledged += u64::from(!is_accepted && has_arrived);
            report.count_repetitions(fate, &book.kills);
        }
        report
    }

    fn count_repetitions(&mut self, fate: &Fate, kills: &[Instant]) {
        let mut delivered = fate.delivered.clone();
        delivered.sort_unstable();
        for pair in delivered.windows(2) {
            let mut near = kills
                .iter()
                .filter(|kill| **kill <= pair[1])
                .map(|kill| (kill.saturating_duration_since(pair[0]), kill))
                .filter(|(ago, kill)| {
                    *ago <= IN_FLIGHT && pair[0].saturating_duration_since(**kill) <= IN_FLIGHT
                });
            match near.next() {
                Some((ago, _)) => {
                    self.repeated_in_flight += 1;
                    self.in_flight_max = self.in_flight_max.max(ago);
                }
                None => self.repeated_unexplained += 1,
            }
        }
    }

    /// Whether every promise was kept, and there was something to keep at the kills.
    pub(super) fn is_good(&self) -> bool {
        self.lost == 0
            && self.repeated_unexplained == 0
            && self.repeated_after_clean_stop == 0
            && self.harmed.is_empty()
            && self.proves_something()
    }

    /// Only what waits when the server is killed can be lost.
    fn proves_something(&self) -> bool {
        self.kills > 0 && self.waiting_at_kills > 0
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "crash": {
                "good": self.is_good(),
                "seed": self.seed,
                "seconds": self.seconds,
                "kills": self.kills,
                "accepted": self.accepted,
                "accepted_from_smtp_source": self.sourced,
                "arrived": self.arrived,
                "lost": self.lost,
                "unacknowledged": self.unacknowledged,
                "repeated_in_flight": self.repeated_in_flight,
                "repeated_unexplained": self.repeated_unexplained,
                "repeated_after_clean_stop": self.repeated_after_clean_stop,
                "in_flight_max_milliseconds": self.in_flight_max.as_millis() as u64,
                "waiting_at_kills": self.waiting_at_kills,
                "harmed": self.harmed,
                "refusals": self.refusals,
            }
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match (self.is_good(), self.proves_something()) {
            (true, _) => "kept",
            (false, true) => "BROKEN",
            (false, false) => "NOT TRIED (nothing was queued at any kill)",
        };
        writeln!(
            f,
            "promises {word}: seed {}, {} kills in {:.0} s",
            self.seed, self.kills, self.seconds
        )?;
        let lines = [
            ("accepted (messages for one recipient each)", self.accepted),
            ("of those sent by smtp-source", self.sourced),
            ("of those arrived", self.arrived),
            ("of those lost", self.lost),
            (
                "waiting in the queue at kills, in all",
                self.waiting_at_kills,
            ),
            ("arrived without an acknowledged 250", self.unacknowledged),
            ("repeated, in flight at a kill", self.repeated_in_flight),
            ("repeated, unexplained", self.repeated_unexplained),
            (
                "repeated after a clean stop",
                self.repeated_after_clean_stop,
            ),
            ("harmed", self.harmed.len() as u64),
        ];
        for (what, count) in lines {
            writeln!(f, "{count:>9}  {what}")?;
        }
        writeln!(
            f,
            "{:>6} ms  from the earliest repeated delivery to its kill",
            self.in_flight_max.as_millis()
        )?;
        for why in &self.harmed {
            writeln!(f, "           harmed: {why}")?;
        }
        for (reply, count) in &self.refusals {
            writeln!(f, "{count:>9}  replies {reply}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;

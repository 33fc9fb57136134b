//! How much comes in a time, by network or by domain: a token bucket for each, in a bounded table.
//!
//! A bucket that is full again is forgotten, since a new one is as good. When the table is full of others, those that were
//! drawn from longest ago go: they are the fullest.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Buckets at most; each takes some 40 bytes.
const BUCKETS_MAX: usize = 100_000;

/// So many in a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Allowance {
    /// At most so many; at least 1.
    pub count: u32,
    /// In this time.
    pub per: Duration,
}

/// The buckets. Shared by reference.
#[derive(Debug, Default)]
pub struct Rates {
    hasher: RandomState,
    buckets: Mutex<HashMap<u64, Bucket>>,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    tokens: f64,
    drawn: Instant,
    /// Tokens that come in each second, and that it holds: the allowance may change with the configuration.
    per_second: f64,
    most: f64,
}

impl Rates {
    /// Draws one for `who` at `now`: true if the allowance has not been used up. What is not granted is not drawn: whoever keeps
    /// on trying is heard as often as his allowance says.
    pub fn draw<K: Hash>(&self, who: &K, allowance: &Allowance, now: Instant) -> bool {
        let key = self.hasher.hash_one((allowance, who));
        let most = f64::from(allowance.count.max(1));
        let full = Bucket {
            tokens: most,
            drawn: now,
            per_second: most / allowance.per.as_secs_f64().max(0.001),
            most,
        };
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= BUCKETS_MAX && !buckets.contains_key(&key) {
            make_room(&mut buckets, now);
        }
        let bucket = buckets.entry(key).or_insert(full);
        bucket.tokens = bucket.level(now);
        bucket.drawn = now;
        if bucket.tokens < 1.0 {
            return false;
        }
        bucket.tokens -= 1.0;
        true
    }

    /// Forgets buckets that are full.
    pub fn tidy_up(&self, now: Instant) {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        buckets.retain(|_, bucket| bucket.level(now) < bucket.most);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.buckets
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Bucket {
    fn level(&self, now: Instant) -> f64 {
        let passed = now.saturating_duration_since(self.drawn).as_secs_f64();
        (self.tokens + passed * self.per_second).min(self.most)
    }
}

fn make_room(buckets: &mut HashMap<u64, Bucket>, now: Instant) {
    // An eighth goes in all, so that looking at all of them is paid for by as many that are new.
    buckets.retain(|_, bucket| bucket.level(now) < bucket.most);
    let most = BUCKETS_MAX - BUCKETS_MAX / 8;
    let mut left = buckets.len().saturating_sub(most);
    if left == 0 {
        return;
    }
    let mut times: Vec<Instant> = buckets.values().map(|bucket| bucket.drawn).collect();
    let (_, bound, _) = times.select_nth_unstable(left - 1);
    let bound = *bound;
    buckets.retain(|_, bucket| {
        let goes = left > 0 && bucket.drawn <= bound;
        left -= usize::from(goes);
        !goes
    });
}

#[cfg(test)]
mod tests;

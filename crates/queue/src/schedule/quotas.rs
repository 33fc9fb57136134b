//! Bounds that several sites share: connections at a time, and messages in a time (a token bucket of whole messages).
//!
//! A bucket holds a tenth of what its time allows, at least one message: nobody gets a whole hour's messages in one second.

use std::sync::Arc;
use std::time::Duration;

use super::rings::{Ring, Unit};
use super::{Millis, Schedule};
use crate::{Quota, Rate};

/// A shared bound.
#[derive(Debug)]
pub(super) struct Bound {
    pub(super) key: Arc<str>,
    pub(super) connections_max: Option<u32>,
    pub(super) connections: u32,
    bucket: Option<Bucket>,
    /// Sites that it keeps from connecting.
    pub(super) kept: Ring<u32>,
    /// Sites and slots that name it.
    pub(super) users: u32,
}

/// A token bucket in whole numbers: a message costs `per`, a millisecond brings `messages`.
#[derive(Debug)]
struct Bucket {
    messages: u64,
    per: u64,
    level: u64,
    at: Millis,
}

impl Bucket {
    fn new(rate: Rate, now: Millis) -> Bucket {
        let per = u64::try_from(rate.per.as_millis())
            .unwrap_or(u64::MAX)
            .clamp(1, u64::from(u32::MAX));
        let messages = u64::from(rate.messages.max(1));
        let mut bucket = Bucket {
            messages,
            per,
            level: 0,
            at: now,
        };
        bucket.level = bucket.level_max();
        bucket
    }

    fn level_max(&self) -> u64 {
        (self.messages / 10).max(1).saturating_mul(self.per)
    }

    fn refill(&mut self, now: Millis) {
        let passed = now.0.saturating_sub(self.at.0);
        let level = self
            .level
            .saturating_add(passed.saturating_mul(self.messages));
        self.level = level.min(self.level_max());
        self.at = self.at.max(now);
    }

    /// How long until there is one message more than so many.
    fn wait(&self, beyond: u64) -> Duration {
        let needed = self
            .per
            .saturating_mul(beyond.saturating_add(1))
            .min(self.level_max());
        let lacking = needed.saturating_sub(self.level);
        Duration::from_millis(lacking.div_ceil(self.messages))
    }
}

impl Schedule {
    /// The number of the bound of this name, held to these values from now on. One user more.
    pub(super) fn use_bound(&mut self, quota: &Quota, now: Millis) -> u32 {
        let id = match self.bound_ids.get(&quota.key) {
            Some(&id) => id,
            None => {
                let id = self.bounds.put(Bound {
                    key: Arc::clone(&quota.key),
                    connections_max: None,
                    connections: 0,
                    bucket: None,
                    kept: Ring::default(),
                    users: 0,
                });
                self.bound_ids.insert(Arc::clone(&quota.key), id);
                id
            }
        };
        let mut more = false;
        if let Some(bound) = self.bounds.at_mut(id) {
            bound.users += 1;
            let before = bound.connections_max;
            bound.connections_max = quota.connections_max;
            more =
                before.is_some_and(|before| quota.connections_max.is_none_or(|max| max > before));
            let wanted = quota.rate.map(|rate| Bucket::new(rate, now));
            let same = match (&bound.bucket, &wanted) {
                (Some(old), Some(new)) => old.messages == new.messages && old.per == new.per,
                (None, None) => true,
                _ => false,
            };
            if !same {
                bound.bucket = wanted;
            }
        }
        if more {
            self.wake_kept(id, now);
        }
        id
    }

    pub(super) fn leave_bound(&mut self, id: u32) {
        let Some(bound) = self.bounds.at_mut(id) else {
            return;
        };
        bound.users -= 1;
        if bound.users == 0
            && let Some(bound) = self.bounds.free(id)
        {
            self.bound_ids.remove(&bound.key);
        }
    }

    /// How many more connections these bounds allow.
    pub(super) fn bounds_room(&self, bounds: &[u32]) -> u32 {
        let room = |&id: &u32| {
            let bound = self.bounds.at(id)?;
            Some(bound.connections_max?.saturating_sub(bound.connections))
        };
        bounds.iter().filter_map(room).min().unwrap_or(u32::MAX)
    }

    pub(super) fn hold_bounds(&mut self, bounds: &[u32]) {
        for &id in bounds {
            if let Some(bound) = self.bounds.at_mut(id) {
                bound.connections += 1;
                bound.users += 1;
            }
        }
    }

    /// One connection less; a site that was kept from connecting is woken.
    pub(super) fn free_bounds(&mut self, bounds: &[u32], now: Millis) {
        for &id in bounds {
            if let Some(bound) = self.bounds.at_mut(id) {
                bound.connections -= 1;
            }
            self.wake_kept(id, now);
            self.leave_bound(id);
        }
    }

    /// A site that was woken has no use for its bounds' connections: others may.
    pub(super) fn pass_on(&mut self, site: u32, now: Millis) {
        let bounds = self.sites.at(site).map(|site| site.bounds.clone());
        for id in bounds.unwrap_or_default() {
            if self.bounds_room(&[id]) > 0 {
                self.wake_kept(id, now);
            }
        }
    }

    fn wake_kept(&mut self, id: u32, now: Millis) {
        while self.bounds_room(&[id]) > 0 {
            let kept = self.bounds.at_mut(id).and_then(|bound| bound.kept.pop());
            let Some((site_id, stamp)) = kept else {
                return;
            };
            self.steps += 1;
            let Some(site) = self.sites.at_mut(site_id) else {
                continue;
            };
            if site.kept_stamp != stamp {
                continue;
            }
            site.kept_stamp = 0;
            self.rouse(site_id, now);
            if self.sites.at(site_id).is_some_and(|site| site.awake > 0) {
                return;
            }
        }
    }

    /// A site waits for a connection of whichever of its bounds has none left.
    pub(super) fn keep_site(&mut self, site: u32, bounds: &[u32]) {
        let stamp = self.new_stamp();
        let Some(entry) = self.sites.at_mut(site) else {
            return;
        };
        if entry.kept_stamp != 0 {
            return;
        }
        let full = |id: &&u32| {
            let bound = self.bounds.at(**id);
            bound.is_some_and(|bound| {
                bound
                    .connections_max
                    .is_some_and(|max| bound.connections >= max)
            })
        };
        if let Some(&id) = bounds.iter().find(full)
            && let Some(bound) = self.bounds.at_mut(id)
        {
            entry.kept_stamp = stamp;
            bound.kept.push(site, stamp);
        }
    }

    /// How long these bounds' rates keep a message waiting that comes after so many.
    pub(super) fn rate_wait(&mut self, bounds: &[u32], beyond: u64, now: Millis) -> Duration {
        let mut longest = Duration::ZERO;
        for &id in bounds {
            if let Some(bucket) = self
                .bounds
                .at_mut(id)
                .and_then(|bound| bound.bucket.as_mut())
            {
                bucket.refill(now);
                longest = longest.max(bucket.wait(beyond));
            }
        }
        longest
    }

    /// How many messages these bounds' buckets hold at most.
    pub(super) fn burst(&self, bounds: &[u32]) -> u64 {
        let burst = |&id: &u32| {
            let bucket = self.bounds.at(id)?.bucket.as_ref()?;
            Some(bucket.level_max() / bucket.per)
        };
        bounds.iter().filter_map(burst).min().unwrap_or(u64::MAX)
    }

    /// A message goes out.
    pub(super) fn spend(&mut self, bounds: &[u32]) {
        for &id in bounds {
            if let Some(bucket) = self
                .bounds
                .at_mut(id)
                .and_then(|bound| bound.bucket.as_mut())
            {
                bucket.level = bucket.level.saturating_sub(bucket.per);
            }
        }
    }

    /// A site whose bounds' rate is used up is looked at again then.
    pub(super) fn wake_site_at(&mut self, site: u32, at: Millis) {
        let Some(entry) = self.sites.at_mut(site) else {
            return;
        };
        if entry.timer == Some(at) {
            return;
        }
        if let Some(before) = entry.timer.replace(at) {
            self.timers.remove(&(before, Unit::Site(site)));
        }
        self.timers.insert((at, Unit::Site(site)));
    }
}

//! Sites: slow start, back-off, who waits for room, and the customers' shares of a site.
//!
//! A site that is not known to work, because it is new or has failed, gets one connection at a time until one has worked.

use std::sync::Arc;
use std::time::Duration;

use super::rings::{Ring, Unit};
use super::{Millis, Schedule};
use crate::{BackOff, Quota, SiteFault, SiteLimits, Suspended};

/// How long a site that nobody uses is remembered, in milliseconds.
const SITE_KEPT: u64 = 3_600_000;
/// How many are, at most.
const SITES_KEPT_MAX: usize = 10_000;
/// How long a site is left alone that has too much to do already for one connection; doubled each time, up to the shortest
/// back-off.
const BUSY_PAUSE: Duration = Duration::from_secs(5);

/// What is known of a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// A transaction was finished, and nothing failed since.
    Proven = 0,
    /// Never tried.
    New = 1,
    /// Nobody was reached the last time.
    Failing = 2,
}

/// A site.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) name: Arc<str>,
    pub(super) limits: SiteLimits,
    pub(super) bounds: Vec<u32>,
    pub(super) standing: Standing,
    pub(super) window: u32,
    /// Below this the window grows by one with each success, above it by one with as many successes as it has connections.
    threshold: u32,
    credit: u32,
    busy: u32,
    pub(super) failures: u32,
    pub(super) until: Millis,
    pub(super) last: Option<SiteFault>,
    pub(super) suspended: bool,
    pub(super) slots: u32,
    /// Slots without a parcel.
    pub(super) hungry: u32,
    /// Slots over which something has worked.
    pub(super) working: u32,
    /// Parcels that may be given.
    pub(super) ready: u64,
    pub(super) shares: u32,
    /// Shares with something to do that wait for room, and how many do not.
    pub(super) parked: Ring<u32>,
    pub(super) awake: u32,
    /// Shares with something to give.
    pub(super) givers: Ring<u32>,
    pub(super) kept_stamp: u64,
    pub(super) timer: Option<Millis>,
    idle_since: Option<Millis>,
}

/// A customer's share of a site: the lanes that lead there.
#[derive(Debug)]
pub(super) struct Share {
    pub(super) customer: u32,
    pub(super) site: u32,
    lanes: u32,
    pub(super) lanes_ready: Ring<u32>,
    /// Its place among those that may be granted a slot, among those that wait for room, and among those that give.
    pub(super) awake_stamp: u64,
    pub(super) parked_stamp: u64,
    pub(super) giver_stamp: u64,
}

impl Schedule {
    /// The site of this name, held to these limits from now on.
    pub(super) fn intern_site(
        &mut self,
        name: &str,
        limits: &SiteLimits,
        quotas: &[Quota],
        now: Millis,
    ) -> u32 {
        let id = match self.site_ids.get(name) {
            Some(&id) => id,
            None => self.new_site(name, limits),
        };
        let bounds: Vec<u32> = quotas
            .iter()
            .map(|quota| self.use_bound(quota, now))
            .collect();
        let Some(site) = self.sites.at_mut(id) else {
            return id;
        };
        if site.bounds != bounds {
            site.kept_stamp = 0;
        }
        let before = std::mem::replace(&mut site.bounds, bounds);
        site.limits = limits.clone();
        site.window = site.window.clamp(1, limits.connections_max.max(1));
        if let Some(since) = site.idle_since.take() {
            self.idle_sites.remove(&(since, id));
        }
        for bound in before {
            self.leave_bound(bound);
        }
        id
    }

    fn new_site(&mut self, name: &str, limits: &SiteLimits) -> u32 {
        let name: Arc<str> = Arc::from(name);
        let id = self.sites.put(Site {
            name: Arc::clone(&name),
            limits: limits.clone(),
            bounds: Vec::new(),
            standing: Standing::New,
            window: limits
                .connections_first
                .clamp(1, limits.connections_max.max(1)),
            threshold: u32::MAX,
            credit: 0,
            busy: 0,
            failures: 0,
            until: Millis(0),
            last: None,
            suspended: self.suspended.contains(&Suspended::Site(name.to_string())),
            slots: 0,
            hungry: 0,
            working: 0,
            ready: 0,
            shares: 0,
            parked: Ring::default(),
            awake: 0,
            givers: Ring::default(),
            kept_stamp: 0,
            timer: None,
            idle_since: None,
        });
        self.site_ids.insert(name, id);
        id
    }

    /// The lane leads to this site from now on.
    pub(super) fn join_share(&mut self, lane_id: u32, site_id: u32, now: Millis) {
        let Some(lane) = self.lanes.at(lane_id) else {
            return;
        };
        let customer = lane.customer;
        let current = lane.share.and_then(|share| self.shares.at(share));
        if current.is_some_and(|share| share.site == site_id) {
            return;
        }
        self.leave_share(lane_id, now);
        let share_id = match self.share_ids.get(&(customer, site_id)) {
            Some(&id) => id,
            None => {
                let id = self.shares.put(Share {
                    customer,
                    site: site_id,
                    lanes: 0,
                    lanes_ready: Ring::default(),
                    awake_stamp: 0,
                    parked_stamp: 0,
                    giver_stamp: 0,
                });
                self.share_ids.insert((customer, site_id), id);
                if let Some(site) = self.sites.at_mut(site_id) {
                    site.shares += 1;
                }
                id
            }
        };
        if let Some(share) = self.shares.at_mut(share_id) {
            share.lanes += 1;
        }
        if let Some(lane) = self.lanes.at_mut(lane_id) {
            lane.share = Some(share_id);
            lane.stamp = 0;
        }
        self.count_lane(lane_id);
        self.wake_lane(lane_id, now);
    }

    /// The lane leads nowhere that is known.
    pub(super) fn leave_share(&mut self, lane_id: u32, now: Millis) {
        let Some(lane) = self.lanes.at_mut(lane_id) else {
            return;
        };
        lane.stamp = 0;
        let Some(share_id) = lane.share.take() else {
            return;
        };
        let counted = lane.uncount();
        let Some(share) = self.shares.at_mut(share_id) else {
            return;
        };
        share.lanes -= 1;
        let (site_id, customer, awake) = (share.site, share.customer, share.awake_stamp != 0);
        let gone = share.lanes == 0;
        if let Some(site) = self.sites.at_mut(site_id) {
            site.ready -= u64::from(counted);
            if gone {
                site.shares -= 1;
                site.awake -= u32::from(awake);
            }
        }
        if gone {
            self.share_ids.remove(&(customer, site_id));
            self.shares.free(share_id);
        }
        self.rouse(site_id, now);
        self.mark_site_if_idle(site_id, now);
    }

    /// A share may have something to do that it had not before.
    pub(super) fn wake_share(&mut self, id: u32, now: Millis) {
        let (giver, parked) = (self.new_stamp(), self.new_stamp());
        let Some(share) = self.shares.at_mut(id) else {
            return;
        };
        let site_id = share.site;
        let Some(site) = self.sites.at_mut(site_id) else {
            return;
        };
        if share.giver_stamp == 0 {
            share.giver_stamp = giver;
            site.givers.push(id, giver);
        }
        if share.awake_stamp == 0 && share.parked_stamp == 0 {
            share.parked_stamp = parked;
            site.parked.push(id, parked);
        }
        self.rouse(site_id, now);
    }

    /// Wakes as many shares as the site has room for.
    pub(super) fn rouse(&mut self, id: u32, now: Millis) {
        loop {
            let Some(site) = self.sites.at(id) else {
                return;
            };
            let (awake, standing) = (site.awake, site.standing);
            if site.parked.is_empty() || awake >= self.room(id, now) {
                return;
            }
            let Some(site) = self.sites.at_mut(id) else {
                return;
            };
            let Some((share_id, stamp)) = site.parked.pop() else {
                return;
            };
            self.steps += 1;
            let fresh = self.new_stamp();
            let Some(share) = self.shares.at_mut(share_id) else {
                continue;
            };
            if share.parked_stamp != stamp {
                continue;
            }
            share.parked_stamp = 0;
            share.awake_stamp = fresh;
            let customer = share.customer;
            if let Some(site) = self.sites.at_mut(id) {
                site.awake += 1;
            }
            self.put_unit(customer, standing, Unit::Share(share_id), fresh);
        }
    }

    /// How many more connections a site may have now and has work for. Where something but time or work is lacking, the
    /// site is woken when it is there.
    pub(super) fn room(&mut self, id: u32, now: Millis) -> u32 {
        let Some(site) = self.sites.at(id) else {
            return 0;
        };
        let wanted = site.ready.saturating_sub(u64::from(site.hungry));
        let wanted = u32::try_from(wanted).unwrap_or(u32::MAX);
        let room = site.open_room(now).min(wanted);
        if room == 0 {
            return 0;
        }
        let (bounds, hungry) = (site.bounds.clone(), u64::from(site.hungry));
        let allowed = self.bounds_room(&bounds);
        if allowed == 0 {
            self.keep_site(id, &bounds);
            return 0;
        }
        if hungry >= self.burst(&bounds) {
            // Its hungry slots take all that a full bucket holds; when they have, the site is looked at again.
            return 0;
        }
        let wait = self.rate_wait(&bounds, hungry, now);
        if wait > Duration::ZERO {
            self.wake_site_at(id, now.after(wait));
            return 0;
        }
        room.min(allowed)
    }

    /// Something worked over this slot.
    pub(super) fn site_worked(&mut self, slot_id: u32, now: Millis) {
        let Some(slot) = self.slots.at_mut(slot_id) else {
            return;
        };
        let Some(site_id) = slot.site.filter(|_| slot.entered) else {
            return;
        };
        let first = !std::mem::replace(&mut slot.working, true);
        self.restand_slot(slot_id, Standing::Proven);
        let Some(site) = self.sites.at_mut(site_id) else {
            return;
        };
        site.working += u32::from(first);
        site.grow();
        site.standing = Standing::Proven;
        site.failures = 0;
        site.until = Millis(0);
        site.last = None;
        self.rouse(site_id, now);
    }

    pub(super) fn site_busy(&mut self, slot_id: u32, now: Millis) {
        let slot = self.slots.at(slot_id).filter(|slot| slot.entered);
        let Some(site_id) = slot.and_then(|slot| slot.site) else {
            return;
        };
        let Some(site) = self.sites.at_mut(site_id) else {
            return;
        };
        site.shrink();
        if site.busy > 1 && site.window == 1 {
            let doublings = (site.busy - 2).min(16);
            let pause = BUSY_PAUSE.saturating_mul(1 << doublings);
            let pause = pause.min(site.limits.back_off.min.max(BUSY_PAUSE));
            let until = now.after(self.jittered(pause));
            self.leave_alone(site_id, until);
        }
    }

    /// The site is left alone until then, if not longer already.
    fn leave_alone(&mut self, id: u32, until: Millis) {
        let Some(site) = self.sites.at_mut(id) else {
            return;
        };
        site.until = site.until.max(until);
        let until = site.until;
        self.wake_site_at(id, until);
    }

    pub(super) fn slot_failed(
        &mut self,
        slot_id: u32,
        fault: SiteFault,
        back_off: BackOff,
        now: Millis,
    ) {
        let Some(slot) = self.slots.at(slot_id) else {
            return;
        };
        let (lane_id, working) = (slot.lane, slot.working);
        match slot.site.filter(|_| slot.entered) {
            Some(site_id) => self.site_failed(site_id, working, fault, now),
            None => self.lane_failed(lane_id, fault, back_off, now),
        }
        self.release_slot(slot_id, now);
    }

    fn site_failed(&mut self, id: u32, working: bool, fault: SiteFault, now: Millis) {
        let Some(site) = self.sites.at_mut(id) else {
            return;
        };
        site.last = Some(fault);
        if site.working > u32::from(working) {
            // Other connections work: it cannot be dead, it has too many.
            site.shrink();
            return;
        }
        if site.until > now {
            // One that was tried at the same time has said so already.
            return;
        }
        site.failures += 1;
        site.standing = Standing::Failing;
        site.window = site
            .limits
            .connections_first
            .clamp(1, site.limits.connections_max.max(1));
        site.threshold = u32::MAX;
        let delay = site.limits.back_off.delay(site.failures);
        let until = now.after(self.jittered(delay));
        self.leave_alone(id, until);
    }

    fn lane_failed(&mut self, id: u32, fault: SiteFault, back_off: BackOff, now: Millis) {
        self.leave_share(id, now);
        let Some(lane) = self.lanes.at_mut(id) else {
            return;
        };
        lane.last = Some(Box::new(fault));
        lane.failures += 1;
        let (failures, before) = (lane.failures, lane.until);
        let delay = back_off.delay(failures);
        let until = now.after(self.jittered(delay));
        if let Some(lane) = self.lanes.at_mut(id) {
            lane.until = until;
        }
        self.timers.remove(&(before, Unit::Lane(id)));
        self.timers.insert((until, Unit::Lane(id)));
    }

    pub(super) fn mark_site_if_idle(&mut self, id: u32, now: Millis) {
        if let Some(site) = self.sites.at_mut(id)
            && site.shares == 0
            && site.slots == 0
            && site.idle_since.is_none()
        {
            site.idle_since = Some(now);
            self.idle_sites.insert((now, id));
        }
    }

    /// Forgets sites that nobody used for a while, a few at a time.
    pub(super) fn forget_idle_sites(&mut self, now: Millis) {
        for _ in 0..16 {
            let Some(&(since, id)) = self.idle_sites.first() else {
                return;
            };
            let kept = now.0.saturating_sub(since.0) < SITE_KEPT;
            if kept && self.idle_sites.len() <= SITES_KEPT_MAX {
                return;
            }
            self.idle_sites.pop_first();
            let Some(site) = self.sites.free(id) else {
                continue;
            };
            self.site_ids.remove(&site.name);
            if let Some(at) = site.timer {
                self.timers.remove(&(at, Unit::Site(id)));
            }
            for bound in site.bounds {
                self.leave_bound(bound);
            }
        }
    }
}

impl Site {
    /// How many more connections the site itself allows.
    pub(super) fn open_room(&self, now: Millis) -> u32 {
        if self.suspended || self.until > now {
            return 0;
        }
        self.window_now().saturating_sub(self.slots)
    }

    /// How many connections it may have now.
    pub(super) fn window_now(&self) -> u32 {
        match self.standing {
            // One that may be dead would have as many connections time out as it may have at first.
            Standing::New | Standing::Failing => 1,
            Standing::Proven => self.window,
        }
    }

    fn grow(&mut self) {
        self.busy = 0;
        if self.window < self.threshold {
            self.window += 1;
        } else {
            self.credit += 1;
            if self.credit >= self.window {
                self.credit = 0;
                self.window += 1;
            }
        }
        self.window = self.window.clamp(1, self.limits.connections_max.max(1));
    }

    fn shrink(&mut self) {
        self.busy = self.busy.saturating_add(1);
        self.window = (self.window / 2).max(1);
        self.threshold = self.window;
        self.credit = 0;
    }
}

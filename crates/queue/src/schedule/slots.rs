//! Slots: entering a site, taking parcels one after the other, and giving the connection back.

use std::time::Duration;

use super::sites::Standing;
use super::{Millis, ParcelId, Schedule, Take};
use crate::{Quota, SiteLimits};

/// A granted connection.
#[derive(Debug)]
pub(super) struct SlotEntry {
    pub(super) lane: u32,
    /// The site that it counts for.
    pub(super) site: Option<u32>,
    /// The bounds that it counts for.
    pub(super) bounds: Vec<u32>,
    pub(super) entered: bool,
    /// Whether it has no parcel.
    pub(super) hungry: bool,
    pub(super) working: bool,
    pub(super) standing: Standing,
    pub(super) taken: u32,
}

impl Schedule {
    /// A slot for this lane, counted for the site that it leads to.
    pub(super) fn new_slot(&mut self, lane: u32, site: Option<u32>, standing: Standing) -> u32 {
        let id = self.slots.put(SlotEntry {
            lane,
            site: None,
            bounds: Vec::new(),
            entered: false,
            hungry: true,
            working: false,
            standing,
            taken: 0,
        });
        if let Some(lane) = self.lanes.at_mut(lane) {
            lane.slots += 1;
        }
        if let Some(count) = self.slots_by_standing.get_mut(standing as usize) {
            *count += 1;
        }
        if let Some(site) = site {
            self.count_slot(id, site);
        }
        id
    }

    /// Whether one more slot may be had for sites of this standing: of dead ones a quarter of all together, of those that
    /// are not known to work three quarters.
    pub(super) fn standing_allows(&self, standing: Standing) -> bool {
        let max = self.limits.connections_max.max(1);
        let (failing_max, unproven_max) = ((max / 4).max(1), max - max / 4);
        let [_, new, failing] = self.slots_by_standing;
        match standing {
            Standing::Proven => true,
            Standing::New => new + failing < unproven_max,
            Standing::Failing => failing < failing_max && new + failing < unproven_max,
        }
    }

    pub(super) fn restand_slot(&mut self, id: u32, standing: Standing) {
        let Some(slot) = self.slots.at_mut(id) else {
            return;
        };
        let before = std::mem::replace(&mut slot.standing, standing);
        if let Some(count) = self.slots_by_standing.get_mut(before as usize) {
            *count -= 1;
        }
        if let Some(count) = self.slots_by_standing.get_mut(standing as usize) {
            *count += 1;
        }
    }

    fn count_slot(&mut self, id: u32, site_id: u32) {
        let Some(site) = self.sites.at_mut(site_id) else {
            return;
        };
        let Some(slot) = self.slots.at_mut(id) else {
            return;
        };
        site.slots += 1;
        site.hungry += u32::from(slot.hungry);
        slot.site = Some(site_id);
        slot.bounds.clone_from(&site.bounds);
        let bounds = slot.bounds.clone();
        self.hold_bounds(&bounds);
    }

    fn uncount_slot(&mut self, id: u32, now: Millis) -> Option<u32> {
        let slot = self.slots.at_mut(id)?;
        let site_id = slot.site.take()?;
        let bounds = std::mem::take(&mut slot.bounds);
        let (hungry, working) = (slot.hungry, slot.working);
        if let Some(site) = self.sites.at_mut(site_id) {
            site.slots -= 1;
            site.hungry -= u32::from(hungry);
            site.working -= u32::from(working);
        }
        self.free_bounds(&bounds, now);
        Some(site_id)
    }

    pub(super) fn try_enter(
        &mut self,
        id: u32,
        name: &str,
        limits: &SiteLimits,
        quotas: &[Quota],
        now: Millis,
    ) -> Option<()> {
        let lane = self.slots.at(id)?.lane;
        let site_id = self.intern_site(name, limits, quotas, now);
        let before = self.uncount_slot(id, now);
        let slot = self.slots.at_mut(id)?;
        slot.entered = false;
        slot.working = false;
        self.join_share(lane, site_id, now);
        if let Some(before) = before.filter(|before| *before != site_id) {
            self.rouse(before, now);
            self.mark_site_if_idle(before, now);
        }
        if let Some(lane) = self.lanes.at_mut(lane) {
            lane.failures = 0;
            lane.last = None;
        }
        let site = self.sites.at(site_id)?;
        let (standing, bounds) = (site.standing, site.bounds.clone());
        let open = site.open_room(now) > 0;
        let had = self.slots.at(id)?.standing;
        let allowed =
            standing != Standing::Failing || had == standing || self.standing_allows(standing);
        if !(open && allowed) || self.bounds_room(&bounds) == 0 {
            self.wake_lane(lane, now);
            return None;
        }
        self.restand_slot(id, standing);
        self.count_slot(id, site_id);
        self.slots.at_mut(id)?.entered = true;
        Some(())
    }

    pub(super) fn take_for(&mut self, id: u32, now: Millis) -> Option<Take> {
        self.set_hungry(id, true, now);
        let slot = self.slots.at(id)?;
        let (lane, taken) = (slot.lane, slot.taken);
        let Some(site_id) = slot.site.filter(|_| slot.entered) else {
            let lane_entry = self.lanes.at(lane)?;
            if lane_entry.ready() == 0 {
                return None;
            }
            let parcel = self.give(lane)?;
            return Some(Take::Parcel(ParcelId(parcel)));
        };
        let site = self.sites.at(site_id)?;
        // After a 421 the connection at hand has no more right to go on than a new one would have.
        let asks_for_patience = site.until > now || site.slots > site.window_now();
        if site.suspended
            || site.ready == 0
            || asks_for_patience
            || taken >= site.limits.parcels_per_connection_max.max(1)
        {
            return None;
        }
        let bounds = self.slots.at(id)?.bounds.clone();
        let wait = self.rate_wait(&bounds, 0, now);
        if wait > Duration::ZERO {
            return Some(Take::Wait(wait));
        }
        let parcel = self.give_of_site(site_id)?;
        self.spend(&bounds);
        self.slots.at_mut(id)?.taken += 1;
        self.set_hungry(id, false, now);
        Some(Take::Parcel(ParcelId(parcel)))
    }

    /// The next parcel of a site: customers take turns, then lanes.
    fn give_of_site(&mut self, site_id: u32) -> Option<u32> {
        loop {
            let (share_id, stamp) = self.sites.at_mut(site_id)?.givers.pop()?;
            self.steps += 1;
            let Some(share) = self.shares.at_mut(share_id) else {
                continue;
            };
            if share.giver_stamp != stamp {
                continue;
            }
            share.giver_stamp = 0;
            if let Some(parcel) = self.give_of_share(share_id) {
                let stamp = self.new_stamp();
                if let Some(share) = self.shares.at_mut(share_id)
                    && !share.lanes_ready.is_empty()
                    && let Some(site) = self.sites.at_mut(site_id)
                {
                    share.giver_stamp = stamp;
                    site.givers.push(share_id, stamp);
                }
                return Some(parcel);
            }
        }
    }

    fn give_of_share(&mut self, share_id: u32) -> Option<u32> {
        loop {
            let (lane_id, stamp) = self.shares.at_mut(share_id)?.lanes_ready.pop()?;
            self.steps += 1;
            let Some(lane) = self.lanes.at_mut(lane_id) else {
                continue;
            };
            if lane.stamp != stamp {
                continue;
            }
            lane.stamp = 0;
            if lane.ready() == 0 {
                continue;
            }
            let Some(parcel) = self.give(lane_id) else {
                continue;
            };
            let stamp = self.new_stamp();
            if let Some(lane) = self.lanes.at_mut(lane_id)
                && lane.ready() > 0
                && let Some(share) = self.shares.at_mut(share_id)
            {
                lane.stamp = stamp;
                share.lanes_ready.push(lane_id, stamp);
            }
            return Some(parcel);
        }
    }

    fn set_hungry(&mut self, id: u32, hungry: bool, now: Millis) {
        let Some(slot) = self.slots.at_mut(id) else {
            return;
        };
        if slot.hungry == hungry {
            return;
        }
        slot.hungry = hungry;
        let Some(site_id) = slot.site else {
            return;
        };
        if let Some(site) = self.sites.at_mut(site_id) {
            if hungry {
                site.hungry += 1;
            } else {
                site.hungry -= 1;
            }
        }
        if !hungry {
            self.rouse(site_id, now);
        }
    }

    pub(super) fn release_slot(&mut self, id: u32, now: Millis) {
        let site = self.uncount_slot(id, now);
        let Some(slot) = self.slots.free(id) else {
            return;
        };
        if let Some(count) = self.slots_by_standing.get_mut(slot.standing as usize) {
            *count -= 1;
        }
        if let Some(lane) = self.lanes.at_mut(slot.lane) {
            lane.slots -= 1;
        }
        self.wake_lane(slot.lane, now);
        self.forget_lane_if_idle(slot.lane, now);
        if let Some(site) = site {
            self.rouse(site, now);
            self.mark_site_if_idle(site, now);
        }
    }
}

//! Who gets the next connection: sites that work, new ones and failing ones take turns, then customers, then their lanes and
//! sites.

use super::rings::Unit;
use super::sites::Standing;
use super::{Millis, Schedule, SlotId};

const STANDINGS: [Standing; 3] = [Standing::Proven, Standing::New, Standing::Failing];

impl Schedule {
    pub(super) fn grant(&mut self, now: Millis) -> Option<SlotId> {
        if self.slots.len() >= self.limits.connections_max.max(1) as usize {
            return None;
        }
        // A unit whose site has another standing by now moves to a ring that may have been looked into already: only a
        // round that found all of them empty is the last.
        loop {
            let before = self.steps;
            for turn in self.turn..self.turn + STANDINGS.len() {
                let standing = *STANDINGS.get(turn % STANDINGS.len())?;
                if !self.standing_allows(standing) {
                    continue;
                }
                if let Some(slot) = self.grant_among(standing, now) {
                    self.turn = (turn + 1) % STANDINGS.len();
                    return Some(SlotId(slot));
                }
            }
            if self.steps == before {
                return None;
            }
        }
    }

    fn grant_among(&mut self, standing: Standing, now: Millis) -> Option<u32> {
        let index = standing as usize;
        while let Some((customer, stamp)) = self.rings.get_mut(index)?.pop() {
            self.steps += 1;
            let entry = self.customers.at_mut(customer);
            let Some(own) = entry.and_then(|entry| entry.stamps.get_mut(index)) else {
                continue;
            };
            if *own != stamp {
                continue;
            }
            *own = 0;
            while let Some((unit, stamp)) = self.next_unit(customer, index) {
                self.steps += 1;
                let slot = match unit {
                    Unit::Lane(lane) => self.grant_lane(lane, stamp, customer, standing, now),
                    Unit::Share(share) => self.grant_share(share, stamp, standing, now),
                    Unit::Site(_) => None,
                };
                if slot.is_some() {
                    if self.has_units(customer, index) {
                        self.put_customer(customer, standing);
                    }
                    return slot;
                }
            }
        }
        None
    }

    fn next_unit(&mut self, customer: u32, index: usize) -> Option<(Unit, u64)> {
        self.customers.at_mut(customer)?.units.get_mut(index)?.pop()
    }

    fn has_units(&self, customer: u32, index: usize) -> bool {
        let units = self
            .customers
            .at(customer)
            .and_then(|entry| entry.units.get(index));
        units.is_some_and(|units| !units.is_empty())
    }

    /// A lane without a site gets one slot at a time.
    fn grant_lane(
        &mut self,
        id: u32,
        stamp: u64,
        customer: u32,
        standing: Standing,
        now: Millis,
    ) -> Option<u32> {
        let lane = self.lanes.at_mut(id)?;
        if lane.stamp != stamp || lane.share.is_some() {
            return None;
        }
        if lane.standing() != standing {
            let standing = lane.standing();
            self.put_unit(customer, standing, Unit::Lane(id), stamp);
            return None;
        }
        lane.stamp = 0;
        if lane.ready() == 0 || lane.slots > 0 || lane.until > now {
            return None;
        }
        Some(self.new_slot(id, None, standing))
    }

    /// A share gets a slot for the lane whose turn it is to give a parcel; the turn itself passes on when it does.
    fn grant_share(&mut self, id: u32, stamp: u64, standing: Standing, now: Millis) -> Option<u32> {
        let share = self.shares.at_mut(id)?;
        if share.awake_stamp != stamp {
            return None;
        }
        let (site_id, customer) = (share.site, share.customer);
        let actual = self.sites.at(site_id)?.standing;
        if actual != standing {
            self.put_unit(customer, actual, Unit::Share(id), stamp);
            return None;
        }
        if let Some(share) = self.shares.at_mut(id) {
            share.awake_stamp = 0;
        }
        if let Some(site) = self.sites.at_mut(site_id) {
            site.awake -= 1;
        }
        let Some(lane) = self.lane_to_give(id) else {
            self.rouse(site_id, now);
            self.pass_on(site_id, now);
            return None;
        };
        let slot =
            (self.room(site_id, now) > 0).then(|| self.new_slot(lane, Some(site_id), standing));
        self.wake_share(id, now);
        if slot.is_none() {
            self.pass_on(site_id, now);
        }
        slot
    }

    fn lane_to_give(&mut self, share_id: u32) -> Option<u32> {
        loop {
            let (lane_id, stamp) = self.shares.at_mut(share_id)?.lanes_ready.pop()?;
            self.steps += 1;
            let Some(lane) = self.lanes.at_mut(lane_id) else {
                continue;
            };
            if lane.stamp != stamp {
                continue;
            }
            if lane.ready() == 0 {
                lane.stamp = 0;
                continue;
            }
            self.shares
                .at_mut(share_id)?
                .lanes_ready
                .push_front(lane_id, stamp);
            return Some(lane_id);
        }
    }
}

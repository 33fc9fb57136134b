//! Lanes and customers, and the way of a parcel through its lane.
//!
//! In a lane those that were never tried and those that were take turns, so that neither keeps the other waiting.

use std::sync::Arc;

use super::entries::{Entry, List, Place};
use super::rings::{Ring, Unit};
use super::sites::Standing;
use super::{Millis, ParcelId, Schedule, Waiting};
use crate::{LaneKey, SiteFault, Suspended};

/// How long a lane that leads to a known site is remembered when it is empty, in milliseconds.
const LANE_KEPT: u64 = 600_000;
/// How many are, at most.
const LANES_KEPT_MAX: usize = 10_000;

/// A lane.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) key: LaneKey,
    pub(super) customer: u32,
    pub(super) share: Option<u32>,
    fresh: List,
    again: List,
    again_next: bool,
    /// Parcels, wherever they are.
    parcels: u32,
    /// Due parcels that the site counts: none while the lane is suspended.
    counted: u32,
    pub(super) slots: u32,
    pub(super) failures: u32,
    pub(super) until: Millis,
    pub(super) last: Option<Box<SiteFault>>,
    pub(super) suspended: bool,
    /// Recipients that wait, and those of them whose time has come.
    pub(super) recipients: u64,
    pub(super) due_recipients: u64,
    /// Its place in the ring of its customer (without a share) or of its share.
    pub(super) stamp: u64,
    idle_since: Option<Millis>,
}

/// A customer.
#[derive(Debug)]
pub(super) struct Customer {
    lanes: u32,
    pub(super) units: [Ring<Unit>; 3],
    pub(super) stamps: [u64; 3],
}

impl Lane {
    /// Parcels that may be given now.
    pub(super) fn ready(&self) -> u32 {
        if self.suspended {
            0
        } else {
            self.fresh.len + self.again.len
        }
    }
}

impl Schedule {
    pub(super) fn insert(&mut self, key: &LaneKey, parcel: &Waiting, now: Millis) -> ParcelId {
        let lane = self.intern_lane(key);
        let place = match (parcel.held, parcel.due > now) {
            (true, _) => Place::Held,
            (false, true) => Place::Waiting,
            (false, false) => due_place(parcel.attempts),
        };
        let id = self.entries.put(Entry::new(lane, parcel, place));
        self.totals.parcels += 1;
        self.totals.recipients += u64::from(parcel.recipients);
        if let Some(lane) = self.lanes.at_mut(lane) {
            lane.parcels += 1;
            if lane.parcels == 1 {
                self.totals.lanes += 1;
            }
        }
        self.unmark_idle_lane(lane);
        self.settle_in(id, place, now);
        ParcelId(id)
    }

    fn intern_lane(&mut self, key: &LaneKey) -> u32 {
        if let Some(&id) = self.lane_ids.get(key) {
            return id;
        }
        let customer = self.intern_customer(&key.customer);
        let id = self.lanes.put(Lane {
            key: key.clone(),
            customer,
            share: None,
            fresh: List::default(),
            again: List::default(),
            again_next: false,
            parcels: 0,
            counted: 0,
            slots: 0,
            failures: 0,
            until: Millis(0),
            last: None,
            suspended: self.is_suspended(key),
            recipients: 0,
            due_recipients: 0,
            stamp: 0,
            idle_since: None,
        });
        self.lane_ids.insert(key.clone(), id);
        id
    }

    pub(super) fn is_suspended(&self, key: &LaneKey) -> bool {
        !self.suspended.is_empty()
            && (self
                .suspended
                .contains(&Suspended::Domain(key.domain.to_string()))
                || self
                    .suspended
                    .contains(&Suspended::Customer(key.customer.to_string())))
    }

    fn intern_customer(&mut self, name: &Arc<str>) -> u32 {
        let id = match self.customer_ids.get(name) {
            Some(&id) => id,
            None => {
                let id = self.customers.put(Customer {
                    lanes: 0,
                    units: Default::default(),
                    stamps: [0; 3],
                });
                self.customer_ids.insert(Arc::clone(name), id);
                id
            }
        };
        if let Some(customer) = self.customers.at_mut(id) {
            customer.lanes += 1;
        }
        id
    }

    /// Puts a parcel that is nowhere into this place (none that is out), and wakes whoever waits for it.
    pub(super) fn settle_in(&mut self, id: u32, place: Place, now: Millis) {
        let Some(entry) = self.entries.at_mut(id) else {
            return;
        };
        entry.place = place;
        let (lane_id, due, recipients) = (entry.lane, entry.due, u64::from(entry.recipients));
        let Some(lane) = self.lanes.at_mut(lane_id) else {
            return;
        };
        lane.recipients += recipients;
        match place {
            Place::Fresh => lane.fresh.push(&mut self.entries, id),
            Place::Again => lane.again.push(&mut self.entries, id),
            Place::Waiting => {
                self.waiting.insert((due, id));
            }
            Place::Held => self.totals.held += recipients,
            Place::Out | Place::Warning | Place::Expiring => {}
        }
        if matches!(place, Place::Fresh | Place::Again) {
            lane.due_recipients += recipients;
            self.totals.due += recipients;
            self.count_lane(lane_id);
            self.wake_lane(lane_id, now);
        }
        if place != Place::Held {
            self.list(id);
        }
    }

    /// Takes a parcel that is not out from its place; it is nowhere until it is put into one.
    pub(super) fn lift(&mut self, id: u32) {
        let Some(entry) = self.entries.at(id) else {
            return;
        };
        let (place, due, recipients) = (entry.place, entry.due, u64::from(entry.recipients));
        let lane_id = entry.lane;
        let Some(lane) = self.lanes.at_mut(lane_id) else {
            return;
        };
        lane.recipients -= recipients;
        match place {
            Place::Fresh => lane.fresh.unlink(&mut self.entries, id),
            Place::Again => lane.again.unlink(&mut self.entries, id),
            Place::Waiting => {
                self.waiting.remove(&(due, id));
            }
            Place::Held => self.totals.held -= recipients,
            Place::Out | Place::Warning | Place::Expiring => {}
        }
        if matches!(place, Place::Fresh | Place::Again) {
            lane.due_recipients -= recipients;
            self.totals.due -= recipients;
            self.count_lane(lane_id);
        }
    }

    /// Tells the lane's site how many of its parcels may be given.
    pub(super) fn count_lane(&mut self, id: u32) {
        let Some(lane) = self.lanes.at_mut(id) else {
            return;
        };
        let Some(share) = lane.share else {
            return;
        };
        let (before, ready) = (lane.counted, lane.ready());
        lane.counted = ready;
        let site = self.shares.at(share).map(|share| share.site);
        if let Some(site) = site.and_then(|site| self.sites.at_mut(site)) {
            site.ready = site.ready - u64::from(before) + u64::from(ready);
        }
    }

    /// The next parcel of a lane goes out.
    pub(super) fn give(&mut self, lane_id: u32) -> Option<u32> {
        let lane = self.lanes.at_mut(lane_id)?;
        let (first, second) = if lane.again_next {
            (lane.again, lane.fresh)
        } else {
            (lane.fresh, lane.again)
        };
        let id = first.first().or_else(|| second.first())?;
        lane.again_next = !lane.again_next;
        self.lift(id);
        self.entries.at_mut(id)?.place = Place::Out;
        Some(id)
    }

    /// A lane may have something to do that it had not before.
    pub(super) fn wake_lane(&mut self, id: u32, now: Millis) {
        let Some(lane) = self.lanes.at(id) else {
            return;
        };
        if lane.ready() == 0 {
            return;
        }
        let (customer, idle) = (lane.customer, lane.stamp == 0);
        if let Some(share) = lane.share {
            if idle {
                let stamp = self.new_stamp();
                if let Some(lane) = self.lanes.at_mut(id) {
                    lane.stamp = stamp;
                }
                if let Some(share) = self.shares.at_mut(share) {
                    share.lanes_ready.push(id, stamp);
                }
            }
            self.wake_share(share, now);
        } else if idle && lane.slots == 0 && lane.until <= now {
            let standing = lane.standing();
            let stamp = self.new_stamp();
            if let Some(lane) = self.lanes.at_mut(id) {
                lane.stamp = stamp;
            }
            self.put_unit(customer, standing, Unit::Lane(id), stamp);
        }
    }

    /// Puts a unit into its customer's ring, and the customer into the ring of those that wait for a slot.
    pub(super) fn put_unit(&mut self, customer: u32, standing: Standing, unit: Unit, stamp: u64) {
        let index = standing as usize;
        if let Some(entry) = self.customers.at_mut(customer)
            && let Some(units) = entry.units.get_mut(index)
        {
            units.push(unit, stamp);
        }
        self.put_customer(customer, standing);
    }

    pub(super) fn put_customer(&mut self, customer: u32, standing: Standing) {
        let fresh = self.new_stamp();
        let index = standing as usize;
        if let Some(entry) = self.customers.at_mut(customer)
            && let Some(stamp) = entry.stamps.get_mut(index)
            && *stamp == 0
            && let Some(ring) = self.rings.get_mut(index)
        {
            *stamp = fresh;
            ring.push(customer, fresh);
        }
    }

    /// One parcel less in this lane.
    pub(super) fn parcel_gone(&mut self, id: u32, now: Millis) {
        if let Some(lane) = self.lanes.at_mut(id) {
            lane.parcels -= 1;
            if lane.parcels == 0 {
                self.totals.lanes -= 1;
            }
        }
        self.forget_lane_if_idle(id, now);
    }

    /// One parcel more in this lane, which comes from another one.
    pub(super) fn parcel_moved_to(&mut self, key: &LaneKey) -> u32 {
        let id = self.intern_lane(key);
        if let Some(lane) = self.lanes.at_mut(id) {
            lane.parcels += 1;
            if lane.parcels == 1 {
                self.totals.lanes += 1;
            }
        }
        self.unmark_idle_lane(id);
        id
    }

    fn unmark_idle_lane(&mut self, id: u32) {
        if let Some(since) = self
            .lanes
            .at_mut(id)
            .and_then(|lane| lane.idle_since.take())
        {
            self.idle_lanes.remove(&(since, id));
        }
    }

    /// A lane without parcels and slots is remembered for a while if it leads to a known site, else forgotten.
    pub(super) fn forget_lane_if_idle(&mut self, id: u32, now: Millis) {
        let Some(lane) = self.lanes.at_mut(id) else {
            return;
        };
        if lane.parcels > 0 || lane.slots > 0 || lane.idle_since.is_some() {
            return;
        }
        if lane.share.is_some() {
            lane.idle_since = Some(now);
            self.idle_lanes.insert((now, id));
        } else {
            self.forget_lane(id, now);
        }
    }

    fn forget_lane(&mut self, id: u32, now: Millis) {
        self.leave_share(id, now);
        let Some(lane) = self.lanes.free(id) else {
            return;
        };
        self.timers.remove(&(lane.until, Unit::Lane(id)));
        self.lane_ids.remove(&lane.key);
        let Some(customer) = self.customers.at_mut(lane.customer) else {
            return;
        };
        customer.lanes -= 1;
        if customer.lanes == 0 {
            self.customer_ids.remove(&lane.key.customer);
            self.customers.free(lane.customer);
        }
    }

    /// Forgets lanes that nobody used for a while, a few at a time.
    pub(super) fn forget_idle_lanes(&mut self, now: Millis) {
        for _ in 0..16 {
            let Some(&(since, id)) = self.idle_lanes.first() else {
                return;
            };
            let kept = now.0.saturating_sub(since.0) < LANE_KEPT;
            if kept && self.idle_lanes.len() <= LANES_KEPT_MAX {
                return;
            }
            self.idle_lanes.pop_first();
            self.forget_lane(id, now);
        }
    }
}

impl Lane {
    /// What a lane without a site is to be thought of.
    pub(super) fn standing(&self) -> Standing {
        if self.failures > 0 {
            Standing::Failing
        } else {
            Standing::New
        }
    }

    /// Whether it has parcels, wherever they are.
    pub(super) fn is_used(&self) -> bool {
        self.parcels > 0
    }

    /// Forgets what its site was told of it.
    pub(super) fn uncount(&mut self) -> u32 {
        std::mem::take(&mut self.counted)
    }
}

/// Where a due parcel goes.
pub(super) fn due_place(attempts: u32) -> Place {
    if attempts == 0 {
        Place::Fresh
    } else {
        Place::Again
    }
}

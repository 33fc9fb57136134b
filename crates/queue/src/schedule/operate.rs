//! What operators do: hold, release, remove, reroute, retry now, suspend and resume.
//!
//! Suspending, and retrying a site or a domain, look at every lane; all else costs O(log n).

use super::entries::Place;
use super::lanes::due_place;
use super::rings::Unit;
use super::{Millis, ParcelId, Schedule};
use crate::{LaneKey, Suspended};

impl Schedule {
    /// A parcel is not given until it is released, and does not age meanwhile. One that is out is held when it comes back.
    /// False if there is none.
    pub fn hold(&mut self, parcel: ParcelId, now: Millis) -> bool {
        let Some(entry) = self.entries.at_mut(parcel.0) else {
            return false;
        };
        if entry.place.is_out() {
            entry.hold = true;
        } else if entry.place != Place::Held {
            self.unlist(parcel.0);
            self.lift(parcel.0);
            self.settle_in(parcel.0, Place::Held, now);
        }
        true
    }

    /// A held parcel goes on, at once. False if there is none.
    pub fn release_held(&mut self, parcel: ParcelId, now: Millis) -> bool {
        let Some(entry) = self.entries.at_mut(parcel.0) else {
            return false;
        };
        entry.hold = false;
        if entry.place == Place::Held {
            self.due_now(parcel.0, now);
        }
        true
    }

    /// A held parcel goes on as if it had not been held: when it is due. False if there is none.
    pub fn unhold(&mut self, parcel: ParcelId, now: Millis) -> bool {
        let Some(entry) = self.entries.at_mut(parcel.0) else {
            return false;
        };
        entry.hold = false;
        let (place, due) = (entry.place, entry.due);
        let attempts = entry.attempts.into();
        if place == Place::Held && due > now {
            self.lift(parcel.0);
            self.settle_in(parcel.0, Place::Waiting, now);
        } else if place == Place::Held {
            self.lift(parcel.0);
            self.settle_in(parcel.0, due_place(attempts), now);
        }
        true
    }

    /// A parcel is forgotten. False if there is none, or if it is out: then whoever has it must finish it.
    pub fn remove(&mut self, parcel: ParcelId, now: Millis) -> bool {
        let entry = self.entries.at(parcel.0);
        if entry.is_none_or(|entry| entry.place.is_out()) {
            return false;
        }
        self.lift(parcel.0);
        self.forget_entry(parcel.0, now);
        true
    }

    /// A parcel waits in another lane from now on; it is due at once, unless it is out or held. False if there is none.
    pub fn reroute(&mut self, parcel: ParcelId, key: &LaneKey, now: Millis) -> bool {
        let Some(entry) = self.entries.at(parcel.0) else {
            return false;
        };
        let (before, place) = (entry.lane, entry.place);
        if !place.is_out() {
            self.lift(parcel.0);
        }
        let lane = self.parcel_moved_to(key);
        if let Some(entry) = self.entries.at_mut(parcel.0) {
            entry.lane = lane;
            if !place.is_out() && place != Place::Held {
                entry.due = entry.due.min(now);
            }
            let attempts = u32::from(entry.attempts);
            match place {
                Place::Held => self.settle_in(parcel.0, Place::Held, now),
                place if place.is_out() => {}
                _ => self.settle_in(parcel.0, due_place(attempts), now),
            }
        }
        self.parcel_gone(before, now);
        true
    }

    /// A parcel is due now, and whatever left its lane or site alone is forgotten. Held ones stay held, and one that is out
    /// stays out. False if there is none.
    pub fn retry(&mut self, parcel: ParcelId, now: Millis) -> bool {
        let Some(entry) = self.entries.at(parcel.0) else {
            return false;
        };
        let (lane, place) = (entry.lane, entry.place);
        if place == Place::Waiting {
            self.due_now(parcel.0, now);
        }
        self.retry_lane_id(lane, now);
        true
    }

    /// The back-off of this site is forgotten. False if there is none of this name.
    pub fn retry_site(&mut self, name: &str, now: Millis) -> bool {
        let id = self.site_ids.get(name).copied();
        if let Some(id) = id {
            self.clear_site(id, now);
        }
        id.is_some()
    }

    /// The back-off of this lane and its site is forgotten. False if there is no such lane.
    pub fn retry_lane(&mut self, key: &LaneKey, now: Millis) -> bool {
        let id = self.lane_ids.get(key).copied();
        if let Some(id) = id {
            self.retry_lane_id(id, now);
        }
        id.is_some()
    }

    /// A parcel has so many recipients now.
    pub fn resize(&mut self, parcel: ParcelId, recipients: u32) {
        let Some(entry) = self.entries.at_mut(parcel.0) else {
            return;
        };
        let place = entry.place;
        let more = i64::from(recipients) - i64::from(entry.recipients);
        entry.recipients = recipients;
        let lane = self.lanes.at_mut(entry.lane);
        let due = matches!(place, Place::Fresh | Place::Again);
        let change = |count: &mut u64| *count = count.saturating_add_signed(more);
        change(&mut self.totals.recipients);
        if let Some(lane) = lane
            && !place.is_out()
        {
            change(&mut lane.recipients);
            if due {
                change(&mut lane.due_recipients);
                change(&mut self.totals.due);
            }
        }
        if place == Place::Held {
            change(&mut self.totals.held);
        }
    }

    /// Nothing is given of what this names, until it is resumed. Slots that are granted go on with the parcel that they
    /// have. False if it was suspended already.
    pub fn suspend(&mut self, what: Suspended, now: Millis) -> bool {
        let new = self.suspended.insert(what.clone());
        self.apply(what, now);
        new
    }

    /// Goes on with what this names. False if it was not suspended.
    pub fn resume(&mut self, what: &Suspended, now: Millis) -> bool {
        let was = self.suspended.remove(what);
        self.apply(what.clone(), now);
        was
    }

    fn apply(&mut self, what: Suspended, now: Millis) {
        match what {
            Suspended::Domain(domain) => self.apply_to(|key| *key.domain == *domain, now),
            Suspended::Customer(customer) => self.apply_to(|key| *key.customer == *customer, now),
            Suspended::Site(name) => {
                let Some(&id) = self.site_ids.get(name.as_str()) else {
                    return;
                };
                let suspended = self.suspended.contains(&Suspended::Site(name));
                if let Some(site) = self.sites.at_mut(id) {
                    site.suspended = suspended;
                }
                self.rouse(id, now);
            }
        }
    }

    fn apply_to(&mut self, concerns: impl Fn(&LaneKey) -> bool, now: Millis) {
        let concerned = self.lanes.iter().filter(|(_, lane)| concerns(&lane.key));
        let concerned: Vec<u32> = concerned.map(|(id, _)| id).collect();
        for id in concerned {
            let suspended = self
                .lanes
                .at(id)
                .is_some_and(|lane| self.is_suspended(&lane.key));
            if let Some(lane) = self.lanes.at_mut(id) {
                lane.suspended = suspended;
            }
            self.count_lane(id);
            self.wake_lane(id, now);
        }
    }

    fn due_now(&mut self, id: u32, now: Millis) {
        self.lift(id);
        if let Some(entry) = self.entries.at_mut(id) {
            entry.due = now;
            let place = due_place(entry.attempts.into());
            self.settle_in(id, place, now);
        }
    }

    fn retry_lane_id(&mut self, id: u32, now: Millis) {
        let Some(lane) = self.lanes.at_mut(id) else {
            return;
        };
        let until = std::mem::take(&mut lane.until);
        let share = lane.share;
        self.timers.remove(&(until, Unit::Lane(id)));
        self.wake_lane(id, now);
        let site = share
            .and_then(|share| self.shares.at(share))
            .map(|share| share.site);
        if let Some(site) = site {
            self.clear_site(site, now);
        }
    }

    fn clear_site(&mut self, id: u32, now: Millis) {
        if let Some(site) = self.sites.at_mut(id) {
            site.until = Millis(0);
        }
        self.rouse(id, now);
    }
}

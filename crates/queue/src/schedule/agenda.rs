//! What comes with time: parcels that fall due, back-offs that end, delay warnings and expiry (RFC 5321 4.5.4.1, RFC 3461 4.1).
//!
//! Warnings and expiry count from the age of the message, wherever a parcel waits, in suspended lanes too. Only what an
//! operator holds does not age: holding means to decide later.

use std::time::Duration;

use super::entries::Place;
use super::lanes::due_place;
use super::rings::Unit;
use super::{Millis, Next, ParcelId, Schedule};

/// How many parcels are reported at a time.
const REPORTING_MAX: u32 = 64;
/// When an expiry that could not be reported is tried again.
const REPORT_AGAIN: Duration = Duration::from_secs(60);

impl Schedule {
    /// What was due up to now becomes so.
    pub(super) fn advance(&mut self, now: Millis) {
        while let Some(&(due, id)) = self.waiting.first() {
            if due > now {
                break;
            }
            self.steps += 1;
            let attempts = self.entries.at(id).map_or(0, |entry| entry.attempts);
            self.lift(id);
            self.settle_in(id, due_place(attempts.into()), now);
        }
        while let Some(&(at, unit)) = self.timers.first() {
            if at > now {
                break;
            }
            self.steps += 1;
            self.timers.pop_first();
            match unit {
                Unit::Lane(lane) => self.wake_lane(lane, now),
                Unit::Site(site) => {
                    if let Some(site) = self.sites.at_mut(site) {
                        site.timer = None;
                    }
                    self.rearm(site, now);
                    self.rouse(site, now);
                }
                Unit::Share(_) => {}
            }
        }
        self.forget_idle_lanes(now);
        self.forget_idle_sites(now);
    }

    /// A site has one timer: where it is left alone for longer than the timer that ended said, it needs another.
    fn rearm(&mut self, site: u32, now: Millis) {
        let until = self.sites.at(site).map_or(Millis(0), |site| site.until);
        if until > now {
            self.wake_site_at(site, until);
        }
    }

    /// When something happens by itself.
    pub(crate) fn wake_at(&self) -> Option<Millis> {
        let waiting = self.waiting.first().map(|&(at, _)| at);
        let timer = self.timers.first().map(|&(at, _)| at);
        let agenda = self.agenda.first().map(|&(at, _)| at);
        let agenda = agenda.filter(|_| self.reporting < REPORTING_MAX);
        [waiting, timer, agenda].into_iter().flatten().min()
    }

    /// Puts a parcel on the agenda.
    pub(super) fn list(&mut self, id: u32) {
        if let Some(entry) = self.entries.at_mut(id)
            && !entry.listed
        {
            entry.listed = true;
            self.agenda.insert((entry.listed_at(), id));
        }
    }

    pub(super) fn unlist(&mut self, id: u32) {
        if let Some(entry) = self.entries.at_mut(id)
            && entry.listed
        {
            entry.listed = false;
            self.agenda.remove(&(entry.listed_at(), id));
        }
    }

    pub(super) fn report(&mut self, now: Millis) -> Option<Next> {
        while self.reporting < REPORTING_MAX {
            let &(at, id) = self.agenda.first()?;
            if at > now {
                return None;
            }
            self.steps += 1;
            self.unlist(id);
            let Some(entry) = self.entries.at(id) else {
                continue;
            };
            if entry.place.is_out() {
                // It is listed again when the caller gives it back.
                continue;
            }
            let expired = entry.expires <= now;
            self.lift(id);
            let entry = self.entries.at_mut(id)?;
            entry.place = if expired {
                Place::Expiring
            } else {
                Place::Warning
            };
            self.reporting += 1;
            let parcel = ParcelId(id);
            return Some(if expired {
                Next::Expire(parcel)
            } else {
                Next::Warn(parcel)
            });
        }
        None
    }

    pub(super) fn finish_entry(&mut self, id: u32, now: Millis) {
        let Some(place) = self
            .entries
            .at(id)
            .map(|entry| entry.place)
            .filter(|place| place.is_out())
        else {
            return;
        };
        self.no_longer_out(place);
        self.forget_entry(id, now);
    }

    /// A parcel that is in no place and no list is forgotten.
    pub(super) fn forget_entry(&mut self, id: u32, now: Millis) {
        self.unlist(id);
        if let Some(entry) = self.entries.free(id) {
            self.totals.parcels -= 1;
            self.totals.recipients -= u64::from(entry.recipients);
            self.parcel_gone(entry.lane, now);
        }
    }

    pub(super) fn delay_entry(&mut self, id: u32, until: Millis, now: Millis) {
        let Some(entry) = self.entries.at_mut(id).filter(|entry| entry.place.is_out()) else {
            return;
        };
        let place = entry.place;
        if place == Place::Warning {
            entry.warn = Millis(0);
        }
        if place == Place::Expiring {
            // Its end could not be told or not be read: it waits like any other, or it would be over again at once.
            entry.expires = until;
        }
        entry.attempts = entry.attempts.saturating_add(1);
        entry.due = until;
        self.no_longer_out(place);
        self.come_back(id, now);
    }

    pub(super) fn return_entry(&mut self, id: u32, now: Millis) {
        let Some(entry) = self.entries.at_mut(id).filter(|entry| entry.place.is_out()) else {
            return;
        };
        let place = entry.place;
        match place {
            Place::Warning => entry.warn = Millis(0),
            Place::Expiring => entry.expires = now.after(REPORT_AGAIN),
            _ => {}
        }
        self.no_longer_out(place);
        self.come_back(id, now);
    }

    fn come_back(&mut self, id: u32, now: Millis) {
        let Some(entry) = self.entries.at_mut(id) else {
            return;
        };
        let place = if std::mem::take(&mut entry.hold) {
            Place::Held
        } else if entry.due > now {
            Place::Waiting
        } else {
            due_place(entry.attempts.into())
        };
        if place == Place::Held {
            self.unlist(id);
        }
        self.settle_in(id, place, now);
    }

    fn no_longer_out(&mut self, place: Place) {
        if matches!(place, Place::Warning | Place::Expiring) {
            self.reporting -= 1;
        }
    }
}

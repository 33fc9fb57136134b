//! When which lane may be tried: lanes, sites, shared bounds, fairness, back-off, suspension, warnings and expiry.
//!
//! Pure: no clock, no I/O, no threads. Time is passed in, jitter comes from a seeded generator, so a run can be repeated. What
//! a parcel holds, and how anything is delivered, is not known here.
//!
//! Fairness is round robin, between customers first, then between a customer's lanes; inside a site likewise. Rings are
//! tidied lazily: whatever lies in one is looked at once for each time that it was put there, so that every operation costs
//! O(log n) amortised whatever the number of parcels.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use crate::site::{BackOff, Limits, SiteFault, SiteLimits};
use crate::{Entered, LaneKey, Quota, Suspended};

mod agenda;
mod back_off;
mod entries;
mod grant;
mod lanes;
mod operate;
mod quotas;
mod rings;
mod sites;
mod slots;
mod states;

pub use states::ParcelState;

use entries::{Entry, Slab};
use lanes::{Customer, Lane};
use quotas::Bound;
use rings::{Ring, Unit};
use sites::{Share, Site};
use slots::SlotEntry;

/// A time in milliseconds, of a clock that never goes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Millis(pub u64);

impl Millis {
    /// So much later.
    pub fn after(self, time: Duration) -> Millis {
        let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Millis(self.0.saturating_add(millis))
    }

    /// How long it is until then; nothing if it is past.
    pub fn until(self, then: Millis) -> Duration {
        Duration::from_millis(then.0.saturating_sub(self.0))
    }
}

/// A parcel: valid from [`Schedule::add`] until it is finished or removed, then used again for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ParcelId(pub u32);

/// A granted connection: valid until it is released or has failed, then used again for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SlotId(pub u32);

/// What the schedule is told of a parcel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The caller's name for the message.
    pub message: u64,
    /// How many recipients it has, for the counts.
    pub recipients: u32,
    /// How often it was tried.
    pub attempts: u32,
    /// Not before this.
    pub due: Millis,
    /// When a delay is to be reported; `None` for never, or if it was.
    pub warn: Option<Millis>,
    /// When its lifetime is over.
    pub expires: Millis,
    /// Whether an operator holds it.
    pub held: bool,
}

/// What there is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// A lane may have one more connection.
    Slot(SlotId),
    /// The delay of this parcel is to be reported; then [`Schedule::untried`].
    Warn(ParcelId),
    /// The lifetime of this parcel is over; report it, then [`Schedule::finish`].
    Expire(ParcelId),
    /// Nothing before this, unless something else happens; `None`: unless something else happens.
    Wait(Option<Millis>),
}

/// What a slot has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Take {
    /// This parcel: the caller has it until it says what became of it.
    Parcel(ParcelId),
    /// Nothing before this time has passed: a rate is used up.
    Wait(Duration),
    /// Nothing.
    Nothing,
}

/// Counts of the whole schedule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Parcels, those that are out included.
    pub parcels: u64,
    /// Their recipients.
    pub recipients: u64,
    /// Recipients of held parcels.
    pub held: u64,
    /// Recipients of parcels whose time has come, those that are out not included.
    pub due: u64,
    /// Lanes with parcels.
    pub lanes: u64,
    /// Sites, those that are remembered though nothing waits for them included.
    pub sites: u64,
    /// Slots that are granted.
    pub connections: u64,
}

/// The schedule of a queue.
#[derive(Debug)]
pub struct Schedule {
    limits: Limits,
    jitter: fastrand::Rng,
    entries: Slab<Entry>,
    lanes: Slab<Lane>,
    lane_ids: HashMap<LaneKey, u32>,
    customers: Slab<Customer>,
    customer_ids: HashMap<Arc<str>, u32>,
    sites: Slab<Site>,
    site_ids: HashMap<Arc<str>, u32>,
    shares: Slab<Share>,
    share_ids: HashMap<(u32, u32), u32>,
    bounds: Slab<Bound>,
    bound_ids: HashMap<Arc<str>, u32>,
    slots: Slab<SlotEntry>,
    /// Parcels whose time has not come.
    waiting: BTreeSet<(Millis, u32)>,
    /// Warnings and expiries.
    agenda: BTreeSet<(Millis, u32)>,
    /// Sites and lanes that are left alone until then.
    timers: BTreeSet<(Millis, Unit)>,
    /// Lanes and sites that nobody uses, since when.
    idle_lanes: BTreeSet<(Millis, u32)>,
    idle_sites: BTreeSet<(Millis, u32)>,
    suspended: HashSet<Suspended>,
    /// Customers with something that may be granted, by the standing of the site.
    rings: [Ring<u32>; 3],
    /// Slots by the standing that their site had when they were granted.
    slots_by_standing: [u32; 3],
    turn: usize,
    agenda_turn: bool,
    reporting: u32,
    stamp: u64,
    totals: Totals,
    /// How often a ring was looked into: what tests hold against the number of operations.
    steps: u64,
}

impl Schedule {
    /// An empty schedule.
    pub fn new(limits: Limits) -> Schedule {
        let jitter = fastrand::Rng::with_seed(limits.seed);
        Schedule {
            limits,
            jitter,
            entries: Slab::default(),
            lanes: Slab::default(),
            lane_ids: HashMap::new(),
            customers: Slab::default(),
            customer_ids: HashMap::new(),
            sites: Slab::default(),
            site_ids: HashMap::new(),
            shares: Slab::default(),
            share_ids: HashMap::new(),
            bounds: Slab::default(),
            bound_ids: HashMap::new(),
            slots: Slab::default(),
            waiting: BTreeSet::new(),
            agenda: BTreeSet::new(),
            timers: BTreeSet::new(),
            idle_lanes: BTreeSet::new(),
            idle_sites: BTreeSet::new(),
            suspended: HashSet::new(),
            rings: Default::default(),
            slots_by_standing: [0; 3],
            turn: 0,
            agenda_turn: false,
            reporting: 0,
            stamp: 0,
            totals: Totals::default(),
            steps: 0,
        }
    }

    /// A parcel that waits in this lane from now on.
    pub fn add(&mut self, lane: &LaneKey, parcel: &Waiting, now: Millis) -> ParcelId {
        self.insert(lane, parcel, now)
    }

    /// What there is to do now. The caller asks again after whatever it did, and at the time that `Wait` names.
    pub fn next(&mut self, now: Millis) -> Next {
        self.advance(now);
        self.agenda_turn = !self.agenda_turn;
        if self.agenda_turn
            && let Some(report) = self.report(now)
        {
            return report;
        }
        if let Some(slot) = self.grant(now) {
            return Next::Slot(slot);
        }
        if let Some(report) = self.report(now) {
            return report;
        }
        Next::Wait(self.wake_at())
    }

    /// The lane that a slot was granted for.
    pub fn slot_lane(&self, slot: SlotId) -> Option<&LaneKey> {
        let lane = self.slots.at(slot.0)?.lane;
        self.lanes.at(lane).map(|lane| &lane.key)
    }

    /// The site that a slot has entered, by a number that stands for it as long as anything leads there.
    pub(crate) fn slot_site(&self, slot: SlotId) -> Option<u32> {
        self.slots.at(slot.0)?.site
    }

    /// The site that the lane of a parcel leads to, as far as that is known.
    pub(crate) fn parcel_site(&self, parcel: ParcelId) -> Option<u32> {
        let lane = self.lanes.at(self.entries.at(parcel.0)?.lane)?;
        self.shares.at(lane.share?).map(|share| share.site)
    }

    /// Whether there may be a connection to grant: [`Schedule::next`] knows for sure.
    pub(crate) fn may_grant(&self) -> bool {
        self.rings.iter().any(|ring| !ring.is_empty())
    }

    /// The slot leads to this site, which is held to these limits and shares these bounds with other sites.
    pub fn enter(
        &mut self,
        slot: SlotId,
        site: &str,
        limits: &SiteLimits,
        quotas: &[Quota],
        now: Millis,
    ) -> Entered {
        if self.try_enter(slot.0, site, limits, quotas, now).is_some() {
            Entered::Go
        } else {
            Entered::Full
        }
    }

    /// The next parcel for a slot: before it has entered a site, of its lane; then of any lane of the site.
    pub fn take(&mut self, slot: SlotId, now: Millis) -> Take {
        self.advance(now);
        self.take_for(slot.0, now).unwrap_or(Take::Nothing)
    }

    /// A transaction of this slot was finished: the site works.
    pub fn worked(&mut self, slot: SlotId, now: Millis) {
        self.site_worked(slot.0, now);
    }

    /// The site said that it has too much to do (421, or 4xx before any recipient).
    pub fn busy(&mut self, slot: SlotId, now: Millis) {
        self.site_busy(slot.0, now);
    }

    /// Nobody could be reached: the site is left alone as its limits say, or the lane if none was entered as `back_off` says.
    /// The slot is released.
    pub fn failed(&mut self, slot: SlotId, fault: SiteFault, back_off: BackOff, now: Millis) {
        self.slot_failed(slot.0, fault, back_off, now);
    }

    /// The connection is over.
    pub fn release(&mut self, slot: SlotId, now: Millis) {
        self.release_slot(slot.0, now);
    }

    /// A parcel that was given is done with: delivered, failed, or expired and reported.
    pub fn finish(&mut self, parcel: ParcelId, now: Millis) {
        self.finish_entry(parcel.0, now);
    }

    /// A parcel that was given was tried and is to be tried again, so much later and a little more, that many never come
    /// at once. Returns when.
    pub fn delay(&mut self, parcel: ParcelId, after: Duration, now: Millis) -> Millis {
        let until = now.after(self.jittered(after));
        self.delay_entry(parcel.0, until, now);
        until
    }

    /// Nothing was tried with a parcel that was given; or its delay was reported; or its expiry could not be reported now.
    pub fn untried(&mut self, parcel: ParcelId, now: Millis) {
        self.return_entry(parcel.0, now);
    }

    /// Parcels in this schedule, connections and so on.
    pub fn totals(&self) -> Totals {
        Totals {
            sites: self.sites.len() as u64,
            connections: self.slots.len() as u64,
            ..self.totals
        }
    }
}

#[cfg(test)]
mod tests;

//! Random sequences of operations against a naive model: no limit is ever passed, nothing is given twice, nothing is lost,
//! and what is due is given in the end.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::{Quota, Rate, Suspended};

#[derive(Clone, Debug)]
enum Step {
    Add(u8, bool),
    Next,
    Enter(u8),
    Take(u8),
    Worked(u8),
    Busy(u8),
    Failed(u8),
    Release(u8),
    Finish(u8),
    Delay(u8, u16),
    Untried(u8),
    Operate(u8, u8),
    Suspend(u8),
    Resume(u8),
    Pass(u32),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (any::<u8>(), any::<bool>()).prop_map(|(lane, later)| Step::Add(lane, later)),
        8 => Just(Step::Next),
        6 => any::<u8>().prop_map(Step::Enter),
        6 => any::<u8>().prop_map(Step::Take),
        2 => any::<u8>().prop_map(Step::Worked),
        1 => any::<u8>().prop_map(Step::Busy),
        2 => any::<u8>().prop_map(Step::Failed),
        3 => any::<u8>().prop_map(Step::Release),
        3 => any::<u8>().prop_map(Step::Finish),
        2 => (any::<u8>(), any::<u16>()).prop_map(|(parcel, after)| Step::Delay(parcel, after)),
        2 => any::<u8>().prop_map(Step::Untried),
        4 => (any::<u8>(), any::<u8>()).prop_map(|(parcel, what)| Step::Operate(parcel, what)),
        1 => any::<u8>().prop_map(Step::Suspend),
        1 => any::<u8>().prop_map(Step::Resume),
        2 => (0..2_000_000u32).prop_map(Step::Pass),
    ]
}

const NEVER: Millis = Millis(1 << 60);
const CONNECTIONS: u32 = 8;
const SITE_CONNECTIONS: u32 = 3;
const QUOTA_CONNECTIONS: u32 = 4;

struct Model {
    schedule: Schedule,
    now: Millis,
    /// Parcels by their number: which message, and whether we have it.
    parcels: BTreeMap<ParcelId, (u64, bool)>,
    /// Slots, and the site that they entered.
    slots: BTreeMap<SlotId, Option<String>>,
    suspended: BTreeSet<Suspended>,
    messages: u64,
}

fn pick<K: Copy + Ord, V>(map: &BTreeMap<K, V>, number: u8) -> Option<K> {
    let keys: Vec<K> = map.keys().copied().collect();
    (!keys.is_empty()).then(|| keys[number as usize % keys.len()])
}

fn lane(number: u8) -> LaneKey {
    key(
        ["a", "b", "c"][number as usize % 3],
        ["p", "q", "r", "s"][number as usize / 3 % 4],
    )
}

/// Several domains share a site; sites `x` and `y` share a bound, `z` has a rate.
fn site_of(lane: &LaneKey) -> (String, Vec<Quota>) {
    let site = match &*lane.domain {
        "p" | "q" => "x",
        "r" => "y",
        _ => "z",
    };
    let quota = if site == "z" {
        let rate = Rate {
            messages: 30,
            per: Duration::from_secs(600),
        };
        Quota {
            key: Arc::from("pool:z"),
            connections_max: None,
            rate: Some(rate),
        }
    } else {
        Quota {
            key: Arc::from("route:xy"),
            connections_max: Some(QUOTA_CONNECTIONS),
            rate: None,
        }
    };
    (site.to_string(), vec![quota])
}

fn suspension(number: u8) -> Suspended {
    match number % 3 {
        0 => Suspended::Domain(lane(number / 3).domain.to_string()),
        1 => Suspended::Customer(lane(number / 3).customer.to_string()),
        _ => Suspended::Site(["x", "y", "z"][number as usize / 3 % 3].to_string()),
    }
}

impl Model {
    fn new() -> Model {
        Model {
            schedule: schedule(CONNECTIONS),
            now: T0,
            parcels: BTreeMap::new(),
            slots: BTreeMap::new(),
            suspended: BTreeSet::new(),
            messages: 0,
        }
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Add(number, later) => {
                self.messages += 1;
                let mut parcel = new(self.messages, self.now);
                parcel.attempts = u32::from(number % 2);
                parcel.warn = Some(Millis(self.now.0 + 3_000_000));
                parcel.expires = Millis(self.now.0 + 9_000_000);
                if self.messages.is_multiple_of(2) {
                    // Whoever is forgotten is not saved by its expiry.
                    (parcel.warn, parcel.expires) = (None, NEVER);
                }
                parcel.held = number % 16 == 15;
                if later {
                    parcel.due = Millis(self.now.0 + 100_000);
                }
                let id = self.schedule.add(&lane(number), &parcel, self.now);
                assert!(
                    self.parcels.insert(id, (self.messages, false)).is_none(),
                    "a number in use"
                );
            }
            Step::Next => self.next(),
            Step::Enter(number) => self.enter(number),
            Step::Take(number) => self.take(number),
            Step::Worked(number) => self.with_slot(number, Schedule::worked),
            Step::Busy(number) => self.with_slot(number, Schedule::busy),
            Step::Failed(number) => {
                if let Some(slot) = pick(&self.slots, number) {
                    self.slots.remove(&slot);
                    self.schedule.failed(slot, fault(), BACK_OFF, self.now);
                }
            }
            Step::Release(number) => {
                if let Some(slot) = pick(&self.slots, number) {
                    self.slots.remove(&slot);
                    self.schedule.release(slot, self.now);
                }
            }
            Step::Finish(number) => {
                if let Some(parcel) = self.ours(number) {
                    self.parcels.remove(&parcel);
                    self.schedule.finish(parcel, self.now);
                }
            }
            Step::Delay(number, after) => self.give_back(number, Some(after)),
            Step::Untried(number) => self.give_back(number, None),
            Step::Operate(number, what) => self.operate(number, what),
            Step::Suspend(number) => {
                let what = suspension(number);
                assert_eq!(
                    self.schedule.suspend(what.clone(), self.now),
                    self.suspended.insert(what)
                );
            }
            Step::Resume(number) => {
                let what = suspension(number);
                assert_eq!(
                    self.schedule.resume(&what, self.now),
                    self.suspended.remove(&what)
                );
            }
            Step::Pass(millis) => self.now = Millis(self.now.0 + u64::from(millis)),
        }
        self.check();
    }

    fn with_slot(&mut self, number: u8, what: fn(&mut Schedule, SlotId, Millis)) {
        if let Some(slot) = pick(&self.slots, number) {
            what(&mut self.schedule, slot, self.now);
        }
    }

    fn ours(&self, number: u8) -> Option<ParcelId> {
        let ours: BTreeMap<_, _> = self.parcels.iter().filter(|(_, (_, ours))| *ours).collect();
        pick(&ours, number).copied()
    }

    fn given(&mut self, parcel: ParcelId) {
        let (message, ours) = self
            .parcels
            .get_mut(&parcel)
            .expect("a parcel that was added");
        assert!(!*ours, "given twice");
        *ours = true;
        let state = self.schedule.parcel(parcel).unwrap();
        assert_eq!(state.message, *message);
        assert!(state.out && !state.held);
    }

    fn next(&mut self) {
        match self.schedule.next(self.now) {
            Next::Slot(slot) => {
                let lane = self.schedule.slot_lane(slot).unwrap();
                assert!(
                    !self
                        .suspended
                        .contains(&Suspended::Domain(lane.domain.to_string()))
                );
                assert!(
                    !self
                        .suspended
                        .contains(&Suspended::Customer(lane.customer.to_string()))
                );
                assert!(self.slots.insert(slot, None).is_none());
            }
            Next::Warn(parcel) | Next::Expire(parcel) => self.given(parcel),
            Next::Wait(Some(then)) => assert!(then > self.now),
            Next::Wait(None) => {}
        }
    }

    fn enter(&mut self, number: u8) {
        let Some(slot) = pick(&self.slots, number) else {
            return;
        };
        let (site, quotas) = site_of(self.schedule.slot_lane(slot).unwrap());
        let limits = site_limits(2, SITE_CONNECTIONS);
        match self.schedule.enter(slot, &site, &limits, &quotas, self.now) {
            Entered::Go => {
                assert!(!self.suspended.contains(&Suspended::Site(site.clone())));
                self.slots.insert(slot, Some(site));
            }
            Entered::Full => {
                self.slots.remove(&slot);
                self.schedule.release(slot, self.now);
            }
        }
    }

    fn take(&mut self, number: u8) {
        let Some(slot) = pick(&self.slots, number) else {
            return;
        };
        if let Take::Parcel(parcel) = self.schedule.take(slot, self.now) {
            self.given(parcel);
            let lane = self.schedule.parcel(parcel).unwrap().lane.clone();
            assert!(self.schedule.parcel(parcel).unwrap().due <= self.now);
            match &self.slots[&slot] {
                Some(site) => assert_eq!(site_of(&lane).0, *site),
                None => assert_eq!(Some(&lane), self.schedule.slot_lane(slot)),
            }
        }
    }

    fn give_back(&mut self, number: u8, after: Option<u16>) {
        let Some(parcel) = self.ours(number) else {
            return;
        };
        self.parcels.get_mut(&parcel).unwrap().1 = false;
        match after {
            Some(after) => {
                let after = Duration::from_secs(after.into());
                self.schedule.delay(parcel, after, self.now);
            }
            None => self.schedule.untried(parcel, self.now),
        }
    }

    fn operate(&mut self, number: u8, what: u8) {
        let Some(parcel) = pick(&self.parcels, number) else {
            return;
        };
        let ours = self.parcels[&parcel].1;
        match what % 5 {
            0 => assert!(self.schedule.hold(parcel, self.now)),
            1 => assert!(self.schedule.release_held(parcel, self.now)),
            2 => {
                assert_eq!(self.schedule.remove(parcel, self.now), !ours);
                if !ours {
                    self.parcels.remove(&parcel);
                }
            }
            3 => assert!(self.schedule.reroute(parcel, &lane(what / 5), self.now)),
            _ => assert!(self.schedule.retry(parcel, self.now)),
        }
    }

    /// Counts agree with the model, and no limit is passed.
    fn check(&self) {
        let totals = self.schedule.totals();
        assert_eq!(totals.parcels, self.parcels.len() as u64);
        assert_eq!(totals.recipients, self.parcels.len() as u64);
        assert_eq!(totals.connections, self.slots.len() as u64);
        assert!(self.slots.len() <= CONNECTIONS as usize);
        assert!(self.schedule.slots_by_standing[2] <= CONNECTIONS / 4);
        let states = self
            .parcels
            .keys()
            .map(|parcel| self.schedule.parcel(*parcel).unwrap());
        let held = states.filter(|state| state.held && !state.out).count();
        assert_eq!(totals.held, held as u64);
        let at = |site: &str| {
            self.slots
                .values()
                .filter(|at| at.as_deref() == Some(site))
                .count() as u32
        };
        for site in ["x", "y", "z"] {
            assert!(at(site) <= SITE_CONNECTIONS);
        }
        assert!(at("x") + at("y") <= QUOTA_CONNECTIONS);
    }

    /// With everything resumed and released, all that is left is given within a bounded number of grants.
    fn drain(&mut self) {
        for what in std::mem::take(&mut self.suspended) {
            self.schedule.resume(&what, self.now);
        }
        for slot in std::mem::take(&mut self.slots).into_keys() {
            self.schedule.release(slot, self.now);
        }
        let all: Vec<_> = self
            .parcels
            .iter()
            .map(|(parcel, (_, ours))| (*parcel, *ours))
            .collect();
        for (parcel, ours) in all {
            if ours {
                self.parcels.get_mut(&parcel).unwrap().1 = false;
                self.schedule.untried(parcel, self.now);
            }
            self.schedule.release_held(parcel, self.now);
        }
        for _ in 0..20 * (self.parcels.len() + 20) {
            match self.schedule.next(self.now) {
                Next::Slot(slot) => {
                    self.slots.insert(slot, None);
                    self.enter(0);
                    while self.slots.contains_key(&slot)
                        && let Take::Parcel(parcel) = self.schedule.take(slot, self.now)
                    {
                        self.given(parcel);
                        self.parcels.remove(&parcel);
                        self.schedule.finish(parcel, self.now);
                        self.schedule.worked(slot, self.now);
                    }
                    if self.slots.remove(&slot).is_some() {
                        self.schedule.release(slot, self.now);
                    }
                }
                Next::Warn(parcel) => self.schedule.untried(parcel, self.now),
                Next::Expire(parcel) => {
                    self.given(parcel);
                    self.parcels.remove(&parcel);
                    self.schedule.finish(parcel, self.now);
                }
                Next::Wait(Some(then)) => {
                    assert!(then < NEVER, "left behind: {:?}", self.parcels);
                    self.now = then;
                }
                Next::Wait(None) => break,
            }
            self.check();
        }
        assert!(self.parcels.is_empty(), "left behind: {:?}", self.parcels);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 400 } else { 20_000 }))]
    #[test]
    fn limits_hold_and_nothing_is_lost_or_given_twice(steps in prop::collection::vec(step(), 1..300)) {
        let mut model = Model::new();
        for step in &steps {
            model.step(step);
        }
        model.drain();
    }
}

//! What the tests of the schedule share: short words for lanes, parcels and sites.

use std::sync::Arc;
use std::time::Duration;

use smtp::Status;

use super::{Millis, Next, ParcelId, Schedule, SlotId, Take, Waiting};
use crate::site::Limits;
use crate::{BackOff, Entered, LaneKey, SiteFault, SiteLimits};

mod agenda;
mod fairness;
mod model;
mod operate;
mod quotas;
mod sites;

const DAY: u64 = 86_400_000;
const T0: Millis = Millis(1_000_000);
/// How long lanes that have no site are left alone.
const BACK_OFF: BackOff = BackOff {
    min: Duration::from_secs(40),
    max: Duration::from_secs(100),
};

fn schedule(connections_max: u32) -> Schedule {
    Schedule::new(Limits {
        connections_max,
        seed: 7,
    })
}

fn key(customer: &str, domain: &str) -> LaneKey {
    LaneKey {
        customer: Arc::from(customer),
        domain: Arc::from(domain),
        nexthop: None,
    }
}

fn new(message: u64, now: Millis) -> Waiting {
    Waiting {
        message,
        recipients: 1,
        attempts: 0,
        due: now,
        warn: None,
        expires: Millis(now.0 + 5 * DAY),
        held: false,
    }
}

fn site_limits(first: u32, max: u32) -> SiteLimits {
    SiteLimits {
        connections_max: max,
        connections_first: first,
        parcels_per_connection_max: 100,
        back_off: BackOff::default(),
    }
}

fn fault() -> SiteFault {
    SiteFault {
        status: Status::new(smtp::Class::Transient, 4, 1),
        nexthop: "mx.example".into(),
        detail: "connection timed out".into(),
    }
}

/// A slot that must be there.
fn slot(schedule: &mut Schedule, now: Millis) -> SlotId {
    match schedule.next(now) {
        Next::Slot(slot) => slot,
        other => panic!("no slot but {other:?}"),
    }
}

/// All slots that may be had now.
fn slots(schedule: &mut Schedule, now: Millis) -> Vec<SlotId> {
    let mut all = Vec::new();
    while let Next::Slot(slot) = schedule.next(now) {
        all.push(slot);
    }
    all
}

/// A slot that must be there and may enter.
fn entered(schedule: &mut Schedule, site: &str, limits: &SiteLimits, now: Millis) -> SlotId {
    let slot = slot(schedule, now);
    assert_eq!(schedule.enter(slot, site, limits, &[], now), Entered::Go);
    slot
}

/// A parcel that must be there.
fn parcel(schedule: &mut Schedule, slot: SlotId, now: Millis) -> ParcelId {
    match schedule.take(slot, now) {
        Take::Parcel(parcel) => parcel,
        other => panic!("no parcel but {other:?}"),
    }
}

fn message(schedule: &Schedule, parcel: ParcelId) -> u64 {
    schedule.parcel(parcel).unwrap().message
}

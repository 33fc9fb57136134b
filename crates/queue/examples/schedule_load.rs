//! How long a million parcels take through the schedule: `cargo run --release -p queue --example schedule_load`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use queue::schedule::{Millis, Next, ParcelId, Schedule, Take, Waiting};
use queue::{LaneKey, SiteLimits};

const PARCELS: u64 = 1_000_000;
const NOW: Millis = Millis(1_000_000);

fn main() {
    let mut schedule = Schedule::new(Default::default());
    let lanes: Vec<LaneKey> = (0..10_000)
        .map(|number| LaneKey {
            customer: Arc::from(format!("customer-{}.example", number % 100)),
            domain: Arc::from(format!("domain-{number}.example")),
            nexthop: None,
        })
        .collect();
    let lane = |message: u64| &lanes[usize::try_from(message * 7 % 10_000).unwrap_or(0)];
    let started = Instant::now();
    for message in 0..PARCELS {
        let parcel = Waiting {
            message,
            recipients: 1,
            attempts: 0,
            due: NOW,
            warn: None,
            expires: Millis(NOW.0 + 432_000_000 + message),
            held: false,
        };
        schedule.add(lane(message), &parcel, NOW);
    }
    report("add", started, PARCELS);

    let started = Instant::now();
    let (mut given, mut slots) = (Vec::new(), 0);
    while let Next::Slot(slot) = schedule.next(NOW) {
        slots += 1;
        let site = schedule.slot_lane(slot).map(|lane| lane.domain.to_string());
        schedule.enter(
            slot,
            &site.unwrap_or_default(),
            &SiteLimits::default(),
            &[],
            NOW,
        );
        while let Take::Parcel(parcel) = schedule.take(slot, NOW) {
            schedule.worked(slot, NOW);
            given.push(parcel);
        }
        schedule.release(slot, NOW);
    }
    report(
        &format!("take, over {slots} slots"),
        started,
        given.len() as u64,
    );
    finish(&mut schedule, given);
}

/// Half of them are delayed, half are done with.
fn finish(schedule: &mut Schedule, given: Vec<ParcelId>) {
    let started = Instant::now();
    let all = given.len() as u64;
    for (index, parcel) in given.into_iter().enumerate() {
        if index % 2 == 0 {
            schedule.finish(parcel, NOW);
        } else {
            schedule.delay(parcel, Duration::from_secs(300), NOW);
        }
    }
    report("finish or delay", started, all);
}

#[expect(clippy::print_stdout, reason = "its only output")]
fn report(what: &str, since: Instant, operations: u64) {
    let nanos = since.elapsed().as_nanos() / u128::from(operations.max(1));
    println!("{what}: {nanos} ns each, {operations} of them");
}

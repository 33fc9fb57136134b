//! The schedule's share of memory, in a process of its own: what the kernel says before and after.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::sync::Arc;

use queue::LaneKey;
use queue::schedule::{Millis, Schedule, Waiting};

fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

/// A million parcels to 10,000 lanes, half of them delayed, take less than 150 bytes each.
#[test]
fn a_parcel_takes_under_150_bytes() {
    let mut schedule = Schedule::new(Default::default());
    let lanes: Vec<LaneKey> = (0..10_000)
        .map(|number| LaneKey {
            customer: Arc::from(format!("customer-{}.example", number % 100)),
            domain: Arc::from(format!("domain-{number}.example")),
            nexthop: None,
        })
        .collect();
    let before = resident_bytes();
    let now = Millis(1_000_000);
    for message in 0..1_000_000u64 {
        let parcel = Waiting {
            message,
            recipients: 1,
            attempts: 0,
            due: Millis(now.0 + (message % 2) * (message * 7919 % 3_600_000)),
            warn: Some(Millis(now.0 + 14_400_000 + message)),
            expires: Millis(now.0 + 432_000_000 + message),
            held: false,
        };
        schedule.add(&lanes[message as usize * 7 % lanes.len()], &parcel, now);
    }
    let bytes = (resident_bytes() - before) / 1_000_000;
    assert_eq!(schedule.totals().parcels, 1_000_000);
    println!("{bytes} bytes per parcel");
    assert!(bytes < 150, "{bytes} bytes per parcel");
    assert!(bytes > 30, "{bytes} bytes per parcel: not measured");
}

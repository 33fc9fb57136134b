//! Bounds that sites share.

use super::*;
use crate::{Quota, Rate};

fn quota(connections_max: Option<u32>, rate: Option<(u32, u64)>) -> Quota {
    Quota {
        key: Arc::from("route:r"),
        connections_max,
        rate: rate.map(|(messages, seconds)| Rate {
            messages,
            per: Duration::from_secs(seconds),
        }),
    }
}

#[test]
fn sites_share_the_connections_of_a_route() {
    let mut schedule = schedule(100);
    let quotas = [quota(Some(3), None)];
    for site in 0..10 {
        for message in 0..5 {
            schedule.add(&key("c", &format!("d{site}")), &new(message, T0), T0);
        }
    }
    let mut open = Vec::new();
    let mut delivered = 0;
    for _ in 0..2000 {
        match schedule.next(T0) {
            Next::Slot(slot) => {
                let site = schedule.slot_lane(slot).unwrap().domain.to_string();
                match schedule.enter(slot, &site, &SiteLimits::default(), &quotas, T0) {
                    Entered::Go => open.push(slot),
                    Entered::Full => schedule.release(slot, T0),
                }
                assert!(open.len() <= 3, "{}", open.len());
            }
            _ if open.is_empty() => break,
            _ => {
                let slot = open.remove(0);
                while let Take::Parcel(parcel) = schedule.take(slot, T0) {
                    schedule.finish(parcel, T0);
                    delivered += 1;
                }
                schedule.release(slot, T0);
            }
        }
    }
    assert_eq!(delivered, 50);
}

/// A rate holds whatever the time looked at, but for the tenth that a full bucket holds.
#[test]
fn a_rate_counts_whole_messages() {
    let mut schedule = schedule(100);
    let quotas = [quota(None, Some((100, 60)))];
    for message in 0..300 {
        schedule.add(&key("c", "d"), &new(message, T0), T0);
    }
    let open = slot(&mut schedule, T0);
    let limits = SiteLimits {
        parcels_per_connection_max: 1000,
        ..site_limits(5, 20)
    };
    assert_eq!(schedule.enter(open, "s", &limits, &quotas, T0), Entered::Go);
    let mut now = T0;
    let mut taken = Vec::new();
    while taken.len() < 300 {
        match schedule.take(open, now) {
            Take::Parcel(parcel) => {
                schedule.finish(parcel, now);
                taken.push(now.0);
            }
            Take::Wait(wait) => now = now.after(wait),
            Take::Nothing => panic!("{} of 300", taken.len()),
        }
    }
    assert_eq!(taken.iter().filter(|at| **at == T0.0).count(), 10);
    for (index, from) in taken.iter().enumerate() {
        let within = taken[index..]
            .iter()
            .filter(|at| **at < from + 60_000)
            .count();
        assert!(within <= 110, "{within}");
    }
    assert!(now.0 - T0.0 <= 180_000, "no slower than the rate");
}

/// Where a rate is used up nobody connects in order to wait.
#[test]
fn a_used_up_rate_opens_no_connections() {
    let mut schedule = schedule(100);
    let quotas = [quota(None, Some((1, 60)))];
    for message in 0..3 {
        schedule.add(&key("c", "d"), &new(message, T0), T0);
    }
    let open = slot(&mut schedule, T0);
    assert_eq!(
        schedule.enter(open, "s", &SiteLimits::default(), &quotas, T0),
        Entered::Go
    );
    assert!(
        matches!(schedule.next(T0), Next::Wait(_)),
        "the one message has a slot"
    );
    let parcel = parcel(&mut schedule, open, T0);
    schedule.finish(parcel, T0);
    schedule.release(open, T0);
    let then = Millis(T0.0 + 60_000);
    assert_eq!(schedule.next(T0), Next::Wait(Some(then)));
    assert_eq!(slots(&mut schedule, then).len(), 1);
}

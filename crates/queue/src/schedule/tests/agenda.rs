//! Retry times, warnings and expiry.

use super::*;
use crate::Suspended;

#[test]
fn a_delayed_parcel_comes_back_no_earlier_and_never_at_once_with_others() {
    let mut schedule = schedule(10);
    for message in 0..100 {
        schedule.add(&key("c", "d"), &new(message, T0), T0);
    }
    let slot = entered(&mut schedule, "s", &site_limits(5, 20), T0);
    let mut times = Vec::new();
    while let Take::Parcel(parcel) = schedule.take(slot, T0) {
        times.push(schedule.delay(parcel, Duration::from_secs(300), T0).0 - T0.0);
    }
    assert_eq!(times.len(), 100);
    assert!(times.iter().all(|time| (300_000..=375_000).contains(time)));
    times.sort_unstable();
    times.dedup();
    assert!(times.len() > 90);
    schedule.release(slot, T0);
    assert_eq!(schedule.next(T0), Next::Wait(Some(Millis(T0.0 + times[0]))));
    let slot = entered(
        &mut schedule,
        "s",
        &site_limits(5, 20),
        Millis(T0.0 + times[0]),
    );
    let parcel = parcel(&mut schedule, slot, Millis(T0.0 + times[0]));
    assert_eq!(schedule.parcel(parcel).unwrap().attempts, 1);
}

#[test]
fn back_off_doubles_between_its_bounds() {
    let back_off = BackOff {
        min: Duration::from_secs(5),
        max: Duration::from_secs(60),
    };
    let seconds: Vec<u64> = (0..7)
        .map(|attempt| back_off.delay(attempt).as_secs())
        .collect();
    assert_eq!(seconds, [5, 5, 10, 20, 40, 60, 60]);
    assert_eq!(back_off.delay(u32::MAX).as_secs(), 60);
    let inverted = BackOff {
        min: Duration::from_secs(60),
        max: Duration::from_secs(5),
    };
    assert_eq!(inverted.delay(3).as_secs(), 60);
}

/// Whoever waits is warned of once and expires, in a suspended lane too; what is held does not age.
#[test]
fn warned_once_then_expired_wherever_it_waits() {
    let mut schedule = schedule(10);
    schedule.suspend(Suspended::Domain("d".into()), T0);
    let aging = Waiting {
        warn: Some(Millis(T0.0 + 1000)),
        expires: Millis(T0.0 + 5000),
        ..new(1, T0)
    };
    let parcel = schedule.add(&key("c", "d"), &aging, T0);
    let held = schedule.add(
        &key("c", "d"),
        &Waiting {
            held: true,
            ..aging
        },
        T0,
    );
    assert_eq!(schedule.next(T0), Next::Wait(Some(Millis(T0.0 + 1000))));
    let now = Millis(T0.0 + 1000);
    assert_eq!(schedule.next(now), Next::Warn(parcel));
    assert_eq!(schedule.next(now), Next::Wait(None), "the caller has it");
    schedule.untried(parcel, now);
    assert_eq!(schedule.next(now), Next::Wait(Some(Millis(T0.0 + 5000))));
    let now = Millis(T0.0 + 5000);
    assert_eq!(schedule.next(now), Next::Expire(parcel));
    schedule.untried(parcel, now);
    assert_eq!(
        schedule.next(now),
        Next::Wait(Some(Millis(now.0 + 60_000))),
        "could not be reported"
    );
    let now = Millis(now.0 + 60_000);
    assert_eq!(schedule.next(now), Next::Expire(parcel));
    schedule.finish(parcel, now);
    assert_eq!(schedule.next(now), Next::Wait(None));
    assert_eq!(schedule.totals().held, 1);
    assert!(schedule.release_held(held, now));
    assert_eq!(schedule.next(now), Next::Expire(held));
    schedule.finish(held, now);
    assert_eq!(schedule.totals().parcels, 0);
}

/// A parcel that is out while its time passes is reported when it comes back.
#[test]
fn expiry_waits_for_an_attempt_that_is_under_way() {
    let mut schedule = schedule(10);
    let short = Waiting {
        expires: Millis(T0.0 + 1000),
        ..new(1, T0)
    };
    schedule.add(&key("c", "d"), &short, T0);
    let slot = entered(&mut schedule, "s", &site_limits(5, 20), T0);
    let parcel = parcel(&mut schedule, slot, T0);
    let now = Millis(T0.0 + 2000);
    assert!(matches!(schedule.next(now), Next::Wait(_)));
    schedule.delay(parcel, Duration::from_secs(300), now);
    assert_eq!(schedule.next(now), Next::Expire(parcel));
}

/// A flood of reports and deliveries take turns, and only so many are reported at a time.
#[test]
fn reports_and_slots_take_turns() {
    let mut schedule = schedule(1000);
    for message in 0..200 {
        let old = Waiting {
            expires: T0,
            ..new(message, T0)
        };
        schedule.add(&key("c", "old"), &old, T0);
        schedule.add(&key("c", &format!("d{message}")), &new(message, T0), T0);
    }
    let first: Vec<bool> = (0..8)
        .map(|_| matches!(schedule.next(T0), Next::Slot(_)))
        .collect();
    assert_eq!(first.iter().filter(|slot| **slot).count(), 4);
    let mut reports = 4;
    while let Next::Expire(_) | Next::Slot(_) = schedule.next(T0) {
        reports = schedule.reporting;
    }
    assert_eq!(reports, 64);
}

/// The end of a message that could not be told, or not be read, is not over again at once.
#[test]
fn an_end_that_is_delayed_waits() {
    let mut schedule = schedule(10);
    let waiting = Waiting {
        expires: T0,
        ..new(1, T0)
    };
    schedule.add(&key("c", "d"), &waiting, T0);
    let Next::Expire(parcel) = schedule.next(T0) else {
        panic!("its time is over");
    };
    schedule.delay(parcel, Duration::from_secs(300), T0);
    let Next::Wait(Some(then)) = schedule.next(T0) else {
        panic!("it waits");
    };
    assert!(T0.until(then) >= Duration::from_secs(300));
    assert_eq!(schedule.next(then), Next::Expire(parcel));
}

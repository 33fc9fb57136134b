//! Slow start, back-off, recovery, and forgetting.

use super::*;

fn many(schedule: &mut Schedule, count: u64) {
    for message in 0..count {
        schedule.add(&key("c", "d"), &new(message, T0), T0);
    }
}

#[test]
fn a_site_starts_slowly_and_grows_with_each_success() {
    let mut schedule = schedule(100);
    many(&mut schedule, 1000);
    let limits = site_limits(2, 6);
    let first = entered(&mut schedule, "s", &limits, T0);
    let mut open = 1 + slots(&mut schedule, T0).len();
    assert_eq!(open, 1, "one until it is known to work");
    for expected in [3, 4, 5, 6, 6, 6] {
        let parcel = parcel(&mut schedule, first, T0);
        schedule.finish(parcel, T0);
        schedule.worked(first, T0);
        open += slots(&mut schedule, T0).len();
        assert_eq!(open, expected);
    }
}

#[test]
fn a_busy_site_gets_half_and_recovers() {
    let mut schedule = schedule(100);
    many(&mut schedule, 1000);
    let first = entered(&mut schedule, "s", &site_limits(8, 8), T0);
    schedule.worked(first, T0);
    schedule.busy(first, T0);
    assert_eq!(schedule.site_states(T0)[0].window, 4);
    for _ in 0..4 {
        schedule.worked(first, T0);
    }
    assert_eq!(schedule.site_states(T0)[0].window, 5);
    for _ in 0..30 {
        schedule.worked(first, T0);
    }
    assert_eq!(schedule.site_states(T0)[0].window, 8);
}

/// A site that says 421 even to a single connection is not asked again at once.
#[test]
fn a_site_that_is_busy_for_one_connection_is_left_alone_for_a_while() {
    let mut schedule = schedule(100);
    many(&mut schedule, 10);
    let limits = site_limits(1, 8);
    let mut now = T0;
    let mut pauses = Vec::new();
    for _ in 0..5 {
        let slot = entered(&mut schedule, "s", &limits, now);
        schedule.busy(slot, now);
        schedule.release(slot, now);
        if let Some(pause) = schedule.site_states(now)[0].backed_off {
            assert_eq!(schedule.next(now), Next::Wait(Some(now.after(pause))));
            pauses.push(pause.as_secs());
            now = now.after(pause);
        }
    }
    assert_eq!(pauses.len(), 4);
    assert!(
        pauses.windows(2).all(|pair| pair[0] < pair[1]),
        "{pauses:?}"
    );
}

#[test]
fn nobody_answers_then_one_probe_then_slow_start() {
    let mut schedule = schedule(100);
    many(&mut schedule, 1000);
    let limits = site_limits(5, 20);
    let mut now = T0;
    let mut delays = Vec::new();
    for _ in 0..6 {
        let slot = entered(&mut schedule, "s", &limits, now);
        schedule.failed(slot, fault(), BACK_OFF, now);
        let Next::Wait(Some(then)) = schedule.next(now) else {
            panic!("the site is left alone");
        };
        assert_eq!(schedule.lane_fault(&key("c", "d")), Some(&fault()));
        assert_eq!(schedule.totals().due, 1000, "they stay due");
        delays.push(now.until(then).as_secs());
        now = then;
    }
    for (delay, least) in delays.iter().zip([300, 600, 1200, 2400, 3600, 3600]) {
        assert!((least..=least * 5 / 4).contains(delay), "{delays:?}");
    }
    let probe = entered(&mut schedule, "s", &limits, now);
    assert!(slots(&mut schedule, now).is_empty(), "one probe");
    let parcel = parcel(&mut schedule, probe, now);
    schedule.finish(parcel, now);
    schedule.worked(probe, now);
    assert_eq!(slots(&mut schedule, now).len(), 5, "slow start again");
    assert_eq!(schedule.site_states(now)[0].last, None);
}

/// Connections that fail while others work are too many, not a dead site.
#[test]
fn a_failure_beside_connections_that_work_halves() {
    let mut schedule = schedule(100);
    many(&mut schedule, 1000);
    let limits = site_limits(4, 20);
    let working = entered(&mut schedule, "s", &limits, T0);
    schedule.worked(working, T0);
    let failing = entered(&mut schedule, "s", &limits, T0);
    schedule.failed(failing, fault(), BACK_OFF, T0);
    let state = &schedule.site_states(T0)[0];
    assert_eq!((state.window, state.backed_off), (2, None));
}

#[test]
fn a_lane_that_fails_before_it_has_a_site_backs_off_by_itself() {
    let mut schedule = schedule(100);
    many(&mut schedule, 3);
    let lost = slot(&mut schedule, T0);
    schedule.failed(lost, fault(), BACK_OFF, T0);
    let Next::Wait(Some(then)) = schedule.next(T0) else {
        panic!("the lane is left alone");
    };
    let state = &schedule.lane_states(T0, 10)[0];
    assert_eq!((state.waiting, state.due, &state.site), (3, 3, &None));
    assert_eq!(state.backed_off, Some(T0.until(then)));
    assert!(matches!(schedule.next(Millis(then.0 - 1)), Next::Wait(_)));
    let mut now = then;
    let mut delays = vec![T0.until(then).as_secs()];
    for _ in 0..3 {
        let lost = slot(&mut schedule, now);
        schedule.failed(lost, fault(), BACK_OFF, now);
        let Next::Wait(Some(then)) = schedule.next(now) else {
            panic!("the lane is left alone");
        };
        delays.push(now.until(then).as_secs());
        now = then;
    }
    // As whoever found no site says, not by times of the schedule's own; with jitter.
    for (delay, least) in delays.iter().zip([40, 80, 100, 100]) {
        assert!((least..=least * 5 / 4).contains(delay), "{delays:?}");
    }
}

/// A lane that finds its site full waits for it, and is woken when there is room.
#[test]
fn lanes_that_wait_for_a_full_site_are_woken() {
    let mut schedule = schedule(100);
    let limits = site_limits(1, 1);
    for domain in 0..20u64 {
        schedule.add(&key("c", &format!("d{domain}")), &new(domain, T0), T0);
    }
    let mut delivered = 0;
    let mut holder = None;
    for slot in slots(&mut schedule, T0) {
        match schedule.enter(slot, "s", &limits, &[], T0) {
            Entered::Go => holder = Some(slot),
            Entered::Full => schedule.release(slot, T0),
        }
    }
    while let Some(open) = holder.take() {
        let parcel = parcel(&mut schedule, open, T0);
        schedule.finish(parcel, T0);
        schedule.release(open, T0);
        delivered += 1;
        if let Next::Slot(next) = schedule.next(T0) {
            assert_eq!(schedule.enter(next, "s", &limits, &[], T0), Entered::Go);
            holder = Some(next);
        }
    }
    assert_eq!(delivered, 20);
}

#[test]
fn a_connection_carries_only_so_many() {
    let mut schedule = schedule(100);
    many(&mut schedule, 5);
    let limits = SiteLimits {
        parcels_per_connection_max: 2,
        ..site_limits(1, 1)
    };
    let slot = entered(&mut schedule, "s", &limits, T0);
    for _ in 0..2 {
        let parcel = parcel(&mut schedule, slot, T0);
        schedule.finish(parcel, T0);
    }
    assert_eq!(schedule.take(slot, T0), Take::Nothing);
    schedule.release(slot, T0);
    entered(&mut schedule, "s", &limits, T0);
}

#[test]
fn lanes_and_sites_that_nobody_uses_are_forgotten() {
    let mut schedule = schedule(100);
    let mut now = T0;
    for number in 0..1000 {
        let name = format!("d{number}");
        schedule.add(&key(&name, &name), &new(number, now), now);
        let slot = slot(&mut schedule, now);
        assert_eq!(
            schedule.enter(slot, &name, &SiteLimits::default(), &[], now),
            Entered::Go
        );
        let parcel = parcel(&mut schedule, slot, now);
        schedule.finish(parcel, now);
        schedule.release(slot, now);
        now = Millis(now.0 + 60_000);
    }
    assert!(
        schedule.lanes.len() <= 11 && schedule.customers.len() <= 11,
        "{}",
        schedule.lanes.len()
    );
    assert!(schedule.sites.len() <= 72, "{}", schedule.sites.len());
    for _ in 0..100 {
        schedule.next(Millis(now.0 + DAY));
    }
    schedule.next(Millis(now.0 + 2 * DAY));
    for _ in 0..100 {
        schedule.next(Millis(now.0 + 2 * DAY));
    }
    assert_eq!(
        schedule.sites.len() + schedule.lanes.len() + schedule.shares.len(),
        0
    );
    assert!(schedule.timers.is_empty());
}

/// Connections that fail together are one fault: the site is left alone for as long as after one.
#[test]
fn those_that_fail_together_count_once() {
    let mut schedule = schedule(100);
    many(&mut schedule, 1000);
    let limits = site_limits(5, 20);
    let first = entered(&mut schedule, "s", &limits, T0);
    schedule.worked(first, T0);
    schedule.release(first, T0);
    let several = slots(&mut schedule, T0);
    assert_eq!(several.len(), 6);
    for slot in &several {
        assert_eq!(schedule.enter(*slot, "s", &limits, &[], T0), Entered::Go);
    }
    for slot in several {
        schedule.failed(slot, fault(), BACK_OFF, T0);
    }
    let backed_off = schedule.site_states(T0)[0].backed_off.unwrap();
    assert!(
        (300..=375).contains(&backed_off.as_secs()),
        "{backed_off:?}"
    );
}

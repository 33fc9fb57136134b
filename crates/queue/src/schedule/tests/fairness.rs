//! Nobody waits because somebody else has much.

use super::*;

/// A million messages for a dead host, of one customer: another customer's message, and another domain's of the same
/// customer, get a slot at once, and the work stays in proportion to what is asked.
#[test]
fn a_million_for_a_dead_host_delay_nobody_else() {
    let mut schedule = schedule(8);
    let dead = key("big", "dead.example");
    for message in 0..1_000_000 {
        schedule.add(&dead, &new(message, T0), T0);
    }
    let limits = site_limits(5, 20);
    let first = entered(&mut schedule, "dead", &limits, T0);
    let others = slots(&mut schedule, T0);
    assert!(
        others.is_empty(),
        "one connection until it is known to work"
    );
    schedule.add(&key("big", "alive.example"), &new(1, T0), T0);
    schedule.add(&key("small", "dead.example"), &new(2, T0), T0);
    let before = schedule.steps;
    let granted = slots(&mut schedule, T0);
    let mut lanes: Vec<LaneKey> = granted
        .iter()
        .map(|slot| schedule.slot_lane(*slot).unwrap().clone())
        .collect();
    lanes.sort();
    assert_eq!(
        lanes,
        [key("big", "alive.example"), key("small", "dead.example")]
    );
    for slot in granted {
        if schedule.slot_lane(slot) == Some(&key("small", "dead.example")) {
            assert_eq!(
                schedule.enter(slot, "dead", &limits, &[], T0),
                Entered::Full
            );
            schedule.release(slot, T0);
        }
    }
    schedule.failed(first, fault(), BACK_OFF, T0);
    assert!(schedule.steps - before < 100, "{}", schedule.steps - before);
    let state = &schedule.site_states(T0)[0];
    let backed_off = state.backed_off.unwrap();
    assert!(
        (300..=375).contains(&backed_off.as_secs()),
        "{backed_off:?}"
    );
    assert_eq!(state.waiting, 1_000_001);
}

/// Customers take turns, whoever has more lanes, and so do a customer's lanes.
#[test]
fn customers_take_turns_and_then_their_lanes() {
    let mut schedule = schedule(1000);
    for domain in 0..50 {
        for message in 0..10 {
            schedule.add(
                &key("many", &format!("d{domain}.example")),
                &new(message, T0),
                T0,
            );
        }
    }
    for domain in 0..2 {
        schedule.add(&key("few", &format!("f{domain}.example")), &new(1, T0), T0);
    }
    let mut order = Vec::new();
    for _ in 0..6 {
        let slot = slot(&mut schedule, T0);
        order.push(schedule.slot_lane(slot).unwrap().customer.to_string());
    }
    assert_eq!(order, ["many", "few", "many", "few", "many", "many"]);
    let rest = slots(&mut schedule, T0);
    assert_eq!(rest.len(), 46, "each lane one slot until its site is known");
}

/// Inside a site customers take turns, then lanes.
#[test]
fn inside_a_site_customers_take_turns_and_then_lanes() {
    let mut schedule = schedule(100);
    let limits = site_limits(1, 1);
    for (customer, domain, first) in [("a", "x", 100), ("a", "y", 200), ("b", "z", 300)] {
        for message in 0..10 {
            schedule.add(&key(customer, domain), &new(first + message, T0), T0);
        }
    }
    let mine = entered(&mut schedule, "site", &limits, T0);
    for slot in slots(&mut schedule, T0) {
        assert_eq!(
            schedule.enter(slot, "site", &limits, &[], T0),
            Entered::Full
        );
        schedule.release(slot, T0);
    }
    assert!(
        matches!(schedule.next(T0), Next::Wait(_)),
        "the site is full"
    );
    let mut order = Vec::new();
    for _ in 0..8 {
        let parcel = parcel(&mut schedule, mine, T0);
        order.push(message(&schedule, parcel) / 100);
        schedule.finish(parcel, T0);
    }
    order.sort_unstable();
    assert_eq!(order, [1, 1, 2, 2, 3, 3, 3, 3]);
}

/// In a lane new mail and retries take turns, each in its order.
#[test]
fn new_mail_and_retries_take_turns() {
    let mut schedule = schedule(10);
    let lane = key("c", "d");
    for message in 0..4 {
        let tried = Waiting {
            attempts: 3,
            ..new(100 + message, T0)
        };
        schedule.add(&lane, &tried, T0);
    }
    for message in 0..4 {
        schedule.add(&lane, &new(message, T0), T0);
    }
    let slot = entered(&mut schedule, "s", &site_limits(5, 20), T0);
    let mut order = Vec::new();
    for _ in 0..8 {
        let parcel = parcel(&mut schedule, slot, T0);
        order.push(message(&schedule, parcel));
    }
    assert_eq!(order, [0, 100, 1, 101, 2, 102, 3, 103]);
    assert_eq!(schedule.take(slot, T0), Take::Nothing);
}

/// Dead sites hold a quarter of the slots at most, whatever their number.
#[test]
fn failing_sites_share_a_quarter_of_the_slots() {
    let mut schedule = schedule(40);
    for site in 0..200 {
        schedule.add(&key("c", &format!("dead{site}")), &new(site, T0), T0);
    }
    let limits = site_limits(5, 20);
    let mut failed = 0;
    while failed < 200 {
        for slot in slots(&mut schedule, T0) {
            let site = schedule.slot_lane(slot).unwrap().domain.to_string();
            assert_eq!(schedule.enter(slot, &site, &limits, &[], T0), Entered::Go);
            schedule.failed(slot, fault(), BACK_OFF, T0);
            failed += 1;
        }
    }
    assert!(matches!(schedule.next(T0), Next::Wait(Some(_))));
    let later = Millis(T0.0 + 400_000);
    let probing = slots(&mut schedule, later);
    assert_eq!(probing.len(), 10);
    schedule.add(&key("other", "alive"), &new(1, later), later);
    let alive = slot(&mut schedule, later);
    assert_eq!(schedule.slot_lane(alive), Some(&key("other", "alive")));
}

/// Rings are looked into so many times for each parcel, whatever the number of parcels, lanes and customers.
#[test]
fn the_work_is_in_proportion_to_what_is_asked() {
    for (parcels, lanes) in [(2_000, 1), (2_000, 1_000), (40_000, 20), (40_000, 10_000)] {
        let mut schedule = schedule(100);
        for message in 0..parcels {
            let number = message % lanes;
            let lane = key(&format!("c{}", number % 50), &format!("d{number}"));
            schedule.add(&lane, &new(message, T0), T0);
        }
        let mut given = 0;
        while let Next::Slot(slot) = schedule.next(T0) {
            // Ten domains share a site.
            let lane = schedule.slot_lane(slot).unwrap().domain.to_string();
            let site = lane.trim_end_matches(|end: char| end == lane.chars().last().unwrap());
            schedule.enter(slot, site, &site_limits(5, 20), &[], T0);
            while let Take::Parcel(parcel) = schedule.take(slot, T0) {
                schedule.finish(parcel, T0);
                given += 1;
            }
            schedule.release(slot, T0);
        }
        assert_eq!(given, parcels);
        let steps = schedule.steps;
        assert!(
            steps <= 5 * parcels + 10 * lanes,
            "{steps} for {parcels} in {lanes}"
        );
    }
}

//! What operators do.

use super::*;
use crate::Suspended;

#[test]
fn suspended_things_get_nothing_until_resumed() {
    for what in [
        Suspended::Domain("d".into()),
        Suspended::Customer("c".into()),
        Suspended::Site("s".into()),
    ] {
        let mut schedule = schedule(10);
        let limits = site_limits(5, 20);
        for message in 0..10 {
            schedule.add(&key("c", "d"), &new(message, T0), T0);
        }
        let open = entered(&mut schedule, "s", &limits, T0);
        assert!(schedule.suspend(what.clone(), T0));
        assert!(!schedule.suspend(what.clone(), T0));
        assert_eq!(schedule.take(open, T0), Take::Nothing, "{what:?}");
        schedule.release(open, T0);
        assert!(!matches!(schedule.next(T0), Next::Slot(_)), "{what:?}");
        assert!(schedule.lane_states(T0, 1)[0].suspended);
        schedule.add(&key("c", "d"), &new(11, T0), T0);
        assert!(!matches!(schedule.next(T0), Next::Slot(_)), "{what:?}");
        assert!(schedule.resume(&what, T0));
        assert!(!schedule.resume(&what, T0));
        let open = entered(&mut schedule, "s", &limits, T0);
        parcel(&mut schedule, open, T0);
    }
}

#[test]
fn what_is_held_is_not_given_and_goes_on_when_released() {
    let mut schedule = schedule(10);
    let lane = key("c", "d");
    let first = schedule.add(&lane, &new(1, T0), T0);
    let second = schedule.add(&lane, &new(2, T0), T0);
    assert!(schedule.hold(first, T0));
    let slot = entered(&mut schedule, "s", &site_limits(5, 20), T0);
    assert_eq!(parcel(&mut schedule, slot, T0), second);
    assert!(schedule.hold(second, T0), "held when it comes back");
    assert_eq!(schedule.take(slot, T0), Take::Nothing);
    schedule.untried(second, T0);
    assert_eq!(schedule.take(slot, T0), Take::Nothing);
    assert_eq!(schedule.totals().held, 2);
    assert!(schedule.release_held(second, T0));
    assert_eq!(parcel(&mut schedule, slot, T0), second);
}

#[test]
fn what_is_removed_is_gone_unless_it_is_out() {
    let mut schedule = schedule(10);
    let lane = key("c", "d");
    let first = schedule.add(&lane, &new(1, T0), T0);
    let later = schedule.add(
        &lane,
        &Waiting {
            due: Millis(T0.0 + 5),
            ..new(2, T0)
        },
        T0,
    );
    let slot = entered(&mut schedule, "s", &site_limits(5, 20), T0);
    assert_eq!(parcel(&mut schedule, slot, T0), first);
    assert!(!schedule.remove(first, T0));
    assert!(schedule.remove(later, T0));
    assert!(!schedule.remove(later, T0));
    schedule.finish(first, T0);
    schedule.release(slot, T0);
    assert_eq!(schedule.totals().parcels, 0);
    assert_eq!(schedule.next(T0), Next::Wait(None));
}

#[test]
fn what_is_rerouted_leaves_its_lane_at_once() {
    let mut schedule = schedule(10);
    let lane = key("c", "d");
    let other = LaneKey {
        nexthop: Some(Arc::from("smtp:[other]")),
        ..lane.clone()
    };
    let delayed = Waiting {
        attempts: 2,
        due: Millis(T0.0 + 9000),
        ..new(1, T0)
    };
    let moved = schedule.add(&lane, &delayed, T0);
    assert!(schedule.reroute(moved, &other, T0));
    let open = slot(&mut schedule, T0);
    assert_eq!(schedule.slot_lane(open), Some(&other));
    assert_eq!(parcel(&mut schedule, open, T0), moved);
    assert!(schedule.reroute(moved, &lane, T0), "while it is out");
    schedule.untried(moved, T0);
    schedule.release(open, T0);
    let open = slot(&mut schedule, T0);
    assert_eq!(schedule.slot_lane(open), Some(&lane));
}

#[test]
fn retry_now_forgets_every_back_off() {
    let mut schedule = schedule(10);
    let lane = key("c", "d");
    let delayed = Waiting {
        due: Millis(T0.0 + DAY),
        ..new(1, T0)
    };
    let one = schedule.add(&lane, &delayed, T0);
    schedule.add(&lane, &new(2, T0), T0);
    let limits = site_limits(5, 20);
    let open = entered(&mut schedule, "s", &limits, T0);
    schedule.failed(open, fault(), BACK_OFF, T0);
    assert!(matches!(schedule.next(T0), Next::Wait(_)));
    assert!(schedule.retry(one, T0));
    let open = entered(&mut schedule, "s", &limits, T0);
    assert_eq!(schedule.totals().due, 2);
    schedule.failed(open, fault(), BACK_OFF, T0);
    assert!(schedule.retry_site("s", T0) && !schedule.retry_site("unknown", T0));
    let open = entered(&mut schedule, "s", &limits, T0);
    schedule.failed(open, fault(), BACK_OFF, T0);
    assert!(schedule.retry_lane(&lane, T0) && !schedule.retry_lane(&key("c", "e"), T0));
    slot(&mut schedule, T0);
}

#[test]
fn counts_follow_the_number_of_recipients() {
    let mut schedule = schedule(10);
    let parcel = schedule.add(
        &key("c", "d"),
        &Waiting {
            recipients: 5,
            ..new(1, T0)
        },
        T0,
    );
    schedule.resize(parcel, 2);
    assert_eq!(
        (schedule.totals().recipients, schedule.totals().due),
        (2, 2)
    );
    schedule.hold(parcel, T0);
    schedule.resize(parcel, 1);
    let totals = schedule.totals();
    assert_eq!((totals.recipients, totals.due, totals.held), (1, 0, 1));
    assert_eq!(schedule.lane_states(T0, 5)[0].waiting, 1);
}

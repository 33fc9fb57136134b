//! Promises kept and broken.

use std::time::{Duration, Instant};

use super::super::ledger::Ledger;
use super::Report;

/// A ledger with one kill, a second after its beginning, with a message queued.
fn with_kill() -> (Ledger, impl Fn(u64) -> Instant) {
    let start = Instant::now();
    let at = move |milliseconds| start + Duration::from_millis(milliseconds);
    let ledger = Ledger::new();
    ledger.accepted(1, &[0], at(100));
    ledger.killed(at(2_000));
    ledger.delivered(1, &[0], at(2_500));
    (ledger, at)
}

#[test]
fn what_arrives_after_the_kill_is_a_promise_kept() {
    let (ledger, _) = with_kill();
    let report = Report::of(&ledger.close(), Vec::new());
    assert!(report.is_good(), "{report}");
    assert_eq!((report.accepted, report.arrived, report.lost), (1, 1, 0));
}

#[test]
fn what_never_arrives_is_lost() {
    let (ledger, at) = with_kill();
    ledger.accepted(2, &[0, 1], at(200));
    ledger.delivered(2, &[0], at(300));
    let report = Report::of(&ledger.close(), Vec::new());
    assert_eq!(report.lost, 1);
    assert!(!report.is_good());
}

#[test]
fn only_a_kill_soon_after_a_delivery_explains_its_repetition() {
    for (first, second, is_explained) in [
        (1_990, 2_100, true),
        // The sink still had it to read.
        (2_010, 2_100, true),
        // Long before the kill: it should have been noted.
        (500, 2_100, false),
        // No kill between the two.
        (1_500, 1_600, false),
        (3_100, 3_200, false),
    ] {
        let (ledger, at) = with_kill();
        ledger.delivered(7, &[0], at(first));
        ledger.delivered(7, &[0], at(second));
        let report = Report::of(&ledger.close(), Vec::new());
        assert_eq!(
            report.repeated_in_flight,
            u64::from(is_explained),
            "{first} {second}"
        );
        assert_eq!(report.is_good(), is_explained, "{first} {second}");
        // No client ever read a 250 for it.
        assert_eq!(report.unacknowledged, 1);
    }
}

#[test]
fn nothing_accepted_or_nothing_waiting_proves_nothing() {
    let (ledger, at) = (Ledger::new(), Instant::now());
    assert!(!Report::of(&ledger.close(), Vec::new()).is_good());
    ledger.accepted(1, &[0], at);
    ledger.delivered(1, &[0], at);
    ledger.killed(at);
    assert!(!Report::of(&ledger.close(), Vec::new()).is_good());
}

#[test]
fn a_harmed_message_breaks_a_promise() {
    let (ledger, _) = with_kill();
    let report = Report::of(&ledger.close(), vec!["message 3".to_owned()]);
    assert!(!report.is_good());
    assert!(report.to_string().contains("harmed: message 3"));
}

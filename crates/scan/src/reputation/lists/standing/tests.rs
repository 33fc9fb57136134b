use super::*;

fn serving(now: Instant) -> Standing {
    let mut standing = Standing::default();
    assert_eq!(standing.admit(now), Admission::AfterTrial);
    let passed = Outcome::Passed { caveat: None };
    assert_eq!(standing.tried(passed, now), None);
    standing
}

fn passed() -> Outcome {
    Outcome::Passed { caveat: None }
}

#[test]
fn a_list_is_left_out_after_failures_in_a_row_and_comes_back_by_a_trial() {
    let mut now = Instant::now();
    let mut standing = serving(now);
    for _ in 0..2 {
        standing.answered();
        for _ in 1..LIST_FAILURES_MAX {
            now += LIST_FAILURE_SPACING;
            assert_eq!(standing.failed("timeout", now), None);
        }
    }
    // Many messages that fail at the same time are one failure.
    for _ in 0..10 {
        assert_eq!(standing.failed("timeout", now), None);
    }
    now += LIST_FAILURE_SPACING;
    let why = "timeout".to_owned();
    let left_out = ListHealth::LeftOut { why: why.clone() };
    assert_eq!(standing.failed("timeout", now), Some(left_out));
    // News is told once.
    assert_eq!(standing.failed("timeout", now), None);
    let leave = |trial_due| Admission::Leave {
        why: why.clone(),
        trial_due,
    };
    assert_eq!(standing.admit(now), leave(false));
    let later = now + LIST_BACK_OFF_MIN;
    assert_eq!(standing.admit(later), leave(true));
    // One at a time.
    assert_eq!(standing.admit(later), leave(false));
    assert!(standing.tried(passed(), later).is_some());
    assert_eq!(standing.admit(later), Admission::Ask { trial_due: false });
}

#[test]
fn each_failed_trial_doubles_the_time_up_to_an_hour() {
    let mut now = Instant::now();
    let mut standing = serving(now);
    assert!(standing.refused("may not be asked", now).is_some());
    let mut wait = LIST_BACK_OFF_MIN;
    for _ in 0..10 {
        let just_before = now + wait - Duration::from_millis(1);
        assert!(matches!(
            standing.admit(just_before),
            Admission::Leave {
                trial_due: false,
                ..
            }
        ));
        now += wait;
        assert!(matches!(
            standing.admit(now),
            Admission::Leave {
                trial_due: true,
                ..
            }
        ));
        assert_eq!(
            standing.tried(Outcome::Silent("timeout".to_owned()), now),
            None
        );
        wait = (wait * 2).min(LIST_BACK_OFF_MAX);
    }
    assert_eq!(wait, LIST_BACK_OFF_MAX);
    assert!(standing.tried(passed(), now).is_some());
    assert!(standing.refused("may not be asked", now).is_some());
    let soon = now + LIST_BACK_OFF_MIN;
    assert!(matches!(
        standing.admit(soon),
        Admission::Leave {
            trial_due: true,
            ..
        }
    ));
}

#[test]
fn while_it_serves_its_test_points_are_looked_at_now_and_then() {
    let now = Instant::now();
    let mut standing = serving(now);
    let due = now + LIST_TRIAL_INTERVAL;
    assert_eq!(standing.admit(now), Admission::Ask { trial_due: false });
    assert_eq!(standing.admit(due), Admission::Ask { trial_due: true });
    // A single unanswered trial does not drop what serves.
    assert_eq!(
        standing.tried(Outcome::Silent("timeout".to_owned()), due),
        None
    );
    assert_eq!(standing.admit(due), Admission::Ask { trial_due: false });
    let wrong = Outcome::Wrong("lists everything".to_owned());
    assert!(standing.tried(wrong, due).is_some());
    assert!(matches!(standing.admit(due), Admission::Leave { .. }));
}

#[test]
fn a_caveat_is_told() {
    let mut standing = Standing::default();
    let caveat = Some("does not list its test point".to_owned());
    let outcome = Outcome::Passed {
        caveat: caveat.clone(),
    };
    assert_eq!(standing.tried(outcome, Instant::now()), None);
    assert_eq!(standing.health(), ListHealth::Serving { caveat });
    assert_eq!(standing.health().trouble(), None);
}

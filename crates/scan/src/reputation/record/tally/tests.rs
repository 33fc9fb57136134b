use proptest::prelude::*;

use super::*;

const DAY: Duration = Duration::from_secs(86_400);

fn tally(good: f32, bad: f32) -> Tally {
    Tally {
        good,
        bad,
        ..Tally::default()
    }
}

#[test]
fn counts_halve_with_each_half_life() {
    let mut tally = Tally {
        good: 8.0,
        bad: 4.0,
        unknown: 16.0,
        known: 2.0,
        refused: 1.0,
    };
    let mut updated = 1_000_000;
    tally.age(&mut updated, 1_000_000 + 2 * 86_400, DAY);
    assert_eq!(updated, 1_000_000 + 2 * 86_400);
    let expected = Tally {
        good: 2.0,
        bad: 1.0,
        unknown: 4.0,
        known: 0.5,
        refused: 0.25,
    };
    assert_eq!(tally, expected);
}

#[test]
fn many_small_steps_come_to_one_large_one() {
    let (mut step, mut updated) = (tally(1000.0, 500.0), 0);
    for minute in 1..=1440 {
        // Asked every ten seconds; some of it within a step.
        for part in 0..6 {
            step.age(&mut updated, minute * 60 + part * 10, DAY);
        }
    }
    assert!((step.good - 500.0).abs() < 2.0, "{}", step.good);
    assert!((step.bad - 250.0).abs() < 1.0, "{}", step.bad);
}

#[test]
fn a_clock_that_is_set_back_takes_nothing() {
    let (mut tally, mut updated) = (tally(10.0, 0.0), 1_000_000);
    tally.age(&mut updated, 500_000, DAY);
    assert_eq!((tally.good, updated), (10.0, 500_000));
}

#[test]
fn a_single_name_is_forgotten_before_a_message_and_that_before_many() {
    let at = |tally: Tally| tally.forgotten_at(0, DAY);
    let mut named = Tally::default();
    named.learn(Lesson::UnknownRecipients(1));
    let mut flood = Tally::default();
    flood.learn(Lesson::UnknownRecipients(10));
    assert!(at(named) > 0 && at(named) < 86_400 / 2);
    assert!(at(flood) < at(tally(0.0, 1.0)));
    assert_eq!(at(tally(0.0, 1.0)), 2 * 86_400);
    assert_eq!(at(tally(1.0, 0.0)), 4 * 86_400);
    assert!(at(tally(100.0, 0.0)) > 10 * 86_400);
}

#[test]
fn shares_of_nothing_are_zero() {
    assert_eq!(Tally::default().bad_share(), 0.0);
    assert_eq!(Tally::default().unknown_share(), 0.0);
    assert_eq!(tally(1.0, 3.0).bad_share(), 0.75);
}

proptest! {
    #[test]
    fn counters_stay_counts(
        lessons in prop::collection::vec((0..5_u8, any::<f32>(), any::<u32>(), any::<u32>()), 0..50),
    ) {
        let (mut tally, mut updated) = (Tally::default(), 0);
        for (kind, weight, count, now) in lessons {
            tally.age(&mut updated, now, DAY);
            tally.learn(match kind {
                0 => Lesson::Good,
                1 if weight.is_nan() => Lesson::Refused,
                1 => Lesson::Bad(weight),
                2 => Lesson::UnknownRecipients(count),
                3 => Lesson::KnownRecipients(count),
                _ => Lesson::Refused,
            });
            prop_assert!(tally.is_sane());
            prop_assert!((0.0..=1.0).contains(&tally.bad_share()));
            prop_assert!(tally.forgotten_at(updated, DAY) >= updated);
        }
    }
}

//! The bucket by a clock that tests move.

use std::time::Duration;

use super::*;

const RATE: Rate = Rate {
    messages: 4,
    per: Duration::from_secs(3600),
};

/// How many of `count` are admitted, and what they were told was left out.
fn admitted(allowance: &Allowance, rate: Rate, count: usize) -> (usize, u64) {
    let taken: Vec<u64> = (0..count).filter_map(|_| allowance.take(rate)).collect();
    (taken.len(), taken.iter().sum())
}

#[tokio::test(start_paused = true)]
async fn a_flood_passes_at_the_rate_and_is_counted() {
    let allowance = Allowance::default();
    assert_eq!(admitted(&allowance, RATE, 1000), (4, 0));
    tokio::time::advance(Duration::from_secs(901)).await;
    assert_eq!(admitted(&allowance, RATE, 10), (1, 996));
    assert_eq!(admitted(&allowance, RATE, 1), (0, 0));
    // However long it is quiet, no more than the rate comes at once.
    tokio::time::advance(Duration::from_secs(1_000_000)).await;
    assert_eq!(admitted(&allowance, RATE, 10), (4, 10));
}

#[tokio::test(start_paused = true)]
async fn what_was_not_told_is_told_with_the_next() {
    let allowance = Allowance::default();
    assert_eq!(admitted(&allowance, RATE, 7), (4, 0));
    tokio::time::advance(Duration::from_secs(901)).await;
    let left_out = allowance.take(RATE).unwrap();
    assert_eq!(left_out, 3);
    allowance.give_back(left_out);
    assert_eq!(allowance.take(RATE), Some(3));
    assert_eq!(allowance.take(RATE), None);
}

#[tokio::test(start_paused = true)]
async fn another_rate_holds_at_once() {
    let allowance = Allowance::default();
    assert_eq!(admitted(&allowance, RATE, 10).0, 4);
    let smaller = Rate {
        messages: 1,
        ..RATE
    };
    assert_eq!(admitted(&allowance, smaller, 10).0, 0);
    tokio::time::advance(Duration::from_secs(3601)).await;
    assert_eq!(admitted(&allowance, smaller, 10).0, 1);
}

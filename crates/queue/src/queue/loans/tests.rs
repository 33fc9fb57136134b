//! What is remembered of messages that nobody reads any more.

use std::sync::Barrier;
use std::thread;

use super::*;

#[test]
fn two_that_give_up_at_the_same_moment_leave_nothing_behind() {
    let loans = Loans::new(1 << 20);
    let together = Barrier::new(2);
    let give_up = || {
        for id in 0..20_000 {
            let at = loans.at(id);
            together.wait();
            drop(at);
        }
    };
    thread::scope(|scope| {
        scope.spawn(give_up);
        scope.spawn(give_up);
    });
    assert_eq!(loans.count(), 0);
}

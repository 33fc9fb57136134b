//! The closing lines of both runners, as they print them.

use super::{Tally, count};

#[test]
fn nextest_counts() {
    let lines = [
        "        FAIL [   0.785s] (213/731) gatepost::e2e dialogs::ehlo",
        "    test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 86 filtered out; finished in 0.77s",
        "        PASS [   0.004s] smtp status::tests::round_trips_what_passed",
        "     Summary [   1.204s] 130 tests run: 126 passed (2 slow, 1 flaky), 3 failed, 1 timed out, 4 skipped",
    ];
    let expected = Tally {
        passed: 126,
        failed: 4,
    };
    assert_eq!(count(lines.into_iter()), expected);
}

#[test]
fn libtest_counts_are_summed() {
    let lines = [
        "test result: ok. 41 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.2s",
        "test result: FAILED. 6 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.0s",
    ];
    let expected = Tally {
        passed: 47,
        failed: 2,
    };
    assert_eq!(count(lines.into_iter()), expected);
}

#[test]
fn no_closing_line_counts_nothing() {
    assert_eq!(
        count(["error: could not compile"].into_iter()),
        Tally::default()
    );
}

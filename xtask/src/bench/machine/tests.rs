//! Readings of /proc/stat.

use std::time::Duration;

use super::{Noise, Ticks, open_files_limits};

#[test]
fn noise_is_what_neither_idles_nor_is_ours() {
    let before = Ticks::parse("cpu  100 0 100 1000 0 0 0 0 7 0\ncpu0 1\n").unwrap();
    let after = Ticks::parse("cpu  150 0 150 1040 10 0 0 50 99 0\n").unwrap();
    let noise = after.noise_since(before, Duration::from_millis(600));
    let expected = Noise {
        steal: 0.25,
        others: 0.2,
    };
    assert_eq!(noise, expected);
}

#[test]
fn what_is_no_reading_is_none() {
    assert_eq!(Ticks::parse("cpu0 1 2 3"), None);
    assert_eq!(Ticks::parse("cpu  1 2 3"), None);
    assert_eq!(Ticks::parse(""), None);
}

#[test]
fn limits_are_numbers_or_none_at_all() {
    let limits = "Limit   Soft Limit  Hard Limit  Units\nMax open files   1024    524288   files\n";
    assert_eq!(open_files_limits(limits), Some((1024, 524_288)));
    let limits = "Max open files   1024    unlimited   files\n";
    assert_eq!(open_files_limits(limits), Some((1024, u64::MAX)));
    assert_eq!(open_files_limits("Max processes 1 1\n"), None);
}

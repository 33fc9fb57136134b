//! Quiet and disturbed runs.

use super::{Noise, Sample, summary};

fn sample(rate: f64, steal: f64) -> Sample {
    Sample {
        accepted_per_second: rate,
        resident_mib: rate / 10.0,
        noise: Noise { steal, others: 0.0 },
        ..Sample::default()
    }
}

#[test]
fn disturbed_runs_do_not_count() {
    let runs = [
        sample(100.0, 0.0),
        sample(10.0, 0.5),
        sample(110.0, 0.05),
        sample(90.0, 0.01),
    ];
    let summary = summary(&runs).unwrap();
    assert!((summary.median.accepted_per_second - 100.0).abs() < f64::EPSILON);
    assert!(summary.row("a", true).ends_with("| 3/4 |\n"));
}

#[test]
fn with_no_quiet_run_the_least_disturbed_is_shown_and_marked() {
    let runs = [sample(10.0, 0.5), sample(20.0, 0.3)];
    let summary = summary(&runs).unwrap();
    assert!((summary.median.accepted_per_second - 20.0).abs() < f64::EPSILON);
    assert!(summary.row("a", true).starts_with("| a | 20.0* |"));
}

#[test]
fn the_highest_memory_counts() {
    let runs = [sample(100.0, 0.0), sample(500.0, 0.9)];
    assert!((summary(&runs).unwrap().median.resident_mib - 50.0).abs() < f64::EPSILON);
}

#[test]
fn no_runs_say_nothing() {
    assert_eq!(summary(&[]), None);
}

//! Lock files and medians.

use super::{LoadRun, Noise, median_of, version_in};

#[test]
fn the_version_is_that_of_the_package_of_that_very_name() {
    let lock = "[[package]]\nname = \"fjall-x\"\nversion = \"1.0.0\"\n\n[[package]]\nname = \"fjall\"\nversion = \"3.1.13\"\n";
    assert_eq!(version_in(lock, "fjall").as_deref(), Some("3.1.13"));
    assert_eq!(version_in(lock, "fjal"), None);
}

fn run(rate: f64, resident_mib: f64, others: f64) -> LoadRun {
    LoadRun {
        messages_per_second: rate,
        processor_seconds: 1.0,
        written_each: 1.0,
        wait_p50: 1.0,
        wait_p99: 1.0,
        resident_mib,
        left_mib: 0.0,
        noise: Noise { steal: 0.0, others },
    }
}

#[test]
fn medians_are_of_quiet_runs_and_memory_is_a_peak() {
    let runs = [
        run(1.0, 2.0, 0.0),
        run(5.0, 2.0, 0.0),
        run(3.0, 3.0, 0.1),
        run(100.0, 9.0, 0.9),
    ];
    let median = median_of(&runs).unwrap();
    assert!((median.run.messages_per_second - 3.0).abs() < f64::EPSILON);
    assert!((median.run.resident_mib - 9.0).abs() < f64::EPSILON);
    assert_eq!((median.quiet, median.all), (3, 4));
}

#[test]
fn with_no_quiet_run_the_least_disturbed_stands_for_all() {
    let median = median_of(&[run(1.0, 1.0, 0.9), run(2.0, 1.0, 0.5)]).unwrap();
    assert!((median.run.messages_per_second - 2.0).abs() < f64::EPSILON);
    assert_eq!(median.quiet, 0);
    assert_eq!(median_of(&[]), None);
}

//! Lock files and medians.

use super::{LoadRun, Noise, median_of, version_in};

#[test]
fn the_version_is_that_of_the_package_of_that_very_name() {
    let lock = "[[package]]\nname = \"fjall-x\"\nversion = \"1.0.0\"\n\n[[package]]\nname = \"fjall\"\nversion = \"3.1.13\"\n";
    assert_eq!(version_in(lock, "fjall").as_deref(), Some("3.1.13"));
    assert_eq!(version_in(lock, "fjal"), None);
}

#[test]
fn medians_are_taken_figure_by_figure_and_memory_is_a_peak() {
    let run = |rate, resident_mib| LoadRun {
        messages_per_second: rate,
        processor_seconds: 1.0,
        written_each: 1.0,
        wait_p50: 1.0,
        wait_p99: 1.0,
        resident_mib,
        syncs_each: None,
        noise: Noise::default(),
    };
    let median = median_of(&[run(1.0, 9.0), run(5.0, 2.0), run(3.0, 3.0)]);
    assert!((median.messages_per_second - 3.0).abs() < f64::EPSILON);
    assert!((median.resident_mib - 9.0).abs() < f64::EPSILON);
}

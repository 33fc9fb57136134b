//! Figures, met and missed.

use serde_json::Value;

use super::{Figure, Target, json, median, number, table};

fn figure(value: Option<f64>, target: Target) -> Figure {
    Figure {
        name: "rate".to_owned(),
        title: "Rate".to_owned(),
        unit: "messages/s",
        value,
        target,
    }
}

#[test]
fn a_target_is_met_missed_or_not_there() {
    assert_eq!(figure(Some(4.0), Target::AtLeast(4.0)).is_met(), Some(true));
    assert_eq!(
        figure(Some(3.9), Target::AtLeast(4.0)).is_met(),
        Some(false)
    );
    assert_eq!(figure(Some(4.1), Target::AtMost(4.0)).is_met(), Some(false));
    assert_eq!(figure(Some(4.1), Target::None).is_met(), None);
}

#[test]
fn what_was_not_measured_is_missed() {
    assert_eq!(figure(None, Target::AtMost(4.0)).is_met(), Some(false));
    assert!(
        table(&[figure(None, Target::AtMost(4.0))])
            .contains("| not measured | at most 4.00 | missed |")
    );
}

#[test]
fn json_carries_value_target_and_verdict() {
    let object = json(
        "inline",
        true,
        &Value::Null,
        &[figure(Some(5.0), Target::AtLeast(4.0))],
    );
    let figure = &object["figures"][0];
    assert_eq!(figure["value"], 5.0);
    assert_eq!(figure["target"], 4.0);
    assert_eq!(figure["bound"], "at_least");
    assert_eq!(figure["met"], true);
}

#[test]
fn numbers_show_three_digits_that_matter() {
    let shown = [1_005_000.4, 1_500.4, 999.4, 55.55, 3.456, 0.0456].map(number);
    assert_eq!(
        shown,
        ["1,005,000", "1,500", "999", "55.5", "3.46", "0.046"]
    );
}

#[test]
fn the_median_is_in_the_middle() {
    assert!((median(vec![3.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
    assert!((median(vec![4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < f64::EPSILON);
    assert!(median(Vec::new()).abs() < f64::EPSILON);
}

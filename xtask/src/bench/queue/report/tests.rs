//! Figures of a cell against their targets.

use super::{Cell, Figure, Sample, Target, of_cell};

const CELL: Cell = Cell {
    sessions: 50,
    is_kept: true,
    message_bytes: 4096,
};

fn sample(rate: f64, seconds: f64) -> Sample {
    Sample {
        accepted_per_second: rate,
        delivered_per_second: rate,
        server_seconds: seconds,
        syncs_each: Some(0.05),
        ..Sample::default()
    }
}

fn target(figures: &[Figure], end: &str) -> Target {
    figures
        .iter()
        .find(|it| it.name.ends_with(end))
        .unwrap()
        .target
}

#[test]
fn the_lesser_of_four_times_postfix_and_the_generators_limit_is_the_target() {
    let (ours, postfix) = (sample(2500.0, 0.2), sample(500.0, 3.0));
    let figures = of_cell(
        CELL,
        Some(&ours),
        Some(&postfix),
        Some(&sample(10_000.0, 0.0)),
    );
    assert_eq!(
        target(&figures, "accepted_messages_per_second"),
        Target::AtLeast(2000.0)
    );
    let figures = of_cell(
        CELL,
        Some(&ours),
        Some(&postfix),
        Some(&sample(1000.0, 0.0)),
    );
    assert_eq!(
        target(&figures, "delivered_messages_per_second"),
        Target::AtLeast(800.0)
    );
}

#[test]
fn one_session_has_no_target_of_rate_or_syncs() {
    let one = Cell {
        sessions: 1,
        ..CELL
    };
    let (ours, postfix) = (sample(2500.0, 0.2), sample(500.0, 3.0));
    let figures = of_cell(one, Some(&ours), Some(&postfix), Some(&postfix));
    assert_eq!(
        target(&figures, "accepted_messages_per_second"),
        Target::None
    );
    assert_eq!(target(&figures, "syncs_each"), Target::None);
    assert_eq!(
        target(&figures, "processor_seconds_per_1000"),
        Target::AtMost(3.0 * 0.1)
    );
}

#[test]
fn what_gatepost_did_not_do_is_missed() {
    let postfix = sample(500.0, 3.0);
    let figures = of_cell(CELL, None, Some(&postfix), Some(&postfix));
    assert_eq!(figures[0].is_met(), Some(false));
    assert_eq!(target(&figures, "syncs_each"), Target::AtMost(0.1));
}

//! Positions and the form of an error.

use super::*;

#[test]
fn position_counts_lines_and_characters_from_one() {
    let lines = Lines::new("ab\n\näöü=1\n");
    assert_eq!(lines.position(0), (1, 1));
    assert_eq!(lines.position(2), (1, 3));
    assert_eq!(lines.position(3), (2, 1));
    assert_eq!(lines.position(4), (3, 1));
    assert_eq!(lines.position(10), (3, 4));
    assert_eq!(lines.position(13), (4, 1));
    assert_eq!(lines.position(usize::MAX), (4, 1));
    assert_eq!(Lines::new("").position(0), (1, 1));
}

#[test]
fn display_names_place_fault_and_remedy() {
    let error = ConfigError {
        file: "gatepost.toml".into(),
        line: 12,
        column: 9,
        key: "listener.binds".into(),
        message: "unknown key `binds` in [[listener]]; did you mean `bind`?".into(),
        remedy: "write `bind`".into(),
    };
    assert_eq!(
        error.to_string(),
        "gatepost.toml:12:9: unknown key `binds` in [[listener]]; did you mean `bind`?\n  remedy: write `bind`"
    );
}

//! Command lines as people type them.

use super::Arguments;

fn arguments(line: &str) -> Arguments {
    Arguments::new(line.split_whitespace().map(str::to_owned).collect())
}

#[test]
fn words_flags_and_numbers_are_taken_in_any_order() {
    let mut given = arguments("--quick fuzz --seconds 30 session -- --verbose");
    assert_eq!(given.word().as_deref(), Some("fuzz"));
    assert_eq!(given.number("--seconds").unwrap(), Some(30));
    assert_eq!(given.word().as_deref(), Some("session"));
    assert!(given.flag("--quick"));
    assert!(!given.flag("--quick"));
    assert_eq!(given.finish().unwrap(), ["--verbose"]);
}

#[test]
fn a_number_may_follow_an_equals_sign() {
    let mut given = arguments("--seconds=5");
    assert_eq!(given.number("--seconds").unwrap(), Some(5));
    assert!(given.finish().unwrap().is_empty());
}

#[test]
fn a_number_that_is_none_is_refused() {
    assert!(arguments("--seconds ten").number("--seconds").is_err());
    assert!(arguments("--seconds").number("--seconds").is_err());
}

#[test]
fn what_nobody_took_is_refused() {
    assert!(arguments("--qiuck").finish().is_err());
}

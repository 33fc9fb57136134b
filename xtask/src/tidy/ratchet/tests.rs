//! The ratchet turns one way.

use super::{Ratchet, Size};

fn size(key: &str, value: usize) -> Size {
    Size {
        key: key.to_owned(),
        value,
        limit: 70,
        place: "src/a.rs:1".to_owned(),
    }
}

fn problems(ratchet: &str, sizes: &[Size]) -> Vec<String> {
    let mut problems = Vec::new();
    let ratchet = Ratchet::parse(ratchet).unwrap();
    ratchet.compare(sizes, &mut problems);
    problems
}

#[test]
fn what_is_over_its_limit_needs_an_entry() {
    let found = problems("", &[size("function src/a.rs f", 71)]);
    assert_eq!(found, ["src/a.rs:1: function src/a.rs f is 71, 70 allowed"]);
    assert!(problems("function src/a.rs f 71", &[size("function src/a.rs f", 71)]).is_empty());
}

#[test]
fn what_has_an_entry_may_not_grow() {
    let found = problems("function src/a.rs f 80", &[size("function src/a.rs f", 81)]);
    assert_eq!(
        found,
        ["src/a.rs:1: function src/a.rs f is 81, 80 in tidy.ratchet"]
    );
}

#[test]
fn entries_follow_what_shrank_and_go_when_not_needed() {
    let found = problems("function src/a.rs f 80", &[size("function src/a.rs f", 75)]);
    assert!(found[0].contains("is down to 75"), "{found:?}");
    let found = problems("function src/a.rs f 80", &[]);
    assert!(found[0].contains("remove the entry"), "{found:?}");
}

#[test]
fn a_budget_may_have_room_but_no_excess() {
    assert!(problems("packages Cargo.lock 80", &[size("packages Cargo.lock", 75)]).is_empty());
    assert_eq!(
        problems("packages Cargo.lock 80", &[size("packages Cargo.lock", 81)]).len(),
        1
    );
}

#[test]
fn blessing_only_lowers() {
    let ratchet = Ratchet::parse("file a 600\nfile b 700\nfile c 800\n").unwrap();
    let lowered = ratchet.lowered_to(&[size("file a", 650), size("file b", 650)]);
    assert_eq!(lowered, Ratchet::parse("file a 600\nfile b 650\n").unwrap());
}

#[test]
fn two_functions_of_one_name_share_an_entry() {
    let sizes = [
        size("function src/a.rs f", 75),
        size("function src/a.rs f", 80),
    ];
    assert!(problems("function src/a.rs f 80", &sizes).is_empty());
}

#[test]
fn printing_and_parsing_agree() {
    let ratchet = Ratchet::parse("packages Cargo.lock 120\nfile src/a.rs 501\n").unwrap();
    assert_eq!(Ratchet::parse(&ratchet.print()).unwrap(), ratchet);
    assert!(Ratchet::parse("file src/a.rs many").is_err());
    assert!(Ratchet::parse("file a 1\nfile a 2").is_err());
}

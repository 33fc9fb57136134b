//! Lines that break the rules about text, and lines that only look so.

use super::{check, check_rust, is_ours};
use crate::tidy::source::Source;

fn problems(content: &str) -> usize {
    let mut problems = Vec::new();
    check("a.md", content, &mut problems);
    problems.len()
}

fn in_rust(content: &str) -> usize {
    let mut problems = Vec::new();
    check_rust(&Source::new("src/a.rs", content), &mut problems);
    problems.len()
}

#[test]
fn line_ends_are_clean() {
    assert_eq!(problems("a \n"), 1);
    assert_eq!(problems("a\t\n"), 1);
    assert_eq!(problems("a\r\nb\n"), 1);
    assert_eq!(problems("a"), 1);
    assert_eq!(problems("a\n\nb\n"), 0);
}

#[test]
fn leftovers_are_found_as_words() {
    assert_eq!(problems(concat!("// TO", "DO: later\n")), 1);
    assert_eq!(problems(concat!("MASTO", "DON, XX", "XX\n")), 0);
    assert_eq!(in_rust("//! A.\nfn a() { todo!() }\n"), 1);
    assert_eq!(in_rust("//! A.\n// todo!()\nfn a() { b(\"dbg!\") }\n"), 0);
}

#[test]
fn places_of_one_machine_are_found_where_a_path_begins() {
    assert_eq!(problems(concat!("see /tm", "p/a\n")), 1);
    assert_eq!(problems(concat!("`/wo", "rk/a`\n")), 1);
    assert_eq!(problems(concat!("maildir/tm", "p/a, {root}/tm", "p/\n")), 0);
}

#[test]
fn rust_files_open_with_their_purpose() {
    assert_eq!(in_rust("//! A.\n"), 0);
    assert_eq!(in_rust("use a;\n"), 1);
    let tests = Source::new("src/a/tests.rs", "use a;\n");
    let mut problems = Vec::new();
    check_rust(&tests, &mut problems);
    assert!(problems.is_empty(), "{problems:?}");
}

#[test]
fn tests_stand_beside_the_code() {
    assert_eq!(in_rust("//! A.\n#[cfg(test)]\nmod tests {\n}\n"), 1);
    assert_eq!(in_rust("//! A.\n#[cfg(test)]\nmod tests;\n"), 0);
}

#[test]
fn data_of_tests_is_taken_as_it_is() {
    assert!(is_ours("README.md") && is_ours("crates/smtp/tests/dialogs.rs"));
    assert!(!is_ours("crates/smtp/tests/dialogs/a.md") && !is_ours("a.eml"));
}

//! Files and functions at their limits and one line over.

use super::{FILE_LINES_MAX, FUNCTION_LINES_MAX, TEST_FILE_LINES_MAX, measure, packages};
use crate::tidy::source::Source;

fn keys(path: &str, text: &str) -> Vec<(String, usize)> {
    let mut sizes = Vec::new();
    measure(&Source::new(path, text), &mut sizes);
    sizes.into_iter().map(|it| (it.key, it.value)).collect()
}

fn function(lines: usize) -> String {
    format!("fn long() {{\n{}}}\n", "    a();\n".repeat(lines - 2))
}

#[test]
fn a_file_at_the_limit_passes_and_one_over_does_not() {
    assert_eq!(keys("src/a.rs", &"\n".repeat(FILE_LINES_MAX)), []);
    let over = keys("src/a.rs", &"\n".repeat(FILE_LINES_MAX + 1));
    assert_eq!(over, [("file src/a.rs".to_owned(), FILE_LINES_MAX + 1)]);
}

#[test]
fn a_function_at_the_limit_passes_and_one_over_does_not() {
    assert_eq!(keys("src/a.rs", &function(FUNCTION_LINES_MAX)), []);
    let over = keys("src/a.rs", &function(FUNCTION_LINES_MAX + 1));
    let key = "function src/a.rs long".to_owned();
    assert_eq!(over, [(key, FUNCTION_LINES_MAX + 1)]);
}

#[test]
fn tests_have_more_room() {
    assert_eq!(
        keys("src/a/tests.rs", &"\n".repeat(TEST_FILE_LINES_MAX)),
        []
    );
    assert_eq!(
        keys("src/a/tests.rs", &function(FUNCTION_LINES_MAX + 1)),
        []
    );
    let over = keys(
        "tests/e2e/tests/b.rs",
        &"\n".repeat(TEST_FILE_LINES_MAX + 1),
    );
    assert_eq!(over.len(), 1);
}

#[test]
fn packages_are_counted() {
    let lock = "version = 4\n\n[[package]]\nname = \"a\"\n\n[[package]]\nname = \"b\"\n";
    assert_eq!(packages(lock).value, 2);
}

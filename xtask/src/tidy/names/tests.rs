//! Good and bad names.

use super::{check, check_path};
use crate::tidy::source::Source;

fn in_code(text: &str) -> usize {
    let mut problems = Vec::new();
    check(&Source::new("crates/net/src/a.rs", text), &mut problems);
    problems.len()
}

fn in_path(path: &str) -> usize {
    let mut problems = Vec::new();
    check_path(path, &mut problems);
    problems.len()
}

#[test]
fn drawers_are_no_modules() {
    assert_eq!(in_code("mod utils; pub(crate) mod helper { }"), 2);
    assert_eq!(in_code("mod utilisation; // mod utils"), 0);
    assert_eq!(in_path("crates/net/src/common.rs"), 1);
    assert_eq!(in_path("crates/core/src/lib.rs"), 1);
    assert_eq!(in_path("crates/net/src/dns/mod.rs"), 1);
    assert_eq!(in_path("crates/net/src/dns/model.rs"), 0);
}

#[test]
fn titles_are_no_types() {
    assert_eq!(
        in_code("struct ConnectionManager; enum Helper {} trait DataHandler {}"),
        3
    );
    assert_eq!(
        in_code("struct Management; struct Handled; use a::Handler;"),
        0
    );
}

//! Golden files: what a test wrote is compared with what is committed; `UPDATE_EXPECT=1` writes it anew.

use std::path::Path;

/// Compares `actual` with the file at `path`, seen from the folder of this crate.
#[track_caller]
pub(crate) fn check(path: &str, actual: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, actual).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    if expected == actual {
        return;
    }
    let first = expected
        .lines()
        .zip(actual.lines())
        .position(|(expected, actual)| expected != actual)
        .unwrap_or_else(|| expected.lines().count().min(actual.lines().count()));
    panic!(
        "{}:{}: expected {:?}, got {:?}; UPDATE_EXPECT=1 takes over what is new",
        path.display(),
        first + 1,
        expected.lines().nth(first),
        actual.lines().nth(first),
    );
}

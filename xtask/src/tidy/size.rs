//! How long files and functions are, and how many packages the build needs.

use super::source::Source;

/// Lines in a file of code.
pub(super) const FILE_LINES_MAX: usize = 500;
/// Lines in a file of tests: tables and dialogs read well at length.
pub(super) const TEST_FILE_LINES_MAX: usize = 800;
/// Lines in a function, from `fn` to its closing brace; tests are exempt.
pub(super) const FUNCTION_LINES_MAX: usize = 70;

/// Something measured that is over its limit, or that always has an entry in the ratchet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Size {
    /// What it is: `file PATH`, `function PATH NAME` or `packages PATH`.
    pub(super) key: String,
    pub(super) value: usize,
    /// The limit for what has no entry.
    pub(super) limit: usize,
    /// Where to look: `PATH:LINE`.
    pub(super) place: String,
}

/// Adds the file and those of its functions that are over the limit.
pub(super) fn measure(source: &Source<'_>, sizes: &mut Vec<Size>) {
    let path = source.path;
    let lines = source.text.lines().count();
    let limit = if source.is_test() {
        TEST_FILE_LINES_MAX
    } else {
        FILE_LINES_MAX
    };
    if lines > limit {
        sizes.push(Size {
            key: format!("file {path}"),
            value: lines,
            limit,
            place: path.to_owned(),
        });
    }
    if source.is_test() {
        return;
    }
    let functions = source.functions().into_iter();
    for function in functions.filter(|it| it.lines > FUNCTION_LINES_MAX) {
        sizes.push(Size {
            key: format!("function {path} {}", function.name),
            value: function.lines,
            limit: FUNCTION_LINES_MAX,
            place: format!("{path}:{}", function.line),
        });
    }
}

/// The number of packages in Cargo.lock: what a cold build may have to fetch and compile. Its budget is the ratchet.
pub(super) fn packages(lock: &str) -> Size {
    Size {
        key: "packages Cargo.lock".to_owned(),
        value: lock.lines().filter(|&line| line == "[[package]]").count(),
        limit: 0,
        place: "Cargo.lock".to_owned(),
    }
}

#[cfg(test)]
mod tests;

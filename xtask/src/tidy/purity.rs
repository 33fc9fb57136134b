//! Pure code has no clock, no socket, no file, no thread, no environment: what it needs to know it is told.

use super::Problems;
use super::layers::PURE;
use super::source::Source;

/// Pure modules of a crate that is not pure as a whole: the verdict is a function of recorded facts.
const PURE_MODULES: &[&str] = &[
    "crates/gatepost/src/policy.rs",
    "crates/gatepost/src/policy/",
];

/// Words that do not occur in pure code. `std::net` is allowed for its addresses, not for its sockets.
const IMPURE_WORDS: &[&str] = &[
    "Instant",
    "SystemTime",
    "TcpListener",
    "TcpStream",
    "UdpSocket",
    "UnixListener",
    "UnixStream",
    "tokio",
];
/// Modules of the standard library that pure code does not name.
const IMPURE_PATHS: &[&str] = &["std::env", "std::fs", "std::process", "std::thread"];

/// Looks through a file of a pure crate or module; tests may do as they like.
pub(super) fn check(source: &Source<'_>, problems: &mut Problems) {
    if source.is_test() || !is_pure(source.path) {
        return;
    }
    for (line, word) in source.words() {
        if IMPURE_WORDS.contains(&word) {
            problems.push(format!("{}:{line}: {word} in pure code", source.path));
        }
    }
    for (index, line) in source.code.lines().enumerate() {
        let line_number = index + 1;
        for path in IMPURE_PATHS.iter().filter(|path| line.contains(*path)) {
            problems.push(format!(
                "{}:{line_number}: {path} in pure code",
                source.path
            ));
        }
    }
}

fn is_pure(path: &str) -> bool {
    let of_crate = |name: &&str| {
        path.strip_prefix("crates/")
            .and_then(|path| path.strip_prefix(*name))
            .is_some_and(|path| path.starts_with("/src/"))
    };
    PURE.iter().any(of_crate) || PURE_MODULES.iter().any(|it| path.starts_with(it))
}

#[cfg(test)]
mod tests;

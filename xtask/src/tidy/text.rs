//! Rules about text: no leftovers, no blanks at line ends, no place of one machine, and a few `//!` lines on top.

use super::Problems;
use super::source::Source;

/// Words that mark unfinished work; written in halves so that this file passes its own rule.
const LEFTOVERS: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
];
/// Macros that stand for work not done, or for a look while doing it.
const LEFTOVER_MACROS: &[&str] = &["dbg", "todo", "unimplemented"];
/// Hosts of package registries and folders of one machine: neither belongs into a file that others read.
const PLACES: &[&str] = &[
    concat!("index.crates", ".io"),
    concat!("static.crates", ".io"),
    concat!("crates", ".io-index"),
    concat!("registry.npm", "js.org"),
    concat!("deb.deb", "ian.org"),
    concat!("pypi", ".org"),
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/tm", "p/"),
];

/// Whether people write this file, by its name; data that tests read is taken as it is.
pub(super) fn is_ours(path: &str) -> bool {
    if path.ends_with(".rs") {
        return true;
    }
    let is_data = ["/tests/", "/corpus/", "/data/"]
        .iter()
        .any(|it| path.contains(it));
    let ends = [
        ".toml", ".md", ".sh", ".py", ".yml", ".html", ".css", ".js", "/run", "justfile",
        ".ratchet",
    ];
    !is_data && ends.iter().any(|end| path.ends_with(end))
}

/// Checks a file of any kind, line by line.
pub(super) fn check(path: &str, content: &str, problems: &mut Problems) {
    for (index, line) in content.split('\n').enumerate() {
        let mut tell = |what: &str| problems.push(format!("{path}:{}: {what}", index + 1));
        if line.ends_with([' ', '\t']) {
            tell("blanks at the end of the line");
        }
        if line.contains('\r') {
            tell("a carriage return");
        }
        for word in LEFTOVERS.iter().filter(|word| has_word(line, word)) {
            tell(&format!("{word}: finish it, or file an issue"));
        }
        for place in PLACES.iter().filter(|place| has_place(line, place)) {
            tell(&format!("{place} is a place of one machine or registry"));
        }
    }
    if !content.is_empty() && !content.ends_with('\n') {
        problems.push(format!("{path}: no line break at its end"));
    }
}

/// Checks what holds for Rust only.
pub(super) fn check_rust(source: &Source<'_>, problems: &mut Problems) {
    let path = source.path;
    // `foo/tests.rs` says by its name what lives there.
    if !source.text.starts_with("//!") && !path.ends_with("/tests.rs") {
        problems.push(format!(
            "{path}:1: opens without `//!` lines that say what lives here"
        ));
    }
    for (index, line) in source.code.lines().enumerate() {
        let line_number = index + 1;
        for name in LEFTOVER_MACROS {
            if has_word(line, name) && line.contains(&format!("{name}!")) {
                problems.push(format!("{path}:{line_number}: {name}! in committed code"));
            }
        }
        if line.trim_end().ends_with('{') && line.trim_start().starts_with("mod tests ") {
            problems.push(format!(
                "{path}:{line_number}: tests live in a file of their own"
            ));
        }
    }
}

/// Whether a word stands in a line by itself: `needs a` in `needs`, not in `needless`.
fn has_word(line: &str, word: &str) -> bool {
    let is_part = |c: char| c == '_' || c.is_alphanumeric();
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let behind = line[at + word.len()..].chars().next();
        !before.is_some_and(is_part) && !behind.is_some_and(is_part)
    })
}

/// Whether a place is named: a folder counts only where a path begins, so that `a/tmp/b` does not.
fn has_place(line: &str, place: &str) -> bool {
    line.match_indices(place).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !place.starts_with('/')
            || !before.is_some_and(|c| c.is_alphanumeric() || "._-~)}*".contains(c))
    })
}

#[cfg(test)]
mod tests;

//! Names that say nothing: drawers (`common`, `util`) and titles (`Manager`, `Helper`) for things that have a name.

use super::Problems;
use super::source::Source;

/// Never the name of a crate, folder, file, module or type.
const BANNED: &[&str] = &[
    "common", "core", "handler", "helper", "helpers", "manager", "misc", "util", "utils",
];

/// Checks the folders and the name of a file.
pub(super) fn check_path(path: &str, problems: &mut Problems) {
    let is_ours = ["crates/", "xtask/", "fuzz/"]
        .iter()
        .any(|it| path.starts_with(it));
    if !is_ours {
        return;
    }
    if path.ends_with("/mod.rs") {
        problems.push(format!("{path}: name it after its folder, one level up"));
    }
    for part in path.split('/') {
        let name = part.split('.').next().unwrap_or(part);
        if BANNED.contains(&name) {
            problems.push(format!("{path}: `{name}` is no name: say what it holds"));
        }
    }
}

/// Checks the modules and types that a file declares.
pub(super) fn check(source: &Source<'_>, problems: &mut Problems) {
    let mut before = "";
    for (line, word) in source.words() {
        let is_bad = match before {
            "mod" => BANNED.contains(&word),
            "struct" | "enum" | "trait" | "union" => last_words_of_type(word),
            _ => false,
        };
        if is_bad {
            problems.push(format!(
                "{}:{line}: `{word}` is no name: say what it is",
                source.path
            ));
        }
        before = word;
    }
}

/// Whether a type's name is, or ends in, a banned word: `Helper`, `ConnectionManager`.
fn last_words_of_type(name: &str) -> bool {
    let start = name.rfind(|c: char| c.is_ascii_uppercase()).unwrap_or(0);
    BANNED.contains(&name[start..].to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests;

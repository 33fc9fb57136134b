//! Links from one Markdown file to another file of the checkout lead somewhere.

use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result};

use super::Problems;
use crate::workspace;

/// Checks the links of a Markdown file; any other file has none.
pub(crate) fn check(path: &str, problems: &mut Problems) -> Result<()> {
    if !path.ends_with(".md") || path.contains("/tests/") {
        return Ok(());
    }
    let root = workspace::root();
    let content = fs::read_to_string(root.join(path)).with_context(|| path.to_owned())?;
    for (line, target) in targets(&content) {
        let folder = Path::new(path).parent().unwrap_or(Path::new(""));
        let is_there = within(&folder.join(target)).is_some_and(|it| root.join(it).exists());
        if !is_there {
            problems.push(format!("{path}:{line}: no {target} in this checkout"));
        }
    }
    Ok(())
}

/// The files that `[text](file#part)` links name, with their lines; links to the web or within the page are left out.
fn targets(content: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for (index, line) in content.lines().enumerate() {
        for piece in line.split("](").skip(1) {
            let target = piece.split([')', '#', ' ']).next().unwrap_or_default();
            if !target.is_empty() && !target.contains(':') {
                found.push((index + 1, target));
            }
        }
    }
    found
}

/// A path without `..`; none if it leads out of the checkout.
fn within(path: &Path) -> Option<PathBuf> {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => clean.push(name),
            Component::CurDir => {}
            Component::ParentDir if clean.pop() => {}
            _ => return None,
        }
    }
    Some(clean)
}

#[cfg(test)]
mod tests;

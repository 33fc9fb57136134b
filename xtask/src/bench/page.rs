//! The pages of measurements in docs/: each bench owns the part between its two markers and leaves the rest of the page alone.

use std::fs;

use anyhow::{Context, Result};

use crate::workspace;

/// What a message and a connection cost.
pub(super) const PERFORMANCE: &str = "docs/performance.md";
/// What the queue costs and bears.
pub(super) const QUEUE: &str = "docs/performance-queue.md";

/// How much spam is caught for how many false positives.
pub(super) const ACCURACY: &str = "docs/accuracy.md";

/// Puts `content` between the markers of a bench; a page without them gets them at its end.
pub(super) fn write(page: &str, bench: &str, content: &str) -> Result<()> {
    let path = workspace::root().join(page);
    let before = match fs::read_to_string(&path) {
        Ok(page) => page,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => "# Performance\n".to_owned(),
        Err(error) => return Err(error).context(page.to_owned()),
    };
    let after = replace(&before, bench, content);
    fs::write(&path, after).with_context(|| page.to_owned())?;
    println!("written to {page}");
    Ok(())
}

fn replace(page: &str, bench: &str, content: &str) -> String {
    let begin = format!("<!-- bench {bench}: begin -->");
    let end = format!("<!-- bench {bench}: end -->");
    let part = format!("{begin}\n{}\n{end}", content.trim());
    let around = page.split_once(&begin).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(&end)?;
        Some((before, after))
    });
    match around {
        Some((before, after)) => format!("{before}{part}{after}"),
        None => format!("{}\n\n{part}\n", page.trim_end()),
    }
}

#[cfg(test)]
mod tests;

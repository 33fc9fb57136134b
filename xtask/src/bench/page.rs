//! docs/performance.md: each bench owns the part between its two markers and leaves the rest of the page alone.

use std::fs;

use anyhow::{Context, Result};

use crate::workspace;

const PAGE: &str = "docs/performance.md";

/// Puts `content` between the markers of a bench; a page without them gets them at its end.
pub(super) fn write(bench: &str, content: &str) -> Result<()> {
    let path = workspace::root().join(PAGE);
    let page = match fs::read_to_string(&path) {
        Ok(page) => page,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => "# Performance\n".to_owned(),
        Err(error) => return Err(error).context(PAGE),
    };
    fs::write(&path, replace(&page, bench, content)).context(PAGE)?;
    println!("written to {PAGE}");
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

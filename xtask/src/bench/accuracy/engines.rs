//! The engines of our own together, with the model that ships: what they cost, and how many messages become likely. It is the
//! example `engines` of the crate `scan`.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::messages::{PARTS, Part, Role};
use crate::workspace;

/// What the example tells.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Speed {
    pub(super) messages: u64,
    pub(super) messages_per_second: f64,
    pub(super) milliseconds_median: f64,
    pub(super) milliseconds_p99: f64,
    pub(super) processor_seconds_per_1000: f64,
    /// Messages that are likely spam, by the name of their part.
    likely: BTreeMap<String, u64>,
}

impl Speed {
    /// How many of the modern legitimate messages are likely spam.
    pub(super) fn modern_likely(&self) -> u64 {
        let modern = PARTS.iter().filter(|part| part.role == Role::UnseenHam);
        modern.filter_map(|part| self.likely.get(part.name)).sum()
    }
}

/// Runs it over the SpamAssassin corpus and the modern legitimate mail.
pub(super) fn measure(folder: &Path) -> Result<Speed> {
    run(folder, |part| part.role != Role::UnseenSpam)
}

/// Runs it over all that the other filters are given too, for what it costs beside them.
pub(super) fn measure_all(folder: &Path) -> Result<Speed> {
    run(folder, |_| true)
}

fn run(folder: &Path, is_wanted: fn(&Part) -> bool) -> Result<Speed> {
    let parts = PARTS.iter().filter(|part| is_wanted(part));
    let output = workspace::cargo()
        .args([
            "run",
            "--locked",
            "--release",
            "--package",
            "scan",
            "--example",
            "engines",
            "--",
        ])
        .args(parts.map(|part| folder.join(part.name)))
        .arg("--json")
        .stderr(std::process::Stdio::inherit())
        .output()
        .context("the example `engines`")?;
    ensure!(output.status.success(), "the example `engines` failed");
    let text = String::from_utf8(output.stdout)?;
    let line = text
        .lines()
        .last()
        .context("the example `engines` says nothing")?;
    serde_json::from_str(line).context("the example `engines` says something else")
}

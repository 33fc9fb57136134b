//! What scanning costs us without any daemon: parse, attachment engine, dispatch, verdict. Measured by the `cost`
//! example of the scan crate, which knows its own insides; here it is only built, run, and read.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::workspace;

/// The built example.
pub(super) struct ScanCost {
    program: PathBuf,
}

/// Builds the example; none if this checkout has none.
pub(super) fn build() -> Result<Option<ScanCost>> {
    if !workspace::root()
        .join("crates/scan/examples/cost.rs")
        .is_file()
    {
        return Ok(None);
    }
    println!("building the scan crate's cost example");
    let status = Command::new("cargo")
        .args([
            "build",
            "--locked",
            "--release",
            "--package",
            "scan",
            "--example",
            "cost",
        ])
        .current_dir(workspace::root())
        .status()
        .context("cargo build")?;
    ensure!(status.success(), "the cost example does not build");
    Ok(Some(ScanCost {
        program: workspace::target("release/examples/cost"),
    }))
}

impl ScanCost {
    /// Milliseconds of processor time for a message of 20 KiB.
    pub(super) fn measure(&self) -> Result<f64> {
        let output = Command::new(&self.program)
            .arg("--json")
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .context("the cost example")?;
        ensure!(output.status.success(), "the cost example failed");
        let text = String::from_utf8_lossy(&output.stdout);
        let last = text.trim_end().lines().next_back().unwrap_or_default();
        let object: Value = serde_json::from_str(last).context("the cost example's last line")?;
        object["milliseconds_per_20_kib"]
            .as_f64()
            .context("the cost example gives no milliseconds_per_20_kib")
    }
}

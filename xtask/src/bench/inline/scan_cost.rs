//! What scanning costs us without any daemon: MIME view, attachment engine, dispatch. Measured by the `cost` example of
//! the scan crate, which knows its own insides, over the SpamAssassin corpus; here it is only built, run, and read.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::install;
use crate::workspace;

/// Real mail, kept beside the checkout and no part of it.
const ARCHIVE: &str = "../shared/corpora/spamassassin-public.tar.zst";

/// The example and the messages for it.
pub(super) struct ScanCost {
    program: PathBuf,
    messages: PathBuf,
}

/// Builds the example and unpacks the messages; none if there are no messages beside this checkout.
pub(super) fn prepare() -> Result<Option<ScanCost>> {
    let archive = workspace::root().join(ARCHIVE);
    if !archive.is_file() {
        println!("no {ARCHIVE}: the cost of scanning is not measured");
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
        messages: unpacked(&archive)?,
    }))
}

fn unpacked(archive: &Path) -> Result<PathBuf> {
    let done = workspace::target("bench/messages");
    if done.is_dir() {
        return Ok(done);
    }
    install::packages(install::CORPORA)?;
    let partial = workspace::target("bench/messages.partial");
    fs::create_dir_all(&partial)?;
    let status = Command::new("tar")
        .args(["--zstd", "-xf"])
        .arg(archive)
        .arg("-C")
        .arg(&partial)
        .status()
        .context("tar")?;
    ensure!(status.success(), "cannot unpack {}", archive.display());
    fs::rename(partial, &done)?;
    Ok(done)
}

impl ScanCost {
    /// Milliseconds of processor time for each 20 KiB of a message: what 99 of 100 messages stay below.
    pub(super) fn measure(&self) -> Result<f64> {
        println!("cost of scanning");
        let output = Command::new(&self.program)
            .arg("--json")
            .arg(&self.messages)
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .context("the cost example")?;
        ensure!(output.status.success(), "the cost example failed");
        let text = String::from_utf8_lossy(&output.stdout);
        let last = text.trim_end().lines().next_back().unwrap_or_default();
        let object: Value = serde_json::from_str(last).context("the cost example's last line")?;
        object["milliseconds_per_20_kib_p99"]
            .as_f64()
            .context("the cost example gives no milliseconds_per_20_kib_p99")
    }
}

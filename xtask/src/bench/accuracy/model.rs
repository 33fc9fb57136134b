//! `xtask model`: trains the model that ships, by `gatepost train` on the SpamAssassin public corpus and nothing else, stripped as
//! for the bench. The same sources give the same bytes.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::{Role, build, folders, messages};
use crate::{install, workspace};

/// The model in the sources.
const SHIPPED: &str = "crates/scan/src/content/classifier/default.model";

/// The seed of its training.
const SEED: &str = "1";

/// Trains the model and puts it into the sources, or only compares it with the one there.
pub(in crate::bench) fn run(is_check: bool) -> Result<()> {
    install::packages(install::TESTS)?;
    let folder = messages::prepare()?;
    let gatepost = build()?;
    let made = workspace::target("accuracy/default.model");
    let status = Command::new(gatepost)
        .arg("train")
        .arg("--ham")
        .args(folders(&folder, &[Role::Ham]))
        .arg("--spam")
        .args(folders(&folder, &[Role::Spam]))
        .args(["--seed", SEED, "--out"])
        .arg(&made)
        .status()
        .context("gatepost train")?;
    ensure!(status.success(), "gatepost train failed");
    let shipped = workspace::root().join(SHIPPED);
    let bytes = fs::read(&made)?;
    if fs::read(&shipped).is_ok_and(|before| before == bytes) {
        println!("{SHIPPED}: the same");
        return Ok(());
    }
    ensure!(
        !is_check,
        "{SHIPPED} is another than this training gives: run `cargo xtask model`, then `cargo xtask bench accuracy`"
    );
    fs::write(&shipped, bytes)?;
    println!("{SHIPPED}: new");
    Ok(())
}

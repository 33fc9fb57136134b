//! Cargo subcommands the tasks use, from PATH or built once into `target/tools`.
//!
//! They are built without optimisation: cargo-deny then takes a minute of building instead of five, and still
//! checks this workspace in a second.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::workspace;

/// The version that `deny.toml` is written for.
const CARGO_DENY: &str = "0.20.2";

/// cargo-deny, installed if it is not there.
pub(crate) fn cargo_deny() -> Result<PathBuf> {
    tool("cargo-deny", CARGO_DENY)
}

/// Whether a program answers `--version`.
pub(crate) fn answers(program: &str, arguments: &[&str]) -> bool {
    Command::new(program)
        .args(arguments)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn tool(name: &str, version: &str) -> Result<PathBuf> {
    let tools = workspace::target("tools");
    let built = tools.join("bin").join(name);
    if built.is_file() {
        return Ok(built);
    }
    if answers(name, &[]) {
        return Ok(name.into());
    }
    println!("building {name} {version} into target/tools");
    let status = Command::new("cargo")
        .args(["install", "--quiet", "--locked", "--no-track"])
        .args(["--profile", "dev", "--version", version, "--root"])
        .arg(&tools)
        .arg(name)
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .env("CARGO_INCREMENTAL", "0")
        .current_dir(workspace::root())
        .status()
        .context("cargo install")?;
    ensure!(
        status.success(),
        "cannot build {name}; install it by hand: cargo install --locked {name}@{version}"
    );
    Ok(built)
}

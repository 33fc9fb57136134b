//! The checkout a task works on: its root, its files as git knows them, its crates as cargo knows them.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// One crate of the workspace.
pub(crate) struct Crate {
    pub(crate) name: String,
    /// Its Cargo.toml, from the root.
    pub(crate) manifest: String,
    pub(crate) dependencies: Vec<Dependency>,
}

/// One dependency of a crate, as its Cargo.toml names it.
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// Needed by tests only.
    pub(crate) is_dev: bool,
    /// A crate of this workspace.
    pub(crate) is_ours: bool,
}

/// The root of the workspace: the folder above xtask's own.
pub(crate) fn root() -> PathBuf {
    let own = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    own.parent().map_or_else(|| own.clone(), Path::to_owned)
}

/// Cargo at the root, without what this process was told of xtask itself (`CARGO_PKG_NAME` and the like): some build scripts
/// take note of that, and their crates would be built anew whenever a task and a developer build in turn.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(root());
    let about_us = std::env::vars_os().map(|(name, _)| name).filter(|name| {
        let name = name.to_string_lossy();
        name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
    });
    for name in about_us {
        cargo.env_remove(name);
    }
    cargo
}

/// A path below `target/`, where every task keeps what it makes.
pub(crate) fn target(below: &str) -> PathBuf {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    target.join(below)
}

/// Every file of the checkout that git tracks or would track, from the root, sorted.
pub(crate) fn files() -> Result<Vec<String>> {
    let output = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others"])
        .args(["--exclude-standard", "--deduplicate"])
        .current_dir(root())
        .output()
        .context("git is needed to list the files of the checkout")?;
    ensure!(
        output.status.success(),
        "git ls-files failed: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    let mut files: Vec<String> = String::from_utf8(output.stdout)
        .context("a file name is not UTF-8")?
        .split_terminator('\0')
        .map(str::to_owned)
        .collect();
    // A file deleted but not yet committed is still in git's index.
    files.retain(|file| root().join(file).is_file());
    files.sort();
    Ok(files)
}

/// The crates of the workspace with the dependencies that their manifests name.
pub(crate) fn crates() -> Result<Vec<Crate>> {
    let output = Command::new("cargo")
        .args(["metadata", "--no-deps", "--format-version=1"])
        .current_dir(root())
        .output()
        .context("cargo metadata")?;
    ensure!(
        output.status.success(),
        "cargo metadata failed: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    array(&metadata, "packages").map(read_crate).collect()
}

fn read_crate(package: &Value) -> Result<Crate> {
    let manifest = Path::new(text(package, "manifest_path")?);
    let manifest = manifest.strip_prefix(root()).unwrap_or(manifest);
    let dependencies = array(package, "dependencies").map(|dependency| {
        Ok(Dependency {
            name: text(dependency, "name")?.to_owned(),
            is_dev: dependency["kind"] == "dev",
            is_ours: dependency["path"].is_string(),
        })
    });
    Ok(Crate {
        name: text(package, "name")?.to_owned(),
        manifest: manifest.to_string_lossy().into_owned(),
        dependencies: dependencies.collect::<Result<_>>()?,
    })
}

fn array<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    value[key].as_array().into_iter().flatten()
}

fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str> {
    value[key]
        .as_str()
        .with_context(|| format!("cargo metadata gave no {key}"))
}

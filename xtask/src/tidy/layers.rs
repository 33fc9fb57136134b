//! Which crate may use which, and that each takes the workspace's lints (`unsafe_code = "forbid"` among them).
//!
//! The table is the house plan of ARCHITECTURE.md: a layer never looks up. A crate that is not in the table has no
//! place yet, which is an error too.

use std::fs;

use anyhow::{Context, Result};

use super::Problems;
use crate::workspace::{self, Crate};

/// Each crate of ours and those of ours that it may use.
const LAYERS: &[(&str, &[&str])] = &[
    ("smtp", &[]),
    ("outbreak", &[]),
    ("net", &[]),
    ("store", &[]),
    ("queue", &["smtp"]),
    ("scan", &["smtp", "net", "store", "outbreak"]),
    (
        "gatepost",
        &["smtp", "net", "queue", "scan", "store", "outbreak"],
    ),
    ("xtask", &[]),
];

/// What tests of a crate may use beyond that: those of the legitimate messages ask the engine whether it takes one for spam.
const OF_TESTS: &[(&str, &str)] = &[("xtask", "scan")];

/// Crates without a clock, a socket or a task: the same bytes in give the same bytes out.
pub(super) const PURE: &[&str] = &["smtp", "outbreak"];

/// What would bring sockets, clocks or a runtime into a pure crate.
const IMPURE: &[&str] = &[
    "axum",
    "hickory-resolver",
    "hyper",
    "jiff",
    "libc",
    "mio",
    "redis",
    "rustls",
    "socket2",
    "sqlx",
    "time",
    "tokio",
    "tokio-rustls",
];

/// Checks every crate of the workspace.
pub(super) fn check(problems: &mut Problems) -> Result<()> {
    for member in workspace::crates()? {
        check_crate(&member, problems);
        let manifest = workspace::root().join(&member.manifest);
        let manifest = fs::read_to_string(manifest).with_context(|| member.manifest.clone())?;
        if !inherits_lints(&manifest) {
            problems.push(format!(
                "{}: needs `[lints] workspace = true`",
                member.manifest
            ));
        }
    }
    Ok(())
}

fn check_crate(member: &Crate, problems: &mut Problems) {
    let Crate { name, manifest, .. } = member;
    let Some((_, allowed)) = LAYERS.iter().find(|(layer, _)| layer == name) else {
        problems.push(format!("{manifest}: crate {name} has no layer yet"));
        return;
    };
    for dependency in &member.dependencies {
        let other = dependency.name.as_str();
        let is_of_tests = dependency.is_dev && OF_TESTS.contains(&(name.as_str(), other));
        if dependency.is_ours && other != name && !allowed.contains(&other) && !is_of_tests {
            problems.push(format!("{manifest}: {name} may not use {other}"));
        }
        let is_pure = PURE.contains(&name.as_str());
        if is_pure && !dependency.is_dev && IMPURE.contains(&other) {
            problems.push(format!("{manifest}: {name} is pure, {other} is not"));
        }
    }
}

/// Whether a manifest has `workspace = true` under `[lints]`.
fn inherits_lints(manifest: &str) -> bool {
    let mut lines = manifest.lines().map(str::trim);
    lines.any(|line| line == "[lints]")
        && lines
            .take_while(|line| !line.starts_with('['))
            .any(|line| line == "workspace = true")
}

#[cfg(test)]
mod tests;

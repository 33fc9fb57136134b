//! `cargo xtask test`: everything that CI runs, in one command, from a fresh clone.
//!
//! Cheap checks come first, but a failed one stops nothing: one run tells all that is wrong. The last line is
//! `N passed, N failed`, each check counted once and each test once.

mod runner;

use std::process::Command;

use anyhow::Result;

use crate::arguments::Arguments;
use crate::steps::{Steps, Tally, command};
use crate::{crash, install, tidy, workspace};

/// Runs the checks and the tests; `false` if any failed.
pub(crate) fn run(mut arguments: Arguments) -> Result<bool> {
    let skip_install = arguments.flag("--no-install");
    let runner_arguments = arguments.finish()?;
    let mut steps = Steps::default();
    if !skip_install {
        steps.run("packages", || {
            install::packages(install::TESTS)?;
            install::exim().map(|()| Tally::of(true))
        });
    }
    steps.run("format", || {
        command(workspace::cargo().args(["fmt", "--all", "--check"]))
    });
    steps.run("tidy", tidy::check);
    steps.run("dependencies", dependencies);
    steps.run("lints", || {
        let lints = ["clippy", "--locked", "--workspace", "--all-targets"];
        command(
            workspace::cargo()
                .args(lints)
                .args(["--", "--deny", "warnings"]),
        )
    });
    steps.run("tests", || runner::run(&runner_arguments));
    if runner_arguments.is_empty() {
        steps.run("crash", crash::check);
    }
    Ok(steps.close())
}

/// Licences, duplicates and sources of the dependency tree, as `deny.toml` says.
fn dependencies() -> Result<Tally> {
    let tool = install::cargo_deny()?;
    let checks = ["--locked", "check", "bans", "licenses", "sources"];
    command(
        Command::new(tool)
            .args(checks)
            .current_dir(workspace::root()),
    )
}

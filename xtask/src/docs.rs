//! `cargo xtask docs`: the API documentation builds without a warning, and links between Markdown files lead somewhere.

use std::process::Command;

use anyhow::Result;

use crate::arguments::Arguments;
use crate::steps::{Steps, Tally, command};
use crate::tidy::links;
use crate::workspace;

/// Builds and checks the documentation; `false` if something is wrong with it.
pub(crate) fn run(arguments: Arguments) -> Result<bool> {
    arguments.finish()?;
    let mut steps = Steps::default();
    steps.run("API documentation", || {
        let options = ["doc", "--locked", "--workspace", "--no-deps"];
        command(
            Command::new("cargo")
                .args(options)
                .arg("--document-private-items")
                .env("RUSTDOCFLAGS", "--deny warnings")
                .current_dir(workspace::root()),
        )
    });
    steps.run("links", || {
        let mut broken = Vec::new();
        for file in workspace::files()? {
            links::check(&file, &mut broken)?;
        }
        broken.iter().for_each(|problem| println!("{problem}"));
        Ok(Tally::of(broken.is_empty()))
    });
    Ok(steps.close())
}

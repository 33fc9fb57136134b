//! `cargo xtask docs`: writes the generated pages of docs/ anew, builds the API documentation without a warning, and
//! checks that links between Markdown files lead somewhere.

use std::process::Command;

use anyhow::Result;

use crate::arguments::Arguments;
use crate::steps::{Steps, Tally, command};
use crate::tidy::links;
use crate::workspace;

/// The tests that hold docs/configuration.md, docs/events.md and docs/metrics.md against the tables they are made from.
const GENERATING_TESTS: [&str; 3] = [
    "config::tests::the_reference_is_up_to_date",
    "event::tests::the_document_is_that_of_the_tables",
    "metrics::tests::the_document_is_that_of_the_table",
];

/// Writes, builds and checks the documentation; `false` if something is wrong with it.
pub(crate) fn run(arguments: Arguments) -> Result<bool> {
    arguments.finish()?;
    let mut steps = Steps::default();
    steps.run("generated pages", || {
        command(
            Command::new("cargo")
                .args([
                    "test",
                    "--locked",
                    "--quiet",
                    "--package",
                    "gatepost",
                    "--lib",
                ])
                .args(["--", "--exact"])
                .args(GENERATING_TESTS)
                .env("UPDATE_EXPECT", "1")
                .current_dir(workspace::root()),
        )
    });
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

//! Gatepost's own tasks: `cargo xtask test|tidy|bench|crash|fuzz|docs|model|peers|specimens`.
//!
//! Compiled before anything else in CI, so it depends on almost nothing and uses none of the workspace's crates.
//! What a task needs on the machine it installs itself (`install`); what it starts it stops itself.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a task runner talks to its terminal"
)]

mod arguments;
mod bench;
mod crash;
mod docs;
mod fuzz;
mod install;
mod random;
mod specimens;
mod steps;
mod test;
mod tidy;
mod workspace;

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::arguments::Arguments;

const USAGE: &str = "\
usage: cargo xtask TASK [options]

  test [--no-install] [-- NEXTEST-ARGUMENTS]
                     everything CI runs: format, lints, tidy, dependencies, all tests
  tidy [--bless]     the house rules that no compiler checks; --bless lowers the ratchets to what is there
  bench inline [--quick] [--json] [--only SERVER,..]
                     Gatepost as an in-line gateway beside its peers
  bench queue [--quick] [--json] [--only SERVER,..] [--part loads|backlog]
                     Gatepost's queue beside servers that queue (loads); its start with 1,000,000 messages to 10,000
                     destinations, half of them dead (backlog)
  bench spool [--quick] [--json] [--only ENGINE,..]
                     Gatepost's segments beside fjall and beside one file a message
  bench accuracy [--quick] [--json]
                     how much spam our classifier and other filters catch for how many false positives
  crash [--kills N] [--seed S] [--seconds N] [--json]
                     kill -9 under load, N times (200), spread over that many seconds: what got 250 arrives
  fuzz [TARGET] [--seconds N] [--corpora] [--sanitize] [-- LIBFUZZER-ARGUMENTS]
                     the fuzz targets, or one of them, for N seconds each (60); --corpora: no made-up inputs, but the
                     shared corpora of real mail once through each target that takes a message; --sanitize: with the
                     address sanitizer, by a nightly toolchain
  docs               write the generated pages of docs/ anew; API documentation without warnings; links between pages
  model [--check]    train the classifier's model that ships anew, from the SpamAssassin public corpus; --check only compares
  peers              install what tests and benches need beside Gatepost, and nothing else
  specimens --out DIR [--per-message N] [--seed S] [--year Y]
                     legitimate mail of testdata/legitimate, N variations (1) of each message for different recipients,
                     dated anywhere in 2002-2026 or in one year
";

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Runs the task named on the command line; `false` when it ran and found something wrong.
fn run() -> Result<bool> {
    let mut arguments = Arguments::from_environment();
    let task = arguments.word().unwrap_or_default();
    match task.as_str() {
        "test" => test::run(arguments),
        "tidy" => tidy::run(arguments),
        "bench" => bench::run(arguments),
        "crash" => crash::run(arguments),
        "fuzz" => fuzz::run(arguments),
        "docs" => docs::run(arguments),
        "model" => bench::model(arguments),
        "peers" => install::run(arguments),
        "specimens" => specimens::run(arguments),
        "" | "help" | "--help" | "-h" => {
            print!("{USAGE}");
            Ok(true)
        }
        other => bail!("unknown task {other:?}\n\n{USAGE}"),
    }
}

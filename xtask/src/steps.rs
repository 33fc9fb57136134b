//! The steps of a task, run one after the other whatever the outcome of the last: each is announced, timed, and
//! counted; the closing line says how much passed and failed.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Result;

/// What a step counted: most count one thing, themselves; a test runner counts its tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl Tally {
    /// The tally of a check that has only one outcome.
    pub(crate) fn of(is_good: bool) -> Tally {
        Tally {
            passed: u64::from(is_good),
            failed: u64::from(!is_good),
        }
    }
}

/// The steps that have run.
#[derive(Default)]
pub(crate) struct Steps {
    done: Vec<(String, Tally, Duration)>,
}

impl Steps {
    /// Runs one step and records what it counted; an error counts as one failure.
    pub(crate) fn run(&mut self, name: &str, step: impl FnOnce() -> Result<Tally>) {
        println!("--- {name}");
        let start = Instant::now();
        let tally = step().unwrap_or_else(|error| {
            eprintln!("{name}: {error:#}");
            Tally::of(false)
        });
        let word = if tally.failed == 0 { "ok" } else { "FAILED" };
        let took = start.elapsed();
        println!("--- {name}: {word}, {:.1} s\n", took.as_secs_f64());
        self.done.push((name.to_owned(), tally, took));
    }

    /// Prints each step's time and the closing line `N passed, N failed`; `true` if nothing failed.
    pub(crate) fn close(&self) -> bool {
        let mut sum = Tally::default();
        let mut total = Duration::ZERO;
        for (name, tally, took) in &self.done {
            sum.passed += tally.passed;
            sum.failed += tally.failed;
            total += *took;
            let word = if tally.failed == 0 { "ok" } else { "FAILED" };
            println!("{:>7.1} s  {word:<6}  {name}", took.as_secs_f64());
        }
        println!("{:>7.1} s  in all\n", total.as_secs_f64());
        println!("{} passed, {} failed", sum.passed, sum.failed);
        sum.failed == 0
    }
}

/// Runs a command whose exit code is the whole outcome; its output goes to the terminal.
pub(crate) fn command(command: &mut Command) -> Result<Tally> {
    let status = command
        .status()
        .map_err(|error| anyhow::anyhow!("cannot run {command:?}: {error}"))?;
    Ok(Tally::of(status.success()))
}

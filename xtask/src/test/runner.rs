//! All tests of the workspace by cargo-nextest, or by `cargo test` where that is not installed.
//!
//! The runner's output goes to the terminal line by line as it comes, and its closing lines are read for the counts.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Context, Result};

use crate::install;
use crate::steps::Tally;
use crate::workspace;

/// Runs every test and counts them; a build that fails counts as one failure.
pub(super) fn run(arguments: &[String]) -> Result<Tally> {
    let mut command = workspace::cargo();
    if install::answers("cargo", &["nextest"]) {
        command.args(["nextest", "run", "--no-fail-fast"]);
    } else {
        println!("cargo-nextest is not installed: cargo test runs the same tests, more slowly");
        command.args(["test", "--no-fail-fast"]);
    }
    command.args(["--locked", "--workspace"]).args(arguments);
    let (is_success, lines) = show_and_keep(&mut command)?;
    let tally = count(lines.iter().map(String::as_str));
    if is_success || tally.failed > 0 {
        return Ok(tally);
    }
    Ok(Tally { failed: 1, ..tally })
}

/// Runs a command with its output on the terminal, and gives the lines that may hold counts.
fn show_and_keep(command: &mut Command) -> Result<(bool, Vec<String>)> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run {command:?}"))?;
    let stdout = child.stdout.take().context("standard output")?;
    let stderr = child.stderr.take().context("standard error")?;
    let other = thread::spawn(move || pass_on(stderr));
    let mut lines = pass_on(stdout);
    lines.extend(other.join().unwrap_or_default());
    Ok((child.wait()?.success(), lines))
}

fn pass_on(from: impl Read) -> Vec<String> {
    let mut kept = Vec::new();
    let mut line = Vec::new();
    let mut from = BufReader::new(from);
    while from.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        // A terminal that went away must not end the run.
        let _ = std::io::stdout().write_all(&line);
        let text = String::from_utf8_lossy(&line);
        if text.contains("passed") {
            kept.push(text.trim_end().to_owned());
        }
        line.clear();
    }
    kept
}

/// Sums the closing lines of nextest (`     Summary [..] 12 tests run: 11 passed, 1 failed, 0 skipped`) and of libtest
/// (`test result: ok. 12 passed; 0 failed; ..`). What nextest repeats of a failed test's own output is indented, so
/// that libtest's line in there, which counts the same test, is not at the start of its line.
fn count<'a>(lines: impl Iterator<Item = &'a str>) -> Tally {
    let mut tally = Tally::default();
    for line in lines {
        let counts = if line.trim_start().starts_with("Summary [") {
            line.split_once("run:").map(|(_, counts)| counts)
        } else {
            line.strip_prefix("test result:")
        };
        let Some(counts) = counts else { continue };
        tally.passed += before(counts, "passed");
        tally.failed += before(counts, "failed") + before(counts, "timed out");
    }
    tally
}

/// The number that stands before a word.
fn before(line: &str, word: &str) -> u64 {
    let Some(at) = line.find(&format!(" {word}")) else {
        return 0;
    };
    let digits = line[..at].rsplit(|c: char| !c.is_ascii_digit()).next();
    digits.and_then(|it| it.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests;

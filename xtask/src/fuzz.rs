//! `cargo xtask fuzz [TARGET] [--seconds N]`: runs the fuzz targets of `fuzz/` with the stable toolchain.
//!
//! cargo-fuzz asks for a nightly rustc because of its sanitizers. Our crates forbid `unsafe`, so there is nothing for
//! an address sanitizer to find; coverage alone, which libFuzzer steers by, is an ordinary codegen option.
//! New inputs go to `target/fuzz/corpus`, seeds are read from `fuzz/corpus`, crashes are kept in `fuzz/artifacts`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::arguments::Arguments;
use crate::steps::{Steps, command};
use crate::workspace;

/// Coverage counters, a table of code places, and traced comparisons: what libFuzzer expects of a compiler.
const COVERAGE: &[&str] = &[
    "--cfg=fuzzing",
    "-Ccodegen-units=1",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

/// How long each target runs unless told otherwise.
const SECONDS: u64 = 60;
/// An input that takes longer than this is reported like a crash.
const SECONDS_PER_INPUT_MAX: u64 = 5;
/// The most memory a target may use, in MiB.
const MEMORY_MIB_MAX: u64 = 1024;

/// Runs one target or all of them; `false` if one found a crash.
pub(crate) fn run(mut arguments: Arguments) -> Result<bool> {
    let seconds = arguments.number("--seconds")?.unwrap_or(SECONDS);
    let wanted = arguments.word();
    let extra = arguments.finish()?;
    let mut targets = targets()?;
    if let Some(name) = &wanted {
        let all = targets.join(" ");
        targets.retain(|target| target == name);
        ensure!(
            !targets.is_empty(),
            "no fuzz target {name}; there are: {all}"
        );
    }
    let programs = build()?;
    let mut steps = Steps::default();
    for target in &targets {
        let program = programs.join(target);
        let mut fuzzer = fuzzer(target, &program, seconds)?;
        steps.run(target, || command(fuzzer.args(&extra)));
    }
    Ok(steps.close())
}

/// The targets that `fuzz/Cargo.toml` names.
fn targets() -> Result<Vec<String>> {
    let manifest = workspace::root().join("fuzz/Cargo.toml");
    if !manifest.is_file() {
        bail!("there is no fuzz/Cargo.toml in this checkout");
    }
    let output = Command::new("cargo")
        .args(["metadata", "--no-deps", "--format-version=1"])
        .arg("--manifest-path")
        .arg(manifest)
        .output()
        .context("cargo metadata")?;
    ensure!(
        output.status.success(),
        "cargo metadata failed: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let targets = metadata["packages"][0]["targets"].as_array();
    let names = targets.into_iter().flatten().filter_map(|target| {
        let is_program = target["kind"][0] == "bin";
        let name = target["name"].as_str()?;
        is_program.then(|| name.to_owned())
    });
    Ok(names.collect())
}

/// Builds all targets with coverage; gives the folder of the programs.
fn build() -> Result<PathBuf> {
    let host = host()?;
    let target = workspace::target("fuzz");
    let status = Command::new("cargo")
        .args(["build", "--release", "--bins", "--manifest-path"])
        .arg(workspace::root().join("fuzz/Cargo.toml"))
        // With a target named, build scripts and procedural macros stay free of coverage.
        .args(["--target", &host, "--target-dir"])
        .arg(&target)
        .env("CARGO_ENCODED_RUSTFLAGS", COVERAGE.join("\x1f"))
        .env("CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS", "true")
        .env("CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS", "true")
        .status()
        .context("cargo build")?;
    ensure!(status.success(), "the fuzz targets do not build");
    Ok(target.join(host).join("release"))
}

fn fuzzer(target: &str, program: &Path, seconds: u64) -> Result<Command> {
    let root = workspace::root();
    let found = workspace::target("fuzz/corpus").join(target);
    let artifacts = root.join("fuzz/artifacts").join(target);
    let seeds = root.join("fuzz/corpus").join(target);
    let dictionary = root
        .join("fuzz/dictionaries")
        .join(format!("{target}.dict"));
    for folder in [&found, &artifacts] {
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    let mut fuzzer = Command::new(program);
    fuzzer
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-timeout={SECONDS_PER_INPUT_MAX}"))
        .arg(format!("-rss_limit_mb={MEMORY_MIB_MAX}"))
        .arg(format!("-artifact_prefix={}/", artifacts.display()))
        .arg("-print_final_stats=1")
        .arg(found);
    if seeds.is_dir() {
        fuzzer.arg(seeds);
    }
    if dictionary.is_file() {
        fuzzer.arg(format!("-dict={}", dictionary.display()));
    }
    Ok(fuzzer)
}

/// The triple of this machine, as rustc names it.
fn host() -> Result<String> {
    let output = Command::new("rustc").arg("-vV").output().context("rustc")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc -vV names no host")
}

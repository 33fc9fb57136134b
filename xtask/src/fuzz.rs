//! `cargo xtask fuzz [TARGET] [--seconds N] [--corpora] [--sanitize]`: runs the fuzz targets of `fuzz/`.
//!
//! The stable toolchain does: coverage, which libFuzzer steers by, is an ordinary codegen option, and our crates forbid
//! `unsafe`. What they call does not, so `--sanitize` adds the address sanitizer, for which rustc has to be a nightly one.
//! `--corpora` makes nothing up: every message of the shared corpora of real mail goes through the targets that take one.
//! New inputs go to `target/fuzz/corpus`, seeds are read from `fuzz/corpus`, crashes are kept in `fuzz/artifacts`.

mod corpora;

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

/// What the address sanitizer is switched on by.
const SANITIZER: &str = "-Zsanitizer=address";

/// Targets that take a whole message.
const OF_MESSAGES: &[&str] = &[
    "view",
    "attachment",
    "authentication",
    "reading",
    "html",
    "dkim",
    "hops",
    "trace_fields",
    "mbox",
    "data",
];

/// How long each target runs unless told otherwise.
const SECONDS: u64 = 60;
/// An input that takes longer than this is reported like a crash.
const SECONDS_PER_INPUT_MAX: u64 = 5;
/// The same with the sanitizer, since libFuzzer goes by the clock: compiling all rules alone takes some seconds then, and on a
/// busy machine many.
const SANITIZED_SECONDS_PER_INPUT_MAX: u64 = 60;
/// The most memory a target may use, in MiB.
const MEMORY_MIB_MAX: u64 = 1024;
/// The same with the sanitizer, which keeps what is freed for a while and marks an eighth of all.
const SANITIZED_MEMORY_MIB_MAX: u64 = 4096;
/// The largest real message; libFuzzer cuts at 1 MiB unless told otherwise.
const MESSAGE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// What is run, and how.
struct Plan {
    /// With the address sanitizer.
    is_sanitized: bool,
    /// Real mail to go through instead of making up inputs.
    corpora: Vec<PathBuf>,
    seconds: u64,
}

/// Runs one target or all of them; `false` if one found a crash.
pub(crate) fn run(mut arguments: Arguments) -> Result<bool> {
    let seconds = arguments.number("--seconds")?.unwrap_or(SECONDS);
    let is_sanitized = arguments.flag("--sanitize");
    let with_corpora = arguments.flag("--corpora");
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
    } else if with_corpora {
        targets.retain(|target| OF_MESSAGES.contains(&target.as_str()));
    }
    let plan = Plan {
        is_sanitized,
        corpora: if with_corpora {
            corpora::unpacked()?
        } else {
            Vec::new()
        },
        seconds,
    };
    let programs = plan.build(&targets)?;
    let mut steps = Steps::default();
    for target in &targets {
        let mut fuzzer = plan.fuzzer(target, &programs.join(target))?;
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

impl Plan {
    /// Builds the targets with coverage; gives the folder of the programs.
    fn build(&self, targets: &[String]) -> Result<PathBuf> {
        let host = host()?;
        let mut flags = COVERAGE.to_vec();
        let mut cargo = Command::new("cargo");
        let mut folder = "fuzz";
        if self.is_sanitized {
            flags.push(SANITIZER);
            cargo.arg("+nightly");
            // A folder of its own, so that neither build throws the other away.
            folder = "fuzz-address";
        }
        let folder = workspace::target(folder);
        let bins = targets.iter().flat_map(|target| ["--bin", target]);
        let status = cargo
            .args(["build", "--release", "--manifest-path"])
            .arg(workspace::root().join("fuzz/Cargo.toml"))
            // With a target named, build scripts and procedural macros stay free of coverage.
            .args(["--target", &host, "--target-dir"])
            .arg(&folder)
            .args(bins)
            .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"))
            .env("CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS", "true")
            .env("CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS", "true")
            .status()
            .context("cargo build")?;
        ensure!(
            status.success(),
            "the fuzz targets do not build{}",
            if self.is_sanitized {
                " (--sanitize needs the toolchain `nightly`: `rustup toolchain install nightly`)"
            } else {
                ""
            }
        );
        Ok(folder.join(host).join("release"))
    }

    fn fuzzer(&self, target: &str, program: &Path) -> Result<Command> {
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
        let (memory, seconds) = if self.is_sanitized {
            (SANITIZED_MEMORY_MIB_MAX, SANITIZED_SECONDS_PER_INPUT_MAX)
        } else {
            (MEMORY_MIB_MAX, SECONDS_PER_INPUT_MAX)
        };
        let mut fuzzer = Command::new(program);
        fuzzer
            .arg(format!("-timeout={seconds}"))
            .arg(format!("-rss_limit_mb={memory}"))
            .arg(format!("-artifact_prefix={}/", artifacts.display()))
            .arg("-print_final_stats=1");
        if self.corpora.is_empty() {
            fuzzer.arg(format!("-max_total_time={}", self.seconds));
        } else {
            // Reads all that is there, and stops.
            fuzzer.arg("-runs=0");
            fuzzer.arg(format!("-max_len={MESSAGE_BYTES_MAX}"));
        }
        fuzzer.arg(found);
        if seeds.is_dir() {
            fuzzer.arg(seeds);
        }
        fuzzer.args(&self.corpora);
        if dictionary.is_file() {
            fuzzer.arg(format!("-dict={}", dictionary.display()));
        }
        Ok(fuzzer)
    }
}

/// The triple of this machine, as rustc names it.
fn host() -> Result<String> {
    let output = Command::new("rustc").arg("-vV").output().context("rustc")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc -vV names no host")
}

//! The program in `bench/spool`: built, called, and its one line of JSON read.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::bench::figures::median;
use crate::bench::machine::{self, Noise, Ticks};
use crate::bench::queue::syncs;
use crate::workspace;

/// What keeps the messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::bench) enum Engine {
    /// Gatepost's queue crate.
    Queue,
    Fjall,
    /// One file for each message.
    Files,
}

impl Engine {
    pub(in crate::bench) const ALL: [Engine; 3] = [Engine::Queue, Engine::Fjall, Engine::Files];

    pub(in crate::bench) fn name(self) -> &'static str {
        match self {
            Engine::Queue => "queue",
            Engine::Fjall => "fjall",
            Engine::Files => "files",
        }
    }
}

/// What a load took; processor time is that of 1,000 messages.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct LoadRun {
    pub(super) messages_per_second: f64,
    pub(super) processor_seconds: f64,
    /// Bytes that went to the disk for each byte of mail.
    pub(super) written_each: f64,
    pub(super) wait_p50: f64,
    pub(super) wait_p99: f64,
    pub(super) resident_mib: f64,
    /// What the store still takes on the disk when all its messages are gone.
    pub(super) left_mib: f64,
    pub(super) noise: Noise,
}

/// What several runs say together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Median {
    pub(super) run: LoadRun,
    /// Runs that were not disturbed; with none quiet, the least disturbed stands for all.
    pub(super) quiet: usize,
    pub(super) all: usize,
    /// From a run under strace.
    pub(super) syncs_each: Option<f64>,
}

/// A store with very many messages, made and started anew.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Restart {
    pub(super) messages: u64,
    /// To make it; not what an engine is judged by, as the fill shares its syncs.
    pub(super) fill_seconds: f64,
    pub(super) seconds: f64,
    pub(super) processor_seconds: f64,
    pub(super) resident_mib: f64,
    pub(super) folder_bytes: u64,
}

/// Builds the program as a provider would build Gatepost.
pub(in crate::bench) fn build() -> Result<()> {
    println!("building bench/spool --release");
    // Its lock file follows what our own crates depend on, so it is not held to be final.
    let status = workspace::cargo()
        .args(["build", "--release", "--manifest-path"])
        .arg(workspace::root().join("bench/spool/Cargo.toml"))
        .arg("--target-dir")
        .arg(target())
        .status()
        .context("cargo build")?;
    ensure!(status.success(), "bench/spool does not build");
    Ok(())
}

fn target() -> PathBuf {
    workspace::target("bench-spool")
}

/// What exactly was measured: Gatepost by its commit, fjall by the lock file.
pub(super) fn versions() -> Result<Vec<String>> {
    let commit = Command::new("git")
        .args(["rev-parse", "--short", "HEAD"])
        .current_dir(workspace::root())
        .output()
        .context("git")?;
    let commit = String::from_utf8_lossy(&commit.stdout).trim().to_owned();
    let lock = fs::read_to_string(workspace::root().join("bench/spool/Cargo.lock"))?;
    let fjall = version_in(&lock, "fjall").context("bench/spool/Cargo.lock has no fjall")?;
    Ok(vec![
        format!("queue at {commit}"),
        format!("fjall {fjall}"),
        "files: one for each message, synced and renamed, its folder synced".to_owned(),
    ])
}

/// The version of a package in a Cargo.lock.
fn version_in(lock: &str, package: &str) -> Option<String> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name);
    let version = lines.nth(1)?.strip_prefix("version = \"")?;
    Some(version.trim_end_matches('"').to_owned())
}

/// One run on a fresh store.
pub(super) fn load(
    engine: Engine,
    sessions: u32,
    content_bytes: u32,
    run_time: Duration,
) -> Result<LoadRun> {
    let ticks = Ticks::now()?;
    let (report, left_bytes) = run_load(&[], engine, sessions, content_bytes, run_time)?;
    let of = |name: &str| number(&report, name);
    let (messages, processor) = (of("messages")?, of("processor_seconds")?);
    Ok(LoadRun {
        messages_per_second: messages / of("submit_seconds")?,
        processor_seconds: processor * 1000.0 / messages,
        written_each: of("written_bytes")? / of("mail_bytes")?,
        wait_p50: of("wait_p50_milliseconds")?,
        wait_p99: of("wait_p99_milliseconds")?,
        resident_mib: of("resident_peak_kib")? / 1024.0,
        left_mib: left_bytes as f64 / 1024.0 / 1024.0,
        noise: Ticks::now()?.noise_since(ticks, Duration::from_secs_f64(processor)),
    })
}

/// The same load under strace, for its syncs.
pub(super) fn syncs_each(
    engine: Engine,
    sessions: u32,
    content_bytes: u32,
    run_time: Duration,
) -> Result<f64> {
    let trace = workspace::target("bench").join("strace.spool");
    let wrapper = syncs::wrapper(&trace);
    let wrapper: Vec<&str> = wrapper.iter().map(String::as_str).collect();
    let (report, _) = run_load(&wrapper, engine, sessions, content_bytes, run_time)?;
    let syncs: u64 = syncs::calls(&trace)?.values().sum();
    Ok(syncs as f64 / number(&report, "messages")?)
}

fn run_load(
    wrapper: &[&str],
    engine: Engine,
    sessions: u32,
    content_bytes: u32,
    run_time: Duration,
) -> Result<(Value, u64)> {
    let folder = Folder::fresh("bench/spool")?;
    let arguments = [
        sessions.to_string(),
        content_bytes.to_string(),
        run_time.as_millis().to_string(),
    ];
    let report = call(wrapper, "load", engine, &folder.path, &arguments)?;
    Ok((report, bytes_below(&folder.path)?))
}

/// Fills a store, leaves it as a crash would, and starts it.
pub(super) fn restart(engine: Engine, messages: u64, patience: Duration) -> Result<Restart> {
    let folder = Folder::fresh("bench/spool")?;
    let filled = fill(engine, &folder.path, messages, 10_000)?;
    let folder_bytes = bytes_below(&folder.path)?;
    machine::wait_for_quiet(patience)?;
    let started = call(
        &[],
        "restart",
        engine,
        &folder.path,
        &[messages.to_string()],
    )?;
    Ok(Restart {
        messages,
        fill_seconds: number(&filled, "seconds")?,
        seconds: number(&started, "seconds")?,
        processor_seconds: number(&started, "processor_seconds")?,
        resident_mib: number(&started, "resident_kib")? / 1024.0,
        folder_bytes,
    })
}

/// Fills a store with messages of 4 KiB, spread over the domains `d0.test`, `d1.test` and so on.
pub(in crate::bench) fn fill(
    engine: Engine,
    folder: &Path,
    messages: u64,
    domains: u64,
) -> Result<Value> {
    let arguments = [messages.to_string(), "4096".to_owned(), domains.to_string()];
    call(&[], "fill", engine, folder, &arguments)
}

fn call(
    wrapper: &[&str],
    task: &str,
    engine: Engine,
    folder: &Path,
    arguments: &[String],
) -> Result<Value> {
    let program = target().join("release/spool-bench");
    let mut command = match wrapper.split_first() {
        Some((first, rest)) => {
            let mut command = Command::new(first);
            command.args(rest).arg(&program);
            command
        }
        None => Command::new(&program),
    };
    let output = command
        .args([task, engine.name()])
        .arg(folder)
        .args(arguments)
        .output()
        .with_context(|| program.display().to_string())?;
    ensure!(
        output.status.success(),
        "spool-bench {task} {}: {}",
        engine.name(),
        String::from_utf8_lossy(&output.stderr).trim()
    );
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().last().context("spool-bench said nothing")?;
    serde_json::from_str(line).with_context(|| line.to_owned())
}

fn number(report: &Value, name: &str) -> Result<f64> {
    report[name]
        .as_f64()
        .with_context(|| format!("spool-bench told no {name}"))
}

/// The median of each figure over the quiet runs, and the highest memory of all; nothing of no runs.
pub(super) fn median_of(runs: &[LoadRun]) -> Option<Median> {
    let disturbance = |run: &LoadRun| run.noise.disturbance();
    let least = runs
        .iter()
        .min_by(|a, b| disturbance(a).total_cmp(&disturbance(b)))?;
    let mut chosen: Vec<&LoadRun> = runs.iter().filter(|it| it.noise.is_quiet()).collect();
    let quiet = chosen.len();
    if chosen.is_empty() {
        chosen.push(least);
    }
    let of = |field: fn(&LoadRun) -> f64| median(chosen.iter().copied().map(field).collect());
    let run = LoadRun {
        messages_per_second: of(|it| it.messages_per_second),
        processor_seconds: of(|it| it.processor_seconds),
        written_each: of(|it| it.written_each),
        wait_p50: of(|it| it.wait_p50),
        wait_p99: of(|it| it.wait_p99),
        resident_mib: runs.iter().map(|it| it.resident_mib).fold(0.0, f64::max),
        left_mib: of(|it| it.left_mib),
        noise: Noise {
            steal: of(|it| it.noise.steal),
            others: of(|it| it.noise.others),
        },
    };
    Some(Median {
        run,
        quiet,
        all: runs.len(),
        syncs_each: None,
    })
}

/// A folder that is gone when this value is.
struct Folder {
    path: PathBuf,
}

impl Folder {
    fn fresh(below: &str) -> Result<Folder> {
        let path = workspace::target(below);
        if path.exists() {
            fs::remove_dir_all(&path).with_context(|| path.display().to_string())?;
        }
        fs::create_dir_all(&path).with_context(|| path.display().to_string())?;
        Ok(Folder { path })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // The next run begins with the same.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Bytes of all files below a folder.
fn bytes_below(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let about = entry.metadata()?;
        bytes += if about.is_dir() {
            bytes_below(&entry.path())?
        } else {
            about.len()
        };
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;

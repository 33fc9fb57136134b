//! The machine a bench runs on: what it is, and how much of it others took while we measured.
//!
//! A virtual machine's host may steal processor time (`steal` of proc_stat(5)), and other programs here may want some
//! too. Rates suffer from both, so each run carries both shares, and a run begins in a quiet moment if one comes.

use std::fs;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

/// Busy and total processor time of the whole machine since boot, in clock ticks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ticks {
    total: u64,
    idle: u64,
    steal: u64,
}

/// What share of the machine, from 0 to 1, went where between two readings.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Noise {
    /// Taken by the host.
    pub(crate) steal: f64,
    /// Taken by processes that are no part of the measurement.
    pub(crate) others: f64,
}

/// Above this share a run counts as disturbed.
const STEAL_MAX: f64 = 0.10;
const OTHERS_MAX: f64 = 0.15;

impl Noise {
    /// Whether what was measured meanwhile may be believed.
    pub(crate) fn is_quiet(self) -> bool {
        self.steal < STEAL_MAX && self.others < OTHERS_MAX
    }

    /// To find the least disturbed of several runs.
    pub(crate) fn disturbance(self) -> f64 {
        self.steal + self.others
    }
}

impl Ticks {
    pub(crate) fn now() -> Result<Ticks> {
        let text = fs::read_to_string("/proc/stat").context("/proc/stat")?;
        Ticks::parse(&text).context("/proc/stat has no line for the processors")
    }

    /// Reads `cpu user nice system idle iowait irq softirq steal guest ..`; guest time is part of user time.
    fn parse(text: &str) -> Option<Ticks> {
        let fields = text.lines().next()?.strip_prefix("cpu ")?;
        let fields: Option<Vec<u64>> = fields
            .split_whitespace()
            .take(8)
            .map(|field| field.parse().ok())
            .collect();
        let fields = fields?;
        Some(Ticks {
            total: fields.iter().sum(),
            idle: fields.get(3)? + fields.get(4)?,
            steal: *fields.get(7)?,
        })
    }

    /// The noise since an earlier reading, of which `ours` was processor time of the measurement itself.
    pub(crate) fn noise_since(self, earlier: Ticks, ours: Duration) -> Noise {
        let total = self.total.saturating_sub(earlier.total).max(1);
        let idle = self.idle.saturating_sub(earlier.idle);
        let steal = self.steal.saturating_sub(earlier.steal);
        let ours = ours.as_secs_f64() * TICKS_PER_SECOND;
        let others = (total as f64 - idle as f64 - steal as f64 - ours).max(0.0);
        Noise {
            steal: steal as f64 / total as f64,
            others: others / total as f64,
        }
    }
}

/// USER_HZ, in which Linux reports processor time on every architecture of today.
pub(crate) const TICKS_PER_SECOND: f64 = 100.0;

/// Waits until a spinning thread gets nearly a whole processor, `patience` long at most.
pub(crate) fn wait_for_quiet(patience: Duration) -> Result<()> {
    const PROBE: Duration = Duration::from_millis(150);
    const SHARE_MIN: f64 = 0.93;
    let start = Instant::now();
    loop {
        let before = own_time()?;
        let probe = Instant::now();
        while probe.elapsed() < PROBE {
            std::hint::spin_loop();
        }
        let got = own_time()?.saturating_sub(before).as_secs_f64();
        if got / probe.elapsed().as_secs_f64() > SHARE_MIN || start.elapsed() > patience {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(300));
    }
}

/// Processor time of this thread.
fn own_time() -> Result<Duration> {
    const FILE: &str = "/proc/thread-self/schedstat";
    let text = fs::read_to_string(FILE).context(FILE)?;
    let nanoseconds = text
        .split_whitespace()
        .next()
        .and_then(|it| it.parse().ok());
    Ok(Duration::from_nanos(nanoseconds.context(FILE)?))
}

/// Lets this process and its children hold that many files open each, if the limit is lower.
pub(crate) fn raise_open_files_max(wanted: u64) -> Result<()> {
    let limits = fs::read_to_string("/proc/self/limits").context("/proc/self/limits")?;
    let (soft, hard) = open_files_limits(&limits).context("/proc/self/limits")?;
    if soft >= wanted {
        return Ok(());
    }
    let status = Command::new("prlimit")
        .args(["--pid", &std::process::id().to_string()])
        .arg(format!("--nofile={wanted}:{}", hard.max(wanted)))
        .status()
        .context("prlimit")?;
    ensure!(
        status.success(),
        "cannot raise the limit of open files from {soft} (at most {hard}) to {wanted}: see `ulimit -n`"
    );
    Ok(())
}

/// The soft and the hard limit; none if there is no such line, and the highest number for `unlimited`.
fn open_files_limits(limits: &str) -> Option<(u64, u64)> {
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    let mut limits = line
        .split_whitespace()
        .map(|it| it.parse().unwrap_or(u64::MAX));
    Some((limits.next()?, limits.next()?))
}

/// One line that says what machine this is.
pub(crate) fn describe() -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu
        .lines()
        .find(|line| line.starts_with("model name"))
        .and_then(|line| line.split_once(": "))
        .map_or("unknown processor", |(_, model)| model);
    let processors = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{processors} processors ({model}), Linux {}", kernel.trim())
}

#[cfg(test)]
mod tests;

//! What this process used so far, as /proc tells.

use std::fs;

use anyhow::{Context, Result};

/// Processor time in seconds, of all threads.
pub(crate) fn processor_seconds() -> Result<f64> {
    const USER_HZ: f64 = 100.0;
    let stat = fs::read_to_string("/proc/self/stat").context("/proc/self/stat")?;
    let (_, fields) = stat.rsplit_once(") ").context("/proc/self/stat")?;
    let times = fields.split_whitespace().skip(11).take(2);
    let ticks: f64 = times.filter_map(|it| it.parse::<f64>().ok()).sum();
    Ok(ticks / USER_HZ)
}

/// Bytes that this process caused to be written to the disk, those included that are still in the page cache.
pub(crate) fn written_bytes() -> Result<u64> {
    field("/proc/self/io", "write_bytes:")
}

/// Resident memory now, in KiB.
pub(crate) fn resident_kib() -> Result<u64> {
    field("/proc/self/status", "VmRSS:")
}

/// The highest resident memory so far, in KiB.
pub(crate) fn resident_peak_kib() -> Result<u64> {
    field("/proc/self/status", "VmHWM:")
}

fn field(file: &str, name: &str) -> Result<u64> {
    let text = fs::read_to_string(file).with_context(|| file.to_owned())?;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let value = line.and_then(|line| line.split_whitespace().next());
    value
        .and_then(|value| value.parse().ok())
        .with_context(|| format!("{file} has no {name}"))
}

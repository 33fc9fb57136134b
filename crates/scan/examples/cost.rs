//! What our own part of scanning costs: time for the MIME view and the attachment engine over every file of a folder and
//! its subfolders, per message and normalised to 20 KiB. Each message is taken at its fastest run, which nothing else on
//! the machine has disturbed; the mean of the CPU time of all runs stands beside it.
//!
//! `cargo run --release -p scan --example cost -- FOLDER [--json]`; with `--json` the last line is an object for
//! `cargo xtask bench inline`.

#![expect(clippy::print_stdout, reason = "a command that prints its result")]

use std::path::{Path, PathBuf};
use std::time::Instant;
use std::{env, error, fs, io};

use bytes::Bytes;
use scan::attachment::{Attachment, AttachmentSettings};
use scan::view::View;

/// Runs over each message.
const RUNS: u32 = 16;

/// The size of the message that the target speaks of, in bytes.
const REFERENCE_BYTES: f64 = 20.0 * 1024.0;

fn main() -> Result<(), Box<dyn error::Error>> {
    let (options, folders): (Vec<_>, Vec<_>) = env::args().skip(1).partition(|it| it == "--json");
    let folder = folders.first().ok_or("usage: cost FOLDER [--json]")?;
    let mut files = Vec::new();
    collect(Path::new(folder), &mut files)?;
    let engine = Attachment::new(AttachmentSettings::default());
    let (mut micros, mut normalised) = (Vec::new(), Vec::new());
    let (mut bytes, mut banned, mut large_micros) = (0, 0, Vec::new());
    let cpu_before = cpu_nanos()?;
    for file in &files {
        let message = Bytes::from(fs::read(file)?);
        let mut spent = f64::INFINITY;
        for run in 0..RUNS {
            let start = Instant::now();
            let view = View::parse(&message);
            let finding = engine.inspect(&view);
            spent = spent.min(start.elapsed().as_secs_f64() * 1e6);
            banned += u32::from(run == 0 && finding.banned.is_some());
        }
        let size = message.len();
        bytes += size;
        micros.push(spent);
        if size >= 4 * 1024 {
            normalised.push(spent * REFERENCE_BYTES / f64::from(u32::try_from(size)?));
        }
        if size >= 1 << 20 {
            large_micros.push(spent);
        }
    }
    let runs = f64::from(RUNS) * f64::from(u32::try_from(files.len().max(1))?);
    let cpu_mean = (cpu_nanos()? - cpu_before) / 1e3 / runs;
    println!("messages                        {:>10}", files.len());
    println!("bytes                           {bytes:>10}");
    println!("with a banned attachment        {banned:>10}");
    println!("CPU us per message, mean        {cpu_mean:>10.1}");
    print("us per message", &mut micros);
    print("us per 20 KiB, from 4 KiB on", &mut normalised);
    print("us per message from 1 MiB on", &mut large_micros);
    if !options.is_empty() {
        let object = serde_json::json!({
            "messages": files.len(),
            "milliseconds_per_20_kib_median": percentile(&normalised, 50) / 1e3,
            "milliseconds_per_20_kib_p99": percentile(&normalised, 99) / 1e3,
        });
        println!("{object}");
    }
    Ok(())
}

/// The value that so many percent of the sorted values stay below; zero of none.
fn percentile(sorted: &[f64], percent: usize) -> f64 {
    let at = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(at).copied().unwrap_or_default()
}

/// Sorts the values and prints a line about them.
fn print(title: &str, values: &mut [f64]) {
    values.sort_by(f64::total_cmp);
    let at = |percent| percentile(values, percent);
    println!(
        "{title:<32}median {:>8.1}  p95 {:>8.1}  p99 {:>8.1}  max {:>9.1}",
        at(50),
        at(95),
        at(99),
        at(100)
    );
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

/// CPU time of this thread so far, in nanoseconds: the first field of `/proc/thread-self/schedstat`.
fn cpu_nanos() -> Result<f64, Box<dyn error::Error>> {
    let stat = fs::read_to_string("/proc/thread-self/schedstat")?;
    let field = stat.split_ascii_whitespace().next();
    Ok(field.ok_or("schedstat is empty")?.parse()?)
}

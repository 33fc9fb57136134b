//! Cells of the table, run by run: smtp-source, server, smtp-sink, for several servers in turn and for nothing in between
//! (`direct`), so that what disturbs the machine disturbs all alike.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::account::Account;
use super::load;
use super::machine::{self, Ticks};
use super::metrics;
use super::peers::Running;
use super::postal::{self, Cell, Sink};
use super::process::Reaper;
use super::samples::{Sample, Summary, summary};

/// How long the sink may wait for what a server with a queue still holds.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(60);
/// How often memory is read during a run.
const SAMPLE_INTERVAL: Duration = Duration::from_millis(100);
/// The last trace of a run (logs, queue files) is left behind after its last message.
const AFTERMATH: Duration = Duration::from_millis(200);
/// After a failed run, the sink has to be quiet for that long before the next.
const SETTLE_TIME: Duration = Duration::from_secs(3);
/// More messages than this make a run no better.
const MESSAGES_MAX: u64 = 40_000;

/// How long and how often to measure.
pub(super) struct Pace {
    pub(super) runs: u32,
    pub(super) run_seconds: f64,
    /// How long to wait for a quiet moment before each run.
    pub(super) patience: Duration,
    /// Messages of a run, however slow the server.
    pub(super) messages_min: u64,
}

/// One cell, and the servers by name.
pub(super) struct CellResults {
    pub(super) cell: Cell,
    pub(super) servers: Vec<(&'static str, Summary)>,
    /// Runs that did not work, in words.
    pub(super) failures: Vec<String>,
}

/// One way that messages take to the sink.
pub(super) struct Path {
    name: &'static str,
    port: u16,
    /// None for the sink itself.
    account: Option<Account>,
    /// Where the server tells its metrics, if it does.
    admin_port: Option<u16>,
    /// How many messages fill a run of the present cell.
    messages: u64,
    samples: Vec<Sample>,
    failures: Vec<String>,
}

impl Path {
    /// Straight to the sink: what the load generator and the sink are capable of.
    pub(super) fn direct(sink: &Sink) -> Path {
        Path::new("direct", sink.port(), None, None)
    }

    pub(super) fn through(name: &'static str, server: &Running) -> Path {
        let account = Some(server.process.account().clone());
        Path::new(name, server.port, account, server.admin_port)
    }

    fn new(
        name: &'static str,
        port: u16,
        account: Option<Account>,
        admin_port: Option<u16>,
    ) -> Path {
        Path {
            name,
            port,
            account,
            admin_port,
            messages: 0,
            samples: Vec::new(),
            failures: Vec::new(),
        }
    }

    fn processor_time(&self) -> Result<Duration> {
        match &self.account {
            Some(account) => account.processor_time(),
            None => Ok(Duration::ZERO),
        }
    }

    /// Syncs by the server's own count; none if it has none.
    fn syncs(&self) -> Option<f64> {
        metrics::read(self.admin_port?).ok()?.sum(metrics::SYNCS)
    }
}

/// Runs all cells on fresh paths each.
pub(super) fn measure(
    cells: &[Cell],
    pace: &Pace,
    reaper: &Reaper,
    sink: &Sink,
    paths: impl Fn() -> Vec<Path>,
) -> Result<Vec<CellResults>> {
    let mut results = Vec::new();
    for (index, &cell) in cells.iter().enumerate() {
        println!("{}/{}: {}", index + 1, cells.len(), cell.title());
        let mut paths = paths();
        measure_cell(cell, pace, reaper, sink, &mut paths)?;
        let summaries = paths
            .iter()
            .filter_map(|path| Some((path.name, summary(&path.samples)?)));
        results.push(CellResults {
            cell,
            servers: summaries.collect(),
            failures: paths.iter().flat_map(|it| it.failures.clone()).collect(),
        });
    }
    Ok(results)
}

/// Fails if a run of any cell did; called when everything that worked has been reported.
pub(super) fn ensure_all_ran(cells: &[CellResults]) -> Result<()> {
    let failures = cells.iter().flat_map(|cell| {
        let title = cell.cell.title();
        cell.failures.iter().map(move |it| format!("{title}: {it}"))
    });
    let failures: Vec<String> = failures.collect();
    if failures.is_empty() {
        return Ok(());
    }
    bail!("runs that did not work:\n{}", failures.join("\n"))
}

fn measure_cell(
    cell: Cell,
    pace: &Pace,
    reaper: &Reaper,
    sink: &Sink,
    paths: &mut [Path],
) -> Result<()> {
    let few = u64::from(cell.sessions) * 2;
    for path in paths.iter_mut() {
        // The first messages warm the server up, the second handful tells how many fill a run.
        let calibrated = one_run(cell, reaper, sink, path, few)
            .and_then(|_| one_run(cell, reaper, sink, path, few));
        match calibrated {
            Ok(warm) => {
                let fill = (warm.accepted_per_second * pace.run_seconds) as u64;
                path.messages = fill.clamp(few.max(pace.messages_min), MESSAGES_MAX);
            }
            Err(error) => fail(path, sink, &error)?,
        }
    }
    for run in 1..=pace.runs {
        for path in paths.iter_mut().filter(|path| path.messages > 0) {
            machine::wait_for_quiet(pace.patience)?;
            match sampled_run(cell, reaper, sink, path) {
                Ok(sample) => {
                    println!(
                        "  run {run}/{} {:<9} {:>6.0} accepted/s, steal {:.0} %, others {:.0} %",
                        pace.runs,
                        path.name,
                        sample.accepted_per_second,
                        100.0 * sample.noise.steal,
                        100.0 * sample.noise.others
                    );
                    // A handful may have told too little.
                    let fill = (sample.accepted_per_second * pace.run_seconds) as u64;
                    path.messages = fill.clamp(path.messages, MESSAGES_MAX);
                    path.samples.push(sample);
                }
                Err(error) => fail(path, sink, &error)?,
            }
        }
    }
    Ok(())
}

/// Notes a failed run and waits until the server has sent what it still had.
fn fail(path: &mut Path, sink: &Sink, error: &anyhow::Error) -> Result<()> {
    println!("  {}: {error:#}", path.name);
    path.failures.push(format!("{}: {error:#}", path.name));
    let start = Instant::now();
    let mut last = sink.messages()?;
    loop {
        thread::sleep(SETTLE_TIME);
        let now = sink.messages()?;
        if now == last || start.elapsed() > DRAIN_TIME_MAX {
            return Ok(());
        }
        last = now;
    }
}

fn sampled_run(cell: Cell, reaper: &Reaper, sink: &Sink, path: &Path) -> Result<Sample> {
    let mut sample = one_run(cell, reaper, sink, path, path.messages)?;
    add_waits(cell, sink, path, &mut sample)?;
    Ok(sample)
}

/// One run of smtp-source, accounted from its first message until the sink has the last.
fn one_run(cell: Cell, reaper: &Reaper, sink: &Sink, path: &Path, messages: u64) -> Result<Sample> {
    let before = sink.messages()?;
    let (server, sinking) = (path.processor_time()?, sink.account().processor_time()?);
    let (ticks, syncs) = (Ticks::now()?, path.syncs());
    let memory = path.account.clone().map(PeakMemory::watch);
    let start = Instant::now();
    let load = postal::send(reaper, cell, path.port, messages)
        .with_context(|| format!("{} refused or lost a message", path.name))?;
    let come = sink.wait_for(before + messages, DRAIN_TIME_MAX)? - before;
    let delivered = start.elapsed();
    ensure!(
        come == messages,
        "{}: {come} of {messages} messages reached the sink",
        path.name
    );
    thread::sleep(AFTERMATH);
    let server = path.processor_time()?.saturating_sub(server);
    let sinking = sink.account().processor_time()?.saturating_sub(sinking);
    let ours = server + sinking + load.processor_time;
    let syncs = path
        .syncs()
        .zip(syncs)
        .map(|(after, before)| after - before);
    let for_thousand = |time: Duration| time.as_secs_f64() * 1000.0 / messages as f64;
    Ok(Sample {
        accepted_per_second: messages as f64 / load.took.as_secs_f64(),
        delivered_per_second: messages as f64 / delivered.as_secs_f64(),
        server_seconds: for_thousand(server),
        source_seconds: for_thousand(load.processor_time),
        sink_seconds: for_thousand(sinking),
        resident_mib: memory.map_or(0, PeakMemory::stop) as f64 / 1024.0,
        noise: Ticks::now()?.noise_since(ticks, ours),
        syncs_each: syncs.map(|syncs| syncs / messages as f64),
        ..Sample::default()
    })
}

/// Adds how long single messages waited, from a run of our own client with the same number of sessions.
fn add_waits(cell: Cell, sink: &Sink, path: &Path, sample: &mut Sample) -> Result<()> {
    // A slow server is not asked for more than a run of it has.
    let messages = (path.messages / 2).max(path.messages.min(200));
    let before = sink.messages()?;
    let waits = load::waits(cell, path.port, messages, load::usual_recipient)
        .with_context(|| format!("{}: measuring the wait for 250", path.name))?;
    sink.wait_for(before + messages, DRAIN_TIME_MAX)?;
    let milliseconds = |share: f64| load::percentile(&waits, share).as_secs_f64() * 1000.0;
    sample.wait_p50 = milliseconds(0.5);
    sample.wait_p99 = milliseconds(0.99);
    Ok(())
}

/// A thread that reads a server's memory now and then.
pub(super) struct PeakMemory {
    is_done: Arc<AtomicBool>,
    peak_kib: Arc<AtomicU64>,
    thread: Option<thread::JoinHandle<()>>,
}

impl PeakMemory {
    pub(super) fn watch(account: Account) -> PeakMemory {
        let is_done = Arc::new(AtomicBool::new(false));
        let peak_kib = Arc::new(AtomicU64::new(0));
        let (done, peak) = (Arc::clone(&is_done), Arc::clone(&peak_kib));
        let thread = thread::spawn(move || {
            while !done.load(Ordering::Relaxed) {
                peak.fetch_max(account.resident_kib(), Ordering::Relaxed);
                thread::sleep(SAMPLE_INTERVAL);
            }
        });
        PeakMemory {
            is_done,
            peak_kib,
            thread: Some(thread),
        }
    }

    /// Ends the thread and gives the highest reading, in KiB.
    pub(super) fn stop(mut self) -> u64 {
        self.is_done.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // It only reads files and cannot panic; if it did, the readings until then count.
            let _ = thread.join();
        }
        self.peak_kib.load(Ordering::Relaxed)
    }
}

impl Drop for PeakMemory {
    fn drop(&mut self) {
        // Of a run that failed nobody asks for the peak.
        self.is_done.store(true, Ordering::Relaxed);
    }
}

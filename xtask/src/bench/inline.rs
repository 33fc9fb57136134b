//! `bench inline`: smtp-source -> server -> smtp-sink, for Gatepost with a cut-through route and no engines, Postfix as
//! a relay, Haraka as an in-line forwarder, and for nothing in between (`direct`).
//!
//! Each cell of sessions x connections is run on all servers in turn, several times over, so that what disturbs the
//! machine disturbs all alike. Then idle connections, and what scanning a message costs.

mod report;
mod scan_cost;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::Options;
use super::account::Account;
use super::idle::{self, Idle};
use super::load;
use super::machine::{self, Ticks};
use super::peers::{Gatepost, Kind, Running, Tls};
use super::postal::{self, Cell, Sink};
use super::process::Reaper;
use super::samples::{Sample, Summary, summary};
use crate::install;

/// Open files for 10,000 connections at either end, and some.
const OPEN_FILES_MAX: u64 = 12_000;
/// How long the sink may wait for what a server with a queue still holds.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(60);
/// How often memory is read during a run.
const SAMPLE_INTERVAL: Duration = Duration::from_millis(100);
/// The last trace of a run (logs, queue files) is left behind after its last message.
const AFTERMATH: Duration = Duration::from_millis(200);

const CELLS: [Cell; 4] = [
    cell(10, false),
    cell(50, false),
    cell(10, true),
    cell(50, true),
];

const fn cell(sessions: u32, is_kept: bool) -> Cell {
    Cell {
        sessions,
        is_kept,
        message_bytes: 4096,
    }
}

/// How long and how often to measure.
struct Plan {
    runs: u32,
    run_seconds: f64,
    /// How long to wait for a quiet moment before each run.
    patience: Duration,
    plain_connections: &'static [usize],
    tls_connections: &'static [usize],
}

impl Plan {
    fn new(is_quick: bool) -> Plan {
        if is_quick {
            return Plan {
                runs: 1,
                run_seconds: 0.6,
                patience: Duration::ZERO,
                plain_connections: &[2_000, 10_000],
                tls_connections: &[1_000],
            };
        }
        Plan {
            runs: 3,
            run_seconds: 2.5,
            patience: Duration::from_secs(6),
            plain_connections: &[2_000, 10_000],
            tls_connections: &[2_000, 10_000],
        }
    }
}

/// Everything measured, for the report.
struct Results {
    cells: Vec<CellResults>,
    plain: Vec<Idle>,
    tls: Vec<Idle>,
    haraka_plain: Vec<Idle>,
    /// Milliseconds of processor time to scan a message of 20 KiB.
    scan_milliseconds: Option<f64>,
    versions: Vec<String>,
}

/// One cell, and the servers by name, `direct` first.
struct CellResults {
    cell: Cell,
    servers: Vec<(&'static str, Summary)>,
}

/// Runs the bench and reports.
pub(super) fn run(options: &Options) -> Result<()> {
    install::packages(install::BENCH)?;
    install::packages(install::POSTFIX)?;
    for kind in &options.kinds {
        kind.prepare()?;
    }
    machine::raise_open_files_max(OPEN_FILES_MAX)?;
    let plan = Plan::new(options.is_quick);
    let reaper = Reaper::start()?;
    let has_gatepost = options.kinds.contains(&Kind::Gatepost);
    let scan_cost = if has_gatepost {
        scan_cost::prepare()?
    } else {
        None
    };

    let start = Instant::now();
    let cells = measure_cells(options, &plan, &reaper)?;
    let (plain, tls) = if has_gatepost {
        measure_idle(&plan, &reaper)?
    } else {
        (Vec::new(), Vec::new())
    };
    let results = Results {
        cells,
        plain,
        tls,
        haraka_plain: haraka_idle(options, &reaper)?,
        scan_milliseconds: scan_cost.map(|it| it.measure()).transpose()?,
        versions: options.kinds.iter().map(|kind| kind.version()).collect(),
    };
    println!("\nmeasured in {:.0} s\n", start.elapsed().as_secs_f64());
    report::publish(options, &results)
}

/// One way that messages take to the sink.
struct Path {
    name: &'static str,
    port: u16,
    /// None for the sink itself.
    account: Option<Account>,
    /// How many messages fill a run of the present cell.
    messages: u64,
    samples: Vec<Sample>,
}

fn measure_cells(options: &Options, plan: &Plan, reaper: &Reaper) -> Result<Vec<CellResults>> {
    let sink = Sink::start(reaper)?;
    let mut servers = Vec::new();
    for kind in &options.kinds {
        servers.push((kind.name(), kind.start(reaper, sink.port())?));
    }
    let mut cells = Vec::new();
    for (index, cell) in CELLS.into_iter().enumerate() {
        println!("{}/{}: {}", index + 1, CELLS.len(), report::title(cell));
        let mut paths = vec![Path {
            name: "direct",
            port: sink.port(),
            account: None,
            messages: 0,
            samples: Vec::new(),
        }];
        paths.extend(servers.iter().map(|(name, running)| Path {
            name,
            port: running.port,
            account: Some(running.process.account().clone()),
            messages: 0,
            samples: Vec::new(),
        }));
        measure_cell(cell, plan, reaper, &sink, &mut paths)?;
        let summaries = paths
            .iter()
            .filter_map(|path| Some((path.name, summary(&path.samples)?)));
        cells.push(CellResults {
            cell,
            servers: summaries.collect(),
        });
    }
    Ok(cells)
}

fn measure_cell(
    cell: Cell,
    plan: &Plan,
    reaper: &Reaper,
    sink: &Sink,
    paths: &mut [Path],
) -> Result<()> {
    let few = u64::from(cell.sessions) * 4;
    for path in paths.iter_mut() {
        // The first messages warm the server up, the second handful tells how many fill a run.
        one_run(cell, reaper, sink, path, few)?;
        let warm = one_run(cell, reaper, sink, path, few * 3)?;
        let fill = (warm.accepted_per_second * plan.run_seconds) as u64;
        path.messages = fill.clamp(few.max(100), 40_000);
    }
    for run in 1..=plan.runs {
        for path in paths.iter_mut() {
            machine::wait_for_quiet(plan.patience)?;
            let mut sample = one_run(cell, reaper, sink, path, path.messages)?;
            add_waits(cell, sink, path, &mut sample)?;
            println!(
                "  run {run}/{} {:<9} {:>6.0} accepted/s, steal {:.0} %, others {:.0} %",
                plan.runs,
                path.name,
                sample.accepted_per_second,
                100.0 * sample.noise.steal,
                100.0 * sample.noise.others
            );
            path.samples.push(sample);
        }
    }
    Ok(())
}

/// One run of smtp-source, accounted from its first message until the sink has the last.
fn one_run(cell: Cell, reaper: &Reaper, sink: &Sink, path: &Path, messages: u64) -> Result<Sample> {
    let server_time = || match &path.account {
        Some(account) => account.processor_time(),
        None => Ok(Duration::ZERO),
    };
    let before = sink.messages()?;
    let (server, sinking) = (server_time()?, sink.account().processor_time()?);
    let ticks = Ticks::now()?;
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
    let server = server_time()?.saturating_sub(server);
    let sinking = sink.account().processor_time()?.saturating_sub(sinking);
    let ours = server + sinking + load.processor_time;
    let for_thousand = |time: Duration| time.as_secs_f64() * 1000.0 / messages as f64;
    Ok(Sample {
        accepted_per_second: messages as f64 / load.took.as_secs_f64(),
        delivered_per_second: messages as f64 / delivered.as_secs_f64(),
        server_seconds: for_thousand(server),
        source_seconds: for_thousand(load.processor_time),
        sink_seconds: for_thousand(sinking),
        resident_mib: memory.map_or(0, PeakMemory::stop) as f64 / 1024.0,
        noise: Ticks::now()?.noise_since(ticks, ours),
        ..Sample::default()
    })
}

/// Adds how long single messages waited, from a run of our own client with the same number of sessions.
fn add_waits(cell: Cell, sink: &Sink, path: &Path, sample: &mut Sample) -> Result<()> {
    let messages = (path.messages / 2).max(200);
    let before = sink.messages()?;
    let waits = load::waits(cell, path.port, messages)
        .with_context(|| format!("{}: measuring the wait for 250", path.name))?;
    sink.wait_for(before + messages, DRAIN_TIME_MAX)?;
    let milliseconds = |share: f64| load::percentile(&waits, share).as_secs_f64() * 1000.0;
    sample.wait_p50 = milliseconds(0.5);
    sample.wait_p99 = milliseconds(0.99);
    Ok(())
}

/// A thread that reads a server's memory now and then.
struct PeakMemory {
    is_done: Arc<AtomicBool>,
    peak_kib: Arc<AtomicU64>,
    thread: thread::JoinHandle<()>,
}

impl PeakMemory {
    fn watch(account: Account) -> PeakMemory {
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
            thread,
        }
    }

    /// Ends the thread and gives the highest reading, in KiB.
    fn stop(self) -> u64 {
        self.is_done.store(true, Ordering::Relaxed);
        // It only reads files and cannot panic; if it did, the readings until then count.
        let _ = self.thread.join();
        self.peak_kib.load(Ordering::Relaxed)
    }
}

/// Gatepost's memory with idle connections, from a fresh start each time.
fn measure_idle(plan: &Plan, reaper: &Reaper) -> Result<(Vec<Idle>, Vec<Idle>)> {
    println!("idle connections");
    // Nothing is handed on, so there need be no nexthop.
    let server = Gatepost::start(reaper, 9, Tls::None)?;
    let plain = idle::plain(&server, plan.plain_connections)?;
    drop(server);
    let server = Gatepost::start(reaper, 9, Tls::SelfSigned)?;
    let tls = idle::tls(reaper, &server, plan.tls_connections)?;
    Ok((plain, tls))
}

/// The same for the leanest peer; left out of a quick run.
fn haraka_idle(options: &Options, reaper: &Reaper) -> Result<Vec<Idle>> {
    if options.is_quick || !options.kinds.contains(&Kind::Haraka) {
        return Ok(Vec::new());
    }
    let server: Running = Kind::Haraka.start(reaper, 9)?;
    idle::plain(&server, &[2_000])
}

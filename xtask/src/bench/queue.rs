//! `bench queue`: smtp-source -> server -> smtp-sink for servers that keep a queue: Gatepost with a route that queues, Postfix,
//! Exim, OpenSMTPD, Haraka with its outbound queue; and for nothing in between (`direct`).
//!
//! Sessions x size x connections, each cell on all servers in turn; then the syncs of each server, counted by strace in a run
//! of its own; then a queue of 1,000,000 messages to 10,000 destinations of which half are dead (`backlog`).

mod report;
pub(super) mod syncs;

use std::cmp::Reverse;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::Options;
use super::backlog;
use super::machine;
use super::peers::{Kind, Manner, Purpose};
use super::postal::{Cell, Sink};
use super::process::Reaper;
use super::runs::{CellResults, Pace, Path, ensure_all_ran, measure};
use crate::install;

use self::syncs::Syncs;

/// What `--part` may name.
pub(super) const PARTS: &[&str] = &["loads", "backlog"];
/// Open files of either end, and some.
const OPEN_FILES_MAX: u64 = 12_000;
/// Cells of a quick run: those that have targets, with small messages.
const QUICK_SESSIONS: [u32; 2] = [10, 50];
const SESSIONS: [u32; 3] = [1, 10, 50];
const SIZES: [u32; 2] = [4096, 65_536];

/// Everything measured, for the report.
struct Results {
    cells: Vec<CellResults>,
    syncs: Vec<(&'static str, Syncs)>,
    versions: Vec<String>,
}

/// Runs the bench and reports.
pub(super) fn run(options: &Options) -> Result<()> {
    install::packages(install::BENCH)?;
    install::packages(install::QUEUE_BENCH)?;
    install::packages(install::POSTFIX)?;
    for kind in &options.kinds {
        kind.prepare()?;
    }
    if options.wants("loads") {
        loads(options)?;
    }
    if options.wants("backlog") && options.kinds.contains(&Kind::Gatepost) {
        backlog::run(options)?;
    }
    Ok(())
}

fn loads(options: &Options) -> Result<()> {
    machine::raise_open_files_max(OPEN_FILES_MAX)?;
    let reaper = Reaper::start()?;
    let start = Instant::now();
    let results = Results {
        cells: measure_cells(options, &reaper)?,
        syncs: measure_syncs(options, &reaper)?,
        versions: options.kinds.iter().map(|kind| kind.version()).collect(),
    };
    println!("\nmeasured in {:.0} s\n", start.elapsed().as_secs_f64());
    report::publish(options, &results)?;
    ensure_all_ran(&results.cells)
}

fn cells(is_quick: bool) -> Vec<Cell> {
    let (sessions, sizes) = if is_quick {
        (&QUICK_SESSIONS[..], &SIZES[..1])
    } else {
        (&SESSIONS[..], &SIZES[..])
    };
    let mut cells = Vec::new();
    for &message_bytes in sizes {
        for is_kept in [false, true] {
            cells.extend(sessions.iter().map(|&sessions| Cell {
                sessions,
                is_kept,
                message_bytes,
            }));
        }
    }
    cells
}

fn pace(is_quick: bool) -> Pace {
    if is_quick {
        return Pace {
            runs: 1,
            run_seconds: 0.6,
            patience: Duration::ZERO,
            messages_min: 40,
        };
    }
    Pace {
        runs: 3,
        run_seconds: 2.5,
        patience: Duration::from_secs(6),
        messages_min: 100,
    }
}

fn measure_cells(options: &Options, reaper: &Reaper) -> Result<Vec<CellResults>> {
    let sink = Sink::start(reaper)?;
    let mut servers = Vec::new();
    for kind in &options.kinds {
        let purpose = Purpose {
            nexthop: sink.port(),
            manner: Manner::Queued,
            wrapper: &[],
        };
        servers.push((kind.name(), kind.start(reaper, purpose)?));
    }
    // The large messages first: noise spoils them most, and who has just started a bench leaves the machine alone.
    let mut cells = cells(options.is_quick);
    cells.sort_by_key(|cell| Reverse(cell.message_bytes));
    let mut measured = measure(&cells, &pace(options.is_quick), reaper, &sink, || {
        let mut paths = vec![Path::direct(&sink)];
        let servers = servers.iter();
        paths.extend(servers.map(|(name, running)| Path::through(name, running)));
        paths
    })?;
    measured.sort_by_key(|results| results.cell.message_bytes);
    Ok(measured)
}

fn measure_syncs(options: &Options, reaper: &Reaper) -> Result<Vec<(&'static str, Syncs)>> {
    println!("syncs, counted by strace");
    let mut counted = Vec::new();
    for &kind in &options.kinds {
        for sessions in syncs::SESSIONS {
            let syncs = syncs::count(reaper, kind, sessions, options.is_quick)?;
            println!("  {:<9} {syncs}", kind.name());
            counted.push((kind.name(), syncs));
        }
    }
    Ok(counted)
}

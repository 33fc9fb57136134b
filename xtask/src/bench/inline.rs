//! `bench inline`: smtp-source -> server -> smtp-sink, for Gatepost with a cut-through route and no engines, Postfix as
//! a relay, Haraka as an in-line forwarder, and for nothing in between (`direct`).
//!
//! Each cell of sessions x connections is run on all servers in turn, several times over, so that what disturbs the
//! machine disturbs all alike. Then idle connections, and what scanning a message costs.

mod report;
mod scan_cost;

use std::time::{Duration, Instant};

use anyhow::Result;

use super::Options;
use super::idle::{self, Idle};
use super::machine;
use super::peers::{Gatepost, Kind, Manner, Purpose, Running, Tls};
use super::postal::{Cell, Sink};
use super::process::Reaper;
use super::runs::{CellResults, Pace, Path, ensure_all_ran, measure};
use crate::install;

/// Open files for 10,000 connections at either end, and some.
const OPEN_FILES_MAX: u64 = 12_000;

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
    pace: Pace,
    plain_connections: &'static [usize],
    tls_connections: &'static [usize],
}

impl Plan {
    fn new(is_quick: bool) -> Plan {
        if is_quick {
            return Plan {
                pace: Pace {
                    runs: 1,
                    run_seconds: 0.6,
                    patience: Duration::ZERO,
                    messages_min: 100,
                },
                plain_connections: &[2_000, 10_000],
                tls_connections: &[1_000],
            };
        }
        Plan {
            pace: Pace {
                runs: 3,
                run_seconds: 2.5,
                patience: Duration::from_secs(6),
                messages_min: 100,
            },
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
    report::publish(options, &results)?;
    ensure_all_ran(&results.cells)
}

fn measure_cells(options: &Options, plan: &Plan, reaper: &Reaper) -> Result<Vec<CellResults>> {
    let sink = Sink::start(reaper)?;
    let mut servers = Vec::new();
    for kind in &options.kinds {
        servers.push((kind.name(), kind.start(reaper, in_line(sink.port()))?));
    }
    measure(&CELLS, &plan.pace, reaper, &sink, || {
        let mut paths = vec![Path::direct(&sink)];
        paths.extend(
            servers
                .iter()
                .map(|(name, running)| Path::through(name, running)),
        );
        paths
    })
}

/// To hand on to that port while the client waits.
fn in_line(nexthop: u16) -> Purpose<'static> {
    Purpose {
        nexthop,
        manner: Manner::InLine,
        wrapper: &[],
    }
}

/// Gatepost's memory with idle connections, from a fresh start each time.
fn measure_idle(plan: &Plan, reaper: &Reaper) -> Result<(Vec<Idle>, Vec<Idle>)> {
    println!("idle connections");
    // Nothing is handed on, so there need be no nexthop.
    let server = Gatepost::start(reaper, in_line(9), Tls::None)?;
    let plain = idle::plain(&server, plan.plain_connections)?;
    drop(server);
    let server = Gatepost::start(reaper, in_line(9), Tls::SelfSigned)?;
    let tls = idle::tls(reaper, &server, plan.tls_connections)?;
    Ok((plain, tls))
}

/// The same for the leanest peer; left out of a quick run.
fn haraka_idle(options: &Options, reaper: &Reaper) -> Result<Vec<Idle>> {
    if options.is_quick || !options.kinds.contains(&Kind::Haraka) {
        return Ok(Vec::new());
    }
    let server: Running = Kind::Haraka.start(reaper, in_line(9))?;
    idle::plain(&server, &[2_000])
}

//! `bench spool`: the load of a mail queue on our segments, on fjall and on one file a message, and a start with very many
//! messages.
//!
//! The engines run in `bench/spool`, a workspace of its own, one process for each run; here they are built, run in turn, and
//! compared. Both ends of the load are in that process, so its figures are of engine and load together, the same load for all.

pub(super) mod engine;
mod report;

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::Options;
use super::machine;
use crate::install;

use self::engine::{Engine, LoadRun, Median, Restart};

/// Submitters at a time, and the bytes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cell {
    sessions: u32,
    content_bytes: u32,
}

/// The median runs of all engines in one cell.
struct CellResults {
    cell: Cell,
    engines: Vec<(Engine, Median)>,
}

/// Everything measured, for the report.
struct Results {
    cells: Vec<CellResults>,
    restarts: Vec<(Engine, Restart)>,
    versions: Vec<String>,
}

struct Plan {
    runs: u32,
    run_time: Duration,
    patience: Duration,
    /// Messages in the store that is started anew.
    restart_messages: u64,
}

impl Plan {
    fn new(is_quick: bool) -> Plan {
        if is_quick {
            return Plan {
                runs: 1,
                run_time: Duration::from_millis(700),
                patience: Duration::ZERO,
                restart_messages: 100_000,
            };
        }
        Plan {
            runs: 5,
            run_time: Duration::from_secs(3),
            patience: Duration::from_secs(6),
            restart_messages: 1_000_000,
        }
    }
}

/// Runs the bench and reports.
pub(super) fn run(options: &Options) -> Result<()> {
    install::packages(install::QUEUE_BENCH)?;
    engine::build()?;
    let plan = Plan::new(options.is_quick);
    let start = Instant::now();
    let results = Results {
        cells: measure_cells(options, &plan)?,
        restarts: measure_restarts(options, &plan)?,
        versions: engine::versions()?,
    };
    println!("\nmeasured in {:.0} s\n", start.elapsed().as_secs_f64());
    report::publish(options, &results)
}

fn measure_cells(options: &Options, plan: &Plan) -> Result<Vec<CellResults>> {
    let mut results = Vec::new();
    for content_bytes in [4096, 65_536] {
        for sessions in [1, 10, 50] {
            let cell = Cell {
                sessions,
                content_bytes,
            };
            println!("{}", cell.title());
            results.push(CellResults {
                cell,
                engines: measure_cell(options, cell, plan)?,
            });
        }
    }
    Ok(results)
}

fn measure_cell(options: &Options, cell: Cell, plan: &Plan) -> Result<Vec<(Engine, Median)>> {
    let mut runs: Vec<(Engine, Vec<LoadRun>)> = Vec::new();
    for &engine in &options.engines {
        runs.push((engine, Vec::new()));
    }
    for turn in 1..=plan.runs {
        for (engine, runs) in &mut runs {
            machine::wait_for_quiet(plan.patience)?;
            let run = engine::load(*engine, cell.sessions, cell.content_bytes, plan.run_time)?;
            println!(
                "  run {turn}/{} {:<6} {:>7.0} messages/s, steal {:.0} %, others {:.0} %",
                plan.runs,
                engine.name(),
                run.messages_per_second,
                100.0 * run.noise.steal,
                100.0 * run.noise.others
            );
            runs.push(run);
        }
    }
    let mut medians = Vec::new();
    for (engine, runs) in runs {
        let mut median = engine::median_of(&runs).context("no runs")?;
        // The same load once more under strace, which slows it down and is therefore not timed.
        median.syncs_each = Some(engine::syncs_each(
            engine,
            cell.sessions,
            cell.content_bytes,
            plan.run_time,
        )?);
        medians.push((engine, median));
    }
    Ok(medians)
}

fn measure_restarts(options: &Options, plan: &Plan) -> Result<Vec<(Engine, Restart)>> {
    let mut restarts = Vec::new();
    for &engine in &options.engines {
        println!(
            "restart with {} messages: {}",
            plan.restart_messages,
            engine.name()
        );
        restarts.push((
            engine,
            engine::restart(engine, plan.restart_messages, plan.patience)?,
        ));
    }
    Ok(restarts)
}

impl Cell {
    fn title(self) -> String {
        let plural = if self.sessions == 1 { "" } else { "s" };
        format!(
            "{} submitter{plural}, {} bytes",
            self.sessions,
            super::figures::number(f64::from(self.content_bytes))
        )
    }
}

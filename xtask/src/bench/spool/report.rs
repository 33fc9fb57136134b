//! What `bench spool` found: the engines side by side.

use std::fmt::Write as _;

use anyhow::Result;

use super::engine::{Engine, Median};
use super::{CellResults, Results};
use crate::bench::Options;
use crate::bench::figures::{self, Figure, Target, number};
use crate::bench::page;
use crate::bench::publish::{self, Report};

/// The figures of a cell: name, title, unit, value.
type Column = (
    &'static str,
    &'static str,
    &'static str,
    fn(&Median) -> Option<f64>,
);

const COLUMNS: [Column; 8] = [
    ("messages_per_second", "rate", "messages/s", |it| {
        Some(it.run.messages_per_second)
    }),
    (
        "processor_seconds_per_1000",
        "processor time",
        "s per 1,000",
        |it| Some(it.run.processor_seconds),
    ),
    ("syncs_each", "syncs", "for each message", |it| {
        it.syncs_each
    }),
    (
        "written_bytes_each",
        "written",
        "bytes for each byte of mail",
        |it| Some(it.run.written_each),
    ),
    ("wait_p50_milliseconds", "wait, p50", "ms", |it| {
        Some(it.run.wait_p50)
    }),
    ("wait_p99_milliseconds", "wait, p99", "ms", |it| {
        Some(it.run.wait_p99)
    }),
    ("peak_rss_mib", "peak memory", "MiB", |it| {
        Some(it.run.resident_mib)
    }),
    (
        "left_mib",
        "left on the disk by an empty store",
        "MiB",
        |it| Some(it.run.left_mib),
    ),
];

/// A start with 1,000,000 messages may take so long, and one with fewer as much less.
const RESTART_SECONDS_MAX: f64 = 10.0;
const RESTART_MESSAGES: f64 = 1_000_000.0;
/// Memory of the index for each queued recipient.
const INDEX_BYTES_MAX: f64 = 400.0;

/// Prints everything, writes the page after a full run, and ends with JSON if asked.
pub(super) fn publish(options: &Options, results: &Results) -> Result<()> {
    let runs = results.cells.iter().flat_map(|cell| &cell.engines);
    let noise = publish::noise(runs.map(|(_, median)| median.run.noise));
    let figures = figures(results);
    let mut text = publish::opening("cargo xtask bench spool", &results.versions, &noise);
    text.push_str(&figures::table(&targets(&figures)));
    text.push_str(&cells_table(results));
    text.push_str(&restarts_table(results));
    let report = Report {
        bench: "spool",
        page: page::QUEUE,
        text,
        figures,
        noise,
    };
    let is_whole = options.engines.len() == Engine::ALL.len();
    publish::publish(&report, options.is_quick, is_whole, options.wants_json)
}

/// Those that something was promised of; the rest is in the other tables.
fn targets(figures: &[Figure]) -> Vec<Figure> {
    let promised = figures.iter().filter(|it| it.is_met().is_some());
    promised.cloned().collect()
}

fn cells_table(results: &Results) -> String {
    let mut table = String::from(
        "\n**Load**: closed loop; each submitter waits until its message is durable; each message is read once and removed\n\n\
         | submitters, size | engine | messages/s | CPU s per 1,000 | syncs each | bytes written per byte of mail | p50 / p99 ms | peak RSS MiB | left on disk MiB | steal / others % | quiet runs |\n\
         |---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for CellResults { cell, engines } in &results.cells {
        for (engine, median) in engines {
            let run = &median.run;
            let star = if median.quiet == 0 { "*" } else { "" };
            let _ = writeln!(
                table,
                "| {} | {} | {}{star} | {}{star} | {} | {} | {} / {}{star} | {} | {} | {:.0} / {:.0} | {}/{} |",
                cell.title(),
                engine.name(),
                number(run.messages_per_second),
                number(run.processor_seconds),
                median.syncs_each.map_or_else(|| "-".to_owned(), number),
                number(run.written_each),
                number(run.wait_p50),
                number(run.wait_p99),
                number(run.resident_mib),
                number(run.left_mib),
                100.0 * run.noise.steal,
                100.0 * run.noise.others,
                median.quiet,
                median.all,
            );
        }
    }
    table
}

fn restarts_table(results: &Results) -> String {
    let mut table = String::from(
        "\n**Start** of a store with messages of 4,096 bytes that was left as a crash leaves it; page cache warm\n\n\
         | engine | messages | s | CPU s | RSS MiB | on disk MiB | fill, s |\n|---|---|---|---|---|---|---|\n",
    );
    for (engine, restart) in &results.restarts {
        let _ = writeln!(
            table,
            "| {} | {} | {} | {} | {} | {} | {} |",
            engine.name(),
            number(restart.messages as f64),
            number(restart.seconds),
            number(restart.processor_seconds),
            number(restart.resident_mib),
            number(restart.folder_bytes as f64 / 1024.0 / 1024.0),
            number(restart.fill_seconds),
        );
    }
    table
}

fn figures(results: &Results) -> Vec<Figure> {
    let mut figures = Vec::new();
    for CellResults { cell, engines } in &results.cells {
        for (engine, median) in engines {
            figures.extend(COLUMNS.iter().map(|(name, title, unit, of)| Figure {
                name: format!(
                    "{}_{}_{}_{name}",
                    engine.name(),
                    cell.sessions,
                    cell.content_bytes
                ),
                title: format!("{title}, {}, {}", engine.name(), cell.title()),
                unit,
                value: of(median),
                target: Target::None,
            }));
        }
    }
    for (engine, restart) in &results.restarts {
        let is_ours = *engine == Engine::Queue;
        let messages = restart.messages as f64;
        let target = |max: f64| {
            if is_ours {
                Target::AtMost(max)
            } else {
                Target::None
            }
        };
        let figure = |name: &str, title: &str, unit, value, target| Figure {
            name: format!("{}_start_{name}", engine.name()),
            title: format!("{title}, {}, {} messages", engine.name(), number(messages)),
            unit,
            value: Some(value),
            target,
        };
        figures.push(figure(
            "seconds",
            "start",
            "s",
            restart.seconds,
            target(RESTART_SECONDS_MAX * messages / RESTART_MESSAGES),
        ));
        figures.push(figure(
            "rss_bytes_each",
            "memory once started",
            "bytes for each recipient",
            restart.resident_mib * 1024.0 * 1024.0 / messages,
            target(INDEX_BYTES_MAX),
        ));
    }
    figures
}

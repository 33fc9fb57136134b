//! What `bench inline` found: tables for people, figures against their targets, and the page in docs.

use std::fmt::Write as _;

use anyhow::Result;

use super::{CellResults, Idle, Results};
use crate::bench::Options;
use crate::bench::figures::{self, Figure, Target, number};
use crate::bench::page;
use crate::bench::peers::Kind;
use crate::bench::postal::Cell;
use crate::bench::publish::{self, Report};
use crate::bench::samples::{Sample, Summary};

/// Gatepost takes at least so many times as many messages as Postfix does ...
const RATE_OF_POSTFIX_MIN: f64 = 4.0;
/// ... or that share of what the load generator reaches against the bare sink, if that is less.
const RATE_OF_DIRECT_MIN: f64 = 0.6;
/// The share of Postfix's processor time that Gatepost may use, with one message a connection and with many.
const PROCESSOR_OF_POSTFIX_MAX_ONE: f64 = 1.0 / 8.0;
const PROCESSOR_OF_POSTFIX_MAX_KEPT: f64 = 1.0 / 10.0;
/// Resident memory of an idle connection.
const IDLE_KIB_MAX: f64 = 4.0;
const IDLE_TLS_KIB_MAX: f64 = 20.0;
/// Processor time to scan 20 KiB, engines that are daemons left out.
const SCAN_MILLISECONDS_MAX: f64 = 1.0;

/// Prints everything, writes the page after a full run of all servers, and ends with JSON if asked.
pub(super) fn publish(options: &Options, results: &Results) -> Result<()> {
    let figures = figures(results);
    let noise = publish::noise_of(&results.cells);
    let mut text = publish::opening("cargo xtask bench inline", &results.versions, &noise);
    text.push_str(&figures::table(&figures));
    text.push_str(&publish::cell_tables(&results.cells));
    text.push_str(&idle_table(results));
    let report = Report {
        bench: "inline",
        page: page::PERFORMANCE,
        text,
        figures,
        noise,
    };
    let is_whole = options.kinds.len() == Kind::IN_LINE.len();
    publish::publish(&report, options.is_quick, is_whole, options.wants_json)
}

fn idle_table(results: &Results) -> String {
    let mut table = String::from(
        "\n**Idle connections** (banner and EHLO, held)\n\n| server | connections | KiB of RSS each |\n|---|---|---|\n",
    );
    let readings = [
        ("gatepost", &results.plain),
        ("gatepost, STARTTLS", &results.tls),
        ("haraka", &results.haraka_plain),
    ];
    for (name, readings) in readings {
        for it in readings {
            let count = number(it.connections as f64);
            let _ = writeln!(table, "| {name} | {count} | {} |", number(it.kib_each));
        }
    }
    table
}

fn figures(results: &Results) -> Vec<Figure> {
    let mut figures = Vec::new();
    for CellResults { cell, servers, .. } in &results.cells {
        let of = |wanted: &str| {
            let found = servers.iter().find(|(name, _)| *name == wanted);
            found.map(|(_, summary): &(_, Summary)| &summary.median)
        };
        if let Some(gatepost) = of("gatepost") {
            figures.extend(of_cell(*cell, gatepost, of("postfix"), of("direct")));
        }
    }
    if figures.is_empty() {
        return figures;
    }
    figures.extend(
        results
            .plain
            .iter()
            .map(|it| idle(it, "plain", IDLE_KIB_MAX)),
    );
    figures.extend(
        results
            .tls
            .iter()
            .map(|it| idle(it, "tls", IDLE_TLS_KIB_MAX)),
    );
    figures.push(Figure {
        name: "scan_cost_20_kib_milliseconds".to_owned(),
        title: "our own part of scanning 20 KiB of a message, p99".to_owned(),
        unit: "ms of CPU",
        value: results.scan_milliseconds,
        target: Target::AtMost(SCAN_MILLISECONDS_MAX),
    });
    figures
}

/// Rate, processor time, waits and memory of one cell.
fn of_cell(
    cell: Cell,
    gatepost: &Sample,
    postfix: Option<&Sample>,
    direct: Option<&Sample>,
) -> Vec<Figure> {
    let (word, share, title) = if cell.is_kept {
        ("kept", PROCESSOR_OF_POSTFIX_MAX_KEPT, "kept connections")
    } else {
        (
            "one",
            PROCESSOR_OF_POSTFIX_MAX_ONE,
            "one message a connection",
        )
    };
    let sessions = cell.sessions;
    let rate = postfix.zip(direct).map(|(postfix, direct)| {
        let of_postfix = RATE_OF_POSTFIX_MIN * postfix.accepted_per_second;
        of_postfix.min(RATE_OF_DIRECT_MIN * direct.accepted_per_second)
    });
    let processor = postfix.map(|postfix| share * postfix.server_seconds);
    let figure = |name: &str, what: &str, unit, value, target| Figure {
        name: format!("{word}_{sessions}_{name}"),
        title: format!("{what}, {sessions} sessions, {title}"),
        unit,
        value: Some(value),
        target,
    };
    vec![
        figure(
            "messages_per_second",
            "rate",
            "messages/s",
            gatepost.accepted_per_second,
            rate.map_or(Target::None, Target::AtLeast),
        ),
        figure(
            "processor_seconds_per_1000",
            "processor time",
            "s per 1,000",
            gatepost.server_seconds,
            processor.map_or(Target::None, Target::AtMost),
        ),
        figure(
            "wait_p99_milliseconds",
            "wait for 250, p99",
            "ms",
            gatepost.wait_p99,
            Target::None,
        ),
        figure(
            "peak_rss_mib",
            "peak memory",
            "MiB",
            gatepost.resident_mib,
            Target::None,
        ),
    ]
}

fn idle(reading: &Idle, kind: &str, kib_max: f64) -> Figure {
    let count = reading.connections;
    Figure {
        name: format!("idle_{kind}_{count}_kib_each"),
        title: format!("{} idle connections, {kind}", number(count as f64)),
        unit: "KiB each",
        value: Some(reading.kib_each),
        target: Target::AtMost(kib_max),
    }
}

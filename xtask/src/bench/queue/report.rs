//! What the loads of `bench queue` found: tables for people, figures against their targets.

use std::fmt::Write as _;

use anyhow::Result;

use super::{CellResults, Results};
use crate::bench::Options;
use crate::bench::figures::{self, Figure, Target, number};
use crate::bench::page;
use crate::bench::peers::Kind;
use crate::bench::postal::Cell;
use crate::bench::publish::{self, Report};
use crate::bench::samples::Sample;

/// Gatepost takes and hands on at least so many times as many messages as Postfix does ...
const RATE_OF_POSTFIX_MIN: f64 = 4.0;
/// ... or that share of what the load generator reaches against the bare sink, if that is less.
const RATE_OF_DIRECT_MIN: f64 = 0.8;
/// The share of Postfix's processor time that Gatepost may use, with one message a connection and with many.
const PROCESSOR_OF_POSTFIX_MAX_ONE: f64 = 1.0 / 8.0;
const PROCESSOR_OF_POSTFIX_MAX_KEPT: f64 = 1.0 / 10.0;
/// Syncs for each message where there is enough at a time to share them.
const SYNCS_EACH_MAX: f64 = 0.1;
/// From so many sessions on rates are promised, and syncs.
const SESSIONS_WITH_RATE_MIN: u32 = 10;
const SESSIONS_WITH_SYNCS_MIN: u32 = 50;

/// Prints everything, writes the page after a full run of all servers, and ends with JSON if asked.
pub(super) fn publish(options: &Options, results: &Results) -> Result<()> {
    let figures = figures(results);
    let noise = publish::noise_of(&results.cells);
    let mut text = publish::opening("cargo xtask bench queue", &results.versions, &noise);
    text.push_str(&figures::table(&figures));
    text.push_str(&syncs_table(results));
    text.push_str(&publish::cell_tables(&results.cells));
    let report = Report {
        bench: "queue",
        page: page::QUEUE,
        text,
        figures,
        noise,
    };
    let is_whole = options.kinds.len() == Kind::QUEUED.len();
    publish::publish(&report, options.is_quick, is_whole, options.wants_json)
}

fn syncs_table(results: &Results) -> String {
    let mut table = String::from(
        "\n**Syncs**, counted by strace, kept connections, 4,096 bytes\n\n\
         | server | sessions | messages | syncs for each | calls |\n|---|---|---|---|---|\n",
    );
    for (name, syncs) in &results.syncs {
        let _ = writeln!(
            table,
            "| {name} | {} | {} | {} | {} |",
            syncs.sessions,
            number(syncs.messages() as f64),
            number(syncs.each()),
            syncs.kinds()
        );
    }
    table
}

fn figures(results: &Results) -> Vec<Figure> {
    let mut figures = Vec::new();
    for CellResults { cell, servers, .. } in &results.cells {
        let of = |wanted: &str| {
            let found = servers.iter().find(|(name, _)| *name == wanted);
            found.map(|(_, summary)| &summary.median)
        };
        if results.versions.iter().any(|it| it.starts_with("gatepost")) {
            figures.extend(of_cell(*cell, of("gatepost"), of("postfix"), of("direct")));
        }
    }
    let ours = results.syncs.iter().filter(|(name, _)| *name == "gatepost");
    figures.extend(ours.map(|(_, syncs)| Figure {
        name: format!("strace_{}_syncs_each", syncs.sessions),
        title: format!(
            "syncs by strace, {} sessions, kept connections, 4,096 bytes",
            syncs.sessions
        ),
        unit: "for each message",
        value: Some(syncs.each()),
        target: syncs_target(syncs.sessions),
    }));
    figures
}

/// Rates, processor time, syncs, waits and memory of one cell; what could not be measured is missed.
fn of_cell(
    cell: Cell,
    gatepost: Option<&Sample>,
    postfix: Option<&Sample>,
    direct: Option<&Sample>,
) -> Vec<Figure> {
    let (word, share) = if cell.is_kept {
        ("kept", PROCESSOR_OF_POSTFIX_MAX_KEPT)
    } else {
        ("one", PROCESSOR_OF_POSTFIX_MAX_ONE)
    };
    let rate = |of: fn(&Sample) -> f64| {
        let (postfix, direct) = postfix.zip(direct)?;
        (cell.sessions >= SESSIONS_WITH_RATE_MIN)
            .then(|| (RATE_OF_POSTFIX_MIN * of(postfix)).min(RATE_OF_DIRECT_MIN * of(direct)))
    };
    let at_least = |rate: Option<f64>| rate.map_or(Target::None, Target::AtLeast);
    let processor = postfix.map(|postfix| share * postfix.server_seconds);
    let figure = |name: &str, what: &str, unit, value, target| Figure {
        name: format!("{word}_{}_{}_{name}", cell.sessions, cell.message_bytes),
        title: format!("{what}, {}", cell.title()),
        unit,
        value,
        target,
    };
    vec![
        figure(
            "accepted_messages_per_second",
            "accepted",
            "messages/s",
            gatepost.map(|it| it.accepted_per_second),
            at_least(rate(|it| it.accepted_per_second)),
        ),
        figure(
            "delivered_messages_per_second",
            "end to end",
            "messages/s",
            gatepost.map(|it| it.delivered_per_second),
            at_least(rate(|it| it.delivered_per_second)),
        ),
        figure(
            "processor_seconds_per_1000",
            "processor time",
            "s per 1,000",
            gatepost.map(|it| it.server_seconds),
            processor.map_or(Target::None, Target::AtMost),
        ),
        figure(
            "syncs_each",
            "syncs by its own count",
            "for each message",
            gatepost.and_then(|it| it.syncs_each),
            syncs_target(cell.sessions),
        ),
        figure(
            "wait_p99_milliseconds",
            "wait for 250, p99",
            "ms",
            gatepost.map(|it| it.wait_p99),
            Target::None,
        ),
        figure(
            "peak_rss_mib",
            "peak memory",
            "MiB",
            gatepost.map(|it| it.resident_mib),
            Target::None,
        ),
    ]
}

fn syncs_target(sessions: u32) -> Target {
    if sessions >= SESSIONS_WITH_SYNCS_MIN {
        Target::AtMost(SYNCS_EACH_MAX)
    } else {
        Target::None
    }
}

#[cfg(test)]
mod tests;

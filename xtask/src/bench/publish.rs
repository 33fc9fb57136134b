//! The end of a bench: its text for people, its figures against their targets, its part of a page in docs, its JSON.

use std::fmt::Write as _;

use anyhow::Result;
use serde_json::{Value, json};

use super::figures::{self, Figure};
use super::machine::{self, Noise};
use super::page;
use super::runs::CellResults;
use super::samples::HEAD;

/// What a bench has to say.
pub(super) struct Report {
    /// Its name on the command line, and of its part of the page.
    pub(super) bench: &'static str,
    /// The page that it writes a part of.
    pub(super) page: &'static str,
    pub(super) text: String,
    pub(super) figures: Vec<Figure>,
    pub(super) noise: Value,
}

/// Prints everything, writes the page if the run was a whole one, and ends with JSON if asked.
pub(super) fn publish(
    report: &Report,
    is_quick: bool,
    is_whole: bool,
    wants_json: bool,
) -> Result<()> {
    println!("{}", report.text);
    if is_whole && !is_quick {
        page::write(report.page, report.bench, &report.text)?;
    }
    let missed = report
        .figures
        .iter()
        .filter(|it| it.is_met() == Some(false));
    let promised = report.figures.iter().filter(|it| it.is_met().is_some());
    let (missed, promised) = (missed.count(), promised.count());
    println!("{} of {promised} targets met", promised - missed);
    if wants_json {
        let json = figures::json(report.bench, is_quick, &report.noise, &report.figures);
        println!("{json}");
    }
    Ok(())
}

/// The first lines of a text: the command, the machine, what was measured, how quiet it was.
pub(super) fn opening(command: &str, servers: &[String], noise: &Value) -> String {
    let mut text = format!("`{command}`\n\n");
    let _ = writeln!(text, "Measured on {}.", machine::describe());
    let _ = writeln!(text, "Servers: {}.", servers.join("; "));
    let _ = writeln!(
        text,
        "Noise: the host stole {} % of the processors' time in the middle run and {} % in the worst; programs that are no \
         part of the bench took {} % and {} %.\n\
         A star marks a cell without a quiet run, where the least disturbed one is shown.\n",
        noise["steal_percent_median"],
        noise["steal_percent_max"],
        noise["others_percent_median"],
        noise["others_percent_max"],
    );
    text
}

/// A table for each cell.
pub(super) fn cell_tables(cells: &[CellResults]) -> String {
    let mut text = String::new();
    for CellResults { cell, servers, .. } in cells {
        let _ = write!(text, "\n**{}**\n\n{HEAD}", cell.title());
        for (name, summary) in servers {
            text.push_str(&summary.row(name, *name != "direct"));
        }
    }
    text
}

/// The noise of all cells.
pub(super) fn noise_of(cells: &[CellResults]) -> Value {
    let summaries = cells.iter().flat_map(|it| &it.servers);
    noise(summaries.map(|(_, summary)| summary.median.noise))
}

/// What disturbed the middle run, and the worst.
pub(super) fn noise(runs: impl Iterator<Item = Noise>) -> Value {
    let (steal, others): (Vec<f64>, Vec<f64>) = runs.map(|it| (it.steal, it.others)).unzip();
    let percent = |share: f64| (share * 1000.0).round() / 10.0;
    let max = |values: &[f64]| values.iter().copied().fold(0.0, f64::max);
    json!({
        "steal_percent_max": percent(max(&steal)),
        "others_percent_max": percent(max(&others)),
        "steal_percent_median": percent(figures::median(steal)),
        "others_percent_median": percent(figures::median(others)),
    })
}

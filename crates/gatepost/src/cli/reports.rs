//! `gatepost reports`: which daily reports on DMARC and TLS wait on the running node, and their round at once.

use std::process::ExitCode;

use clap::Subcommand;
use hyper::{Method, StatusCode};

use super::socket::Node;
use super::{ConfigOption, control, say};
use crate::deliver::daily::{ReportKind, ReportOutcome, WaitingReport};
use crate::serve::admin::reports::Round;

/// What `--help` says at its end.
pub(super) const AFTER_HELP: &str = "\
A report is on one UTC day and goes out by itself on the next. A day that is not over is not reported.

Exit codes: 0 done; 1 it went wrong, or a report could not be sent and is kept; 2 the command line is wrong.
Examples:   gatepost reports list
            gatepost reports send --json";

/// What to do with the daily reports.
#[derive(Debug, Subcommand)]
pub(super) enum ReportsCommand {
    /// List reports that are not sent yet, those of today too
    List {
        /// One JSON array instead of text
        #[arg(long)]
        json: bool,
    },
    /// Send what is due now, without waiting for the time of the day
    Send {
        /// One JSON object instead of text
        #[arg(long)]
        json: bool,
    },
}

/// `gatepost reports`.
pub(super) fn run(option: &ConfigOption, command: &ReportsCommand) -> ExitCode {
    let node = match Node::of(option) {
        Err(error) => return control::failed(&error),
        Ok(node) => node,
    };
    let done = match command {
        ReportsCommand::List { json } => list(&node, *json),
        ReportsCommand::Send { json } => send(&node, *json),
    };
    done.unwrap_or_else(|error| control::failed(&error))
}

fn list(node: &Node, json: bool) -> Result<ExitCode, String> {
    let waiting: Vec<WaitingReport> = node.get("/api/v1/reports")?;
    if json {
        say(&serde_json::json!(waiting).to_string());
    } else if waiting.is_empty() {
        say("no report waits: [dmarc_reports] and [tls_reports] tell whether any are made");
    } else {
        for report in &waiting {
            say(&waiting_line(report));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn send(node: &Node, json: bool) -> Result<ExitCode, String> {
    let is_fine = |code| code == StatusCode::OK;
    let round: Round = node.ask(Method::POST, "/api/v1/reports/send", is_fine)?;
    if json {
        say(&serde_json::json!(round).to_string());
    } else {
        for outcome in &round.reports {
            say(&outcome_line(outcome));
        }
        if !round.is_over {
            say(
                "the round takes longer and goes on: its events are dmarc-report-sent, tls-report-sent and -failed",
            );
        } else if round.reports.is_empty() {
            say("nothing is due");
        }
    }
    if round.reports.iter().any(|outcome| outcome.is_kept) {
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

fn word(kind: ReportKind) -> &'static str {
    match kind {
        ReportKind::Dmarc => "dmarc",
        ReportKind::Tls => "tls",
    }
}

fn waiting_line(report: &WaitingReport) -> String {
    let things = match report.kind {
        ReportKind::Dmarc => "messages",
        ReportKind::Tls => "sessions",
    };
    let when = if report.is_due {
        "due"
    } else {
        "its day is not over"
    };
    format!(
        "{} {:5} {}: {} {things}, {when}",
        report.day,
        word(report.kind),
        report.domain,
        report.count
    )
}

fn outcome_line(outcome: &ReportOutcome) -> String {
    let to = outcome.to.as_deref();
    let what = match (&outcome.problem, to) {
        (None, to) => format!("queued for {}", to.unwrap_or("nobody")),
        (Some(problem), None) => problem.clone(),
        (Some(problem), Some(to)) => format!("not sent to {to}: {problem}"),
    };
    let kept = if outcome.is_kept {
        "; it is kept and tried again"
    } else {
        ""
    };
    format!(
        "{} {:5} {}: {what}{kept}",
        outcome.day,
        word(outcome.kind),
        outcome.domain
    )
}

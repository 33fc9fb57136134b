//! `gatepost queue retry|hold|release|remove|reroute`: what the node does to messages, told as it is done.
//!
//! Removing asks first, on a terminal; without one it wants `--yes`. What arrives after the question is not touched.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::process::ExitCode;

use clap::Args;
use hyper::Method;

use super::ActOptions;
use super::list::{count, total};
use super::words::{BROKEN_OFF, INCOMPLETE, Line, Progress, counted, printable, why_missing};
use crate::cli::socket::Node;
use crate::cli::{complain, say};
use crate::event::QueueAction;
use crate::serve::admin::queue::{ActRequest, Done, DoneResult, DoneSummary};

/// What is removed.
#[derive(Debug, Args)]
pub(in crate::cli) struct RemoveOptions {
    #[command(flatten)]
    act: ActOptions,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Tell whoever must be told that a message is not delivered (RFC 3464), as though it had failed
    #[arg(long, visible_alias = "notify")]
    report: bool,
}

/// What goes elsewhere.
#[derive(Debug, Args)]
pub(in crate::cli) struct RerouteOptions {
    #[command(flatten)]
    act: ActOptions,
    /// The nexthop in the words of the configuration, such as smtp:192.0.2.9:25; several are tried in turn
    #[arg(long, value_name = "NEXTHOP", required_unless_present = "configured")]
    to: Vec<String>,
    /// Back to where the configuration sends it
    #[arg(long, conflicts_with = "to")]
    configured: bool,
}

/// Does it.
pub(super) fn run(
    node: &Node,
    action: QueueAction,
    options: &ActOptions,
) -> Result<ExitCode, String> {
    carry_out(node, action, options, &request(options), None)
}

/// Reroutes.
pub(super) fn reroute(node: &Node, options: &RerouteOptions) -> Result<ExitCode, String> {
    let request = ActRequest {
        nexthop: (!options.to.is_empty()).then(|| options.to.join(" ")),
        ..request(&options.act)
    };
    carry_out(node, QueueAction::Reroute, &options.act, &request, None)
}

/// Removes, after asking.
pub(super) fn remove(node: &Node, options: &RemoveOptions) -> Result<ExitCode, String> {
    let mut request = request(&options.act);
    request.report = options.report;
    is_chosen(QueueAction::Remove, &request)?;
    let is_asked = !options.yes;
    if is_asked && !std::io::stdin().is_terminal() {
        return Err("remove: nobody can be asked here; say --yes if it is meant".to_owned());
    }
    if request.reason.trim().is_empty() {
        request.reason = match is_asked {
            true => ask("why? (it is recorded) ")?,
            false => return Err("remove: say --reason TEXT: it is recorded".to_owned()),
        };
    }
    let listed = count(node, &request.filter)?;
    // What arrives from now on was not meant.
    request.filter.up_to.clone_from(&listed.summary.last_id);
    if listed.summary.messages == 0 {
        for missing in &listed.missing {
            complain(&why_missing(missing));
        }
        if options.act.json {
            say(&serde_json::json!({ "summary": DoneSummary { complete: listed.summary.complete, ..DoneSummary::default() } }).to_string());
        } else {
            say("there is nothing to remove");
        }
        return Ok(if listed.missing.is_empty() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        });
    }
    if is_asked {
        let told = match options.report {
            true => "its sender is told",
            false => "nobody is told",
        };
        let answer = ask(&format!(
            "remove {}; {told}? [yes/no] ",
            total(&listed.summary)
        ))?;
        if !answer.trim().eq_ignore_ascii_case("yes") {
            complain("nothing is removed");
            return Ok(ExitCode::FAILURE);
        }
    }
    carry_out(
        node,
        QueueAction::Remove,
        &options.act,
        &request,
        Some(listed.summary.messages),
    )
}

fn request(options: &ActOptions) -> ActRequest {
    ActRequest {
        filter: options.selection.filter(),
        all: options.all,
        reason: options.reason.clone(),
        report: false,
        nexthop: None,
        operator: options.operator.clone(),
    }
}

/// A command without a selection must not mean everything.
fn is_chosen(action: QueueAction, request: &ActRequest) -> Result<(), String> {
    if request.all || request.filter.is_narrow() {
        return Ok(());
    }
    Err(format!(
        "{}: name messages by number or reference, give a filter, or say --all",
        action.word()
    ))
}

fn ask(question: &str) -> Result<String, String> {
    let failed = |error: std::io::Error| format!("terminal: {error}");
    let mut terminal = std::io::stderr();
    terminal.write_all(question.as_bytes()).map_err(failed)?;
    terminal.flush().map_err(failed)?;
    let mut answer = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut answer)
        .map_err(failed)?;
    Ok(answer.trim().to_owned())
}

fn carry_out(
    node: &Node,
    action: QueueAction,
    options: &ActOptions,
    request: &ActRequest,
    expected: Option<u64>,
) -> Result<ExitCode, String> {
    is_chosen(action, request)?;
    let mut end = None;
    let mut is_whole = true;
    let progress = Progress::start(action.word(), expected);
    let path = format!("/api/v1/queue/{}", action.word());
    let outcome = node.lines(Method::POST, &path, Some(request), |bytes| {
        let line = Line::<Done, DoneSummary>::read(bytes)?;
        if options.json {
            say(&String::from_utf8_lossy(bytes));
        }
        match line {
            Line::Item(done) => {
                progress.one();
                if !options.json {
                    tell(&done);
                }
            }
            Line::Missing(missing) => {
                is_whole = false;
                if !options.json {
                    complain(&why_missing(&missing));
                }
            }
            Line::Summary(summary) => end = Some(summary),
        }
        Ok(())
    });
    progress.end();
    outcome?;
    let end = end.ok_or(BROKEN_OFF)?;
    if !options.json {
        say(&summed_up(action, &end));
    }
    if !end.complete {
        complain(INCOMPLETE);
    }
    Ok(match end.failed == 0 && is_whole {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// Those that are done need no line each: there may be a million.
fn tell(done: &Done) {
    let (id, reference) = (&done.queue_id, &done.reference);
    match done.result {
        DoneResult::Done if done.detail.is_empty() => {}
        DoneResult::Done => say(&format!(
            "{id}  {reference}  done in part: {}",
            printable(&done.detail)
        )),
        DoneResult::Unchanged => say(&format!("{id}  {reference}  {}", printable(&done.detail))),
        DoneResult::Busy | DoneResult::Gone | DoneResult::Failed => {
            complain(&format!("{id}  {reference}  {}", printable(&done.detail)));
        }
    }
}

fn summed_up(action: QueueAction, end: &DoneSummary) -> String {
    let done = match action {
        QueueAction::Retry => "tried now",
        QueueAction::Hold => "held",
        QueueAction::Release => "released",
        QueueAction::Remove => "removed",
        QueueAction::Reroute => "rerouted",
    };
    let failed = match end.failed {
        0 => String::new(),
        failed => format!(", {failed} not: see above"),
    };
    format!("{} {done}{failed}", counted(end.done, "message"))
}

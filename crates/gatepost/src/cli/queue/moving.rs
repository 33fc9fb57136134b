//! `gatepost queue export|import`: the queue, or a part of it, goes to another node in a file.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use hyper::Method;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::selection::Selection;
use super::words::{BROKEN_OFF, Line, Progress, counted, printable, size};
use crate::cli::socket::Node;
use crate::cli::{complain, say};
use crate::serve::admin::queue::{
    AbortAnswer, ExportOrder, ExportSummary, ImportOrder, ImportSummary, Moving,
};

/// What is exported.
#[derive(Debug, Args)]
pub(in crate::cli) struct ExportOptions {
    /// The file to write; it must not exist yet. The gateway writes it, as its own user
    #[arg(value_name = "FILE", required_unless_present = "abort")]
    file: Option<PathBuf>,
    #[command(flatten)]
    selection: Selection,
    /// Every message of the queue
    #[arg(long, conflicts_with = "selection")]
    all: bool,
    /// How long to wait for deliveries that are under way, an hour at most; what is still under way then stays in the queue
    #[arg(long, value_name = "TIME", default_value = "1m")]
    patience: String,
    /// Let the node go on to the end though this command is ended; else that aborts the export
    #[arg(long)]
    detach: bool,
    /// Take back an export that is under way, or end one that a fault has left
    #[arg(long, conflicts_with_all = ["file", "selection", "all"])]
    abort: bool,
    /// Why: it is recorded
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
    /// The name you go by, recorded beside that of the system
    #[arg(long = "as", value_name = "NAME")]
    operator: Option<String>,
    /// One JSON object to a line: how far it is, then what was done
    #[arg(long)]
    json: bool,
}

/// What is imported.
#[derive(Debug, Args)]
pub(in crate::cli) struct ImportOptions {
    /// The file that an export has written. The gateway reads it, as its own user
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Why: it is recorded
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
    /// The name you go by, recorded beside that of the system
    #[arg(long = "as", value_name = "NAME")]
    operator: Option<String>,
    /// One JSON object to a line: how far it is, then what was done
    #[arg(long)]
    json: bool,
}

/// Exports.
pub(super) fn export(node: &Node, options: &ExportOptions) -> Result<ExitCode, String> {
    if options.abort {
        return abort(node, options.json);
    }
    let order = ExportOrder {
        file: absolute(options.file.as_deref().unwrap_or(Path::new("")))?,
        filter: options.selection.filter(),
        all: options.all,
        patience: Some(options.patience.clone()),
        detach: options.detach,
        reason: options.reason.clone(),
        operator: options.operator.clone(),
    };
    let done: ExportSummary = follow(node, "export", &order, options.json)?;
    if !options.json {
        for left in &done.left {
            complain(&format!(
                "{} stays in the queue: {}",
                left.queue_id, left.why
            ));
        }
        say(&format!(
            "{} to {} in {} ({}), and no longer in the queue",
            counted(done.messages, "message"),
            counted(done.recipients, "recipient"),
            printable(&done.file),
            size(done.bytes)
        ));
        if done.left_out > 0 {
            complain(&format!(
                "{} stayed in the queue",
                counted(done.left_out, "message")
            ));
        }
    }
    Ok(exit(done.left_out == 0))
}

/// Imports.
pub(super) fn import(node: &Node, options: &ImportOptions) -> Result<ExitCode, String> {
    let order = ImportOrder {
        file: absolute(&options.file)?,
        reason: options.reason.clone(),
        operator: options.operator.clone(),
    };
    let done: ImportSummary = follow(node, "import", &order, options.json)?;
    if !options.json {
        let from = done
            .node
            .as_deref()
            .map_or_else(String::new, |node| format!(" of {}", printable(node)));
        say(&format!(
            "{} to {}{from} taken in; the file is {} now",
            counted(done.messages, "message"),
            counted(done.recipients, "recipient"),
            printable(&done.file)
        ));
        for damage in &done.damages {
            complain(&format!(
                "damaged at byte {}, {} long: {}",
                damage.offset,
                size(damage.bytes),
                damage.detail
            ));
        }
        if !done.whole {
            complain(&match done.announced {
                Some(announced) => format!(
                    "{} of {} could be read: what is damaged lies in the file, at the bytes named above",
                    done.messages,
                    counted(announced, "message")
                ),
                None => {
                    "the end of the file is damaged: it does not tell how many messages it held"
                        .to_owned()
                }
            });
        }
    }
    Ok(exit(done.whole))
}

fn abort(node: &Node, json: bool) -> Result<ExitCode, String> {
    let answer: AbortAnswer = node.post("/api/v1/queue/export/abort", &())?;
    if json {
        say(&serde_json::json!(answer).to_string());
        return Ok(ExitCode::SUCCESS);
    }
    say(&match answer {
        AbortAnswer::Nothing => "there is no export to end".to_owned(),
        AbortAnswer::Told => {
            "the export takes its messages back, unless its file is finished already".to_owned()
        }
        AbortAnswer::Ended {
            finished: true,
            messages,
        } => format!(
            "its file was finished: {} left the queue, import it elsewhere",
            counted(messages, "message")
        ),
        AbortAnswer::Ended {
            finished: false,
            messages,
        } => {
            format!("{} back in the queue", counted(messages, "message"))
        }
    });
    Ok(ExitCode::SUCCESS)
}

#[derive(Deserialize)]
struct Step {
    progress: Moving,
}

/// Gives the order, tells how far it is, and gives what the node says last.
fn follow<T: DeserializeOwned>(
    node: &Node,
    what: &str,
    order: &impl Serialize,
    json: bool,
) -> Result<T, String> {
    let mut end = None;
    let progress = Progress::start(what, None);
    let outcome = node.lines(
        Method::POST,
        &format!("/api/v1/queue/{what}"),
        Some(order),
        |bytes| {
            let line = Line::<Step, T>::read(bytes)?;
            if json {
                say(&String::from_utf8_lossy(bytes));
            }
            match line {
                Line::Item(step) => progress.at(step.progress.messages),
                Line::Missing(_) => {}
                Line::Summary(summary) => end = Some(summary),
            }
            Ok(())
        },
    );
    progress.end();
    outcome?;
    end.ok_or_else(|| BROKEN_OFF.to_owned())
}

/// The gateway has a folder of its own: a path means the same to it only if it is absolute.
fn absolute(path: &Path) -> Result<String, String> {
    let absolute =
        std::path::absolute(path).map_err(|error| format!("{}: {error}", path.display()))?;
    match absolute.to_str() {
        Some(path) => Ok(path.to_owned()),
        None => Err(format!("{}: the path must be UTF-8", absolute.display())),
    }
}

fn exit(is_whole: bool) -> ExitCode {
    match is_whole {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

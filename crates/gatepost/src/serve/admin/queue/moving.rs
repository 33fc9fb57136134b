//! Moving the queue to another node over HTTP: the gateway writes a file with messages and forgets them, or takes in the messages
//! of such a file. It is the gateway that opens the file, so its path must be absolute, and its user must be allowed to.
//!
//! The answer is lines: how far it is, now and then, and a last one that says what was done. Whoever goes away ends an export
//! that is not finished, unless they said otherwise: its messages would wait for nobody. An import goes on.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::response::Response;
use queue::transfer::{
    AbortedExport, Choose, ExportFilter, ExportRequest, Exported, Imported, TransferError,
    TransferProgress,
};
use queue::{Actor, Queue};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use super::acting;
use super::filter::{Filter, Matcher};
use super::messages::{Waits, now};
use super::problem::Problem;
use super::walk::{line, ndjson};
use crate::context::Context;
use crate::event::{Event, QueueMoved};

/// How often the other side is told how far it is.
const TELL_EVERY: Duration = Duration::from_millis(500);
/// How long deliveries that are under way are waited for, unless the request says so.
const PATIENCE_USUAL: Duration = Duration::from_secs(60);
/// And at most: all messages that are exported are held meanwhile.
const PATIENCE_MAX: Duration = Duration::from_secs(3600);
/// Bytes of a path: what the system takes.
const PATH_BYTES_MAX: usize = 4096;

/// What is to be exported.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExportOrder {
    /// The file; it must not exist yet.
    pub file: String,
    /// Which messages; recipients that it does not mean stay.
    pub filter: Filter,
    /// Every message, where nothing else chooses.
    pub all: bool,
    /// How long deliveries that are under way are waited for, such as `1m`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patience: Option<String>,
    /// Go on to its end though whoever asks goes away.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub detach: bool,
    /// Why.
    pub reason: String,
    /// The name that the operator goes by, recorded beside that of the process that asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,
}

/// What is to be imported.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ImportOrder {
    /// The file that an export has written.
    pub file: String,
    /// Why.
    pub reason: String,
    /// The name that the operator goes by, recorded beside that of the process that asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moving {
    /// Messages written, or taken in.
    pub messages: u64,
    /// Their recipients.
    pub recipients: u64,
    /// Bytes of the file written, or read.
    pub bytes: u64,
    /// Messages in the queue as an export began, or bytes of the file that is imported.
    pub total: u64,
}

/// What an export has done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportSummary {
    /// The file.
    pub file: String,
    /// Messages in it.
    pub messages: u64,
    /// Their recipients.
    pub recipients: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// Messages that were meant and stay in the queue.
    pub left_out: u64,
    /// Some of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<Left>,
}

/// A message that stays in the queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    /// Which.
    pub queue_id: String,
    /// Why.
    pub why: String,
}

/// What an import has done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportSummary {
    /// The name that the file has now.
    pub file: String,
    /// The node that has written it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Messages taken in, earlier runs of the same import included.
    pub messages: u64,
    /// Their recipients.
    pub recipients: u64,
    /// Messages that the file says it holds; left out if it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announced: Option<u64>,
    /// Whether every message of the file was taken in.
    pub whole: bool,
    /// Stretches of the file that could not be read.
    pub damaged: u64,
    /// Some of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub damages: Vec<Unread>,
}

/// A stretch of a file that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unread {
    /// Where it begins, in bytes.
    pub offset: u64,
    /// How long it is.
    pub bytes: u64,
    /// What is wrong.
    pub detail: String,
}

/// What became of an export that was to end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "kebab-case")]
pub enum AbortAnswer {
    /// There was none.
    Nothing,
    /// It is under way: it takes its messages back, unless its file is finished already.
    Told,
    /// It was left by an earlier run or a fault, and has ended now.
    Ended {
        /// Whether its file was finished: then the messages left the queue, else they go on.
        finished: bool,
        /// How many messages.
        messages: u64,
    },
}

/// Exports; the answer is written while it goes on.
pub(super) fn export(
    cx: Arc<Context>,
    queue: Queue,
    order: ExportOrder,
    by: String,
) -> Result<Response, Problem> {
    let request = request(&cx, &queue, &order, by)?;
    let reader = match order.detach {
        true => Reader::default(),
        false => Reader(Arc::clone(&request.stop)),
    };
    Ok(run(reader, move |told| {
        let outcome = queue.export(&request, told);
        let exported = outcome?;
        let moved = QueueMoved {
            file: order.file.clone(),
            node: None,
            messages: exported.messages,
            recipients: exported.recipients,
            left_out: exported.left_out_count,
            damaged: 0,
            by: request.by.name.clone(),
            reason: request.by.reason.clone(),
        };
        cx.services
            .journal
            .emit(&Event::QueueExported(Box::new(moved)));
        Ok(summary(&export_summary(order.file, exported)))
    }))
}

/// Imports; the answer is written while it goes on.
pub(super) fn import(
    cx: Arc<Context>,
    queue: Queue,
    order: ImportOrder,
    by: String,
) -> Result<Response, Problem> {
    acting::reason(&order.reason)?;
    let file = path(&order.file)?;
    Ok(run(Reader::default(), move |told| {
        let imported = queue.import(&file, told)?;
        let moved = QueueMoved {
            file: order.file.clone(),
            node: imported.node.clone(),
            messages: imported.messages,
            recipients: imported.recipients,
            left_out: 0,
            damaged: imported.damaged_count,
            by,
            reason: order.reason.trim().to_owned(),
        };
        cx.services
            .journal
            .emit(&Event::QueueImported(Box::new(moved)));
        Ok(summary(&import_summary(imported)))
    }))
}

/// Ends an export that is under way, or was left.
pub(super) fn abort(queue: &Queue) -> Result<AbortAnswer, Problem> {
    Ok(match queue.abort_export()? {
        AbortedExport::Nothing => AbortAnswer::Nothing,
        AbortedExport::Told => AbortAnswer::Told,
        AbortedExport::Ended { finished, messages } => AbortAnswer::Ended { finished, messages },
    })
}

fn request(
    cx: &Context,
    queue: &Queue,
    order: &ExportOrder,
    by: String,
) -> Result<ExportRequest, Problem> {
    acting::reason(&order.reason)?;
    if !order.filter.is_narrow() && !order.all {
        return Err(Problem::bad(
            "export: nothing says which messages",
            "name messages, give a filter, or say that all are meant",
        ));
    }
    let patience = order
        .patience
        .as_deref()
        .map(crate::config::duration)
        .transpose();
    let patience =
        patience.map_err(|(error, remedy)| Problem::bad(format!("patience: {error}"), remedy))?;
    let patience = patience.unwrap_or(PATIENCE_USUAL);
    if patience > PATIENCE_MAX {
        return Err(Problem::bad(
            "patience: all messages that are exported are held for so long",
            "wait for an hour at most, and export what stays again",
        ));
    }
    let choose = match order.filter.is_narrow() {
        true => Some(choose(queue, order.filter.matcher()?)),
        false => None,
    };
    Ok(ExportRequest {
        path: path(&order.file)?,
        node: cx.config.node.name.to_string(),
        filter: ExportFilter {
            choose,
            ..ExportFilter::default()
        },
        by: Actor {
            name: by,
            reason: order.reason.trim().to_owned(),
        },
        patience,
        stop: Arc::default(),
    })
}

/// The recipients that the filters mean.
fn choose(queue: &Queue, matcher: Matcher) -> Choose {
    let queue = queue.clone();
    Arc::new(move |listed| {
        if !matcher.takes(listed, now()) {
            return Vec::new();
        }
        let mut waits = Waits::new(&queue);
        let places = 0..listed.recipients.len();
        let meant = places.filter(|at| matcher.takes_recipient(listed, *at, &mut waits));
        meant.filter_map(|at| u32::try_from(at).ok()).collect()
    })
}

/// The rest is checked where the file is opened.
fn path(text: &str) -> Result<PathBuf, Problem> {
    if text.is_empty() || text.len() > PATH_BYTES_MAX || text.contains('\0') {
        return Err(Problem::bad(
            "file: there is no such path",
            "write the absolute path of a file, such as /var/backups/queue.export",
        ));
    }
    Ok(PathBuf::from(text))
}

/// Whoever reads the answer: once that is gone, or over, this is set.
#[derive(Default)]
struct Reader(Arc<AtomicBool>);

impl Drop for Reader {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Does the work where it may block, and tells how far it is.
fn run(
    reader: Reader,
    work: impl FnOnce(&mut dyn FnMut(TransferProgress)) -> Result<Vec<u8>, TransferError>
    + Send
    + 'static,
) -> Response {
    // Lines come at most every half second: whoever reads slowly holds up nobody, and what waits stays small.
    let (lines, mut received) = mpsc::unbounded_channel::<Bytes>();
    tokio::task::spawn_blocking(move || {
        let mut last: Option<Instant> = None;
        let mut told = |progress: TransferProgress| {
            if lines.is_closed() || last.is_some_and(|last| last.elapsed() < TELL_EVERY) {
                return;
            }
            last = Some(Instant::now());
            let mut out = Vec::new();
            line(
                &serde_json::json!({ "progress": moving(progress) }),
                &mut out,
            );
            let _ = lines.send(out.into());
        };
        let last_line = match work(&mut told) {
            Ok(summary) => summary,
            Err(error) => {
                let mut out = Vec::new();
                line(&Problem::from(error), &mut out);
                out
            }
        };
        // Nobody may be there to read it: the event tells too.
        let _ = lines.send(last_line.into());
    });
    let parts = futures_util::stream::poll_fn(move |context| {
        let Reader(_) = &reader;
        received
            .poll_recv(context)
            .map(|part| part.map(Ok::<Bytes, std::io::Error>))
    });
    ndjson(Body::from_stream(parts))
}

fn summary(value: &impl Serialize) -> Vec<u8> {
    let mut out = Vec::new();
    line(&serde_json::json!({ "summary": value }), &mut out);
    out
}

fn moving(progress: TransferProgress) -> Moving {
    Moving {
        messages: progress.messages,
        recipients: progress.recipients,
        bytes: progress.bytes,
        total: progress.total,
    }
}

fn export_summary(file: String, exported: Exported) -> ExportSummary {
    let left = exported.left_out.into_iter().map(|left| Left {
        queue_id: left.id.to_string(),
        why: left.why.to_owned(),
    });
    ExportSummary {
        file,
        messages: exported.messages,
        recipients: exported.recipients,
        bytes: exported.bytes,
        left_out: exported.left_out_count,
        left: left.collect(),
    }
}

fn import_summary(imported: Imported) -> ImportSummary {
    let whole = imported.is_whole();
    let damages = imported.damages.into_iter().map(|damage| Unread {
        offset: damage.offset,
        bytes: damage.bytes,
        detail: damage.detail.to_owned(),
    });
    ImportSummary {
        file: imported.renamed.display().to_string(),
        node: imported.node,
        messages: imported.messages,
        recipients: imported.recipients,
        announced: imported.announced,
        whole,
        damaged: imported.damaged_count,
        damages: damages.collect(),
    }
}

impl From<TransferError> for Problem {
    fn from(error: TransferError) -> Problem {
        let text = error.to_string();
        match error {
            TransferError::Recovering => Problem::busy(text, ""),
            TransferError::Busy(_) => Problem::conflict(text, ""),
            TransferError::Refused(_) => Problem::bad(text, ""),
            TransferError::Aborted => Problem::conflict(text, ""),
            TransferError::Unended(_) => Problem::fault(text, "see the event `disk-fault`"),
            TransferError::File { .. } => Problem::fault(
                text,
                "may the user of the gateway read and write there, and is there room? then ask again: nothing is lost",
            ),
            TransferError::Queue(_) => Problem::fault(
                text,
                "see the events `disk-full` and `disk-fault`, then ask again: nothing is lost",
            ),
        }
    }
}

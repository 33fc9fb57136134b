//! The file in which a queue is moved to another node: what it holds, and what moving it can meet.
//!
//! A header, then one record for each message, coded as in a segment, then a footer with counts (`format`). It is written
//! from its start to its end and then declared finished (`write`), all under a name with the ending `.unfinished`, and read piece by piece: what is damaged is told, and the
//! rest is found again (`read`). When messages are taken out of a queue and put into one is told in `queue::export` and
//! `queue::import`.

pub(crate) mod format;
pub(crate) mod ledger;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod memory;
pub(crate) mod progress;
pub(crate) mod read;
#[cfg(test)]
mod tests;
pub(crate) mod write;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use smtp::ReversePath;

use crate::{Actor, Listed, MessageId};

/// What is exported, and where to.
#[derive(Clone, Debug)]
pub struct ExportRequest {
    /// The file, which must not exist yet; an absolute path.
    pub path: PathBuf,
    /// The name of the node, for whoever reads the file.
    pub node: String,
    /// Which recipients.
    pub filter: ExportFilter,
    /// Who exports, and why.
    pub by: Actor,
    /// How long parcels that are being delivered are waited for, all together.
    pub patience: Duration,
    /// Set once it is not wanted any more: then it is aborted, unless it is finished already.
    pub stop: Arc<AtomicBool>,
}

/// Which recipients of a message are exported, by their indices in the envelope.
pub type Choose = Arc<dyn Fn(&Listed) -> Vec<u32> + Send + Sync>;

/// Which recipients are exported: those for which all hold that is set.
#[derive(Clone, Default)]
pub struct ExportFilter {
    /// Their domain: lower case, A-labels.
    pub domain: Option<String>,
    /// The reverse-path of their message.
    pub reverse_path: Option<ReversePath>,
    /// Their message arrived before this, in milliseconds since 1970 UTC.
    pub arrived_before: Option<u64>,
    /// Asked for each message that the others let through; it costs a look at all of its recipients.
    pub choose: Option<Choose>,
}

impl fmt::Debug for ExportFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExportFilter")
            .field("domain", &self.domain)
            .field("reverse_path", &self.reverse_path)
            .field("arrived_before", &self.arrived_before)
            .field("choose", &self.choose.is_some())
            .finish()
    }
}

/// How far an export or an import is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TransferProgress {
    /// Messages written, or taken in.
    pub messages: u64,
    /// Their recipients.
    pub recipients: u64,
    /// Bytes of the file written, or read.
    pub bytes: u64,
    /// Messages that the queue holds as an export begins, or bytes of the file that is imported.
    pub total: u64,
}

/// An export that is finished: its recipients are in the file and not in the queue any more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// Messages in the file.
    pub messages: u64,
    /// Their recipients.
    pub recipients: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// Messages that stay in the queue, [`LEFT_OUT_NAMED_MAX`] at most.
    pub left_out: Vec<LeftOut>,
    /// How many those are in all.
    pub left_out_count: u64,
}

/// What became of an export that was to be aborted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AbortedExport {
    /// There was none.
    Nothing,
    /// It is under way, and takes its messages back unless its file is finished already.
    Told,
    /// It was left by an earlier run, and has ended now.
    Ended {
        /// Whether its file was finished: then the messages were removed, else they go on.
        finished: bool,
        /// How many messages.
        messages: u64,
    },
}

/// So many messages that were left out are named.
pub const LEFT_OUT_NAMED_MAX: usize = 1000;

/// A message that was to be exported and stays in the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Which.
    pub id: MessageId,
    /// Why.
    pub why: &'static str,
}

/// What an import has found in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// The node that has written it; `None` if the header is damaged.
    pub node: Option<String>,
    /// Messages taken in, by this run and those before it.
    pub messages: u64,
    /// Their recipients.
    pub recipients: u64,
    /// What could not be read, in this run and those before it.
    pub damaged_count: u64,
    /// What could not be read in this run, [`DAMAGES_NAMED_MAX`] at most.
    pub damages: Vec<Damage>,
    /// Messages that the footer announces; `None` if there is no whole footer.
    pub announced: Option<u64>,
    /// The name that the file has now.
    pub renamed: PathBuf,
}

impl Imported {
    /// Whether every message that was written into the file was taken in.
    pub fn is_whole(&self) -> bool {
        self.damaged_count == 0 && self.announced == Some(self.messages)
    }
}

/// So many damaged stretches of a file are named.
pub const DAMAGES_NAMED_MAX: usize = 1000;

/// A stretch of a file that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Where it begins, in bytes.
    pub offset: u64,
    /// How long it is.
    pub bytes: u64,
    /// What is wrong.
    pub detail: &'static str,
}

/// Why a queue could not be moved. Unless it says otherwise, nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransferError {
    /// Earlier segments are still being read: what is not read yet would be missed.
    Recovering,
    /// Another export or import is under way, or an export waits to be aborted.
    Busy(String),
    /// The file is not one that can be taken; in words with what to do.
    Refused(String),
    /// A file could not be written or read. What was not exported is in the queue; what was imported is noted in the progress.
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        detail: String,
    },
    /// The queue could not be read or written: as above.
    Queue(String),
    /// It was asked to end before it was finished: every message is in the queue, and goes on.
    Aborted,
    /// An export could not be brought to its end: its messages stay held, neither delivered nor gone. In words with what to do.
    Unended(String),
}

impl fmt::Display for TransferError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TransferError::Recovering => f.write_str(
                "the messages of earlier runs are still being read: try again when the event queue-recovered is in the log",
            ),
            TransferError::Busy(what)
            | TransferError::Refused(what)
            | TransferError::Unended(what) => f.write_str(what),
            TransferError::File { path, detail } => write!(f, "{}: {detail}", path.display()),
            TransferError::Queue(detail) => write!(f, "the queue: {detail}"),
            TransferError::Aborted => {
                f.write_str("the export was aborted: its messages are in the queue and go on")
            }
        }
    }
}

impl std::error::Error for TransferError {}

//! What the queue tells whoever runs it: facts for an event log and alarms, never message content.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Whoever is told. It is called on the queue's threads and must not block.
pub type Observer = Arc<dyn Fn(Notice) + Send + Sync>;

/// A fact about the queue's disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Less than the reserve is free: nothing more is accepted.
    DiskFull {
        /// Bytes free.
        free: u64,
        /// Bytes that are to stay free.
        reserve: u64,
    },
    /// Enough is free again.
    DiskFree {
        /// Bytes free.
        free: u64,
    },
    /// The disk failed: nothing more is accepted until a new segment can be written.
    DiskFault {
        /// What was being done.
        what: &'static str,
        /// What the system said.
        detail: String,
    },
    /// A new segment could be written after a fault.
    DiskWorks,
    /// A record was damaged and set aside.
    DamagedRecord {
        /// Number of the segment.
        segment: u64,
        /// Where in the segment, in bytes.
        offset: u64,
        /// What is wrong with it.
        detail: &'static str,
        /// The file in `corrupt/`, unless there are too many already.
        kept_as: Option<String>,
    },
    /// The messages of earlier runs have been read.
    Recovered {
        /// Messages that wait.
        messages: u64,
        /// Their recipients that wait.
        recipients: u64,
        /// Records that were damaged.
        damaged: u64,
        /// How long it took.
        took: Duration,
    },
    /// An export that an earlier run did not end was ended.
    ExportEnded {
        /// The file.
        path: PathBuf,
        /// Whether the file was finished: then the messages were removed, else they go on.
        finished: bool,
        /// How many messages.
        messages: u64,
    },
}

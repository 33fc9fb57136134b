//! The queue as its users see it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

use bytes::Bytes;

use crate::{Action, Actor, LaneState, SiteState, Suspended, Suspension, site};
use crate::{
    Disk, Envelope, Listed, MessageId, Observer, Parcel, QueuedMessage, RecipientOutcome, Task,
};

pub(crate) mod slot;

/// How a queue is kept.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Its folder; nobody else writes there.
    pub folder: PathBuf,
    /// Bytes that stay free on the disk: with less, nothing is accepted.
    pub reserve_bytes: u64,
    /// A segment that has grown to so many bytes is followed by another.
    pub segment_bytes_max: u64,
    /// Contents of so many bytes get files of their own.
    pub large_content_bytes_min: u64,
    /// How long a group waits for announced submissions, at most.
    pub gather_max: Duration,
    /// Bytes of submitted contents that are kept in memory for the first attempt, at most.
    pub hot_bytes_max: u64,
    /// What the schedule is held to.
    pub schedule: site::Limits,
}

impl Settings {
    /// The defaults, in this folder.
    pub fn new(folder: impl Into<PathBuf>) -> Settings {
        Settings {
            folder: folder.into(),
            reserve_bytes: 512 << 20,
            segment_bytes_max: 64 << 20,
            large_content_bytes_min: 512 << 10,
            gather_max: Duration::from_millis(10),
            hot_bytes_max: 64 << 20,
            schedule: site::Limits::default(),
        }
    }
}

/// A message to be kept.
#[derive(Clone, Debug)]
pub struct Submission {
    /// Its envelope, with at least one recipient.
    pub envelope: Envelope,
    /// Its content in slices, in order: trace fields, then pieces of header section and body.
    pub content: Vec<Bytes>,
}

/// The proof that a message is on the disk, synced. Only the queue makes it.
#[derive(Debug)]
pub struct Stored {
    /// Its name.
    pub id: MessageId,
    pub(crate) sealed: (),
}

/// Why a message was not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubmitError {
    /// The disk is nearly full: 452 4.3.1.
    Full {
        /// Bytes free.
        free_bytes: u64,
        /// Bytes that are to stay free.
        reserve_bytes: u64,
    },
    /// The disk failed: 451 4.3.0.
    Fault(String),
    /// The queue is closed.
    Closed,
}

/// Why a queue could not be opened.
#[derive(Debug)]
pub enum OpenError {
    /// Another process has it open.
    Locked(PathBuf),
    /// The disk failed.
    Disk {
        /// What was being done, and where.
        what: String,
        /// What the system said.
        error: io::Error,
    },
}

/// Why a message could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadError {
    /// It is not in the queue any more.
    Gone,
    /// Its record is damaged: what was there has been set aside.
    Damaged(String),
    /// The disk failed.
    Fault(String),
}

/// How far the reading of earlier segments is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Segments read.
    pub segments_read: u64,
    /// Segments found.
    pub segments: u64,
    /// Messages found so far that wait.
    pub messages: u64,
    /// Damaged records set aside.
    pub damaged: u64,
    /// Whether all is read.
    pub done: bool,
}

/// Counts for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Messages with a recipient that waits.
    pub messages: u64,
    /// Recipients that wait.
    pub recipients: u64,
    /// Of these, held by an operator.
    pub held: u64,
    /// Of these, those whose time has come.
    pub due: u64,
    /// Lanes.
    pub lanes: u64,
    /// Sites.
    pub sites: u64,
    /// Connections.
    pub connections: u64,
    /// Bytes of segments, journals and large contents.
    pub bytes: u64,
    /// Bytes of submitted contents in memory.
    pub hot_bytes: u64,
    /// Bytes free on the disk when last looked.
    pub free_bytes: u64,
    /// Segments.
    pub segments: u64,
    /// Damaged records set aside since the queue was opened.
    pub damaged: u64,
    /// Messages accepted since the queue was opened.
    pub submits: u64,
    /// Syncs since the queue was opened, of whatever file.
    pub syncs: u64,
}

/// A durable queue. Clones are handles to the same one.
#[derive(Clone)]
pub struct Queue {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared;

/// A transaction that will submit soon: a group waits for it a little.
#[derive(Debug)]
pub struct Announcement {
    #[expect(dead_code, reason = "counted when dropped")]
    shared: Arc<Shared>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shared")
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Queue")
    }
}

#[expect(missing_docs, reason = "signatures ahead of their bodies")]
#[allow(
    unused_variables,
    clippy::unused_async,
    clippy::needless_pass_by_value,
    clippy::unimplemented
)]
impl Queue {
    pub fn open(
        settings: Settings,
        disk: Arc<dyn Disk>,
        observer: Observer,
    ) -> Result<Queue, OpenError> {
        unimplemented!()
    }
    pub fn recovery(&self) -> Recovery {
        unimplemented!()
    }
    pub fn announce(&self) -> Announcement {
        unimplemented!()
    }
    pub async fn submit(&self, submission: Submission) -> Result<Stored, SubmitError> {
        unimplemented!()
    }
    pub fn room(&self) -> Result<(), SubmitError> {
        unimplemented!()
    }
    pub async fn next(&self) -> Task {
        unimplemented!()
    }
    pub async fn read(&self, parcel: &Parcel) -> Result<QueuedMessage, ReadError> {
        unimplemented!()
    }
    pub fn settle(&self, parcel: Parcel, outcomes: Vec<(u32, RecipientOutcome)>) {
        unimplemented!()
    }
    pub fn stats(&self) -> Stats {
        unimplemented!()
    }
    pub fn page(&self, after: Option<MessageId>, limit: usize) -> Result<Vec<Listed>, ReadError> {
        unimplemented!()
    }
    pub fn listed(&self, id: MessageId) -> Result<Option<Listed>, ReadError> {
        unimplemented!()
    }
    pub fn content(&self, id: MessageId) -> Result<Option<Bytes>, ReadError> {
        unimplemented!()
    }
    pub fn act(&self, id: MessageId, action: Action, by: &Actor) -> Result<bool, ReadError> {
        unimplemented!()
    }
    pub fn suspend(&self, what: Suspended, by: &Actor) -> io::Result<()> {
        unimplemented!()
    }
    pub fn resume(&self, what: &Suspended, by: &Actor) -> io::Result<bool> {
        unimplemented!()
    }
    pub fn suspensions(&self) -> Vec<Suspension> {
        unimplemented!()
    }
    pub fn sites(&self) -> Vec<SiteState> {
        unimplemented!()
    }
    pub fn lanes(&self, limit: usize) -> Vec<LaneState> {
        unimplemented!()
    }
    pub async fn close(&self) {
        unimplemented!()
    }
}

//! The queue as its users see it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

use bytes::Bytes;
use tokio::sync::oneshot;

use crate::recovery::{Recoverer, prepare};
use crate::store::Store;
use crate::writer::Writer;
use crate::{Disk, Envelope, MessageId, Observer, Parcel, QueuedMessage, RecipientOutcome, site};

mod export;
mod gather;
mod hot;
mod import;
mod jobs;
mod loans;
mod operate;
mod settle;
mod shared;
pub(crate) mod slot;
mod submit;
pub(crate) mod suspensions;
#[cfg(test)]
mod tests;
mod threads;
mod wakes;

pub use gather::Announcement;
pub(crate) use shared::Shared;
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
    /// How long a group waits for announced submissions, at most; a third of it if none comes meanwhile.
    pub gather_max: Duration,
    /// Bytes of submitted contents that are kept in memory for the first attempt, at most.
    pub hot_bytes_max: u64,
    /// Bytes of contents that deliveries have read from the disk and still hold, at most; one message may be larger.
    pub lent_bytes_max: u64,
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
            lent_bytes_max: 256 << 20,
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
#[non_exhaustive]
pub struct Stored {
    /// Its name.
    pub id: MessageId,
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
    /// It is being exported: nothing was changed.
    Exporting,
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
    /// Segments that the disk did not give away: they are tried again each minute.
    pub segments_unread: u64,
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
    /// Bytes of segments and journals; large contents are files of their own and not counted.
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

/// A durable queue. Clones are handles to the same one; when the last is gone its threads end as after a crash, so
/// [`Queue::close`] comes first.
#[derive(Clone)]
pub struct Queue {
    pub(crate) shared: Arc<Shared>,
    /// Ends the threads with the last handle.
    _end: Arc<End>,
}

struct End(Arc<Shared>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.inbox().stop = true;
        self.0.call_writer();
        self.0.stopping.notify_all();
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Queue")
    }
}

impl Queue {
    /// Opens the queue in its folder, which is made if need be. Returns at once: what earlier runs have left is read by a
    /// thread while new messages are accepted already.
    ///
    /// # Errors
    /// If another process has it open, or no segment can be written.
    pub fn open(
        settings: Settings,
        disk: Arc<dyn Disk>,
        observer: Observer,
    ) -> Result<Queue, OpenError> {
        let fault = |error| OpenError::Disk {
            what: "opening the queue's folder".to_owned(),
            error,
        };
        disk.create_folder(&settings.folder).map_err(fault)?;
        let lock = disk.lock(&settings.folder.join("lock")).map_err(fault)?;
        let lock = lock.ok_or_else(|| OpenError::Locked(settings.folder.clone()))?;
        let store = Arc::new(Store::new(settings, disk, observer));
        let (numbers, next) = prepare(&store)?;
        let mut writer = Writer::new(Arc::clone(&store), next);
        writer.ensure_active().map_err(|error| OpenError::Disk {
            what: "making a segment".to_owned(),
            error,
        })?;
        // Nearly full is no reason not to deliver: it is told, and submissions are refused.
        drop(writer.recheck());
        let recoverer = Recoverer::new(Arc::clone(&store), numbers, next);
        let shared = Arc::new(Shared::new(store, lock));
        shared.recovery().segments = recoverer.total;
        shared.load_suspensions();
        threads::start(&shared, writer, recoverer).map_err(|error| OpenError::Disk {
            what: "starting threads".to_owned(),
            error,
        })?;
        Ok(Queue {
            _end: Arc::new(End(Arc::clone(&shared))),
            shared,
        })
    }

    /// How far the reading of earlier segments is. What is not read yet is not delivered, listed or acted on yet.
    pub fn recovery(&self) -> Recovery {
        *self.shared.recovery()
    }

    /// Keeps a message: returns after body and envelope are synced. If the future is dropped before, the message may be kept
    /// all the same.
    ///
    /// # Errors
    /// If the disk is nearly full or at fault, or the queue is closed: then the message is not kept.
    pub async fn submit(&self, submission: Submission) -> Result<Stored, SubmitError> {
        self.submit_announced(submission, None).await
    }

    /// The same for a message that was announced: nobody waits for it any more once it is in a group.
    ///
    /// # Errors
    /// As [`Queue::submit`].
    pub async fn submit_announced(
        &self,
        submission: Submission,
        announcement: Option<Announcement>,
    ) -> Result<Stored, SubmitError> {
        let (id, answer) = self.shared.hand_in(submission, announcement)?;
        match answer.await {
            Ok(Ok(())) => Ok(Stored { id: MessageId(id) }),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(SubmitError::Closed),
        }
    }

    /// Whether a message would be taken now.
    ///
    /// # Errors
    /// As [`Queue::submit`].
    pub fn room(&self) -> Result<(), SubmitError> {
        self.shared.store.room()
    }

    /// Reads a message for delivery: from memory if it still is there, else from the disk, on a thread of the queue.
    ///
    /// # Errors
    /// If it is gone (an operator removed it), damaged (it was set aside, and can never be delivered), or the disk fails.
    pub async fn read(&self, parcel: &Parcel) -> Result<QueuedMessage, ReadError> {
        let id = parcel.message.0;
        if let Some(message) = self.shared.hot_message(id) {
            return Ok(message);
        }
        self.shared.borrow(id).await
    }

    /// Says what became of a parcel's recipients, by their indices in the envelope. Those that are not named are untried.
    pub fn settle(&self, parcel: Parcel, outcomes: Vec<(u32, RecipientOutcome)>) {
        let mut parcel = parcel;
        if let Some(hold) = parcel.hold.take() {
            self.shared.settle(&parcel, &hold, outcomes);
        }
    }

    /// Finishes what was submitted, syncs the journals, and writes the sidecar for a quick start. Nothing is accepted or
    /// handed out from the call on.
    pub async fn close(&self) {
        let (done, closed) = oneshot::channel();
        self.shared.store.health().closed = true;
        {
            let mut inbox = self.shared.inbox();
            inbox.stop = true;
            if inbox.ended {
                return;
            }
            inbox.closing.push(done);
        }
        self.shared.call_writer();
        self.shared.stopping.notify_all();
        self.shared.rouse();
        // The thread that answers may end meanwhile: then all is done.
        drop(closed.await);
    }
}

impl fmt::Display for SubmitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SubmitError::Full {
                free_bytes,
                reserve_bytes,
            } => {
                write!(
                    f,
                    "the disk of the queue is nearly full: {free_bytes} bytes free, {reserve_bytes} to be kept free"
                )
            }
            SubmitError::Fault(detail) => write!(f, "the disk of the queue fails: {detail}"),
            SubmitError::Closed => f.write_str("the queue is closed"),
        }
    }
}

impl std::error::Error for SubmitError {}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenError::Locked(folder) => {
                write!(
                    f,
                    "the queue in {} is open in another process: end that first",
                    folder.display()
                )
            }
            OpenError::Disk { what, error } => write!(f, "{what}: {error}"),
        }
    }
}

impl std::error::Error for OpenError {}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReadError::Gone => f.write_str("the message is not in the queue any more"),
            ReadError::Damaged(detail) => write!(f, "the message is damaged: {detail}"),
            ReadError::Fault(detail) => write!(f, "the queue cannot be read: {detail}"),
            ReadError::Exporting => f.write_str(
                "it is being exported, and nothing was changed: wait for the end, or abort the export",
            ),
        }
    }
}

impl std::error::Error for ReadError {}

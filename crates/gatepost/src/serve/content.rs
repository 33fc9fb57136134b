//! Where the content of a message is kept while it arrives: in memory below a threshold, in an unlinked spool file above it.
//!
//! All messages share one budget of bytes. A message that finds it spent goes on into its spool file, so that slow clients
//! hold disk and not memory; to be examined it is read back under the budget, waiting its turn. This is not the queue: what is
//! kept here has not been promised to anybody.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes that one unit of the budget stands for: semaphores count in `u32`.
const BUDGET_UNIT_BYTES: u64 = 4096;
/// How long a complete message waits for its turn in memory before the client is asked to come back.
const LOAD_WAIT_MAX: Duration = Duration::from_secs(60);

/// The bytes of memory that all messages in transit share.
#[derive(Debug, Clone)]
pub struct MemoryBudget {
    semaphore: Arc<Semaphore>,
    units_max: u32,
}

/// A share of the budget, given back when dropped.
#[derive(Debug)]
pub struct Share {
    permit: Option<OwnedSemaphorePermit>,
}

impl MemoryBudget {
    /// A budget of `bytes_max` bytes.
    pub fn new(bytes_max: u64) -> MemoryBudget {
        let units_max = u32::try_from(bytes_max / BUDGET_UNIT_BYTES)
            .unwrap_or(u32::MAX)
            .clamp(1, 1 << 28);
        MemoryBudget {
            semaphore: Arc::new(Semaphore::new(units_max as usize)),
            units_max,
        }
    }

    /// The bytes that are in use now.
    pub fn bytes_used(&self) -> u64 {
        (u64::from(self.units_max) - self.semaphore.available_permits() as u64) * BUDGET_UNIT_BYTES
    }

    fn units(&self, bytes: u64) -> u32 {
        u32::try_from(bytes.div_ceil(BUDGET_UNIT_BYTES)).unwrap_or(u32::MAX)
    }

    /// Enlarges `share` so that it covers `bytes`, if the budget has room right now.
    fn try_cover(&self, share: &mut Share, bytes: u64) -> bool {
        let Some(missing) = share.missing(self.units(bytes)) else {
            return true;
        };
        let Ok(permit) = Arc::clone(&self.semaphore).try_acquire_many_owned(missing) else {
            return false;
        };
        share.merge(permit);
        true
    }

    /// Enlarges `share` so that it covers `bytes`, waiting for room. A single message larger than the whole
    /// budget takes all of it.
    async fn cover(&self, share: &mut Share, bytes: u64) -> bool {
        let Some(missing) = share.missing(self.units(bytes).min(self.units_max)) else {
            return true;
        };
        let wait = Arc::clone(&self.semaphore).acquire_many_owned(missing);
        match tokio::time::timeout(LOAD_WAIT_MAX, wait).await {
            Ok(Ok(permit)) => {
                share.merge(permit);
                true
            }
            Ok(Err(_)) | Err(_) => false,
        }
    }
}

impl Share {
    fn none() -> Share {
        Share { permit: None }
    }

    fn missing(&self, units: u32) -> Option<u32> {
        let held = self.permit.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        u32::try_from((units as usize).saturating_sub(held)).ok().filter(|missing| *missing > 0)
    }

    fn merge(&mut self, permit: OwnedSemaphorePermit) {
        match &mut self.permit {
            Some(held) => held.merge(permit),
            None => self.permit = Some(permit),
        }
    }
}

/// Why content could not be kept.
#[derive(Debug)]
pub enum ContentError {
    /// The spool file could not be made, written or read.
    Spool(io::Error),
    /// The budget stayed spent for too long.
    MemoryExhausted,
}

impl std::fmt::Display for ContentError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ContentError::Spool(error) => write!(f, "spool file: {error}"),
            ContentError::MemoryExhausted => {
                write!(f, "no memory for messages was free for {} s (node.memory_max)", LOAD_WAIT_MAX.as_secs())
            }
        }
    }
}

/// How content is kept: set once for a node.
#[derive(Debug, Clone)]
pub struct ContentSettings {
    /// Shared by all messages.
    pub budget: MemoryBudget,
    /// A message above this many bytes goes on in a spool file.
    pub memory_message_max: u64,
    /// Folder of the spool files.
    pub spool_dir: PathBuf,
}

/// Content while it arrives.
#[derive(Debug)]
pub struct Content {
    settings: ContentSettings,
    memory: Vec<u8>,
    share: Share,
    spool: Option<File>,
    bytes: u64,
}

/// Content that is complete: immutable, in memory, and counted in the budget while it lives.
#[derive(Debug)]
pub struct KeptContent {
    /// The message as received.
    pub bytes: Bytes,
    _share: Share,
}

impl Content {
    /// Ready for a message; `size_declared` is the SIZE of the MAIL command, in bytes.
    pub fn new(settings: ContentSettings, size_declared: Option<u64>) -> Content {
        let expected = size_declared.unwrap_or(0).min(settings.memory_message_max);
        let mut share = Share::none();
        let mut memory = Vec::new();
        if expected > 0 && settings.budget.try_cover(&mut share, expected) {
            memory.reserve_exact(usize::try_from(expected).unwrap_or(0));
        }
        Content { settings, memory, share, spool: None, bytes: 0 }
    }

    /// Appends a piece.
    pub async fn append(&mut self, piece: &[u8]) -> Result<(), ContentError> {
        self.bytes += piece.len() as u64;
        if let Some(spool) = &mut self.spool {
            return spool.write_all(piece).await.map_err(ContentError::Spool);
        }
        let fits = self.bytes <= self.settings.memory_message_max
            && self.settings.budget.try_cover(&mut self.share, self.bytes);
        if fits {
            self.memory.extend_from_slice(piece);
            return Ok(());
        }
        let mut spool = spool_file(&self.settings.spool_dir).await.map_err(ContentError::Spool)?;
        spool.write_all(&self.memory).await.map_err(ContentError::Spool)?;
        spool.write_all(piece).await.map_err(ContentError::Spool)?;
        self.memory = Vec::new();
        self.share = Share::none();
        self.spool = Some(spool);
        Ok(())
    }

    /// Ends the content: brings it into memory as a whole, under the budget.
    pub async fn finish(mut self) -> Result<KeptContent, ContentError> {
        if let Some(mut spool) = self.spool.take() {
            spool.flush().await.map_err(ContentError::Spool)?;
            if !self.settings.budget.cover(&mut self.share, self.bytes).await {
                return Err(ContentError::MemoryExhausted);
            }
            spool.rewind().await.map_err(ContentError::Spool)?;
            let mut bytes = Vec::with_capacity(usize::try_from(self.bytes).unwrap_or(0));
            spool.read_to_end(&mut bytes).await.map_err(ContentError::Spool)?;
            if bytes.len() as u64 != self.bytes {
                return Err(ContentError::Spool(io::ErrorKind::UnexpectedEof.into()));
            }
            self.memory = bytes;
        }
        Ok(KeptContent { bytes: Bytes::from(self.memory), _share: self.share })
    }
}

/// A file without a name: the system frees it when it is closed, also after a crash.
async fn spool_file(dir: &Path) -> io::Result<File> {
    let dir = dir.to_path_buf();
    let file = tokio::task::spawn_blocking(move || tempfile::tempfile_in(dir))
        .await
        .map_err(io::Error::other)??;
    Ok(File::from_std(file))
}

#[cfg(test)]
mod tests;

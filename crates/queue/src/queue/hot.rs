//! Contents that stay in memory for the first attempt.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use super::shared::Shared;
use crate::{Envelope, QueuedMessage};

/// A message in memory.
pub(crate) struct Kept {
    envelope: Arc<Envelope>,
    content: Vec<Bytes>,
    bytes: u64,
}

impl Kept {
    pub(crate) fn new(envelope: Envelope, content: Vec<Bytes>) -> Kept {
        let bytes = content.iter().map(|slice| slice.len() as u64).sum();
        Kept {
            envelope: Arc::new(envelope),
            content,
            bytes,
        }
    }
}

/// So many bytes of them at most; what does not fit is read from the disk.
pub(crate) struct Hot {
    kept: HashMap<u64, Kept>,
    bytes: u64,
    bytes_max: u64,
}

impl Hot {
    pub(crate) fn new(bytes_max: u64) -> Hot {
        Hot {
            kept: HashMap::new(),
            bytes: 0,
            bytes_max,
        }
    }

    /// Bytes kept.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn keep(&mut self, id: u64, kept: Kept) {
        // An envelope and the tables around it take memory too.
        const OVERHEAD_BYTES: u64 = 1024;
        if self.bytes + kept.bytes + OVERHEAD_BYTES <= self.bytes_max {
            self.bytes += kept.bytes + OVERHEAD_BYTES;
            self.kept.insert(
                id,
                Kept {
                    bytes: kept.bytes + OVERHEAD_BYTES,
                    ..kept
                },
            );
        }
    }

    /// A message, its content in the pieces that it came in.
    pub(crate) fn pieces(&self, id: u64) -> Option<(Arc<Envelope>, Vec<Bytes>)> {
        let kept = self.kept.get(&id)?;
        Some((Arc::clone(&kept.envelope), kept.content.clone()))
    }

    /// The next parcel of the message finds its content in one piece.
    pub(crate) fn join(&mut self, id: u64, content: Bytes) {
        if let Some(kept) = self.kept.get_mut(&id) {
            kept.content = vec![content];
        }
    }

    pub(crate) fn forget(&mut self, id: u64) {
        if let Some(kept) = self.kept.remove(&id) {
            self.bytes -= kept.bytes;
        }
    }
}

impl Shared {
    /// A message that still is in memory. Its pieces are joined without the lock, which whoever commits a group needs.
    pub(super) fn hot_message(&self, id: u64) -> Option<QueuedMessage> {
        let (envelope, pieces) = self.hot().pieces(id)?;
        if let [content] = pieces.as_slice() {
            let content = content.clone();
            return Some(QueuedMessage { envelope, content });
        }
        let mut whole = BytesMut::with_capacity(pieces.iter().map(Bytes::len).sum());
        for piece in &pieces {
            whole.extend_from_slice(piece);
        }
        let content = whole.freeze();
        self.hot().join(id, content.clone());
        Some(QueuedMessage { envelope, content })
    }
}

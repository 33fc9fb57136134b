//! Contents that stay in memory for the first attempt.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

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

    pub(crate) fn message(&mut self, id: u64) -> Option<QueuedMessage> {
        let kept = self.kept.get_mut(&id)?;
        let content = match kept.content.as_slice() {
            [one] => one.clone(),
            slices => {
                let mut whole = BytesMut::with_capacity(slices.iter().map(Bytes::len).sum());
                for slice in slices {
                    whole.extend_from_slice(slice);
                }
                whole.freeze()
            }
        };
        // The next recipient of the message finds it in one piece.
        kept.content = vec![content.clone()];
        Some(QueuedMessage {
            envelope: Arc::clone(&kept.envelope),
            content,
        })
    }

    pub(crate) fn forget(&mut self, id: u64) {
        if let Some(kept) = self.kept.remove(&id) {
            self.bytes -= kept.bytes;
        }
    }
}

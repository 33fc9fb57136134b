//! Made-up messages: the same for all engines, and not compressible.

use std::sync::Arc;

/// Bytes of an envelope as an engine without a form of its own for it stores them.
const ENVELOPE_BYTES: usize = 200;

/// One message to be kept.
pub(crate) struct Message {
    /// Unique, growing.
    pub(crate) number: u64,
    /// The domain of its recipient.
    pub(crate) domain: Arc<str>,
    pub(crate) content: bytes::Bytes,
}

impl Message {
    /// The envelope for engines that take only bytes.
    pub(crate) fn envelope(&self) -> Vec<u8> {
        let mut envelope = format!("b{}@{} a@example.org", self.number, self.domain).into_bytes();
        envelope.resize(ENVELOPE_BYTES, b'.');
        envelope
    }
}

/// A message of that size: lines of letters and digits as base64 has them.
pub(crate) fn content(bytes: usize, seed: u64) -> bytes::Bytes {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut state = seed | 1;
    let mut content = Vec::with_capacity(bytes);
    while content.len() < bytes {
        if content.len() % 78 == 76 {
            content.extend_from_slice(b"\r\n");
            continue;
        }
        // xorshift64: good enough to leave a compressor nothing.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        content.push(LETTERS[(state >> 32) as usize % LETTERS.len()]);
    }
    content.truncate(bytes);
    content.into()
}

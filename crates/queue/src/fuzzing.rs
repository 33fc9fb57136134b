//! The bodies of the fuzz targets, here so that the tests run them over the seed corpora in `fuzz/corpus` and over
//! mutations of them.
//!
//! Each takes any bytes and panics if something does not hold that must.

use crate::record::{Found, HEADER_BYTES, envelope, scan};
use crate::{journal, sidecar};

#[cfg(test)]
mod tests;

/// The salt of the corpora: `GPSALT01`.
const SALT: u64 = u64::from_le_bytes(*b"GPSALT01");

/// A segment, a sidecar or an envelope.
pub fn segment(bytes: &[u8]) {
    let mut at = HEADER_BYTES as u64;
    for found in scan(bytes, SALT) {
        let (offset, length) = match found {
            Found::Record {
                offset,
                header,
                envelope: coded,
            } => {
                if let Some(read) = envelope::decode(coded) {
                    assert_eq!(
                        envelope::decode(&envelope::encode(&read)).as_ref(),
                        Some(&read)
                    );
                }
                (offset, header.record_bytes())
            }
            Found::Damaged { offset, bytes, .. } => (offset, bytes),
        };
        assert_eq!(offset, at);
        at += length;
    }
    assert_eq!(at, (bytes.len() as u64).max(HEADER_BYTES as u64));
    if let Some(read) = envelope::decode(bytes) {
        assert_eq!(envelope::decode(&envelope::encode(&read)), Some(read));
    }
    let _ = sidecar::decode(bytes);
}

/// A journal.
pub fn journal(bytes: &[u8]) {
    let mut read = 0;
    let unread = journal::replay(bytes, SALT, |_, entry| {
        let mut again = Vec::new();
        journal::encode(&mut again, SALT, &entry);
        assert_eq!(
            journal::decode(&again, SALT).map(|(entry, _)| entry),
            Some(entry)
        );
        read += 1;
    });
    assert!(unread <= bytes.len() as u64);
    assert!(read * journal::FRAME_BYTES <= bytes.len());
}

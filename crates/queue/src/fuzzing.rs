//! The bodies of the fuzz targets, here so that the tests run them over the seed corpora in `fuzz/corpus` and over
//! mutations of them.
//!
//! Each takes any bytes and panics if something does not hold that must.

use std::sync::Arc;

use crate::journal::Fate;
use crate::queue::suspensions;
use crate::record::{Found, HEADER_BYTES, envelope, scan};
use crate::transfer::memory::{Memory, all_pieces};
use crate::transfer::read::{FileReader, Piece};
use crate::transfer::{ledger, progress};
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

/// A file that moves messages to another node.
pub fn export_file(bytes: &[u8]) {
    let Ok(reader) = FileReader::open(Arc::new(Memory(bytes.to_vec()))) else {
        return;
    };
    let _ = reader.is_finished();
    for piece in all_pieces(reader) {
        let Piece::Message(message) = piece else {
            continue;
        };
        // What is taken in can be written again.
        let mut coded = envelope::encode(&message.envelope);
        let mut fates = vec![Fate::new(); message.envelope.recipients.len()];
        for (recipient, fate) in &message.fates {
            if let Some(place) = fates.get_mut(*recipient as usize) {
                fate.clone_into(place);
            }
        }
        envelope::put_fates(&mut coded, &fates);
        assert_eq!(envelope::decode(&coded).as_ref(), Some(&message.envelope));
        let known = message
            .fates
            .iter()
            .filter(|(_, fate)| *fate != Fate::new());
        let again = envelope::fates(&coded).unwrap_or_default();
        assert!(again.iter().eq(known));
    }
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

/// The small files beside the segments, of one line each: suspensions, the export under way, how far an import is. The bytes are
/// taken for the fields of one, and get the checksum that they need; what is read is written alike.
pub fn notes(bytes: &[u8]) {
    let fields = String::from_utf8_lossy(bytes);
    let whole = ledger::line(&fields);
    let line = whole.trim_end_matches('\n');
    assert_eq!(ledger::checked(&whole[..whole.len() - 1]), Some(&*fields));
    // What was written has neither; only what has been tampered with does.
    let is_plain = !fields.contains(|c: char| c.is_control() && c != '\t');
    if let Some(read) = suspensions::read(line).filter(|_| is_plain) {
        let again = suspensions::line(&read);
        assert_eq!(suspensions::read(again.trim_end_matches('\n')), Some(read));
    }
    if let Some(read) = ledger::read_ledger(whole.as_bytes()).filter(|_| is_plain) {
        let again = ledger::ledger_line(&read);
        assert_eq!(ledger::read_ledger(again.as_bytes()), Some(read));
    }
    if let Some(read) = progress::parse(whole.as_bytes()) {
        assert_eq!(
            progress::parse(progress::text(&read).as_bytes()),
            Some(read)
        );
    }
    // Without a checksum that fits nothing is read.
    let torn = &whole[..whole.len() - 1];
    assert_eq!(ledger::read_ledger(torn.as_bytes()), None);
    assert_eq!(progress::parse(torn.as_bytes()), None);
    let _ = (
        suspensions::read(&fields),
        ledger::read_ledger(bytes),
        progress::parse(bytes),
    );
}

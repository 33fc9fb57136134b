//! How recipients fare: from a change to the journal's entry, and back.

use std::io;
use std::sync::PoisonError;

use super::{Part, Store};
use crate::index::{Index, Message, NOWHERE};
use crate::journal::{self, Entry, Fate};
use crate::limits::JOURNAL_PAYLOAD_BYTES_MAX;
use crate::record::damaged;

impl Store {
    /// Changes how a recipient fares and queues the entry. Nothing happens to a recipient that is final. Returns the message if
    /// that was its last open recipient.
    pub(crate) fn change(
        &self,
        index: &mut Index,
        slot: u32,
        recipient: u32,
        now: u64,
        change: impl FnOnce(&mut Fate),
    ) -> Option<Message> {
        let message = index.message(slot)?;
        let (id, segment) = (message.id, message.segment);
        let entry = *message.recipients.get(recipient as usize)?;
        if entry.state.is_final() {
            return None;
        }
        let mut fate = self.fate(index, slot, recipient).unwrap_or_else(|_| Fate {
            attempts: u32::from(entry.attempts),
            warned: entry.warned,
            state: entry.state,
            ..Fate::new()
        });
        change(&mut fate);
        fate.at = now;
        let place = self.queue_entry(
            index,
            segment,
            &Entry::Fate {
                id,
                recipient,
                fate: fate.clone(),
            },
        );
        let gone = index.follow(slot, recipient, &fate, place)?;
        if gone.apart {
            self.dead_contents
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push((gone.id, gone.segment));
        }
        Some(gone)
    }

    /// Queues an entry for the journal of a segment and returns its place.
    pub(crate) fn queue_entry(&self, index: &mut Index, segment: u32, entry: &Entry) -> u32 {
        let Some(state) = index.segments.get_mut(&segment) else {
            return NOWHERE;
        };
        let mut bytes = Vec::with_capacity(160);
        journal::encode(&mut bytes, state.salt, entry);
        let place = state.journal_end;
        state.journal_end += bytes.len() as u64;
        index.journal.push(segment, place, &bytes);
        u32::try_from(place).unwrap_or(NOWHERE)
    }

    /// What is known of a recipient, its texts included.
    pub(crate) fn fate(&self, index: &Index, slot: u32, recipient: u32) -> io::Result<Fate> {
        let message = index
            .message(slot)
            .ok_or_else(|| damaged("the message is gone"))?;
        let known = message
            .recipients
            .get(recipient as usize)
            .ok_or_else(|| damaged("no such recipient"))?;
        if known.journal == NOWHERE {
            return Ok(Fate::new());
        }
        let salt = index
            .segments
            .get(&message.segment)
            .map_or(0, |segment| segment.salt);
        let place = u64::from(known.journal);
        let mut buffer = Vec::new();
        let bytes = match index.journal.find(message.segment, place) {
            Some(bytes) => bytes,
            None => {
                buffer.resize(journal::FRAME_BYTES + JOURNAL_PAYLOAD_BYTES_MAX, 0);
                let read = self
                    .file(message.segment, Part::Journal)?
                    .read_at(place, &mut buffer)?;
                buffer.get(..read).unwrap_or_default()
            }
        };
        match journal::decode(bytes, salt) {
            Some((
                Entry::Fate {
                    id,
                    recipient: of,
                    fate,
                },
                _,
            )) if id == message.id && of == recipient => Ok(fate),
            _ => Err(damaged("the journal's entry is damaged")),
        }
    }
}

//! How recipients fare: from a change to the journal's entry, and back.

use std::io;
use std::sync::PoisonError;

use super::{Part, Store};
use crate::index::{Index, Message, NOWHERE, Recipient};
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
        self.change_from(index, (slot, recipient), now, true, change)
    }

    /// The same for the outcome of an attempt, which replaces what the last attempt met: only what an operator did is looked up
    /// in the journal, the rest is known without it.
    pub(crate) fn outcome(
        &self,
        index: &mut Index,
        slot: u32,
        recipient: u32,
        now: u64,
        change: impl FnOnce(&mut Fate),
    ) -> Option<Message> {
        self.change_from(index, (slot, recipient), now, false, change)
    }

    fn change_from(
        &self,
        index: &mut Index,
        (slot, recipient): (u32, u32),
        now: u64,
        needs_all: bool,
        change: impl FnOnce(&mut Fate),
    ) -> Option<Message> {
        let message = index.message(slot)?;
        let (id, segment) = (message.id, message.segment);
        let entry = *message.recipients.get(recipient as usize)?;
        if entry.state.is_final() {
            return None;
        }
        let mut fate = if needs_all || entry.says_more() {
            self.fate(index, slot, recipient)
                .unwrap_or_else(|_| known(&entry))
        } else {
            known(&entry)
        };
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

    /// Reads what the journals have of these recipients, so that the system has it at hand when it is read again under the locks:
    /// of a million that were delayed hours ago, each would be a wait for the disk. Takes the lock of the index for a moment only.
    pub(crate) fn fetch(&self, id: u64, recipients: &[u32], needs: impl Fn(&Recipient) -> bool) {
        let places: Vec<(u32, u64)> = {
            let index = self.index();
            let Some(message) = index.slot(id).and_then(|slot| index.message(slot)) else {
                return;
            };
            let known = recipients
                .iter()
                .filter_map(|at| message.recipients.get(*at as usize));
            known
                .filter(|known| known.journal != NOWHERE && needs(known))
                .map(|known| (message.segment, u64::from(known.journal)))
                .filter(|(segment, place)| index.journal.find(*segment, *place).is_none())
                .collect()
        };
        let mut buffer = [0; journal::FRAME_BYTES + JOURNAL_PAYLOAD_BYTES_MAX];
        for (segment, place) in places {
            // What can't be read now is told when it is read in earnest.
            let file = self.file(segment, Part::Journal);
            let _ = file.and_then(|file| file.read_at(place, &mut buffer));
        }
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

/// What the index knows of a recipient.
fn known(entry: &Recipient) -> Fate {
    Fate {
        attempts: u32::from(entry.attempts),
        warned: entry.warned,
        state: entry.state,
        ..Fate::new()
    }
}

//! Moving what waits long out of old segments, so that their space comes back.
//!
//! The order makes each step safe: what is known of the recipients goes to the new segment's journal and is synced, then the
//! records are appended and synced, then the old journal says that they have moved. After a crash in between the message is
//! in two segments; recovery reads newer ones first and keeps the newer copy.

use bytes::Bytes;

use super::{Pending, Writer};
use crate::index::{Index, NOWHERE, Segment};
use crate::journal::{Entry, Fate};
use crate::record::{Draft, RecordHeader};
use crate::sidecar::Summary;
use crate::store::ReadRecord;

/// Messages of one step.
const STEP_MESSAGES_MAX: usize = 64;
/// Bytes of one step.
const STEP_BYTES_MAX: u64 = 4 << 20;
/// Messages that one step looks at.
const STEP_LOOKS_MAX: usize = 20_000;
/// A journal that has grown to so many bytes is left behind with its segment.
const JOURNAL_BYTES_MAX: u64 = 64 << 20;
/// Below this a segment is not worth it.
const SEGMENT_BYTES_MIN: u64 = 64 << 10;

struct Moving {
    pending: Pending,
    slot: u32,
    /// Where each recipient's entry stood when it was read, and what it said.
    fates: Vec<(u32, Fate)>,
}

impl Writer {
    /// Moves some messages. Returns whether there is more to do.
    pub(crate) fn compact_step(&mut self) -> bool {
        if self.active.is_none() || self.store.room().is_err() {
            return false;
        }
        let Some((from, ids)) = self.sparse() else {
            return false;
        };
        let moving = self.read_moving(from, &ids);
        if !moving.is_empty() {
            self.move_into_active(from, moving);
        }
        true
    }

    /// A segment of which little waits, and some of its messages.
    pub(super) fn sparse(&self) -> Option<(u32, Vec<u64>)> {
        let segment_bytes_min = SEGMENT_BYTES_MIN.min(self.store.settings.segment_bytes_max);
        let mut index = self.store.index();
        let (&number, segment) = index
            .segments
            .range(self.free_from..)
            .find(|(_, segment)| {
                let is_sparse = segment.live_bytes.saturating_mul(4) < segment.end
                    && segment.end >= segment_bytes_min;
                segment.sealed
                    && !segment.immovable
                    && segment.live > 0
                    && (is_sparse || is_overgrown(segment))
            })?;
        let from = segment.moved_up_to;
        let mut ids = Vec::new();
        let mut bytes = 0;
        let mut up_to = None;
        for id in index.after(from.checked_sub(1)).take(STEP_LOOKS_MAX) {
            up_to = Some(id + 1);
            let message = index.slot(id).and_then(|slot| index.message(slot));
            if let Some(message) = message.filter(|message| message.segment == number) {
                ids.push(id);
                bytes += u64::from(message.record_bytes);
            }
            if ids.len() >= STEP_MESSAGES_MAX || bytes >= STEP_BYTES_MAX {
                break;
            }
        }
        let segment = index.segments.get_mut(&number)?;
        segment.moved_up_to = up_to.unwrap_or(0);
        // All was looked at and something is left that could not be read: not again.
        segment.immovable = up_to.is_none();
        Some((number, ids))
    }

    fn read_moving(&self, from: u32, ids: &[u64]) -> Vec<Moving> {
        let mut moving = Vec::new();
        for &id in ids {
            // The content of a large message stays where it is: only the record moves.
            let Ok(record) = self.store.read(id, true) else {
                continue;
            };
            let index = self.store.index();
            let Some(slot) = index.slot(id) else { continue };
            let Some(message) = index
                .message(slot)
                .filter(|message| message.segment == from)
            else {
                continue;
            };
            let places = message.recipients.iter().map(|recipient| recipient.journal);
            let fates = places.zip(0..).map(|(place, recipient)| {
                let fate = if place == NOWHERE {
                    Ok(Fate::new())
                } else {
                    self.store.fate(&index, slot, recipient)
                };
                fate.map(|fate| (place, fate))
            });
            // Without what is known of all recipients a copy would be worse than the original.
            let Ok(fates) = fates.collect() else { continue };
            moving.push(Moving {
                pending: pending(record),
                slot,
                fates,
            });
        }
        moving
    }

    fn move_into_active(&mut self, from: u32, moving: Vec<Moving>) {
        let Some(to) = self.active.as_ref().map(|active| active.number) else {
            return;
        };
        let mut places = Vec::new();
        {
            let mut index = self.store.index();
            for one in &moving {
                places.push(self.copy_fates(&mut index, to, one));
            }
        }
        if !self.write_journals() || !self.sync_journals() {
            return;
        }
        let (mut group, rest): (Vec<_>, Vec<_>) = moving
            .into_iter()
            .map(|one| (one.pending, (one.slot, one.fates)))
            .unzip();
        let committed = self.commit_moved(&mut group);
        if !committed {
            return;
        }
        let mut index = self.store.index();
        for ((pending, (slot, fates)), places) in group.iter().zip(rest).zip(places) {
            self.settle_move(&mut index, (from, to), pending, slot, &fates, &places);
        }
        if let Some(segment) = index.segments.get_mut(&to) {
            segment.pins.push(from);
        }
        drop(index);
        let marked = self.write_journals() && self.sync_journals();
        if let Some(segment) = self.store.index().segments.get_mut(&to).filter(|_| marked) {
            // One of them only: another may stand for what was cut off there.
            if let Some(at) = segment.pins.iter().rposition(|pin| *pin == from) {
                segment.pins.remove(at);
            }
        }
        if self.is_full_segment() {
            self.roll();
        }
    }

    /// As [`Writer::commit`], but the index learns the new places later, and so the segment is not ended yet.
    fn commit_moved(&mut self, group: &mut [Pending]) -> bool {
        if self.check_room().is_err() {
            return false;
        }
        if let Err(error) = self.append(group) {
            self.give_up("moving messages", &error);
            return false;
        }
        if let Some(active) = &self.active
            && let Some(segment) = self.store.index().segments.get_mut(&active.number)
        {
            segment.end = active.end;
        }
        true
    }

    fn copy_fates(&self, index: &mut Index, to: u32, one: &Moving) -> Vec<u32> {
        let id = one.pending.summary.id;
        let end = |index: &Index| {
            index
                .segments
                .get(&to)
                .map_or(0, |segment| segment.journal_end)
        };
        let before = end(index);
        let mut places = Vec::with_capacity(one.fates.len());
        for ((place, fate), recipient) in one.fates.iter().zip(0..) {
            places.push(if *place == NOWHERE {
                NOWHERE
            } else {
                self.store.queue_entry(
                    index,
                    to,
                    &Entry::Fate {
                        id,
                        recipient,
                        fate: fate.clone(),
                    },
                )
            });
        }
        let copied = end(index).saturating_sub(before);
        if let Some(segment) = index.segments.get_mut(&to) {
            segment.journal_copied += copied;
        }
        places
    }

    /// The copy is synced: from here on it counts. What happened to a recipient in the meantime follows it.
    fn settle_move(
        &self,
        index: &mut Index,
        way: (u32, u32),
        pending: &Pending,
        slot: u32,
        fates: &[(u32, Fate)],
        places: &[u32],
    ) {
        let (from, to) = way;
        let id = pending.summary.id;
        let is_there = index.slot(id) == Some(slot);
        if !is_there {
            self.store.queue_entry(index, to, &Entry::Moved { id });
            return;
        }
        let mut news = Vec::new();
        for (((place, _), new_place), recipient) in fates.iter().zip(places).zip(0_u32..) {
            let known = index
                .message(slot)
                .and_then(|message| message.recipients.get(recipient as usize))
                .copied();
            let Some(known) = known else { continue };
            if known.journal == *place {
                news.push((recipient, *new_place, None));
            } else if let Ok(fate) = self.store.fate(index, slot, recipient) {
                news.push((recipient, NOWHERE, Some(fate)));
            }
        }
        index.relocate(slot, to, pending.summary.offset);
        for (recipient, place, fate) in news {
            let place = match fate {
                None => place,
                Some(fate) => self.store.queue_entry(
                    index,
                    to,
                    &Entry::Fate {
                        id,
                        recipient,
                        fate,
                    },
                ),
            };
            if let Some(known) = index
                .message_mut(slot)
                .and_then(|message| message.recipients.get_mut(recipient as usize))
            {
                known.journal = place;
            }
        }
        self.store.queue_entry(index, from, &Entry::Moved { id });
    }
}

fn pending(record: ReadRecord) -> Pending {
    let header = RecordHeader {
        moved: true,
        ..record.header
    };
    let content: Vec<Bytes> = if header.apart {
        Vec::new()
    } else {
        vec![record.content]
    };
    let summary = Summary::new(&header, &record.envelope, 0);
    Pending {
        draft: Draft {
            header,
            envelope: record.coded_envelope,
            content,
        },
        summary,
        fates: Vec::new(),
    }
}

/// Whether most of a long journal is about what has changed since. A long one of which every entry counts (newsletters with many
/// recipients who all wait) would be as long again after a move, and be moved for ever.
fn is_overgrown(segment: &Segment) -> bool {
    segment.journal_end > JOURNAL_BYTES_MAX.saturating_add(segment.journal_copied.saturating_mul(2))
}

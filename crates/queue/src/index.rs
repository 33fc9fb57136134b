//! What memory keeps of each message and recipient: places on the disk and numbers, no text.
//!
//! Lanes are interned; diagnostics, paths and contents stay on the disk. A message with one recipient takes about 300 bytes,
//! the schedule's share included (`tests/queue_memory.rs` counts).

use std::collections::{BTreeMap, HashMap};

use crate::journal::{Exporting, Fate};
use crate::sidecar::Summary;
use crate::{LaneKey, RecipientState};

#[cfg(test)]
mod tests;

/// No entry in a journal.
pub(crate) const NOWHERE: u32 = u32::MAX;

/// A message with a recipient that waits.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) id: u64,
    /// In milliseconds since 1970 UTC, never later than when it was read.
    pub(crate) arrived: u64,
    pub(crate) segment: u32,
    pub(crate) offset: u32,
    pub(crate) record_bytes: u32,
    pub(crate) lifetime_seconds: u32,
    /// 0 for never.
    pub(crate) warning_seconds: u32,
    /// Recipients that wait or are held.
    pub(crate) open: u32,
    pub(crate) recipients: Box<[Recipient]>,
    pub(crate) apart: bool,
}

/// One of its recipients.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recipient {
    pub(crate) lane: u32,
    /// Where its last entry stands in the journal of its segment.
    pub(crate) journal: u32,
    /// Its parcel in the schedule.
    pub(crate) parcel: u32,
    pub(crate) attempts: u16,
    pub(crate) state: RecipientState,
    pub(crate) warned: bool,
    /// Whether its entry says more than an outcome: what an operator did.
    pub(crate) acted: bool,
    /// Whether it is held for an export.
    pub(crate) exporting: bool,
    /// Whether its entry tells since when it is past its lifetime.
    pub(crate) overdue: bool,
}

impl Recipient {
    /// Takes up what its entry at that place says.
    pub(crate) fn follow(&mut self, fate: &Fate, journal: u32) {
        self.journal = journal;
        self.attempts = u16::try_from(fate.attempts).unwrap_or(u16::MAX);
        self.state = fate.state;
        self.warned = fate.warned;
        self.acted = fate.by.is_some();
        self.exporting = fate.exporting != Exporting::No;
        self.overdue = fate.overdue.is_some();
    }

    /// Whether its entry says more than an outcome, which the next one must not forget.
    pub(crate) fn says_more(&self) -> bool {
        self.acted || self.exporting || self.overdue
    }
}

/// A segment.
#[derive(Debug, Default)]
pub(crate) struct Segment {
    pub(crate) salt: u64,
    /// Bytes of its records, header included.
    pub(crate) end: u64,
    /// Where the next entry of its journal goes.
    pub(crate) journal_end: u64,
    /// Bytes of it that came with messages that were moved here: they say nothing twice.
    pub(crate) journal_copied: u64,
    /// Messages that wait.
    pub(crate) live: u64,
    /// Bytes of their records.
    pub(crate) live_bytes: u64,
    /// Whether nothing is appended any more, and all that it holds is in the index.
    pub(crate) sealed: bool,
    /// Whether its journal has been written to since its last sync.
    pub(crate) journal_dirty: bool,
    /// Whether an entry of its journal may be lost though a later sync succeeded.
    pub(crate) journal_suspect: bool,
    /// Whether the last write to its journal failed.
    pub(crate) journal_fails: bool,
    /// Older segments whose messages were moved here and whose journals may not say so: it outlives them.
    pub(crate) pins: Vec<u32>,
    /// Where compaction goes on.
    pub(crate) moved_up_to: u64,
    /// Whether compaction has tried all of it: what it could not read stays.
    pub(crate) immovable: bool,
    /// Whether its file could not be removed: not tried again in this run.
    pub(crate) stuck: bool,
}

struct Lane {
    key: LaneKey,
    recipients: u32,
}

const CHUNK: usize = 4096;

/// All messages that wait.
#[derive(Default)]
pub(crate) struct Index {
    /// In chunks, so that growth copies nothing.
    slots: Vec<Vec<Option<Message>>>,
    free: Vec<u32>,
    by_id: BTreeMap<u64, u32>,
    lanes: Vec<Option<Lane>>,
    lanes_free: Vec<u32>,
    lane_ids: HashMap<LaneKey, u32>,
    pub(crate) segments: BTreeMap<u32, Segment>,
    /// Recipients that wait or are held.
    pub(crate) recipients: u64,
    pub(crate) held: u64,
    pub(crate) journal: crate::store::Unwritten,
}

impl Index {
    /// Messages.
    pub(crate) fn messages(&self) -> u64 {
        self.by_id.len() as u64
    }

    /// The slot of a message.
    pub(crate) fn slot(&self, id: u64) -> Option<u32> {
        self.by_id.get(&id).copied()
    }

    /// The ids behind this one, in order.
    pub(crate) fn after(&self, id: Option<u64>) -> impl Iterator<Item = u64> + '_ {
        let from = id.map_or(0, |id| id.saturating_add(1));
        self.by_id.range(from..).map(|(&id, _)| id)
    }

    /// The highest id.
    pub(crate) fn last_id(&self) -> Option<u64> {
        self.by_id.keys().next_back().copied()
    }

    /// The message in a slot.
    pub(crate) fn message(&self, slot: u32) -> Option<&Message> {
        let slot = slot as usize;
        self.slots.get(slot / CHUNK)?.get(slot % CHUNK)?.as_ref()
    }

    /// The same, to be changed. Places and counts are kept by [`Index::follow`] and [`Index::relocate`].
    pub(crate) fn message_mut(&mut self, slot: u32) -> Option<&mut Message> {
        let slot = slot as usize;
        self.slots
            .get_mut(slot / CHUNK)?
            .get_mut(slot % CHUNK)?
            .as_mut()
    }

    /// The key of a lane.
    pub(crate) fn lane(&self, lane: u32) -> Option<&LaneKey> {
        Some(&self.lanes.get(lane as usize)?.as_ref()?.key)
    }

    /// Takes up a message whose recipients fare as told; `None` if it is there already or all of them are final.
    pub(crate) fn insert(
        &mut self,
        segment: u32,
        summary: &Summary,
        now: u64,
        fates: &[(u32, u32, Fate)],
    ) -> Option<u32> {
        if self.by_id.contains_key(&summary.id) {
            return None;
        }
        let mut recipients: Vec<Recipient> = summary.domains.iter().map(|_| UNKNOWN).collect();
        for (recipient, journal, fate) in fates {
            if let Some(recipient) = recipients.get_mut(*recipient as usize) {
                recipient.follow(fate, *journal);
            }
        }
        let open = recipients
            .iter()
            .filter(|recipient| !recipient.state.is_final())
            .count();
        if open == 0 {
            return None;
        }
        let rerouted: HashMap<u32, &str> = fates
            .iter()
            .filter_map(|(recipient, _, fate)| Some((*recipient, fate.rerouted.as_deref()?)))
            .collect();
        for (at, (recipient, domain)) in recipients.iter_mut().zip(&summary.domains).enumerate() {
            let nexthop = rerouted.get(&(at as u32)).map(|&nexthop| nexthop.into());
            let key = LaneKey {
                customer: summary.customer.clone(),
                domain: domain.clone(),
                nexthop,
            };
            recipient.lane = self.intern(key);
            self.held += u64::from(recipient.state == RecipientState::Held);
        }
        self.recipients += open as u64;
        if let Some(segment) = self.segments.get_mut(&segment) {
            segment.live += 1;
            segment.live_bytes += summary.record_bytes;
        }
        let seconds =
            |milliseconds: u64| u32::try_from(milliseconds.div_ceil(1000)).unwrap_or(u32::MAX);
        let slot = self.place(Message {
            id: summary.id,
            arrived: summary.arrived.min(now),
            segment,
            offset: u32::try_from(summary.offset).unwrap_or(u32::MAX),
            record_bytes: u32::try_from(summary.record_bytes).unwrap_or(u32::MAX),
            lifetime_seconds: seconds(summary.lifetime),
            warning_seconds: seconds(summary.delay_warning),
            open: open as u32,
            recipients: recipients.into_boxed_slice(),
            apart: summary.apart,
        });
        self.by_id.insert(summary.id, slot);
        Some(slot)
    }

    fn place(&mut self, message: Message) -> u32 {
        if let Some(slot) = self.free.pop()
            && let Some(place) = self
                .slots
                .get_mut(slot as usize / CHUNK)
                .and_then(|chunk| chunk.get_mut(slot as usize % CHUNK))
        {
            *place = Some(message);
            return slot;
        }
        if self.slots.last().is_none_or(|chunk| chunk.len() == CHUNK) {
            self.slots.push(Vec::with_capacity(CHUNK));
        }
        let before = (self.slots.len() - 1) * CHUNK;
        let Some(chunk) = self.slots.last_mut() else {
            return 0;
        };
        chunk.push(Some(message));
        (before + chunk.len() - 1) as u32
    }

    /// The number of a lane, one more recipient in it.
    fn intern(&mut self, key: LaneKey) -> u32 {
        if let Some(&at) = self.lane_ids.get(&key) {
            if let Some(lane) = self.lanes.get_mut(at as usize).and_then(Option::as_mut) {
                lane.recipients += 1;
            }
            return at;
        }
        let at = self.lanes_free.pop().unwrap_or(self.lanes.len() as u32);
        self.lane_ids.insert(key.clone(), at);
        let lane = Some(Lane { key, recipients: 1 });
        match self.lanes.get_mut(at as usize) {
            Some(place) => *place = lane,
            None => self.lanes.push(lane),
        }
        at
    }

    fn release(&mut self, at: u32) {
        let Some(place) = self.lanes.get_mut(at as usize) else {
            return;
        };
        let Some(lane) = place.as_mut() else { return };
        lane.recipients -= 1;
        if lane.recipients == 0 {
            self.lane_ids.remove(&lane.key);
            *place = None;
            self.lanes_free.push(at);
        }
    }

    /// A recipient fares as its new entry at that place says. Returns the message if it was its last open recipient: it has
    /// left the index.
    pub(crate) fn follow(
        &mut self,
        slot: u32,
        recipient: u32,
        fate: &Fate,
        journal: u32,
    ) -> Option<Message> {
        let message = self.message_mut(slot)?;
        let entry = message.recipients.get_mut(recipient as usize)?;
        let before = entry.state;
        let lane = entry.lane;
        entry.follow(fate, journal);
        if fate.state.is_final() && !before.is_final() {
            message.open -= 1;
        }
        let open = message.open;
        let old = self.lane(lane)?.clone();
        if old.nexthop.as_deref() != fate.rerouted.as_deref() {
            let key = LaneKey {
                nexthop: fate.rerouted.as_deref().map(Into::into),
                ..old
            };
            let to = self.intern(key);
            self.release(lane);
            self.message_mut(slot)?
                .recipients
                .get_mut(recipient as usize)?
                .lane = to;
        }
        self.held += u64::from(fate.state == RecipientState::Held);
        self.held -= u64::from(before == RecipientState::Held);
        self.recipients -= u64::from(fate.state.is_final() && !before.is_final());
        if open == 0 { self.remove(slot) } else { None }
    }

    fn remove(&mut self, slot: u32) -> Option<Message> {
        let at = slot as usize;
        let message = self
            .slots
            .get_mut(at / CHUNK)?
            .get_mut(at % CHUNK)?
            .take()?;
        self.free.push(slot);
        self.by_id.remove(&message.id);
        for recipient in &message.recipients {
            self.release(recipient.lane);
        }
        self.leave(message.segment, message.record_bytes);
        Some(message)
    }

    fn leave(&mut self, segment: u32, record_bytes: u32) {
        if let Some(segment) = self.segments.get_mut(&segment) {
            segment.live = segment.live.saturating_sub(1);
            segment.live_bytes = segment.live_bytes.saturating_sub(u64::from(record_bytes));
        }
    }

    /// The message lies in another segment now.
    pub(crate) fn relocate(&mut self, slot: u32, segment: u32, offset: u64) {
        let Some(message) = self.message_mut(slot) else {
            return;
        };
        let (from, bytes) = (message.segment, message.record_bytes);
        message.segment = segment;
        message.offset = u32::try_from(offset).unwrap_or(u32::MAX);
        self.leave(from, bytes);
        if let Some(segment) = self.segments.get_mut(&segment) {
            segment.live += 1;
            segment.live_bytes += u64::from(bytes);
        }
    }
}

const UNKNOWN: Recipient = Recipient {
    lane: 0,
    journal: NOWHERE,
    parcel: NOWHERE,
    attempts: 0,
    state: RecipientState::Waiting,
    warned: false,
    acted: false,
    exporting: false,
    overdue: false,
};

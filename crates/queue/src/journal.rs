//! The journal beside a segment: how its recipients fare (RFC 3464 2.3.3), an entry each time that changes.
//!
//! An entry holds all that is known of one recipient, so the last one counts and nothing has to be put together: memory keeps
//! its place, not its texts. Entry: the journal's salt (8), bytes of the payload (2), CRC-32 of length and payload (4),
//! payload. The salt is that of the segment, which no sender knows.

use memchr::memmem;
use smtp::{Class, Status};

use crate::codec::{Reader, clip, put_bytes, put_number};
use crate::limits::{
    ACTOR_BYTES_MAX, DIAGNOSTIC_BYTES_MAX, JOURNAL_PAYLOAD_BYTES_MAX, NEXTHOP_BYTES_MAX,
    REASON_BYTES_MAX,
};
use crate::{Actor, LastFault, RecipientState};

#[cfg(test)]
mod tests;

/// Bytes before the payload.
pub(crate) const FRAME_BYTES: usize = 14;

const FLAG_WARNED: u64 = 1;
const FLAG_REROUTED: u64 = 2;
const FLAG_ACTED: u64 = 4;
const FLAG_FAULT: u64 = 8;
const FLAG_EXPORTING: u64 = 16;
const FLAG_HELD_BEFORE: u64 = 32;
const FLAG_OVERDUE: u64 = 64;

/// What is known of one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fate {
    /// What became of it.
    pub(crate) state: RecipientState,
    /// How often delivery was tried.
    pub(crate) attempts: u32,
    /// Whether a delay was reported.
    pub(crate) warned: bool,
    /// When this was written, in milliseconds since 1970 UTC.
    pub(crate) at: u64,
    /// Milliseconds after that before the next attempt.
    pub(crate) retry_after: u64,
    /// What the last attempt met.
    pub(crate) last: Option<LastFault>,
    /// The nexthop that an operator chose.
    pub(crate) rerouted: Option<String>,
    /// Who acted last.
    pub(crate) by: Option<Actor>,
    /// Whether it is held for an export; an earlier version, which does not know of it, sees one that is held.
    pub(crate) exporting: Exporting,
    /// When a start first found the message past its lifetime and this one waiting, in milliseconds since 1970 UTC. It stands
    /// last, where an earlier version does not look.
    pub(crate) overdue: Option<u64>,
}

/// Whether a recipient is held for an export that is not finished.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Exporting {
    /// It is not.
    #[default]
    No,
    /// It is, and waited before.
    Waited,
    /// It is, and an operator held it before.
    Held,
}

impl Fate {
    /// That of a recipient of which nothing is known yet.
    pub(crate) fn new() -> Fate {
        Fate {
            state: RecipientState::Waiting,
            attempts: 0,
            warned: false,
            at: 0,
            retry_after: 0,
            last: None,
            rerouted: None,
            by: None,
            exporting: Exporting::No,
            overdue: None,
        }
    }
}

/// An entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// How a recipient fares.
    Fate {
        /// Of which message.
        id: u64,
        /// Which recipient.
        recipient: u32,
        /// How.
        fate: Fate,
    },
    /// The message is in a later segment now.
    Moved {
        /// Which.
        id: u64,
    },
}

const KIND_FATE: u8 = 1;
const KIND_MOVED: u8 = 2;

/// Appends an entry as it lies on the disk.
pub(crate) fn encode(into: &mut Vec<u8>, salt: u64, entry: &Entry) {
    let mut payload = Vec::with_capacity(128);
    match entry {
        Entry::Moved { id } => {
            payload.push(KIND_MOVED);
            put_number(&mut payload, *id);
        }
        Entry::Fate {
            id,
            recipient,
            fate,
        } => {
            payload.push(KIND_FATE);
            put_number(&mut payload, *id);
            put_number(&mut payload, u64::from(*recipient));
            put_fate(&mut payload, fate);
        }
    }
    // The limits of the texts keep it far below: 512 + 300 + 300 + 128 + 256 and numbers.
    let length = (payload.len().min(JOURNAL_PAYLOAD_BYTES_MAX) as u16).to_le_bytes();
    into.extend_from_slice(&salt.to_le_bytes());
    into.extend_from_slice(&length);
    into.extend_from_slice(&crc(length, &payload).to_le_bytes());
    into.extend_from_slice(&payload);
}

pub(crate) fn put_fate(into: &mut Vec<u8>, fate: &Fate) {
    into.push(match fate.state {
        RecipientState::Waiting => 0,
        RecipientState::Held => 1,
        RecipientState::Delivered => 2,
        RecipientState::Failed => 3,
        RecipientState::Removed => 4,
    });
    let flag = |is: bool, flag: u64| if is { flag } else { 0 };
    let flags = flag(fate.warned, FLAG_WARNED)
        | flag(fate.rerouted.is_some(), FLAG_REROUTED)
        | flag(fate.by.is_some(), FLAG_ACTED)
        | flag(fate.last.is_some(), FLAG_FAULT)
        | flag(fate.exporting != Exporting::No, FLAG_EXPORTING)
        | flag(fate.exporting == Exporting::Held, FLAG_HELD_BEFORE)
        | flag(fate.overdue.is_some(), FLAG_OVERDUE);
    for number in [flags, u64::from(fate.attempts), fate.at, fate.retry_after] {
        put_number(into, number);
    }
    if let Some(last) = &fate.last {
        into.push(match last.status.class {
            Class::Success => 2,
            Class::Transient => 4,
            Class::Permanent => 5,
        });
        put_number(into, u64::from(last.status.subject));
        put_number(into, u64::from(last.status.detail));
        put_bytes(
            into,
            clip(&last.diagnostic, DIAGNOSTIC_BYTES_MAX).as_bytes(),
        );
        put_bytes(into, clip(&last.nexthop, NEXTHOP_BYTES_MAX).as_bytes());
    }
    if let Some(nexthop) = &fate.rerouted {
        put_bytes(into, clip(nexthop, NEXTHOP_BYTES_MAX).as_bytes());
    }
    if let Some(by) = &fate.by {
        put_bytes(into, clip(&by.name, ACTOR_BYTES_MAX).as_bytes());
        put_bytes(into, clip(&by.reason, REASON_BYTES_MAX).as_bytes());
    }
    if let Some(since) = fate.overdue {
        put_number(into, since);
    }
}

/// Reads the entry at the front, and how many bytes it has.
pub(crate) fn decode(bytes: &[u8], salt: u64) -> Option<(Entry, usize)> {
    let mut reader = Reader(bytes);
    (reader.u64()? == salt).then_some(())?;
    let length: [u8; 2] = reader.take(2)?.try_into().ok()?;
    let sum = reader.u32()?;
    let bytes = usize::from(u16::from_le_bytes(length));
    (bytes <= JOURNAL_PAYLOAD_BYTES_MAX).then_some(())?;
    let payload = reader.take(bytes)?;
    (crc(length, payload) == sum).then_some(())?;
    Some((entry(&mut Reader(payload))?, FRAME_BYTES + bytes))
}

fn entry(reader: &mut Reader<'_>) -> Option<Entry> {
    let kind = reader.byte()?;
    let id = reader.number()?;
    match kind {
        KIND_MOVED => Some(Entry::Moved { id }),
        KIND_FATE => {
            let recipient = reader.small()?;
            let fate = fate(reader)?;
            Some(Entry::Fate {
                id,
                recipient,
                fate,
            })
        }
        _ => None,
    }
}

/// Reads what [`put_fate`] wrote.
pub(crate) fn fate(reader: &mut Reader<'_>) -> Option<Fate> {
    let state = match reader.byte()? {
        0 => RecipientState::Waiting,
        1 => RecipientState::Held,
        2 => RecipientState::Delivered,
        3 => RecipientState::Failed,
        4 => RecipientState::Removed,
        _ => return None,
    };
    let flags = reader.number()?;
    let (attempts, at, retry_after) = (reader.small()?, reader.number()?, reader.number()?);
    let last = if flags & FLAG_FAULT == 0 {
        None
    } else {
        Some(last_fault(reader)?)
    };
    let rerouted = if flags & FLAG_REROUTED == 0 {
        None
    } else {
        Some(reader.text()?.to_owned())
    };
    let by = if flags & FLAG_ACTED == 0 {
        None
    } else {
        let (name, reason) = (reader.text()?.to_owned(), reader.text()?.to_owned());
        Some(Actor { name, reason })
    };
    let warned = flags & FLAG_WARNED != 0;
    let exporting = match (flags & FLAG_EXPORTING != 0, flags & FLAG_HELD_BEFORE != 0) {
        (false, _) => Exporting::No,
        (true, false) => Exporting::Waited,
        (true, true) => Exporting::Held,
    };
    let overdue = if flags & FLAG_OVERDUE == 0 {
        None
    } else {
        Some(reader.number()?)
    };
    Some(Fate {
        state,
        attempts,
        warned,
        at,
        retry_after,
        last,
        rerouted,
        by,
        exporting,
        overdue,
    })
}

fn last_fault(reader: &mut Reader<'_>) -> Option<LastFault> {
    let class = match reader.byte()? {
        2 => Class::Success,
        4 => Class::Transient,
        5 => Class::Permanent,
        _ => return None,
    };
    let (subject, detail) = (reader.small()?, reader.small()?);
    let (diagnostic, nexthop) = (reader.text()?.to_owned(), reader.text()?.to_owned());
    let status = Status {
        class,
        subject,
        detail,
    };
    Some(LastFault {
        status,
        diagnostic,
        nexthop,
    })
}

fn crc(length: [u8; 2], payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&length);
    hasher.update(payload);
    hasher.finalize()
}

/// Calls with each entry that can be read and its offset, and returns how many bytes could not. What is damaged is searched
/// for the salt; a payload is bounded, so each byte is looked at a bounded number of times.
pub(crate) fn replay(bytes: &[u8], salt: u64, mut each: impl FnMut(u32, Entry)) -> u64 {
    let salt_bytes = salt.to_le_bytes();
    let finder = memmem::Finder::new(&salt_bytes);
    let mut at = 0;
    let mut unread = 0;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        if let Some((entry, length)) = decode(rest, salt) {
            each(u32::try_from(at).unwrap_or(u32::MAX), entry);
            at += length;
            continue;
        }
        let skip = finder
            .find(rest.get(1..).unwrap_or_default())
            .map_or(rest.len(), |found| found + 1);
        unread += skip as u64;
        at += skip;
    }
    unread
}

//! Reading the segments of earlier runs, newer ones first, while new messages are accepted already.
//!
//! A sidecar is read in place of the records where it is whole; then no body is touched. A message that compaction had copied
//! when the process ended is in two segments: the newer copy is met first and counts.
//!
//! A segment that the disk does not give away is left as it is and read later ([`Recoverer::again`]). Older ones do not wait
//! for it: late mail of many is worse than the one duplicate that a copy in it may have hidden.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::{io, mem};

use headers::Headers;

use crate::index::{Index, Segment};
use crate::journal::{self, Entry, Fate};
use crate::limits::SEGMENT_BYTES_MAX;
use crate::record::{Found, HEADER_BYTES, RecordHeader, SegmentHeader, envelope, scan};
use crate::sidecar::{self, Builder, Summary};
use crate::store::{Part, Store};
use crate::{Notice, OpenError};

mod headers;
mod overdue;
#[cfg(test)]
mod tests;

/// Messages that enter the index under one lock.
const LOCK_MESSAGES_MAX: usize = 1000;

/// The reading of earlier segments.
pub(crate) struct Recoverer {
    store: Arc<Store>,
    /// Still to be read, in order: the last is the newest.
    numbers: Vec<u32>,
    /// Those that could not be read.
    unread: Vec<u32>,
    headers: Headers,
    /// Ids that were met in segments older than one that could not be read: its copy of them comes too late.
    overtaken: HashSet<u64>,
    /// Ids that were moved into segments read so far, and which.
    moved: HashMap<u64, u32>,
    /// The first id of this run.
    first_id: u64,
    /// Whether something was damaged: then no large content is removed, since the record that names it may be lost.
    is_damaged: bool,
    pub(crate) total: u64,
}

/// What is said of the damaged end of the newest segment.
const LAST_WRITE: &str =
    "the end of the last write: unless a crash has cut it short, its messages were accepted";

/// A message that was found.
pub(crate) struct Waiting {
    /// Its slot in the index.
    pub(crate) slot: u32,
    /// Each recipient that waits, and the milliseconds until it is due.
    pub(crate) due: Vec<(u32, u64)>,
    /// Since when it is known to be past its lifetime, in milliseconds since 1970 UTC.
    pub(crate) overdue_since: Option<u64>,
}

type Fates = HashMap<u64, Vec<(u32, u32, Fate)>>;

/// Makes the folders and lists the segments: those of earlier runs, and the number of the next.
pub(crate) fn prepare(store: &Store) -> Result<(Vec<u32>, u32), OpenError> {
    let fault = |what: &str| {
        let what = what.to_owned();
        move |error| OpenError::Disk { what, error }
    };
    for folder in [
        store.segments_folder(),
        store.content_folder(),
        store.corrupt_folder(),
    ] {
        store
            .disk
            .create_folder(&folder)
            .map_err(fault("making the queue's folders"))?;
    }
    store
        .disk
        .sync_folder(&store.settings.folder)
        .map_err(fault("syncing the queue's folder"))?;
    let names = store
        .disk
        .list(&store.segments_folder())
        .map_err(fault("listing the queue's segments"))?;
    let mut numbers = Vec::new();
    let mut highest = 0;
    for name in &names {
        let Some((stem, ending)) = name.split_once('.') else {
            continue;
        };
        let Ok(number) = u32::from_str_radix(stem, 16) else {
            continue;
        };
        // A journal without its records tells of a removal that was cut short: its number counts all the same.
        highest = highest.max(number);
        if ending == "log" {
            numbers.push(number);
        }
    }
    for name in names {
        let number = name
            .split_once('.')
            .and_then(|(stem, _)| u32::from_str_radix(stem, 16).ok());
        if number.is_some_and(|number| number != highest && !numbers.contains(&number)) {
            drop(store.disk.remove(&store.segments_folder().join(name)));
        }
    }
    numbers.sort_unstable();
    let next = highest.checked_add(1).ok_or_else(|| OpenError::Disk {
        what: "numbering the queue's segments".to_owned(),
        error: io::ErrorKind::InvalidData.into(),
    })?;
    Ok((numbers, next))
}

impl Recoverer {
    /// Reads the headers, to know where each segment ends.
    pub(crate) fn new(store: Arc<Store>, numbers: Vec<u32>, next: u32) -> Recoverer {
        let mut headers = Headers::default();
        for &number in &numbers {
            headers.read(&store, number);
        }
        let total = numbers.len() as u64;
        let first_id = Store::first_id(next);
        Recoverer {
            store,
            numbers,
            unread: Vec::new(),
            headers,
            overtaken: HashSet::new(),
            moved: HashMap::new(),
            first_id,
            is_damaged: false,
            total,
        }
    }

    /// Reads one more segment and returns what waits in it; `None` when all were tried.
    pub(crate) fn step(&mut self, now: u64) -> Option<Vec<Waiting>> {
        let number = self.numbers.pop()?;
        match self.segment(number, now) {
            Ok(waiting) => Some(waiting),
            Err(error) => {
                // A handle that failed once may go on failing: the next try opens the file anew.
                self.store.forget_files(number);
                self.unread.push(number);
                self.store.tell(Notice::DiskFault {
                    what: "reading a segment",
                    detail: format!("{number:08x}: {error}"),
                });
                Some(Vec::new())
            }
        }
    }

    /// Segments that have been read.
    pub(crate) fn read(&self) -> u64 {
        self.total - (self.numbers.len() + self.unread.len()) as u64
    }

    /// Segments that could not be read so far.
    pub(crate) fn unread(&self) -> u64 {
        self.unread.len() as u64
    }

    /// Lets [`Recoverer::step`] try those once more.
    pub(crate) fn again(&mut self) {
        self.numbers = mem::take(&mut self.unread);
        self.numbers.sort_unstable();
    }

    /// After the last step: large contents that no record names are what is left of refused or finished messages.
    pub(crate) fn orphans(&self) -> Vec<u64> {
        if self.is_damaged {
            return Vec::new();
        }
        let names = self
            .store
            .disk
            .list(&self.store.content_folder())
            .unwrap_or_default();
        let index = self.store.index();
        let ids = names.iter().filter_map(|name| name.parse::<u64>().ok());
        ids.filter(|id| *id < self.first_id && index.slot(*id).is_none())
            .collect()
    }

    fn segment(&mut self, number: u32, now: u64) -> io::Result<Vec<Waiting>> {
        let store = Arc::clone(&self.store);
        let end = self.headers.end(&store, number)?;
        let from_sidecar = store
            .read_all(&store.path(number, Part::Sidecar))
            .ok()
            .and_then(|bytes| sidecar::decode(&bytes));
        let length = store.file(number, Part::Log)?.bytes()?;
        let whole = from_sidecar.filter(|sidecar| {
            sidecar.number == u64::from(number)
                && end.is_none_or(|end| end == sidecar.end)
                && length >= sidecar.end
        });
        let (salt, length, records) = match whole {
            Some(sidecar) => (sidecar.salt, sidecar.end, sidecar.records),
            None => match self.scan(number, length, end)? {
                Some(scanned) => scanned,
                None => return Ok(Vec::new()),
            },
        };
        let journal = match store.read_all(&store.path(number, Part::Journal)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                drop(store.disk.create(&store.path(number, Part::Journal))?);
                Vec::new()
            }
            other => other?,
        };
        let (mut fates, gone) = self.fates(&journal, salt);
        let segment = Segment {
            salt,
            end: length,
            journal_end: journal.len() as u64,
            // The process that wrote it may not have synced it.
            journal_dirty: !journal.is_empty(),
            pins: self
                .headers
                .pins
                .get(&number)
                .copied()
                .into_iter()
                .collect(),
            ..Segment::default()
        };
        store.index().segments.insert(number, segment);
        let mut waiting = Vec::new();
        for records in records.chunks(LOCK_MESSAGES_MAX) {
            let mut index = store.index();
            for summary in records.iter().filter(|summary| !gone.contains(&summary.id)) {
                let fates = fates.remove(&summary.id).unwrap_or_default();
                self.message(&mut index, number, summary, &fates, now, &mut waiting);
            }
        }
        if let Some(segment) = store.index().segments.get_mut(&number) {
            segment.sealed = true;
        }
        Ok(waiting)
    }

    fn message(
        &mut self,
        index: &mut Index,
        number: u32,
        summary: &Summary,
        fates: &[(u32, u32, Fate)],
        now: u64,
        waiting: &mut Vec<Waiting>,
    ) {
        if let Some(&newer) = self.moved.get(&summary.id) {
            // The power failed before the journal here could say that it has moved: the copy outlives this segment.
            if let Some(segment) = index.segments.get_mut(&newer)
                && !segment.pins.contains(&number)
            {
                segment.pins.push(number);
            }
            return;
        }
        if self.overtaken.contains(&summary.id) {
            // An older copy is in force since this segment could not be read: the next start must not prefer this one.
            let entry = Entry::Moved { id: summary.id };
            self.store.queue_entry(index, number, &entry);
            return;
        }
        if summary.moved {
            self.moved.insert(summary.id, number);
        }
        if !self.unread.is_empty() {
            self.overtaken.insert(summary.id);
        }
        let Some(slot) = index.insert(number, summary, now, fates) else {
            return;
        };
        let delays: HashMap<u32, u64> = fates
            .iter()
            .map(|(recipient, _, fate)| (*recipient, delay(fate, now)))
            .collect();
        let Some(message) = index.message(slot) else {
            return;
        };
        let open = message
            .recipients
            .iter()
            .zip(0_u32..)
            .filter(|(recipient, _)| !recipient.state.is_final());
        let due = open
            .map(|(_, recipient)| (recipient, delays.get(&recipient).copied().unwrap_or(0)))
            .collect();
        let overdue_since = self.overdue_since(index, slot, fates, now);
        waiting.push(Waiting {
            slot,
            due,
            overdue_since,
        });
    }

    fn fates(&self, journal: &[u8], salt: u64) -> (Fates, HashSet<u64>) {
        let mut fates = Fates::new();
        let mut gone = HashSet::new();
        journal::replay(journal, salt, |place, entry| match entry {
            Entry::Moved { id } => {
                gone.insert(id);
            }
            Entry::Fate {
                id,
                recipient,
                fate,
            } => {
                let known = fates.entry(id).or_default();
                match known.binary_search_by_key(&recipient, |(recipient, _, _)| *recipient) {
                    Ok(at) => {
                        if let Some(known) = known.get_mut(at) {
                            *known = (recipient, place, fate);
                        }
                    }
                    Err(at) => known.insert(at, (recipient, place, fate)),
                }
            }
        });
        (fates, gone)
    }

    /// Reads the records themselves, sets aside what is damaged, and writes the sidecar that was missing.
    fn scan(
        &mut self,
        number: u32,
        length: u64,
        end: Option<u64>,
    ) -> io::Result<Option<(u64, u64, Vec<Summary>)>> {
        if length > 2 * SEGMENT_BYTES_MAX {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        // What is read now must not change by a power failure later: a cut may not be synced yet.
        self.store.sync(&*self.store.file(number, Part::Log)?)?;
        let mut bytes = self.store.read_all(&self.store.path(number, Part::Log))?;
        if let Some(end) = end.and_then(|end| usize::try_from(end).ok()) {
            bytes.truncate(end);
        }
        let Some(salt) = salt_of(&bytes) else {
            self.without_salt(number, &bytes);
            return Ok(None);
        };
        let mut records = Vec::new();
        let mut builder = Builder::default();
        let mut is_whole = true;
        for found in scan(&bytes, salt) {
            let (offset, length, detail) = match found {
                Found::Record {
                    offset,
                    header,
                    envelope,
                } => match summary(&header, envelope, offset) {
                    Some(summary) => {
                        builder.add(&summary);
                        records.push(summary);
                        continue;
                    }
                    None => (offset, header.record_bytes(), "the envelope cannot be read"),
                },
                // No segment follows in the same run: see `last_write`.
                Found::Damaged {
                    offset, last: true, ..
                } if end.is_none() => {
                    self.last_write(number, offset, &bytes);
                    continue;
                }
                Found::Damaged {
                    offset,
                    bytes,
                    detail,
                    ..
                } => (offset, bytes, detail),
            };
            is_whole = false;
            let stretch = stretch(&bytes, offset, length);
            self.store.set_aside(number, offset, stretch, detail);
        }
        self.is_damaged |= !is_whole;
        let end = bytes.len() as u64;
        if is_whole {
            self.store
                .write_sidecar(number, &builder.finish(u64::from(number), salt, end));
        }
        Ok(Some((salt, end, records)))
    }

    /// Keeps the damaged end of the last segment of a run. Its last write may have been cut short, and nobody was told 250 for
    /// it; or it was whole, and the disk has lost some of it: nobody can tell, so it is kept and told. Room that was never
    /// written to says nothing.
    fn last_write(&self, number: u32, offset: u64, bytes: &[u8]) {
        let tail = bytes.get(usize::try_from(offset).unwrap_or(bytes.len())..);
        let tail = tail.unwrap_or_default();
        if tail.iter().any(|byte| *byte != 0) {
            self.store.set_aside(number, offset, tail, LAST_WRITE);
        }
    }

    /// Neither the header nor the first record can be read: all of it is kept, unless nothing was ever accepted here.
    fn without_salt(&mut self, number: u32, bytes: &[u8]) {
        if bytes.len() > HEADER_BYTES {
            self.is_damaged = true;
            self.store
                .set_aside(number, 0, bytes, "the segment's header is damaged");
            let kept = self
                .store
                .corrupt_folder()
                .join(format!("{number:08x}.log"));
            drop(
                self.store
                    .disk
                    .rename(&self.store.path(number, Part::Log), &kept),
            );
            return;
        }
        self.store.forget_files(number);
        drop(self.store.disk.remove(&self.store.path(number, Part::Log)));
    }
}

/// Milliseconds until the next attempt. The clock may have been set since the entry was written, in either direction: never
/// longer than was planned.
pub(crate) fn delay(fate: &Fate, now: u64) -> u64 {
    let passed = now.saturating_sub(fate.at);
    fate.retry_after.saturating_sub(passed)
}

fn summary(header: &RecordHeader, coded: &[u8], offset: u64) -> Option<Summary> {
    Some(Summary::new(header, &envelope::decode(coded)?, offset))
}

/// So many bytes from there on, as far as there are any.
fn stretch(bytes: &[u8], offset: u64, length: u64) -> &[u8] {
    let start = usize::try_from(offset).unwrap_or(bytes.len());
    let length = usize::try_from(length).unwrap_or(bytes.len());
    let end = start.saturating_add(length).min(bytes.len());
    bytes.get(start..end).unwrap_or_default()
}

/// The salt by the header, or by the first record if only the header is damaged.
fn salt_of(bytes: &[u8]) -> Option<u64> {
    if let Some(header) = SegmentHeader::decode(bytes) {
        return Some(header.salt);
    }
    let first = bytes.get(HEADER_BYTES..)?;
    let salt = u64::from_le_bytes(first.get(..mem::size_of::<u64>())?.try_into().ok()?);
    RecordHeader::decode(first, salt).map(|_| salt)
}

impl Store {
    /// Writes a sidecar, unsynced: it is checksummed, and without it its segment is scanned.
    pub(crate) fn write_sidecar(&self, number: u32, bytes: &[u8]) {
        let path = self.path(number, Part::Sidecar);
        drop(self.disk.remove(&path));
        let written = self
            .disk
            .create(&path)
            .and_then(|file| file.write_at(0, &[io::IoSlice::new(bytes)]));
        if written.is_err() {
            drop(self.disk.remove(&path));
        }
    }
}

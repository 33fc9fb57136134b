//! The one writer: appends groups of messages to the active segment, one write and one sync for all of them.
//!
//! It has no thread and no clock of its own, so that a simulation can drive it step by step; `queue::threads` runs it.
//! After a failed write or sync nothing of that group is believed: the segment is cut off where the last good group ended,
//! the next segment's header says so too, and all who submitted are refused. What a failing disk kept of them in spite of
//! both (the cut failed, and a crash came before the next segment was made) is the one case in which a refused message may
//! come back; its sender then has a 451 and sends it again.

use std::io::{self, IoSlice};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use crate::index::Segment;
use crate::journal::{Entry, Fate};
use crate::limits::SEGMENT_BYTES_MAX;
use crate::record::{Draft, HEADER_BYTES, SegmentHeader};
use crate::recovery::Recoverer;
use crate::sidecar::{Builder, Summary};
use crate::store::{Part, Store};
use crate::{DiskFile, Notice, SubmitError};

mod compact;
mod journals;
#[cfg(test)]
mod tests;

/// A message that waits to be written.
pub(crate) struct Pending {
    pub(crate) draft: Draft,
    /// Its offset is filled in here.
    pub(crate) summary: Summary,
    /// How recipients fare of which more is known than that they wait: a message that comes from another queue.
    pub(crate) fates: Vec<(u32, Fate)>,
}

/// The writer.
pub(crate) struct Writer {
    pub(crate) store: Arc<Store>,
    active: Option<Active>,
    next_number: u32,
    /// The segment before, and where it ends.
    before: (u32, u64),
    /// Whether that one holds refused messages behind its end.
    cut: bool,
    /// The first segment that may be removed and compacted: those of earlier runs only when all of them have been read.
    free_from: u32,
}

/// How a recipient of a new message fares: which, where in the journal, what.
type Journaled = (u32, u32, Fate);

struct Active {
    number: u32,
    salt: u64,
    file: Arc<dyn DiskFile>,
    end: u64,
    sidecar: Builder,
}

impl Writer {
    /// A writer whose first segment will have this number: higher than all that are there.
    pub(crate) fn new(store: Arc<Store>, next_number: u32) -> Writer {
        Writer {
            store,
            active: None,
            next_number,
            before: (0, 0),
            cut: false,
            free_from: next_number,
        }
    }

    /// Makes the next segment unless there is one.
    pub(crate) fn ensure_active(&mut self) -> io::Result<()> {
        if self.active.is_some() {
            return Ok(());
        }
        let number = self.next_number;
        // A number is used once, even if nothing came of it.
        self.next_number = number.saturating_add(1);
        let salt = self.store.disk.nonce();
        let (before, before_end) = (u64::from(self.before.0), self.before.1);
        let header = SegmentHeader {
            number: u64::from(number),
            salt,
            before,
            before_end,
            cut: self.cut,
        };
        let pins = if self.cut {
            vec![self.before.0]
        } else {
            Vec::new()
        };
        let file = match self.create(number, &header) {
            Ok(file) => file,
            Err(error) => {
                drop(self.store.disk.remove(&self.store.path(number, Part::Log)));
                drop(
                    self.store
                        .disk
                        .remove(&self.store.path(number, Part::Journal)),
                );
                return Err(error);
            }
        };
        let end = HEADER_BYTES as u64;
        self.store.index().segments.insert(
            number,
            Segment {
                salt,
                end,
                pins,
                ..Segment::default()
            },
        );
        self.store.keep_open(number, Part::Log, &file);
        self.store.open_ids(number);
        self.active = Some(Active {
            number,
            salt,
            file,
            end,
            sidecar: Builder::default(),
        });
        Ok(())
    }

    fn create(&self, number: u32, header: &SegmentHeader) -> io::Result<Arc<dyn DiskFile>> {
        let disk = &self.store.disk;
        let file = disk.create(&self.store.path(number, Part::Log))?;
        disk.create(&self.store.path(number, Part::Journal))?;
        file.write_at(0, &[IoSlice::new(&header.encode())])?;
        self.store.sync(&*file)?;
        self.store.counts.syncs.fetch_add(1, Ordering::Relaxed);
        disk.sync_folder(&self.store.segments_folder())?;
        Ok(file)
    }

    /// Writes a group and syncs it: all of it is kept, or none. On success the slots of its messages in the index, in order.
    pub(crate) fn commit(
        &mut self,
        group: &mut [Pending],
        now: u64,
    ) -> Result<Vec<Option<u32>>, SubmitError> {
        self.check_room()?;
        let fates = self.journal_fates(group)?;
        self.append(group)
            .map_err(|error| self.give_up("writing a group", &error))?;
        let Some(active) = self.active.as_mut() else {
            return Ok(Vec::new());
        };
        let mut index = self.store.index();
        if let Some(segment) = index.segments.get_mut(&active.number) {
            segment.end = active.end;
        }
        let mut slots = Vec::with_capacity(group.len());
        for (pending, fates) in group.iter().zip(&fates) {
            slots.push(index.insert(active.number, &pending.summary, now, fates));
        }
        drop(index);
        self.store
            .counts
            .submits
            .fetch_add(slots.len() as u64, Ordering::Relaxed);
        if self.is_full_segment() {
            self.roll();
        }
        Ok(slots)
    }

    /// Puts how recipients fare into the journal, synced, before the records that it belongs to: a message is never there
    /// without it. Entries whose records do not come are nobody's: no id is used twice. For each message what the index needs.
    fn journal_fates(&mut self, group: &mut [Pending]) -> Result<Vec<Vec<Journaled>>, SubmitError> {
        let mut all = vec![Vec::new(); group.len()];
        if group.iter().all(|pending| pending.fates.is_empty()) {
            return Ok(all);
        }
        self.ensure_active()
            .map_err(|error| self.give_up("making a segment", &error))?;
        let Some(number) = self.active.as_ref().map(|active| active.number) else {
            return Ok(all);
        };
        {
            let mut index = self.store.index();
            for (pending, places) in group.iter().zip(&mut all) {
                let id = pending.summary.id;
                for (recipient, fate) in &pending.fates {
                    let entry = Entry::Fate {
                        id,
                        recipient: *recipient,
                        fate: fate.clone(),
                    };
                    let place = self.store.queue_entry(&mut index, number, &entry);
                    places.push((*recipient, place, fate.clone()));
                }
            }
        }
        if self.write_journals() && self.sync_journals() {
            return Ok(all);
        }
        Err(SubmitError::Fault(
            "the journal could not be synced".to_owned(),
        ))
    }

    /// Appends and syncs, without a word to the index.
    fn append(&mut self, group: &mut [Pending]) -> io::Result<()> {
        self.ensure_active()?;
        let Some(active) = self.active.as_mut() else {
            return Ok(());
        };
        let mut end = active.end;
        let headers: Vec<_> = group
            .iter()
            .map(|pending| pending.draft.header.encode(active.salt))
            .collect();
        for pending in group.iter_mut() {
            pending.summary.offset = end;
            end += pending.draft.header.record_bytes();
        }
        let slices: Vec<IoSlice<'_>> = group
            .iter()
            .zip(&headers)
            .flat_map(|(pending, header)| pending.draft.slices(header))
            .collect();
        active.file.write_at(active.end, &slices)?;
        self.store.sync(&*active.file)?;
        active.end = end;
        for pending in group.iter() {
            active.sidecar.add(&pending.summary);
        }
        Ok(())
    }

    fn is_full_segment(&self) -> bool {
        let bytes_max = self.store.settings.segment_bytes_max.min(SEGMENT_BYTES_MAX);
        self.active
            .as_ref()
            .is_some_and(|active| active.end >= bytes_max)
            || self.store.ids_run_out()
    }

    /// Ends the active segment, writes its sidecar, and makes the next one.
    fn roll(&mut self) {
        self.seal(true);
        if let Err(error) = self.ensure_active() {
            self.give_up("making a segment", &error);
        }
    }

    /// Ends the active segment.
    pub(crate) fn seal(&mut self, with_sidecar: bool) {
        let Some(active) = self.active.take() else {
            return;
        };
        self.before = (active.number, active.end);
        self.cut = false;
        if with_sidecar {
            let bytes = active
                .sidecar
                .finish(u64::from(active.number), active.salt, active.end);
            self.store.write_sidecar(active.number, &bytes);
        }
        if let Some(segment) = self.store.index().segments.get_mut(&active.number) {
            segment.sealed = true;
        }
    }

    /// The world's fault: cuts the refused group off, ends the segment, refuses until a new one can be made.
    fn give_up(&mut self, what: &'static str, error: &io::Error) -> SubmitError {
        if let Some(active) = &self.active {
            // What the cut leaves is not believed either: the next header says where this segment ends.
            let _ = active
                .file
                .truncate(active.end)
                .and_then(|()| self.store.sync(&*active.file));
            self.seal(false);
            self.cut = true;
        }
        let detail = error.to_string();
        if error.kind() == io::ErrorKind::StorageFull
            || error.kind() == io::ErrorKind::QuotaExceeded
        {
            self.set_full(true);
            return self.store.full();
        }
        let is_news = self.store.health().fault.replace(detail.clone()).is_none();
        if is_news {
            self.store.tell(Notice::DiskFault {
                what,
                detail: detail.clone(),
            });
        }
        SubmitError::Fault(detail)
    }

    /// Looks whether there is room and the disk works again; to be called each second while either is not so.
    pub(crate) fn recheck(&mut self) -> Result<(), SubmitError> {
        self.look_at_free_bytes();
        if !self.store.health().full && self.active.is_none() {
            match self.ensure_active() {
                Ok(()) => {
                    if self.store.health().fault.take().is_some() {
                        self.store.tell(Notice::DiskWorks);
                    }
                }
                Err(error) => return Err(self.give_up("making a segment", &error)),
            }
        }
        self.store.room()
    }

    fn check_room(&mut self) -> Result<(), SubmitError> {
        self.look_at_free_bytes();
        match self.store.room() {
            // What was handed in before is still kept.
            Err(SubmitError::Closed) => Ok(()),
            other => other,
        }
    }

    /// Below the reserve the disk is full, and stays so until an eighth more than the reserve is free: no flapping.
    fn look_at_free_bytes(&mut self) {
        let settings = &self.store.settings;
        let Ok(free) = self.store.disk.free_bytes(&settings.folder) else {
            return;
        };
        self.store.counts.free_bytes.store(free, Ordering::Relaxed);
        let enough = settings
            .reserve_bytes
            .saturating_add(settings.reserve_bytes / 8);
        let is_full = self.store.health().full;
        if !is_full && free < settings.reserve_bytes {
            self.set_full(true);
        } else if is_full && free >= enough {
            self.set_full(false);
        }
    }

    fn set_full(&self, full: bool) {
        let before = std::mem::replace(&mut self.store.health().full, full);
        let free = self.store.counts.free_bytes.load(Ordering::Relaxed);
        match (before, full) {
            (false, true) => self.store.tell(Notice::DiskFull {
                free,
                reserve: self.store.settings.reserve_bytes,
            }),
            (true, false) => self.store.tell(Notice::DiskFree { free }),
            _ => {}
        }
    }

    /// All earlier segments are read: from here on finished ones are removed and sparse ones compacted.
    pub(crate) fn finish_recovery(&mut self, recoverer: &Recoverer) {
        self.free_from = 0;
        // A large content goes only when the entry that ended its message cannot be taken back by a power failure: they are
        // listed first, so that what ends meanwhile is not among them.
        let orphans = recoverer.orphans();
        let is_synced = self.repeat_journals() && self.sync_journals();
        let is_suspect = |segment: &Segment| segment.journal_suspect;
        if !is_synced || self.store.index().segments.values().any(is_suspect) {
            return;
        }
        for id in orphans {
            drop(self.store.disk.remove(&self.store.content_path(id)));
        }
    }

    /// Ends in order: journals synced, the active segment with its sidecar.
    pub(crate) fn close(&mut self) {
        self.repeat_journals();
        self.sync_journals();
        self.seal(true);
    }

    /// Removes the large contents of messages whose end is in a synced journal, or whose segment is gone.
    fn remove_dead_contents(&self) {
        let mut dead = self
            .store
            .dead_contents
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let all = std::mem::take(&mut *dead);
        let index = self.store.index();
        let is_certain = |segment: u32| match index.segments.get(&segment) {
            None => true,
            Some(state) => {
                !state.journal_dirty && !state.journal_suspect && !index.journal.concerns(segment)
            }
        };
        let (certain, uncertain): (Vec<_>, Vec<_>) = all
            .into_iter()
            .partition(|(_, segment)| is_certain(*segment));
        *dead = uncertain;
        drop((index, dead));
        for (id, _) in certain {
            // If this fails, the next start removes it.
            drop(self.store.disk.remove(&self.store.content_path(id)));
        }
    }
}

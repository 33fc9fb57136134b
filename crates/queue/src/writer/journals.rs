//! Writing and syncing journals, and removing segments that are finished.

use std::io::IoSlice;

use super::Writer;
use crate::Notice;
use crate::store::Part;

impl Writer {
    /// Gives all queued entries to the system: they outlive this process from here on, and a power failure after
    /// [`Writer::sync_journals`]. Returns whether all could be written.
    pub(crate) fn write_journals(&mut self) -> bool {
        let chunks = self.store.index().journal.begin();
        let mut failed = Vec::new();
        for chunk in chunks.iter() {
            let written = self
                .store
                .file(chunk.segment, Part::Journal)
                .and_then(|file| file.write_at(chunk.offset, &[IoSlice::new(&chunk.bytes)]));
            // A segment that is not there any more was removed since: nobody needs to know.
            let mut index = self.store.index();
            let Some(segment) = index.segments.get_mut(&chunk.segment) else {
                continue;
            };
            segment.journal_dirty = true;
            let is_news = !std::mem::replace(&mut segment.journal_fails, written.is_err());
            drop(index);
            let Err(error) = written else { continue };
            // If the process ends before a repetition works, these recipients are tried again.
            failed.push(chunk.clone());
            if is_news {
                self.store.tell(Notice::DiskFault {
                    what: "writing a journal",
                    detail: error.to_string(),
                });
            }
        }
        let is_whole = failed.is_empty();
        self.store.index().journal.finish(failed);
        is_whole
    }

    /// Tries once more to write what could not be written, too. To be called now and then, not in a loop: the disk may go on
    /// failing.
    pub(crate) fn repeat_journals(&mut self) -> bool {
        self.store.index().journal.repeat();
        self.write_journals()
    }

    /// Syncs the journals that were written to; then what they have finished is removed. Returns whether all could be synced.
    pub(crate) fn sync_journals(&mut self) -> bool {
        let dirty: Vec<u32> = {
            let mut index = self.store.index();
            let dirty = index
                .segments
                .iter_mut()
                .filter(|(_, segment)| segment.journal_dirty);
            dirty
                .map(|(&number, segment)| (segment.journal_dirty = false, number).1)
                .collect()
        };
        let mut is_whole = true;
        for number in dirty {
            let synced = self
                .store
                .file(number, Part::Journal)
                .and_then(|file| self.store.sync(&*file));
            if let Err(error) = synced {
                is_whole = false;
                if let Some(segment) = self.store.index().segments.get_mut(&number) {
                    segment.journal_dirty = true;
                    segment.journal_suspect = true;
                }
                self.store.tell(Notice::DiskFault {
                    what: "syncing a journal",
                    detail: error.to_string(),
                });
            }
        }
        self.remove_finished();
        self.remove_dead_contents();
        is_whole
    }

    /// Removes the segments of which no message waits any more. The records go first and for good, the journal after that:
    /// records without their journal would all be delivered again.
    fn remove_finished(&mut self) {
        let finished: Vec<u32> = {
            let index = self.store.index();
            // The highest number stays: it keeps numbers, and the ids made of them, from being used again.
            let highest = index.segments.keys().next_back().copied();
            let is_finished = |number: u32, segment: &crate::index::Segment| {
                number >= self.free_from
                    && segment.sealed
                    && segment.live == 0
                    && !segment.journal_dirty
                    && !segment.stuck
                    && Some(number) != highest
                    && !index.journal.concerns(number)
                    && !segment
                        .pins
                        .iter()
                        .any(|pin| index.segments.contains_key(pin))
            };
            let segments = index.segments.iter();
            segments
                .filter(|&(&number, segment)| is_finished(number, segment))
                .map(|(&number, _)| number)
                .collect()
        };
        if finished.is_empty() {
            return;
        }
        let disk = &self.store.disk;
        let mut removed = Vec::new();
        for number in finished {
            self.store.forget_files(number);
            match disk.remove(&self.store.path(number, Part::Log)) {
                Ok(()) => removed.push(number),
                Err(error) => {
                    if let Some(segment) = self.store.index().segments.get_mut(&number) {
                        segment.stuck = true;
                    }
                    self.store.tell(Notice::DiskFault {
                        what: "removing a segment",
                        detail: error.to_string(),
                    });
                }
            }
        }
        if disk.sync_folder(&self.store.segments_folder()).is_err() {
            // The journals stay, and with them the proof that the segments were finished; the next start removes both.
            return;
        }
        for number in removed {
            self.store.index().segments.remove(&number);
            drop(disk.remove(&self.store.path(number, Part::Journal)));
            drop(disk.remove(&self.store.path(number, Part::Sidecar)));
        }
    }
}

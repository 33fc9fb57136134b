//! How an export ends: its messages are removed, or they go on. The same for one that an earlier run left behind.

use std::io;
use std::sync::TryLockError;
use std::sync::atomic::Ordering;

use super::{AbortedExport, FileReader, TransferError, folder, left, of_queue};
use crate::journal::{Exporting, Fate};
use crate::queue::import::with_ending;
use crate::queue::shared::{Shared, wall};
use crate::queue::{Queue, ReadError};
use crate::schedule::ParcelId;
use crate::transfer::ledger::{Ledger, Noted};
use crate::{Actor, Notice, RecipientState};

/// Messages whose end is decided under one lock.
const LOCK_MESSAGES_MAX: usize = 500;
/// Changed messages that wait for a sync: entries of journals are in memory until then.
const FLUSH_MESSAGES_MAX: u64 = 10_000;

impl Queue {
    /// Ends an export: one that is under way takes its messages back as soon as it sees that; one that an earlier run or a fault
    /// has left is ended as a start would end it. It blocks.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn abort_export(&self) -> Result<AbortedExport, TransferError> {
        let shared = &self.shared;
        let _moving = match shared.moving.try_lock() {
            Ok(moving) => moving,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                shared.stop_moving.store(true, Ordering::Relaxed);
                return Ok(AbortedExport::Told);
            }
        };
        if !self.recovery().done {
            return Err(TransferError::Recovering);
        }
        let noted = match shared.store.noted_export().map_err(of_queue)? {
            Noted::Damaged => Noted::Nothing,
            noted => noted,
        };
        let is_noted = noted != Noted::Nothing;
        let (finished, messages) = shared.end_noted(noted).map_err(of_queue)?;
        if !is_noted && messages == 0 {
            return Ok(AbortedExport::Nothing);
        }
        Ok(AbortedExport::Ended { finished, messages })
    }
}

impl Shared {
    /// After the reading of earlier segments: ends the export that an earlier run has left, if there is one.
    pub(in crate::queue) fn end_left_export(&self) {
        let ended = self.store.noted_export().and_then(|noted| {
            let path = match &noted {
                Noted::Nothing => None,
                Noted::Export(ledger) => Some(ledger.path.clone()),
                Noted::Damaged => {
                    return Err(io::Error::new(
                        io::ErrorKind::InvalidData,
                        "its note is damaged: its messages stay held until it is aborted",
                    ));
                }
            };
            self.end_noted(noted).map(|ended| (path, ended))
        });
        match ended {
            Ok((None, (_, 0))) => {}
            Ok((path, (finished, messages))) => self.store.tell(Notice::ExportEnded {
                path: path.unwrap_or_default(),
                finished,
                messages,
            }),
            Err(error) => self.store.tell(Notice::DiskFault {
                what: "ending an export",
                detail: error.to_string(),
            }),
        }
    }

    /// Whether the file was finished, and how many messages that concerned.
    fn end_noted(&self, noted: Noted) -> io::Result<(bool, u64)> {
        let Noted::Export(ledger) = noted else {
            let released = self.release_all()?;
            self.store.forget_export()?;
            return Ok((false, released));
        };
        if ledger.finished || self.is_file_finished(&ledger)? {
            let removed = self.remove_all(&ledger)?;
            self.store.forget_export()?;
            return Ok((true, removed));
        }
        self.remove_file(&ledger);
        let released = self.release_all()?;
        self.store.forget_export()?;
        Ok((false, released))
    }

    /// The file is finished: the messages are in it, and leave the queue.
    pub(super) fn finish_export(&self, ledger: Ledger) {
        let ledger = Ledger {
            finished: true,
            ..ledger
        };
        // If one of these fails the note stays, and whoever reads it goes on from here.
        let ended = self
            .store
            .note_export(&ledger)
            .and(self.remove_all(&ledger))
            .and_then(|_| self.store.forget_export());
        if let Err(error) = ended {
            self.store.tell(Notice::DiskFault {
                what: "ending an export",
                detail: error.to_string(),
            });
        }
    }

    /// The export has failed: its messages go on. Unless it cannot be told whether the file is finished: then they wait.
    pub(super) fn take_back(&self, ledger: &Ledger, error: TransferError) -> TransferError {
        let is_gone = self.remove_file(ledger);
        if !is_gone && !matches!(self.is_file_finished(ledger), Ok(false)) {
            return TransferError::File {
                path: ledger.path.clone(),
                detail: format!(
                    "{error}; the file could not be removed, so its messages stay held: remove it, then `gatepost queue export --abort`"
                ),
            };
        }
        let ended = self.release_all().and_then(|_| self.store.forget_export());
        match ended {
            Ok(()) => error,
            // They go on; the note stays for the next start.
            Err(ended) => TransferError::Queue(format!("{error}; {ended}")),
        }
    }

    /// Removes the file, if it is this export's; whether its content is gone for good.
    fn remove_file(&self, ledger: &Ledger) -> bool {
        let disk = &self.store.disk;
        match self.open_file(ledger) {
            Ok(Some(mut file)) => {
                let is_empty = file.erase().is_ok();
                let is_gone = disk.remove(&ledger.path).is_ok()
                    && disk.sync_folder(folder(&ledger.path)).is_ok();
                is_empty || is_gone
            }
            Ok(None) => true,
            Err(_) => false,
        }
    }

    /// Whether the file is finished, for good: what is seen of it may not have been synced.
    fn is_file_finished(&self, ledger: &Ledger) -> io::Result<bool> {
        let Some(file) = self.open_file(ledger)? else {
            return Ok(false);
        };
        if !file.is_finished()? {
            return Ok(false);
        }
        file.confirm()?;
        self.store.disk.sync_folder(folder(&ledger.path))?;
        Ok(true)
    }

    /// The export's file; `None` if there is none, or another one by that name.
    fn open_file(&self, ledger: &Ledger) -> io::Result<Option<FileReader>> {
        use crate::transfer::read::Unreadable;
        let file = match self.store.disk.open(&ledger.path) {
            // Somebody may have imported it by now, who saw it finished.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                match self.store.disk.open(&with_ending(&ledger.path, "imported")) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                    other => other?,
                }
            }
            other => other?,
        };
        match FileReader::open(file) {
            Ok(file) => Ok(Some(file).filter(|file| file.salt() == ledger.salt)),
            Err(Unreadable::Disk(error)) => Err(error),
            Err(Unreadable::Later(_) | Unreadable::Foreign) => Ok(None),
        }
    }

    fn remove_all(&self, ledger: &Ledger) -> io::Result<u64> {
        let by = Actor {
            name: ledger.by.name.clone(),
            reason: format!(
                "exported to {}: {}",
                ledger.path.display(),
                ledger.by.reason
            ),
        };
        let by = crate::queue::operate::clipped(&by);
        self.end_each(&|fate, _| {
            fate.exporting = Exporting::No;
            fate.state = RecipientState::Removed;
            fate.by = Some(by.clone());
        })
    }

    fn release_all(&self) -> io::Result<u64> {
        self.end_each(&release)
    }

    /// Changes all recipients that are held for an export, synced; how many messages that were.
    fn end_each(&self, change: &dyn Fn(&mut Fate, u64)) -> io::Result<u64> {
        let synced = || self.flush().map_err(|error| fault(&error));
        let (mut after, mut count, mut unsynced) = (None, 0, 0);
        loop {
            let ids: Vec<u64> = {
                let index = self.store.index();
                index.after(after).take(LOCK_MESSAGES_MAX).collect()
            };
            let Some(&last) = ids.last() else { break };
            after = Some(last);
            for id in ids {
                let changed = u64::from(self.end_one(id, change));
                count += changed;
                unsynced += changed;
            }
            if unsynced >= FLUSH_MESSAGES_MAX {
                synced()?;
                unsynced = 0;
            }
        }
        synced()?;
        Ok(count)
    }

    /// A message that was to be exported goes on.
    pub(super) fn let_stay(&self, id: u64) {
        self.end_one(id, &release);
    }

    fn end_one(&self, id: u64, change: &dyn Fn(&mut Fate, u64)) -> bool {
        let mut plan = self.plan();
        let mut index = self.store.index();
        let Some(slot) = index.slot(id) else {
            return false;
        };
        let held: Vec<(u32, u32)> = index.message(slot).map_or_else(Vec::new, |message| {
            let known = message.recipients.iter().zip(0..);
            known
                .filter(|(known, _)| known.exporting && !known.state.is_final())
                .map(|(known, at)| (at, known.parcel))
                .collect()
        });
        let (wall, now) = (wall(), self.now());
        for &(at, parcel) in &held {
            let mut state = RecipientState::Held;
            self.store.change(&mut index, slot, at, wall, |fate| {
                change(fate, wall);
                state = fate.state;
            });
            let parcel = ParcelId(parcel);
            let is_there = plan.schedule.parcel(parcel);
            if is_there.is_none_or(|parcel| parcel.message != id) {
                continue;
            }
            match state {
                RecipientState::Waiting => {
                    plan.schedule.release_held(parcel, now);
                    plan.offer(parcel);
                }
                RecipientState::Removed => drop(plan.schedule.remove(parcel, now)),
                _ => {}
            }
        }
        drop(index);
        self.let_go(plan);
        !held.is_empty()
    }
}

/// As it was before the export.
fn release(fate: &mut Fate, wall: u64) {
    fate.retry_after = left(fate, wall);
    *fate = super::as_before(fate.clone());
}

fn fault(error: &ReadError) -> io::Error {
    io::Error::other(error.to_string())
}

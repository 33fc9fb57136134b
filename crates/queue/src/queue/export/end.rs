//! How an export ends: its messages are removed, or they go on. The same for one that an earlier run left behind.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::TryLockError;
use std::sync::atomic::Ordering;

use super::{AbortedExport, FileReader, TransferError, folder, left, of_file, of_queue};
use crate::journal::{Exporting, Fate};
use crate::queue::import::with_ending;
use crate::queue::operate::is_exporting;
use crate::queue::shared::{Shared, wall};
use crate::queue::{Queue, ReadError};
use crate::schedule::ParcelId;
use crate::transfer::ledger::{Ledger, Noted, Phase};
use crate::{Actor, Disk, Notice, RecipientState};

/// Messages whose end is decided under one lock.
const LOCK_MESSAGES_MAX: usize = 500;
/// Changed messages that wait for a sync: entries of journals are in memory until then.
const FLUSH_MESSAGES_MAX: u64 = 10_000;

impl Queue {
    /// Ends an export: one that is under way takes its messages back as soon as it sees that; one that an earlier run or a fault
    /// has left is ended as a start would end it. One of which a start cannot tell how far it was is taken back. It blocks.
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
        let noted = shared.store.noted_export().map_err(of_queue)?;
        let is_noted = noted != Noted::Nothing;
        let (finished, messages) = shared
            .end_noted(&noted)
            .map_err(|error| TransferError::Unended(error.to_string()))?;
        if !is_noted && messages == 0 {
            return Ok(AbortedExport::Nothing);
        }
        Ok(AbortedExport::Ended { finished, messages })
    }
}

impl Shared {
    /// After the reading of earlier segments: ends the export that an earlier run has left, if there is one. Where it cannot be
    /// told how far it was its messages stay held: they may be another node's by now.
    pub(in crate::queue) fn end_left_export(&self) {
        let ended = self.store.noted_export().and_then(|noted| {
            self.check_known(&noted)?;
            self.end_noted(&noted).map(|ended| (noted, ended))
        });
        match ended {
            Ok((Noted::Nothing, (_, 0))) => {}
            Ok((noted, (finished, messages))) => self.store.tell(Notice::ExportEnded {
                path: match noted {
                    Noted::Export(ledger) => ledger.path,
                    Noted::Nothing | Noted::Damaged => PathBuf::new(),
                },
                finished,
                messages,
            }),
            Err(error) => self.store.tell(Notice::DiskFault {
                what: "ending an export",
                detail: error.to_string(),
            }),
        }
    }

    /// Whether what is noted of an export says how it is to end. A file that was being written and is away does not: whoever
    /// has taken it may have found it whole.
    fn check_known(&self, noted: &Noted) -> io::Result<()> {
        let unknown = match noted {
            Noted::Damaged => "its note is damaged".to_owned(),
            Noted::Export(ledger) if ledger.phase == Phase::Begun => {
                let path = unfinished(&ledger.path);
                if self.open_file(ledger, &path)?.is_some() || !self.is_any_exporting() {
                    return Ok(());
                }
                format!("{} is not there any more", path.display())
            }
            Noted::Nothing | Noted::Export(_) => return Ok(()),
        };
        Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!(
                "{unknown}: its messages stay held until `gatepost queue export --abort` lets them go on"
            ),
        ))
    }

    fn is_any_exporting(&self) -> bool {
        let mut after = None;
        loop {
            let index = self.store.index();
            let ids: Vec<u64> = index.after(after).take(LOCK_MESSAGES_MAX).collect();
            let Some(&last) = ids.last() else {
                return false;
            };
            after = Some(last);
            let slots = ids.iter().filter_map(|id| index.slot(*id));
            if slots.into_iter().any(|slot| is_exporting(&index, slot)) {
                return true;
            }
        }
    }

    /// Whether the export was finished, and how many messages that concerned.
    fn end_noted(&self, noted: &Noted) -> io::Result<(bool, u64)> {
        if let Noted::Export(ledger) = noted {
            if ledger.phase == Phase::Finished {
                // What is seen of the note may not have been synced.
                self.store.note_export(ledger)?;
                self.give_name(ledger)?;
                return Ok((true, self.let_go_of_all(ledger)?));
            }
            self.note_taken_back(ledger);
            if !self.remove_file(ledger) {
                return Err(io::Error::other(stays(&ledger.path)));
            }
        }
        let released = self.release_all()?;
        self.store.forget_export()?;
        Ok((false, released))
    }

    /// The whole file is synced: it takes the messages over, which leave the queue.
    pub(super) fn finish_export(&self, ledger: Ledger) -> Result<(), TransferError> {
        let ledger = Ledger {
            phase: Phase::Finished,
            ..ledger
        };
        if let Err(error) = self.store.note_export(&ledger) {
            return Err(self.take_back(&ledger, of_queue(error)));
        }
        let path = &ledger.path;
        if let Err(error) = self.give_name(&ledger) {
            let is_unfinished = self.open_file(&ledger, &unfinished(path));
            if matches!(is_unfinished, Ok(Some(_))) {
                return Err(self.take_back(&ledger, of_file(path, &error)));
            }
            return Err(unended(path, &error));
        }
        let ended = self.let_go_of_all(&ledger);
        ended.map(drop).map_err(|error| unended(path, &error))
    }

    fn let_go_of_all(&self, ledger: &Ledger) -> io::Result<u64> {
        let removed = self.remove_all(ledger)?;
        self.store.forget_export()?;
        Ok(removed)
    }

    /// Gives the file its name, synced. One that is not there any more has it already, and was moved since.
    fn give_name(&self, ledger: &Ledger) -> io::Result<()> {
        let (from, to) = (unfinished(&ledger.path), &ledger.path);
        if self.open_file(ledger, &from)?.is_some() {
            check_free(&*self.store.disk, to)?;
            self.store.disk.rename(&from, to)?;
        }
        self.store.disk.sync_folder(folder(to))
    }

    /// The export has failed: its messages go on, unless its file is there and says something else: then they wait.
    pub(super) fn take_back(&self, ledger: &Ledger, error: TransferError) -> TransferError {
        if let Err(unknown) = self.check_known(&Noted::Export(ledger.clone())) {
            return TransferError::Unended(format!("{error}; {unknown}"));
        }
        let is_noted = self.note_taken_back(ledger);
        if ledger.phase == Phase::Finished && !is_noted {
            return TransferError::Unended(format!(
                "{error}; and that cannot be noted, so the messages stay held: `gatepost queue export --abort` ends the export once the disk of the queue is well"
            ));
        }
        if !self.remove_file(ledger) {
            return TransferError::Unended(format!("{error}; {}", stays(&ledger.path)));
        }
        let ended = self.release_all().and_then(|_| self.store.forget_export());
        match ended {
            Ok(()) => error,
            // They go on; the note stays for the next start.
            Err(ended) => TransferError::Queue(format!("{error}; {ended}")),
        }
    }

    /// Whether it is noted that the file is to be removed. Otherwise a start that does not find it must leave its messages held.
    fn note_taken_back(&self, ledger: &Ledger) -> bool {
        let ledger = Ledger {
            phase: Phase::TakenBack,
            ..ledger.clone()
        };
        self.store.note_export(&ledger).is_ok()
    }

    /// Removes the file, if it is this export's; whether its content is gone for good.
    fn remove_file(&self, ledger: &Ledger) -> bool {
        let disk = &self.store.disk;
        let path = unfinished(&ledger.path);
        match self.open_file(ledger, &path) {
            Ok(Some(mut file)) => {
                let is_empty = file.erase().is_ok();
                let is_gone = disk.remove(&path).is_ok() && disk.sync_folder(folder(&path)).is_ok();
                is_empty || is_gone
            }
            Ok(None) => true,
            Err(_) => false,
        }
    }

    /// The export's file; `None` if there is none by that name, or another one.
    fn open_file(&self, ledger: &Ledger, path: &Path) -> io::Result<Option<FileReader>> {
        use crate::transfer::read::Unreadable;
        let file = match self.store.disk.open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
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
                    plan.schedule.unhold(parcel, now);
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

/// The name of a file that is being written. The reader of the finished one takes none that has it.
pub(in crate::queue) const UNFINISHED: &str = "unfinished";

pub(super) fn unfinished(path: &Path) -> PathBuf {
    with_ending(path, UNFINISHED)
}

/// # Errors
/// If a file has that name, or the disk fails.
pub(super) fn check_free(disk: &dyn Disk, path: &Path) -> io::Result<()> {
    match disk.open(path) {
        Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

fn stays(path: &Path) -> String {
    format!(
        "{} could not be removed, so its messages stay held: remove it, then `gatepost queue export --abort`",
        unfinished(path).display()
    )
}

fn unended(path: &Path, error: &io::Error) -> TransferError {
    TransferError::Unended(format!(
        "{} is finished and has the messages, but they could not be taken out of this queue: {error}; they stay held there until the next start, or `gatepost queue export --abort`, takes them out",
        path.display()
    ))
}

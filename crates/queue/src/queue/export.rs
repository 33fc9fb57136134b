//! Taking messages out of the queue into a file (`crate::transfer`), so that each is in one of the two and never in both.
//!
//! The file is noted in the queue's folder before the first message is touched, and written under a name of its own. Each
//! message is held, synced, then written; when all are, the file is synced. Then the note says that the export is finished:
//! that one write is the point at which it takes place. Only then the file gets its name, and last the messages are removed.
//! So a file that has its name is nobody's but the reader's, wherever it is moved: the queue has let go of it, or will at its
//! next start. Whatever ends an export before that point, its messages go on.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, TryLockError};
use std::time::{Duration, Instant};
use std::{io, thread};

use super::shared::{Shared, wall};
use super::{Queue, ReadError};
use crate::journal::{Exporting, Fate};
use crate::schedule::ParcelId;
use crate::transfer::ledger::{Ledger, Noted, Phase};
use crate::transfer::read::{CONTENT_BYTES_MAX, FileReader};
use crate::transfer::write::{FileWriter, as_before, folder};
use crate::transfer::{
    AbortedExport, ExportFilter, ExportRequest, Exported, LEFT_OUT_NAMED_MAX, LeftOut,
    TransferError, TransferProgress,
};
use crate::{Envelope, MessageId, RecipientState};

mod end;

pub(super) use end::UNFINISHED;

/// Messages that are taken out with one sync of their journals.
const BATCH_MESSAGES: usize = 64;
/// How often parcels that are being delivered are looked at.
const LOOK_PAUSE: Duration = Duration::from_millis(20);

impl Queue {
    /// Moves messages into a file. Those that arrive meanwhile stay. It blocks, for as long as the patience of the request and
    /// the writing take; `told` is called now and then.
    ///
    /// # Errors
    /// If the file cannot be made or written, or the queue cannot be read: then all messages are in the queue, and go on.
    /// [`TransferError::Unended`] if a disk fails so that they cannot: then they wait.
    pub fn export(
        &self,
        request: &ExportRequest,
        told: &mut dyn FnMut(TransferProgress),
    ) -> Result<Exported, TransferError> {
        let shared = &self.shared;
        let _moving = match shared.moving.try_lock() {
            Ok(moving) => moving,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return Err(under_way()),
        };
        shared.stop_moving.store(false, Ordering::Relaxed);
        if !self.recovery().done {
            return Err(TransferError::Recovering);
        }
        check_path(&shared.store.settings.folder, &request.path)?;
        if shared.store.noted_export().map_err(of_queue)? != Noted::Nothing {
            return Err(TransferError::Busy(
                "an earlier export was not ended: end it with `gatepost queue export --abort`"
                    .to_owned(),
            ));
        }
        let disk = &shared.store.disk;
        end::check_free(&**disk, &request.path).map_err(|error| of_file(&request.path, &error))?;
        let unfinished = end::unfinished(&request.path);
        let file = FileWriter::create(disk, &unfinished, &request.node, wall())
            .map_err(|error| of_file(&unfinished, &error))?;
        let ledger = Ledger {
            salt: file.salt(),
            phase: Phase::Begun,
            path: request.path.clone(),
            by: request.by.clone(),
        };
        let mut export = Export {
            queue: self,
            shared,
            request,
            file,
            done: Exported::default(),
            out: Vec::new(),
            total: shared.store.index().messages(),
            told,
        };
        let written = shared
            .store
            .note_export(&ledger)
            .map_err(of_queue)
            .and_then(|()| export.write_all())
            .and_then(|()| export.finish());
        match written {
            Ok(()) => shared.finish_export(ledger).map(|()| export.done),
            Err(error) => Err(shared.take_back(&ledger, error)),
        }
    }
}

fn under_way() -> TransferError {
    TransferError::Busy("another export or import is under way".to_owned())
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it stands where an error is mapped"
)]
fn of_queue(error: io::Error) -> TransferError {
    TransferError::Queue(error.to_string())
}

fn of_read(error: &ReadError) -> TransferError {
    TransferError::Queue(error.to_string())
}

fn of_file(path: &Path, error: &io::Error) -> TransferError {
    let path = path.to_owned();
    if error.kind() == io::ErrorKind::AlreadyExists {
        return TransferError::Refused(format!(
            "{}: there is such a file already; choose another name",
            path.display()
        ));
    }
    if error.kind() == io::ErrorKind::IsADirectory {
        return TransferError::Refused(format!(
            "{}: it is a directory; name a file",
            path.display()
        ));
    }
    let detail = error.to_string();
    if error.kind() == io::ErrorKind::NotFound {
        let detail = format!("{}: {detail}; make its folder first", path.display());
        return TransferError::Refused(detail);
    }
    TransferError::File { path, detail }
}

/// A path that the note of the export can hold, and that is not the queue's own.
fn check_path(queue: &Path, path: &Path) -> Result<(), TransferError> {
    let is_plain = path
        .to_str()
        .is_some_and(|text| !text.chars().any(char::is_control));
    let why = if !path.is_absolute() {
        "the path must be absolute: the gateway opens it, not the command"
    } else if !is_plain || path.file_name().is_none() {
        "the path must name a file, in UTF-8 without control characters"
    } else if path.starts_with(queue) {
        "the queue's own folder is no place for it"
    } else {
        return Ok(());
    };
    Err(TransferError::Refused(format!("{}: {why}", path.display())))
}

/// An export that is under way.
struct Export<'a> {
    queue: &'a Queue,
    shared: &'a Arc<Shared>,
    request: &'a ExportRequest,
    file: FileWriter,
    done: Exported,
    /// Messages that are held, but with a parcel that is being delivered.
    out: Vec<u64>,
    total: u64,
    told: &'a mut dyn FnMut(TransferProgress),
}

impl Export<'_> {
    fn write_all(&mut self) -> Result<(), TransferError> {
        let last = self.shared.store.index().last_id();
        let mut after = None;
        loop {
            let ids: Vec<u64> = self
                .shared
                .store
                .index()
                .after(after)
                .take_while(|id| Some(*id) <= last)
                .take(BATCH_MESSAGES)
                .collect();
            let Some(&end) = ids.last() else { break };
            after = Some(end);
            self.batch(&ids)?;
            self.tell();
        }
        self.wait_for_those_out()
    }

    fn tell(&mut self) {
        let written = self.file.written();
        (self.told)(TransferProgress {
            messages: written.messages,
            recipients: written.recipients,
            bytes: written.offset,
            total: self.total,
        });
    }

    fn batch(&mut self, ids: &[u64]) -> Result<(), TransferError> {
        self.go_on()?;
        let mut taken = Vec::new();
        for &id in ids {
            if !self.is_wanted(id)? {
                continue;
            }
            let chosen = self.chosen(id)?;
            if self
                .shared
                .take_out(id, &self.request.filter, chosen.as_deref())
            {
                taken.push(id);
            }
        }
        if taken.is_empty() {
            return Ok(());
        }
        // Before a byte of them is in the file: a start that finds the file must find them held.
        self.shared.flush().map_err(|error| of_read(&error))?;
        for id in taken {
            if self.shared.is_out(id) {
                self.out.push(id);
            } else {
                self.write(id)?;
            }
        }
        Ok(())
    }

    fn go_on(&self) -> Result<(), TransferError> {
        let stops = [&self.shared.stop_moving, &*self.request.stop];
        if stops.iter().any(|stop| stop.load(Ordering::Relaxed)) {
            return Err(TransferError::Aborted);
        }
        if self.shared.store.health().closed {
            return Err(TransferError::Queue("the gateway stops".to_owned()));
        }
        Ok(())
    }

    /// Whether the filter may want it, as far as that is known of the whole message.
    fn is_wanted(&mut self, id: u64) -> Result<bool, TransferError> {
        let filter = &self.request.filter;
        let arrived = {
            let index = self.shared.store.index();
            let slot = index.slot(id);
            slot.and_then(|slot| index.message(slot))
                .map(|message| message.arrived)
        };
        let is_old = |arrived| filter.arrived_before.is_none_or(|before| arrived < before);
        if !arrived.is_some_and(is_old) {
            return Ok(false);
        }
        let Some(reverse_path) = &filter.reverse_path else {
            return Ok(true);
        };
        match self.shared.store.read(id, false) {
            Ok(record) => Ok(record.envelope.reverse_path == *reverse_path),
            Err(ReadError::Gone) => Ok(false),
            Err(ReadError::Damaged(_)) => {
                self.leave(id, "its record is damaged");
                Ok(false)
            }
            Err(error) => Err(of_read(&error)),
        }
    }

    /// The recipients that are chosen one by one; `None` for all.
    fn chosen(&mut self, id: u64) -> Result<Option<Vec<u32>>, TransferError> {
        let Some(choose) = &self.request.filter.choose else {
            return Ok(None);
        };
        match self.queue.listed(MessageId(id)) {
            Ok(Some(listed)) => {
                let mut chosen = choose(&listed);
                chosen.sort_unstable();
                Ok(Some(chosen))
            }
            Ok(None) | Err(ReadError::Gone) => Ok(Some(Vec::new())),
            Err(ReadError::Damaged(_)) => {
                self.leave(id, "its record is damaged");
                Ok(Some(Vec::new()))
            }
            Err(error) => Err(of_read(&error)),
        }
    }

    fn wait_for_those_out(&mut self) -> Result<(), TransferError> {
        let begun = Instant::now();
        loop {
            for id in std::mem::take(&mut self.out) {
                if self.shared.is_out(id) {
                    self.out.push(id);
                } else {
                    self.write(id)?;
                }
            }
            if self.out.is_empty() {
                self.tell();
                return Ok(());
            }
            if begun.elapsed() >= self.request.patience {
                break;
            }
            self.go_on()?;
            thread::sleep(LOOK_PAUSE);
        }
        for id in std::mem::take(&mut self.out) {
            self.leave(id, "it is being delivered");
        }
        self.tell();
        Ok(())
    }

    /// It stays in the queue.
    fn leave(&mut self, id: u64, why: &'static str) {
        self.shared.let_stay(id);
        self.done.left_out_count += 1;
        if self.done.left_out.len() < LEFT_OUT_NAMED_MAX {
            let id = MessageId(id);
            self.done.left_out.push(LeftOut { id, why });
        }
    }

    fn write(&mut self, id: u64) -> Result<(), TransferError> {
        let record = match self.shared.store.read(id, true) {
            Ok(record) => record,
            // It was delivered after all.
            Err(ReadError::Gone) => return Ok(()),
            Err(ReadError::Damaged(_)) => {
                self.leave(id, "its record is damaged");
                return Ok(());
            }
            Err(error) => return Err(of_read(&error)),
        };
        if record.content.len() as u64 > CONTENT_BYTES_MAX {
            self.leave(id, "its content is too long for an export");
            return Ok(());
        }
        let Some(fates) = self.shared.exported_fates(id) else {
            self.leave(id, "what is known of its recipients cannot be read");
            return Ok(());
        };
        let (recipients, fates): (Vec<_>, Vec<_>) = fates
            .into_iter()
            .filter_map(|(at, fate)| Some((record.envelope.recipients.get(at as usize)?, fate)))
            .map(|(recipient, fate)| (recipient.clone(), fate))
            .unzip();
        if recipients.is_empty() {
            return Ok(());
        }
        let envelope = Envelope {
            recipients,
            ..record.envelope
        };
        match self.file.add(id, &envelope, &fates, &record.content) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                self.leave(id, "its envelope is too long for an export");
                Ok(())
            }
            Err(error) => Err(of_file(&self.request.path, &error)),
        }
    }

    fn finish(&mut self) -> Result<(), TransferError> {
        self.go_on()?;
        // Those that stay must not be taken for exported ones by a start that finds the file finished.
        self.shared.flush().map_err(|error| of_read(&error))?;
        self.done.bytes = self
            .file
            .finish()
            .map_err(|error| of_file(&self.request.path, &error))?;
        let written = self.file.written();
        self.done.messages = written.messages;
        self.done.recipients = written.recipients;
        Ok(())
    }
}

impl Shared {
    /// Holds the recipients of a message that the filter names, of these only if some are given; whether there are any.
    pub(super) fn take_out(&self, id: u64, filter: &ExportFilter, among: Option<&[u32]>) -> bool {
        let mut plan = self.plan();
        let mut index = self.store.index();
        let Some(slot) = index.slot(id) else {
            return false;
        };
        let is_named = |lane: u32| {
            filter
                .domain
                .as_deref()
                .is_none_or(|domain| index.lane(lane).is_some_and(|lane| *lane.domain == *domain))
        };
        let chosen: Vec<(u32, u32)> = index.message(slot).map_or_else(Vec::new, |message| {
            let known = message.recipients.iter().zip(0..);
            known
                .filter(|(_, at)| among.is_none_or(|among| among.binary_search(at).is_ok()))
                .filter(|(known, _)| !known.state.is_final() && is_named(known.lane))
                .map(|(known, at)| (at, known.parcel))
                .collect()
        });
        let (wall, now) = (wall(), self.now());
        for &(at, parcel) in &chosen {
            self.store
                .change(&mut index, slot, at, wall, |fate| hold(fate, wall));
            let parcel = ParcelId(parcel);
            if plan
                .schedule
                .parcel(parcel)
                .is_some_and(|state| state.message == id)
            {
                plan.schedule.hold(parcel, now);
            }
        }
        drop(index);
        self.let_go(plan);
        !chosen.is_empty()
    }

    /// Whether a recipient of it that is held for an export is being delivered.
    fn is_out(&self, id: u64) -> bool {
        let plan = self.plan();
        let index = self.store.index();
        let message = index.slot(id).and_then(|slot| index.message(slot));
        message.is_some_and(|message| {
            message.recipients.iter().any(|known| {
                let parcel = plan.schedule.parcel(ParcelId(known.parcel));
                known.exporting
                    && !known.state.is_final()
                    && parcel.is_some_and(|state| state.message == id && state.out)
            })
        })
    }

    /// How those of its recipients fare that are held for an export, as the file says it; `None` if that cannot be read.
    fn exported_fates(&self, id: u64) -> Option<Vec<(u32, Fate)>> {
        let index = self.store.index();
        let Some(slot) = index.slot(id) else {
            return Some(Vec::new());
        };
        let known = index.message(slot)?.recipients.iter().zip(0..);
        known
            .filter(|(known, _)| known.exporting && !known.state.is_final())
            .map(|(_, at)| {
                let fate = self.store.fate(&index, slot, at).ok()?;
                Some((at, as_before(fate)))
            })
            .collect()
    }
}

/// Held for an export: what it was is kept beside.
fn hold(fate: &mut Fate, wall: u64) {
    fate.retry_after = left(fate, wall);
    if fate.exporting == Exporting::No {
        fate.exporting = match fate.state {
            RecipientState::Held => Exporting::Held,
            _ => Exporting::Waited,
        };
    }
    fate.state = RecipientState::Held;
}

/// The wait goes on from now: an entry gets a new time.
fn left(fate: &Fate, wall: u64) -> u64 {
    fate.retry_after
        .saturating_sub(wall.saturating_sub(fate.at))
}

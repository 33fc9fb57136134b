//! Taking messages into the queue from a file that another node has written (`crate::transfer`).
//!
//! They are submitted in batches. After each the place in the file is noted beside it, synced: whoever runs the import again
//! goes on from there. A batch whose messages were kept and whose note was not is taken in once more: a crash between the two
//! syncs may double [`BATCH_MESSAGES`] messages at most, never lose one.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::TryLockError;

use super::export::UNFINISHED;
use super::shared::wall;
use super::submit;
use super::{Queue, Submission, SubmitError};
use crate::journal::Fate;
use crate::record::envelope;
use crate::recovery::delay;
use crate::transfer::progress::{self, Progress};
use crate::transfer::read::{FileReader, Message, Piece, Unreadable};
use crate::transfer::write::folder;
use crate::transfer::{DAMAGES_NAMED_MAX, Damage, Imported, TransferError, TransferProgress};

/// Messages that are submitted together.
const BATCH_MESSAGES: usize = 64;
/// Bytes of contents that are submitted together, unless one message alone has more.
const BATCH_BYTES: usize = 16 << 20;

impl Queue {
    /// Takes in what a file holds that an export has written and finished. When all is in, the file gets the ending
    /// `.imported`. It blocks, and not on a thread that drives futures; `told` is called after each batch.
    ///
    /// # Errors
    /// If the file is none that can be taken, or file or queue fail: what was taken in is noted, and the next call goes on
    /// from there.
    pub fn import(
        &self,
        path: &Path,
        told: &mut dyn FnMut(TransferProgress),
    ) -> Result<Imported, TransferError> {
        let _moving = match self.shared.moving.try_lock() {
            Ok(moving) => moving,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                return Err(TransferError::Busy(
                    "another export or import is under way".to_owned(),
                ));
            }
        };
        let mut import = self.begin_import(path)?;
        loop {
            let batch = import.batch()?;
            let is_last = batch.is_empty();
            if !is_last {
                import.submit(batch)?;
            }
            import.note()?;
            import.tell(told);
            if is_last {
                return import.finish();
            }
        }
    }

    fn begin_import<'a>(&'a self, path: &'a Path) -> Result<Import<'a>, TransferError> {
        let store = &self.shared.store;
        let refused = |why: &str| Err(TransferError::Refused(format!("{}: {why}", path.display())));
        if let Some(why) = unfit(path) {
            return refused(why);
        }
        let file = match store.disk.open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return match store.disk.open(&with_ending(path, "imported")) {
                    Ok(_) => refused("it was imported already: it has the ending .imported now"),
                    Err(_) => refused("there is no such file where the gateway runs"),
                };
            }
            Err(error) if error.kind() == io::ErrorKind::IsADirectory => {
                return refused("it is a directory: name the file that an export has written");
            }
            Err(error) => return Err(of_file(path, &error)),
        };
        let mut reader = match FileReader::open(file) {
            Ok(reader) => reader,
            Err(Unreadable::Disk(error)) => return Err(of_file(path, &error)),
            Err(Unreadable::Later(version)) => {
                return refused(&format!(
                    "it is of version {version}, which only a later gatepost can read"
                ));
            }
            Err(Unreadable::Foreign) => {
                return refused(
                    "this is no export of a queue, or its header and its first record are both damaged",
                );
            }
        };
        if !reader
            .is_finished()
            .map_err(|error| of_file(path, &error))?
        {
            return refused(
                "this export was never finished: its messages are in the queue that they came from",
            );
        }
        let of_queue = |error: io::Error| TransferError::Queue(error.to_string());
        if store.was_imported(reader.salt()).map_err(of_queue)? {
            return refused("it was imported into this queue already, maybe under another name");
        }
        let noted = progress::read(&*store.disk, &with_ending(path, "progress"))
            .map_err(|error| of_file(&with_ending(path, "progress"), &error))?;
        let progress = match noted {
            progress::Noted::Nothing => Progress::new(reader.salt()),
            progress::Noted::Progress(progress) if progress.salt == reader.salt() => progress,
            progress::Noted::Progress(_) => {
                return refused("the progress beside it is that of another export: move it away");
            }
            progress::Noted::Damaged => {
                return refused(
                    "the progress beside it is damaged: without it, messages that were taken in already come twice; move it away if that may be",
                );
            }
        };
        reader.seek(progress.offset);
        Ok(Import {
            queue: self,
            path,
            reader,
            progress,
            damages: Vec::new(),
            announced: None,
        })
    }
}

/// An import that is under way.
struct Import<'a> {
    queue: &'a Queue,
    path: &'a Path,
    reader: FileReader,
    progress: Progress,
    damages: Vec<Damage>,
    announced: Option<u64>,
}

impl Import<'_> {
    /// The next messages; none at the end of the file.
    fn batch(&mut self) -> Result<Vec<Message>, TransferError> {
        let mut batch = Vec::new();
        let mut bytes = 0;
        while batch.len() < BATCH_MESSAGES && bytes < BATCH_BYTES {
            let piece = self
                .reader
                .next()
                .map_err(|error| of_file(self.path, &error))?;
            match piece {
                Piece::End => break,
                Piece::Footer(footer) => self.announced = Some(footer.messages),
                Piece::Damaged {
                    offset,
                    bytes,
                    detail,
                } => self.damaged(offset, bytes, detail),
                Piece::Message(message) => {
                    if self.progress.beyond.contains(&message.offset) {
                        continue;
                    }
                    // Refused each time: only a file that was made elsewhere has one.
                    let coded = envelope::encode(&message.envelope);
                    if !submit::fits(&message.envelope, coded.len()) {
                        let bytes = self.reader.at() - message.offset;
                        let detail = "the envelope has no recipient or too many";
                        self.damaged(message.offset, bytes, detail);
                        continue;
                    }
                    bytes += message.content.len();
                    batch.push(*message);
                }
            }
        }
        Ok(batch)
    }

    fn damaged(&mut self, offset: u64, bytes: u64, detail: &'static str) {
        self.progress.damaged += 1;
        if self.damages.len() < DAMAGES_NAMED_MAX {
            self.damages.push(Damage {
                offset,
                bytes,
                detail,
            });
        }
    }

    /// Submits all of them, then waits for all: they share a sync. If one is refused it is noted which of them were not.
    fn submit(&mut self, batch: Vec<Message>) -> Result<(), TransferError> {
        let now = wall();
        let mut answers = Vec::with_capacity(batch.len());
        for message in batch {
            let place = message.offset;
            let count = message.envelope.recipients.len() as u64;
            let fates = message
                .fates
                .into_iter()
                .map(|(at, fate)| (at, as_of(fate, now)))
                .collect();
            let submission = Submission {
                envelope: message.envelope,
                content: vec![message.content],
            };
            let answer = self.queue.shared.hand_in_as(submission, None, fates);
            answers.push((place, count, answer));
        }
        let mut refused: Option<(u64, SubmitError)> = None;
        let mut beyond = Vec::new();
        for (place, count, answer) in answers {
            let kept = answer.and_then(|(_, answer)| {
                let answered = answer.blocking_recv();
                answered.unwrap_or(Err(SubmitError::Closed))
            });
            match kept {
                Ok(()) => {
                    self.progress.messages += 1;
                    self.progress.recipients += count;
                    if refused.is_some() {
                        beyond.push(place);
                    }
                }
                Err(error) => drop(refused.get_or_insert((place, error))),
            }
        }
        let Some((place, error)) = refused else {
            return Ok(());
        };
        // What is damaged behind this place is met again.
        let is_behind = |damage: &&Damage| damage.offset > place;
        let again = self.damages.iter().filter(is_behind).count() as u64;
        self.progress.damaged = self.progress.damaged.saturating_sub(again);
        self.progress.offset = place;
        self.progress.beyond.extend(beyond);
        self.write_note()?;
        Err(TransferError::Queue(format!(
            "{error}; {} messages were taken in: run the import again to go on",
            self.progress.messages
        )))
    }

    /// All up to here was taken in.
    fn note(&mut self) -> Result<(), TransferError> {
        self.progress.offset = self.reader.at();
        let at = self.progress.offset;
        self.progress.beyond.retain(|place| *place >= at);
        self.write_note()
    }

    fn write_note(&self) -> Result<(), TransferError> {
        let path = with_ending(self.path, "progress");
        let disk = &*self.queue.shared.store.disk;
        progress::write(disk, &path, &self.progress).map_err(|error| of_file(&path, &error))
    }

    fn tell(&self, told: &mut dyn FnMut(TransferProgress)) {
        told(TransferProgress {
            messages: self.progress.messages,
            recipients: self.progress.recipients,
            bytes: self.progress.offset,
            total: self.reader.length(),
        });
    }

    /// All is in: that is noted in the queue's folder first, so that no copy of the file is taken in again.
    fn finish(self) -> Result<Imported, TransferError> {
        let store = &self.queue.shared.store;
        store
            .note_imported(self.reader.salt())
            .map_err(|error| TransferError::Queue(error.to_string()))?;
        let mut renamed = with_ending(self.path, "imported");
        if store.disk.open(&renamed).is_ok() {
            renamed = with_ending(self.path, &format!("{:016x}.imported", self.reader.salt()));
        }
        let moved = store
            .disk
            .rename(self.path, &renamed)
            .and_then(|()| store.disk.remove(&with_ending(self.path, "progress")))
            .and_then(|()| store.disk.sync_folder(folder(self.path)));
        if let Err(error) = moved {
            return Err(TransferError::File {
                path: self.path.to_owned(),
                detail: format!(
                    "all {} messages were taken in, but the file could not be renamed: {error}",
                    self.progress.messages
                ),
            });
        }
        Ok(Imported {
            node: self.reader.header().map(|header| header.node.clone()),
            messages: self.progress.messages,
            recipients: self.progress.recipients,
            damaged_count: self.progress.damaged,
            damages: self.damages,
            announced: self.announced,
            renamed,
        })
    }
}

/// Why this is no path of a file to import.
fn unfit(path: &Path) -> Option<&'static str> {
    if !path.is_absolute() {
        return Some("the path must be absolute: the gateway opens it, not the command");
    }
    path.extension()
        .is_some_and(|ending| ending == UNFINISHED)
        .then_some(
            "the export that writes it has not ended: its file loses this ending when it has",
        )
}

/// How a recipient fares, noted now: what is left of its wait goes on.
fn as_of(fate: Fate, now: u64) -> Fate {
    Fate {
        retry_after: delay(&fate, now),
        at: now,
        ..fate
    }
}

pub(super) fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}

fn of_file(path: &Path, error: &io::Error) -> TransferError {
    let (path, detail) = (path.to_owned(), error.to_string());
    TransferError::File { path, detail }
}

//! Files and index together: what readers, the writer and recovery share.
//!
//! `segments/N.log` holds the records of segment N, `N.journal` how their recipients fare, `N.index` is its sidecar;
//! `content/ID` is a large content; `corrupt/` is where damage is set aside.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::index::Index;
use crate::limits::OPEN_FILES_MAX;
use crate::record::{HEADER_BYTES, RecordHeader, damaged, envelope};
use crate::{Disk, DiskFile, Envelope, Notice, Observer, ReadError, Settings, SubmitError};

mod corrupt;
mod fates;

/// Entries of journals that are not written yet.
#[derive(Default)]
pub(crate) struct Unwritten {
    queued: VecDeque<Chunk>,
    /// What the writer is writing now: it must still be found by readers.
    writing: Arc<Vec<Chunk>>,
    /// Since when the first of those that are queued waits.
    since: Option<Instant>,
    /// What could not be written: it waits for [`Unwritten::repeat`].
    failed: Vec<Chunk>,
}

/// Bytes for one journal.
#[derive(Clone)]
pub(crate) struct Chunk {
    pub(crate) segment: u32,
    pub(crate) offset: u64,
    pub(crate) bytes: Vec<u8>,
}

/// A chunk takes up so much before the next is begun.
const CHUNK_BYTES_MAX: usize = 64 << 10;

impl Unwritten {
    fn push(&mut self, segment: u32, offset: u64, bytes: &[u8]) {
        self.since.get_or_insert_with(Instant::now);
        match self.queued.back_mut() {
            Some(last)
                if last.segment == segment
                    && last.offset + last.bytes.len() as u64 == offset
                    && last.bytes.len() < CHUNK_BYTES_MAX =>
            {
                last.bytes.extend_from_slice(bytes);
            }
            _ => self.queued.push_back(Chunk {
                segment,
                offset,
                bytes: bytes.to_vec(),
            }),
        }
    }

    /// Hands all that is queued to the writer.
    pub(crate) fn begin(&mut self) -> Arc<Vec<Chunk>> {
        self.since = None;
        self.writing = Arc::new(self.queued.drain(..).collect());
        Arc::clone(&self.writing)
    }

    /// The writer has written what it was handed, all but this.
    pub(crate) fn finish(&mut self, failed: Vec<Chunk>) {
        self.writing = Arc::default();
        self.failed.extend(failed);
    }

    /// How long the first of those that are queued has waited; `None` if nothing is.
    pub(crate) fn age(&self) -> Option<Duration> {
        self.since.map(|since| since.elapsed())
    }

    /// What could not be written is handed to the writer once more.
    pub(crate) fn repeat(&mut self) {
        if !self.failed.is_empty() {
            self.since.get_or_insert_with(Instant::now);
        }
        self.queued.extend(self.failed.drain(..));
    }

    /// Whether anything waits for this segment's journal.
    pub(crate) fn concerns(&self, segment: u32) -> bool {
        self.all().any(|chunk| chunk.segment == segment)
    }

    fn all(&self) -> impl Iterator<Item = &Chunk> {
        self.queued
            .iter()
            .chain(self.writing.iter())
            .chain(&self.failed)
    }

    fn find(&self, segment: u32, offset: u64) -> Option<&[u8]> {
        let holds = |chunk: &&Chunk| {
            chunk.segment == segment
                && (chunk.offset..chunk.offset + chunk.bytes.len() as u64).contains(&offset)
        };
        let chunk = self.all().find(holds)?;
        chunk
            .bytes
            .get(usize::try_from(offset - chunk.offset).ok()?..)
    }
}

/// Whether submissions can be taken.
#[derive(Clone, Debug, Default)]
pub(crate) struct Health {
    pub(crate) full: bool,
    pub(crate) fault: Option<String>,
    pub(crate) closed: bool,
}

/// Which file of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Part {
    Log,
    Journal,
    Sidecar,
}

/// Counts since the queue was opened.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) syncs: AtomicU64,
    pub(crate) submits: AtomicU64,
    pub(crate) damaged: AtomicU64,
    pub(crate) corrupt_files: AtomicU64,
    pub(crate) free_bytes: AtomicU64,
}

/// What all parts of the queue share.
pub(crate) struct Store {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) settings: Settings,
    pub(crate) observer: Observer,
    pub(crate) counts: Counts,
    index: Mutex<Index>,
    files: Mutex<HashMap<(u32, Part), Arc<dyn DiskFile>>>,
    health: Mutex<Health>,
    /// Large contents of messages that are final, with their segments: to be removed once their journals are synced.
    pub(crate) dead_contents: Mutex<Vec<(u64, u32)>>,
    next_id: AtomicU64,
    id_end: AtomicU64,
}

/// Ids of one segment's time: the next segment's begin behind them, so none is used twice whatever was on the disk.
const IDS_PER_SEGMENT_BITS: u32 = 24;

/// A record that was read.
pub(crate) struct ReadRecord {
    pub(crate) header: RecordHeader,
    pub(crate) coded_envelope: Bytes,
    pub(crate) envelope: Envelope,
    pub(crate) content: Bytes,
}

impl Store {
    pub(crate) fn new(settings: Settings, disk: Arc<dyn Disk>, observer: Observer) -> Store {
        Store {
            disk,
            settings,
            observer,
            counts: Counts::default(),
            index: Mutex::default(),
            files: Mutex::default(),
            health: Mutex::default(),
            dead_contents: Mutex::default(),
            next_id: AtomicU64::new(0),
            id_end: AtomicU64::new(0),
        }
    }

    /// The index.
    pub(crate) fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The slot of a message that is there.
    #[cfg(test)]
    pub(crate) fn index_slot(&self, id: u64) -> u32 {
        self.index().slot(id).unwrap()
    }

    pub(crate) fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn tell(&self, notice: Notice) {
        (self.observer)(notice);
    }

    /// Whether a submission would be taken now.
    pub(crate) fn room(&self) -> Result<(), SubmitError> {
        let health = self.health();
        if let Some(fault) = &health.fault {
            return Err(SubmitError::Fault(fault.clone()));
        }
        if health.full {
            return Err(self.full());
        }
        if health.closed {
            return Err(SubmitError::Closed);
        }
        Ok(())
    }

    pub(crate) fn full(&self) -> SubmitError {
        SubmitError::Full {
            free_bytes: self.counts.free_bytes.load(Ordering::Relaxed),
            reserve_bytes: self.settings.reserve_bytes,
        }
    }

    /// An id that was never used.
    pub(crate) fn new_id(&self) -> Result<u64, SubmitError> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        if id < self.id_end.load(Ordering::Acquire) {
            return Ok(id);
        }
        Err(SubmitError::Fault(
            "the numbers of this segment are used up".to_owned(),
        ))
    }

    /// A segment with this number is on the disk to stay: its ids may be used.
    pub(crate) fn open_ids(&self, number: u32) {
        self.next_id
            .fetch_max(u64::from(number) << IDS_PER_SEGMENT_BITS, Ordering::Relaxed);
        self.id_end.store(
            (u64::from(number) + 1) << IDS_PER_SEGMENT_BITS,
            Ordering::Release,
        );
    }

    /// Whether most numbers of the active segment are used.
    pub(crate) fn ids_run_out(&self) -> bool {
        let left = self
            .id_end
            .load(Ordering::Relaxed)
            .saturating_sub(self.next_id.load(Ordering::Relaxed));
        left < 1 << (IDS_PER_SEGMENT_BITS - 1)
    }

    pub(crate) fn first_id(number: u32) -> u64 {
        u64::from(number) << IDS_PER_SEGMENT_BITS
    }

    pub(crate) fn segments_folder(&self) -> PathBuf {
        self.settings.folder.join("segments")
    }

    pub(crate) fn content_folder(&self) -> PathBuf {
        self.settings.folder.join("content")
    }

    pub(crate) fn corrupt_folder(&self) -> PathBuf {
        self.settings.folder.join("corrupt")
    }

    pub(crate) fn path(&self, segment: u32, part: Part) -> PathBuf {
        let ending = match part {
            Part::Log => "log",
            Part::Journal => "journal",
            Part::Sidecar => "index",
        };
        self.segments_folder()
            .join(format!("{segment:08x}.{ending}"))
    }

    pub(crate) fn content_path(&self, id: u64) -> PathBuf {
        self.content_folder().join(id.to_string())
    }

    /// A file of a segment, kept open for the next time.
    pub(crate) fn file(&self, segment: u32, part: Part) -> io::Result<Arc<dyn DiskFile>> {
        let files = || self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = files().get(&(segment, part)) {
            return Ok(Arc::clone(file));
        }
        let file = self.disk.open(&self.path(segment, part))?;
        self.keep_open(segment, part, &file);
        Ok(file)
    }

    pub(crate) fn keep_open(&self, segment: u32, part: Part, file: &Arc<dyn DiskFile>) {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if files.len() >= OPEN_FILES_MAX {
            files.clear();
        }
        files.insert((segment, part), Arc::clone(file));
    }

    pub(crate) fn forget_files(&self, segment: u32) {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.retain(|(number, _), _| *number != segment);
    }

    /// Syncs a file, counted.
    pub(crate) fn sync(&self, file: &dyn DiskFile) -> io::Result<()> {
        self.counts.syncs.fetch_add(1, Ordering::Relaxed);
        file.sync()
    }

    /// The whole of a file.
    pub(crate) fn read_all(&self, path: &Path) -> io::Result<Vec<u8>> {
        let file = self.disk.open(path)?;
        let mut bytes =
            vec![0; usize::try_from(file.bytes()?).map_err(|_| damaged("the file is too long"))?];
        let read = file.read_at(0, &mut bytes)?;
        bytes.truncate(read);
        Ok(bytes)
    }

    /// Reads the record of a message that the index knows, and its content unless only the envelope is wanted.
    pub(crate) fn read(&self, id: u64, with_content: bool) -> Result<ReadRecord, ReadError> {
        // Compaction may move the message between the look into the index and the read: then it is looked up once more.
        for _ in 0..3 {
            let place = {
                let index = self.index();
                let message = index
                    .slot(id)
                    .and_then(|slot| index.message(slot))
                    .ok_or(ReadError::Gone)?;
                let salt = index
                    .segments
                    .get(&message.segment)
                    .map_or(0, |segment| segment.salt);
                (
                    message.segment,
                    u64::from(message.offset),
                    message.record_bytes,
                    salt,
                )
            };
            let error = match self.read_at(place, id, with_content) {
                Ok(record) => return Ok(record),
                Err(error) => error,
            };
            let moved = {
                let index = self.index();
                let message = index
                    .slot(id)
                    .and_then(|slot| index.message(slot))
                    .ok_or(ReadError::Gone)?;
                (message.segment, u64::from(message.offset)) != (place.0, place.1)
            };
            if moved {
                continue;
            }
            if error.kind() != io::ErrorKind::InvalidData {
                return Err(ReadError::Fault(error.to_string()));
            }
            self.set_aside_record(place.0, place.1, u64::from(place.2));
            return Err(ReadError::Damaged(error.to_string()));
        }
        Err(ReadError::Gone)
    }

    /// How many recipients a message has, those that are final included.
    pub(crate) fn recipients(&self, id: u64) -> u32 {
        let index = self.index();
        let message = index.slot(id).and_then(|slot| index.message(slot));
        message.map_or(0, |message| message.recipients.len() as u32)
    }

    /// How long the content of a message is, or a little more.
    pub(crate) fn content_bytes(&self, id: u64) -> Result<u64, ReadError> {
        let (apart, record_bytes) = {
            let index = self.index();
            let message = index.slot(id).and_then(|slot| index.message(slot));
            let message = message.ok_or(ReadError::Gone)?;
            (message.apart, message.record_bytes)
        };
        if !apart {
            return Ok(u64::from(record_bytes));
        }
        Ok(self.read(id, false)?.header.content_bytes)
    }

    fn read_at(
        &self,
        place: (u32, u64, u32, u64),
        id: u64,
        with_content: bool,
    ) -> io::Result<ReadRecord> {
        let (segment, offset, record_bytes, salt) = place;
        let file = self.file(segment, Part::Log)?;
        let mut header = [0; HEADER_BYTES];
        file.read_at(offset, &mut header)?;
        let header =
            RecordHeader::decode(&header, salt).ok_or_else(|| damaged("the header is damaged"))?;
        if header.id != id || header.record_bytes() != u64::from(record_bytes) {
            return Err(damaged("the header is another message's"));
        }
        let inline = if with_content && !header.apart {
            header.content_bytes
        } else {
            0
        };
        let mut body = vec![0; header.envelope_bytes as usize + inline as usize];
        let read = file.read_at(offset + HEADER_BYTES as u64, &mut body)?;
        if read < body.len() {
            return Err(damaged("the record is cut short"));
        }
        let mut body = Bytes::from(body);
        let coded_envelope = body.split_to(header.envelope_bytes as usize);
        if crc32fast::hash(&coded_envelope) != header.envelope_crc {
            return Err(damaged("the envelope is damaged"));
        }
        let envelope = envelope::decode(&coded_envelope)
            .ok_or_else(|| damaged("the envelope cannot be read"))?;
        let content = if with_content && header.apart {
            self.read_content(&header)?
        } else {
            body
        };
        if with_content && crc32fast::hash(&content) != header.content_crc {
            return Err(damaged("the content is damaged"));
        }
        Ok(ReadRecord {
            header,
            coded_envelope,
            envelope,
            content,
        })
    }

    fn read_content(&self, header: &RecordHeader) -> io::Result<Bytes> {
        let bytes = match self.read_all(&self.content_path(header.id)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(damaged("the content's file is missing"));
            }
            other => other?,
        };
        if bytes.len() as u64 != header.content_bytes {
            return Err(damaged("the content's file has another length"));
        }
        Ok(Bytes::from(bytes))
    }

    /// Writes a large content, synced with its name.
    pub(crate) fn write_content(&self, id: u64, slices: &[Bytes]) -> io::Result<()> {
        let path = self.content_path(id);
        let written = self.disk.create(&path).and_then(|file| {
            let slices: Vec<_> = slices.iter().map(|slice| io::IoSlice::new(slice)).collect();
            file.write_at(0, &slices)?;
            self.sync(&*file)?;
            self.counts.syncs.fetch_add(1, Ordering::Relaxed);
            self.disk.sync_folder(&self.content_folder())
        });
        if written.is_err() {
            // Nothing names it: if this fails too, the next start removes it.
            drop(self.disk.remove(&path));
        }
        written
    }
}

//! Setting damage aside: its bytes are kept, bounded, counted and reported.

use std::io;
use std::sync::atomic::Ordering;

use super::{Part, Store};
use crate::Notice;
use crate::limits::{CORRUPT_BYTES_MAX, CORRUPT_FILES_MAX};

impl Store {
    pub(super) fn set_aside_record(&self, segment: u32, offset: u64, bytes: u64) {
        let mut kept = vec![0; usize::try_from(bytes.min(CORRUPT_BYTES_MAX)).unwrap_or(0)];
        let read = self
            .file(segment, Part::Log)
            .and_then(|file| file.read_at(offset, &mut kept))
            .unwrap_or(0);
        self.set_aside(
            segment,
            offset,
            kept.get(..read).unwrap_or_default(),
            "the record is damaged",
        );
    }

    /// Keeps damaged bytes in `corrupt/`, counts and reports them. The same stretch is kept once.
    pub(crate) fn set_aside(&self, segment: u32, offset: u64, bytes: &[u8], detail: &'static str) {
        let bytes = bytes
            .get(..bytes.len().min(CORRUPT_BYTES_MAX as usize))
            .unwrap_or(bytes);
        let name = format!("{segment:08x}-{offset}");
        let is_room = self.counts.corrupt_files.load(Ordering::Relaxed) < CORRUPT_FILES_MAX;
        let written = if is_room {
            self.write_corrupt(&name, bytes)
        } else {
            Err(io::ErrorKind::QuotaExceeded.into())
        };
        let kept_as = match written {
            Ok(()) => {
                self.counts.corrupt_files.fetch_add(1, Ordering::Relaxed);
                Some(name)
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return,
            Err(_) => None,
        };
        self.counts.damaged.fetch_add(1, Ordering::Relaxed);
        self.tell(Notice::DamagedRecord {
            segment: u64::from(segment),
            offset,
            detail,
            kept_as,
        });
    }

    fn write_corrupt(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let file = self.disk.create(&self.corrupt_folder().join(name))?;
        file.write_at(0, &[io::IoSlice::new(bytes)])
    }
}

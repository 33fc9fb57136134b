//! The disk as the queue needs it: a seam, so that tests can lose, tear and refuse writes.
//!
//! All calls block and are made on the queue's own threads. What a power failure may take away is what was not synced: the
//! content of a file until [`DiskFile::sync`], its name until [`Disk::sync_folder`].

use std::fs::{self, File, OpenOptions, TryLockError};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, IoSlice};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

/// A file system.
pub trait Disk: Send + Sync {
    /// Makes a file that must not exist yet, for reading and writing.
    ///
    /// # Errors
    /// If it exists or cannot be made.
    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>>;
    /// Opens a file for reading and writing.
    ///
    /// # Errors
    /// If it does not exist or cannot be opened.
    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>>;
    /// The names of the files in a folder, in no order.
    ///
    /// # Errors
    /// If the folder cannot be read.
    fn list(&self, folder: &Path) -> io::Result<Vec<String>>;
    /// Makes a folder, and those above it, unless it exists.
    ///
    /// # Errors
    /// If it cannot be made.
    fn create_folder(&self, folder: &Path) -> io::Result<()>;
    /// Gives a file another name, in place of whatever had that name.
    ///
    /// # Errors
    /// If it cannot.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    ///
    /// # Errors
    /// If it does not exist or cannot be removed.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Makes the names in a folder last.
    ///
    /// # Errors
    /// If they may not.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;
    /// Bytes that may still be written.
    ///
    /// # Errors
    /// If it cannot be told.
    fn free_bytes(&self, folder: &Path) -> io::Result<u64>;
    /// Keeps other processes out for as long as the returned value lives; `None` if one is in already.
    ///
    /// # Errors
    /// If it cannot be told.
    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn Send + Sync>>>;
    /// A number that nobody outside can know.
    fn nonce(&self) -> u64;
}

/// An open file.
pub trait DiskFile: Send + Sync {
    /// Writes all slices, one behind the other, from this offset on.
    ///
    /// # Errors
    /// If not all could be written: any part may have been.
    fn write_at(&self, offset: u64, slices: &[IoSlice<'_>]) -> io::Result<()>;
    /// Reads from this offset on, up to the end of the file; returns how many bytes.
    ///
    /// # Errors
    /// If it cannot be read.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;
    /// How long it is.
    ///
    /// # Errors
    /// If it cannot be told.
    fn bytes(&self) -> io::Result<u64>;
    /// Cuts it off.
    ///
    /// # Errors
    /// If it cannot be.
    fn truncate(&self, bytes: u64) -> io::Result<()>;
    /// Makes its content last.
    ///
    /// # Errors
    /// If it may not: then nothing that was written since the last success may be believed, even if a later sync succeeds.
    fn sync(&self) -> io::Result<()>;
}

/// The file system of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

struct RealFile(File);

/// Slices in one call; Linux takes no more (`UIO_MAXIOV`).
const SLICES_MAX: usize = 1024;

/// Messages are nobody else's to read, whatever the process's umask and wherever the folder lies.
const FILE_MODE: u32 = 0o600;

impl Disk for RealDisk {
    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(FILE_MODE)
            .open(path)?;
        Ok(Arc::new(RealFile(file)))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        Ok(Arc::new(RealFile(
            OpenOptions::new().read(true).write(true).open(path)?,
        )))
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            // A name that is not UTF-8 is none of ours.
            if let (true, Ok(name)) = (
                entry.file_type()?.is_file(),
                entry.file_name().into_string(),
            ) {
                names.push(name);
            }
        }
        Ok(names)
    }

    fn create_folder(&self, folder: &Path) -> io::Result<()> {
        use std::os::unix::fs::DirBuilderExt;
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }

    fn free_bytes(&self, folder: &Path) -> io::Result<u64> {
        let free = rustix::fs::statvfs(folder)?;
        Ok(free.f_bavail.saturating_mul(free.f_frsize))
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn Send + Sync>>> {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(FILE_MODE)
            .open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Box::new(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn nonce(&self) -> u64 {
        // Each state is keyed by the system's random numbers, and a hash does not give its key away.
        RandomState::new().hash_one(0_u64)
    }
}

impl DiskFile for RealFile {
    fn write_at(&self, offset: u64, slices: &[IoSlice<'_>]) -> io::Result<()> {
        let mut at = offset;
        for group in slices.chunks(SLICES_MAX) {
            let total: u64 = group.iter().map(|slice| slice.len() as u64).sum();
            let mut written = match rustix::io::pwritev(&self.0, group, at) {
                Ok(written) => written as u64,
                Err(rustix::io::Errno::INTR) => 0,
                Err(error) => return Err(error.into()),
            };
            // Short writes are rare (a signal, a disk that fills up): the rest goes slice by slice.
            let mut start = 0;
            for slice in group {
                let end = start + slice.len() as u64;
                if written < end {
                    let skip = usize::try_from(written - start).unwrap_or(usize::MAX);
                    self.0
                        .write_all_at(slice.get(skip..).unwrap_or_default(), at + written)?;
                    written = end;
                }
                start = end;
            }
            at += total;
        }
        Ok(())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.0.read_at(rest, offset + filled as u64) {
                Ok(0) => break,
                Ok(bytes) => filled += bytes,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    fn bytes(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn truncate(&self, bytes: u64) -> io::Result<()> {
        self.0.set_len(bytes)
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }
}

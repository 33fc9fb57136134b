//! Delivery into a maildir: one file for each recipient, written to `tmp/`, synced, then linked into `new/`.
//!
//! The message is safe when every file is in `new/` and the folder is synced. If one of them can't be, those already
//! linked are taken back, so that the transaction as a whole can be answered with one reply.

use std::fs::{self, File, OpenOptions};
use std::io::{self, IoSlice, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

static DELIVERIES: AtomicU64 = AtomicU64::new(0);

/// Stores one copy for each of `copies`, which are the header fields that stand before `message` in that copy.
/// Blocks; returns the file names in `new/`.
pub(super) fn store(
    maildir: &Path,
    hostname: &str,
    copies: &[Vec<u8>],
    message: &[&[u8]],
) -> io::Result<Vec<PathBuf>> {
    for folder in ["tmp", "new", "cur"] {
        make_folder(&maildir.join(folder), &mut sync_folder)?;
    }
    let mut written: Vec<(PathBuf, PathBuf)> = Vec::with_capacity(copies.len());
    let mut linked = 0;
    let stored = copies
        .iter()
        .try_for_each(|fields| {
            let name = unique_name(hostname);
            let paths = (
                maildir.join("tmp").join(&name),
                maildir.join("new").join(&name),
            );
            written.push(paths.clone());
            write_synced(&paths.0, fields, message)
        })
        .and_then(|()| {
            written.iter().try_for_each(|(tmp, new)| {
                fs::rename(tmp, new)?;
                linked += 1;
                Ok(())
            })
        })
        .and_then(|()| sync_folder(&maildir.join("new")));
    if let Err(error) = stored {
        return Err(take_back(&written, linked, error));
    }
    Ok(written.into_iter().map(|(_, new)| new).collect())
}

/// Takes back what was stored, of which so many copies were in `new/` already: nobody was promised them. A reader may have
/// moved one to `cur/` meanwhile, where it is no longer ours; the error says so then, since the next attempt repeats it.
fn take_back(written: &[(PathBuf, PathBuf)], linked: usize, error: io::Error) -> io::Error {
    let mut kept = 0;
    for (place, (tmp, new)) in written.iter().enumerate() {
        if place < linked {
            kept += usize::from(fs::remove_file(new).is_err());
        } else {
            // It may not have come so far as to be there.
            let _ = fs::remove_file(tmp);
        }
    }
    if kept == 0 {
        return error;
    }
    let detail =
        format!("{error}; {kept} copies can't be taken back any more: a repetition is possible");
    io::Error::new(error.kind(), detail)
}

/// Makes a folder and those above it, each safe on the disk before anything is put into it.
fn make_folder(folder: &Path, sync: &mut dyn FnMut(&Path) -> io::Result<()>) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let parent = folder.parent().filter(|it| !it.as_os_str().is_empty());
    if let Some(parent) = parent {
        make_folder(parent, sync)?;
    }
    match fs::create_dir(folder) {
        // Another delivery was faster. Whether it has synced it by now is not known.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => {}
        made => made?,
    }
    sync(folder)?;
    sync(parent.unwrap_or(Path::new(".")))
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn write_synced(path: &Path, fields: &[u8], message: &[&[u8]]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    let mut slices: Vec<IoSlice<'_>> = std::iter::once(fields)
        .chain(message.iter().copied())
        .map(IoSlice::new)
        .collect();
    let mut rest = slices.as_mut_slice();
    while !rest.is_empty() {
        match file.write_vectored(rest) {
            Ok(0) if rest.iter().all(|slice| slice.is_empty()) => break,
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => IoSlice::advance_slices(&mut rest, written),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    file.sync_all()
}

/// `seconds.MmicrosecondsPpidQcounter.host`, the form that maildir readers expect.
fn unique_name(hostname: &str) -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let count = DELIVERIES.fetch_add(1, Ordering::Relaxed);
    let host: String = hostname
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || ".-".contains(c) {
                c
            } else {
                '_'
            }
        })
        .collect();
    format!(
        "{}.M{}P{}Q{count}.{host}",
        now.as_secs(),
        now.subsec_micros(),
        std::process::id()
    )
}

#[cfg(test)]
mod tests;

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
pub fn store(maildir: &Path, hostname: &str, copies: &[Vec<u8>], message: &[&[u8]]) -> io::Result<Vec<PathBuf>> {
    for folder in ["tmp", "new", "cur"] {
        fs::create_dir_all(maildir.join(folder))?;
    }
    let mut written: Vec<(PathBuf, PathBuf)> = Vec::with_capacity(copies.len());
    let stored = copies
        .iter()
        .try_for_each(|fields| {
            let name = unique_name(hostname);
            let paths = (maildir.join("tmp").join(&name), maildir.join("new").join(&name));
            written.push(paths.clone());
            write_synced(&paths.0, fields, message)
        })
        .and_then(|()| written.iter().try_for_each(|(tmp, new)| fs::rename(tmp, new)))
        .and_then(|()| File::open(maildir.join("new"))?.sync_all());
    if let Err(error) = stored {
        for (tmp, new) in &written {
            // Whichever of the two exists goes: nobody was promised it.
            let _ = fs::remove_file(tmp);
            let _ = fs::remove_file(new);
        }
        return Err(error);
    }
    Ok(written.into_iter().map(|(_, new)| new).collect())
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
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let count = DELIVERIES.fetch_add(1, Ordering::Relaxed);
    let host: String = hostname
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || ".-".contains(c) { c } else { '_' })
        .collect();
    format!("{}.M{}P{}Q{count}.{host}", now.as_secs(), now.subsec_micros(), std::process::id())
}

#[cfg(test)]
mod tests;

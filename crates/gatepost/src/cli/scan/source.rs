//! Finds the messages that are to be examined, and reads them one after the other.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use crate::mbox::{Messages, Stored};

/// Bytes that are read from a file at a time.
const READ_BYTES: usize = 64 * 1024;

/// Where messages are read from.
#[derive(Debug)]
pub(super) enum Source {
    /// Standard input.
    Input,
    /// These files, in this order.
    Files(Vec<PathBuf>, Vec<(PathBuf, io::Error)>),
}

/// What was found.
#[derive(Debug)]
pub(super) enum Found {
    /// A message.
    Message {
        /// The file, as it was named.
        path: String,
        /// What it holds.
        stored: Stored,
    },
    /// A file or folder that can't be read.
    Unreadable {
        /// Its path.
        path: String,
        /// Why not.
        error: io::Error,
    },
}

impl Source {
    /// The files that `path` stands for; `-` is standard input.
    ///
    /// # Errors
    /// It is not there, or is neither file nor folder.
    pub(super) fn open(path: &Path) -> Result<Source, String> {
        if path == Path::new("-") {
            return Ok(Source::Input);
        }
        let facts =
            std::fs::metadata(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let (mut files, mut errors) = (Vec::new(), Vec::new());
        if facts.is_dir() {
            walk(path, &mut files, &mut errors);
            files.sort();
        } else {
            files.push(path.to_owned());
        }
        Ok(Source::Files(files, errors))
    }

    /// How many files there are; `None` for standard input.
    pub(super) fn files(&self) -> Option<usize> {
        match self {
            Source::Input => None,
            Source::Files(files, errors) => Some(files.len() + errors.len()),
        }
    }

    /// Gives every message to `take` until that returns false. Blocks on the file system.
    pub(super) fn read(self, bytes_max: u64, take: &mut dyn FnMut(Found) -> bool) {
        match self {
            Source::Input => {
                read_messages("-", io::stdin().lock(), bytes_max, take);
            }
            Source::Files(files, errors) => {
                for (path, error) in errors {
                    let path = path.display().to_string();
                    if !take(Found::Unreadable { path, error }) {
                        return;
                    }
                }
                for path in files {
                    let name = path.display().to_string();
                    let wanted = match File::open(&path) {
                        Ok(file) => {
                            let reader = BufReader::with_capacity(READ_BYTES, file);
                            read_messages(&name, reader, bytes_max, take)
                        }
                        Err(error) => take(Found::Unreadable { path: name, error }),
                    };
                    if !wanted {
                        return;
                    }
                }
            }
        }
    }
}

/// False if no more is wanted.
fn read_messages(
    path: &str,
    reader: impl BufRead,
    bytes_max: u64,
    take: &mut dyn FnMut(Found) -> bool,
) -> bool {
    Messages::new(reader, bytes_max).all(|message| {
        let path = path.to_owned();
        take(match message {
            Ok(stored) => Found::Message { path, stored },
            Err(error) => Found::Unreadable { path, error },
        })
    })
}

/// All files in `folder` and below. Links to folders are not followed: they may lead in circles.
fn walk(folder: &Path, files: &mut Vec<PathBuf>, errors: &mut Vec<(PathBuf, io::Error)>) {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) => {
                errors.push((folder, error));
                continue;
            }
        };
        for entry in entries {
            let kind = entry.and_then(|entry| Ok((entry.path(), entry.file_type()?)));
            match kind {
                Ok((path, kind)) if kind.is_dir() => folders.push(path),
                // A pipe or a socket would be waited for.
                Ok((path, kind)) if kind.is_file() || (kind.is_symlink() && path.is_file()) => {
                    files.push(path);
                }
                Ok(_) => {}
                Err(error) => errors.push((folder.clone(), error)),
            }
        }
    }
}

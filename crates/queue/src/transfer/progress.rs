//! How far an import is: a small file beside the one that is imported, put in place by a rename.

use std::io::{self, IoSlice};
use std::path::Path;

use super::ledger::{checked, line};
use super::write::folder;
use crate::Disk;

/// How far an import is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Progress {
    /// The name of the export.
    pub(crate) salt: u64,
    /// All before this place in the file was taken in.
    pub(crate) offset: u64,
    /// Messages taken in.
    pub(crate) messages: u64,
    /// Their recipients.
    pub(crate) recipients: u64,
    /// Stretches that could not be read.
    pub(crate) damaged: u64,
    /// Places behind `offset` whose messages were taken in as well.
    pub(crate) beyond: Vec<u64>,
}

/// What there is beside a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Noted {
    /// Nothing.
    Nothing,
    /// This.
    Progress(Progress),
    /// Something that cannot be read.
    Damaged,
}

impl Progress {
    /// That of an import that begins.
    pub(crate) fn new(salt: u64) -> Progress {
        Progress {
            salt,
            offset: 0,
            messages: 0,
            recipients: 0,
            damaged: 0,
            beyond: Vec::new(),
        }
    }
}

/// Reads it.
pub(crate) fn read(disk: &dyn Disk, path: &Path) -> io::Result<Noted> {
    let file = match disk.open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Noted::Nothing),
        other => other?,
    };
    // A batch has few messages, so that no whole one is longer.
    let mut bytes = vec![0; 16 << 10];
    let read = file.read_at(0, &mut bytes)?;
    bytes.truncate(read);
    Ok(parse(&bytes).map_or(Noted::Damaged, Noted::Progress))
}

pub(crate) fn parse(bytes: &[u8]) -> Option<Progress> {
    let text = std::str::from_utf8(bytes).ok()?.strip_suffix('\n')?;
    let mut numbers = checked(text)?
        .split(' ')
        .map(|number| number.parse::<u64>().ok());
    let mut next = || numbers.next().flatten();
    let (salt, offset, messages) = (next()?, next()?, next()?);
    let (recipients, damaged) = (next()?, next()?);
    Some(Progress {
        salt,
        offset,
        messages,
        recipients,
        damaged,
        beyond: numbers.collect::<Option<_>>()?,
    })
}

pub(crate) fn text(progress: &Progress) -> String {
    let numbers = [
        progress.salt,
        progress.offset,
        progress.messages,
        progress.recipients,
        progress.damaged,
    ];
    let numbers: Vec<String> = numbers
        .iter()
        .chain(&progress.beyond)
        .map(u64::to_string)
        .collect();
    line(&numbers.join(" "))
}

/// Writes it, synced.
pub(crate) fn write(disk: &dyn Disk, path: &Path, progress: &Progress) -> io::Result<()> {
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let new = Path::new(&new);
    // One that a crash has left behind.
    drop(disk.remove(new));
    let file = disk.create(new)?;
    file.write_at(0, &[IoSlice::new(text(progress).as_bytes())])?;
    file.sync()?;
    disk.rename(new, path)?;
    disk.sync_folder(folder(path))
}

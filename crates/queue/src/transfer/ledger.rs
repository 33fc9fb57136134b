//! What a queue's folder knows of its moves: the export that is under way, so that a start can end it either way, and the
//! exports that were taken in, so that none is twice.
//!
//! Both are small files of lines with a checksum, written anew and put in place by a rename.

use std::io::{self, IoSlice};
use std::path::PathBuf;

use crate::Actor;
use crate::store::Store;

/// Exports that are remembered as taken in: the oldest are forgotten first.
const IMPORTED_MAX: usize = 10_000;
const EXPORT: &str = "export";
const IMPORTED: &str = "imported";

/// The export that is under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ledger {
    /// Its name, as in the file's header.
    pub(crate) salt: u64,
    /// How far it is.
    pub(crate) phase: Phase,
    /// The file, by the name that it gets in the end.
    pub(crate) path: PathBuf,
    /// Who exports, and why.
    pub(crate) by: Actor,
}

/// How far an export is. Each is noted before what it names begins, so that a start always knows which way to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Its file is being written, under another name: the messages belong to the queue.
    Begun,
    /// The whole file is synced: it gets its name, and the messages leave the queue.
    Finished,
    /// It failed: its file is removed, then its messages go on.
    TakenBack,
}

/// What the folder says of an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Noted {
    /// None is under way.
    Nothing,
    /// This one.
    Export(Ledger),
    /// The note cannot be read.
    Damaged,
}

impl Store {
    /// The export that is under way.
    pub(crate) fn noted_export(&self) -> io::Result<Noted> {
        match self.read_all(&self.settings.folder.join(EXPORT)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Noted::Nothing),
            Err(error) => Err(error),
            Ok(bytes) => Ok(read_ledger(&bytes).map_or(Noted::Damaged, Noted::Export)),
        }
    }

    /// Notes it, synced.
    pub(crate) fn note_export(&self, ledger: &Ledger) -> io::Result<()> {
        self.replace(EXPORT, &ledger_line(ledger))
    }

    /// No export is under way any more, synced.
    pub(crate) fn forget_export(&self) -> io::Result<()> {
        match self.disk.remove(&self.settings.folder.join(EXPORT)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        self.disk.sync_folder(&self.settings.folder)
    }

    /// Whether this export was taken in before. A line that is damaged says nothing.
    pub(crate) fn was_imported(&self, salt: u64) -> io::Result<bool> {
        Ok(self.imported()?.contains(&salt))
    }

    /// Notes that it was, synced.
    pub(crate) fn note_imported(&self, salt: u64) -> io::Result<()> {
        let mut all = self.imported()?;
        all.push(salt);
        let skip = all.len().saturating_sub(IMPORTED_MAX);
        let text: String = all
            .iter()
            .skip(skip)
            .map(|salt| line(&format!("{salt:016x}")))
            .collect();
        self.replace(IMPORTED, &text)
    }

    fn imported(&self) -> io::Result<Vec<u64>> {
        let bytes = match self.read_all(&self.settings.folder.join(IMPORTED)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other?,
        };
        let text = String::from_utf8_lossy(&bytes);
        let salts = text.lines().filter_map(checked);
        Ok(salts
            .filter_map(|salt| u64::from_str_radix(salt, 16).ok())
            .collect())
    }

    fn replace(&self, name: &str, text: &str) -> io::Result<()> {
        let folder = &self.settings.folder;
        let (new, path) = (folder.join(format!("{name}.new")), folder.join(name));
        // One that a crash has left behind.
        drop(self.disk.remove(&new));
        let file = self.disk.create(&new)?;
        file.write_at(0, &[IoSlice::new(text.as_bytes())])?;
        self.sync(&*file)?;
        self.disk.rename(&new, &path)?;
        self.disk.sync_folder(folder)
    }
}

pub(crate) fn line(fields: &str) -> String {
    format!("{:08x}\t{fields}\n", crc32fast::hash(fields.as_bytes()))
}

pub(crate) fn checked(line: &str) -> Option<&str> {
    let (crc, fields) = line.split_once('\t')?;
    let crc = u32::from_str_radix(crc, 16).ok()?;
    (crc == crc32fast::hash(fields.as_bytes())).then_some(fields)
}

pub(crate) fn ledger_line(ledger: &Ledger) -> String {
    let plain = |text: &str| text.replace(|c: char| c.is_control(), " ");
    let phase = match ledger.phase {
        Phase::Begun => 0,
        Phase::Finished => 1,
        Phase::TakenBack => 2,
    };
    line(&format!(
        "{:016x}\t{phase}\t{}\t{}\t{}",
        ledger.salt,
        plain(&ledger.by.name),
        plain(&ledger.by.reason),
        ledger.path.display()
    ))
}

pub(crate) fn read_ledger(bytes: &[u8]) -> Option<Ledger> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut fields = checked(text.strip_suffix('\n')?)?.splitn(5, '\t');
    Some(Ledger {
        salt: u64::from_str_radix(fields.next()?, 16).ok()?,
        phase: match fields.next()? {
            "0" => Phase::Begun,
            "1" => Phase::Finished,
            "2" => Phase::TakenBack,
            _ => return None,
        },
        by: Actor {
            name: fields.next()?.to_owned(),
            reason: fields.next()?.to_owned(),
        },
        path: PathBuf::from(fields.next()?),
    })
}

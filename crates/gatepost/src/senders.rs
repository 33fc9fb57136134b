//! What this node knows of senders, over reloads and restarts: the record, the greylist, rates.
//!
//! Two files in the data folder, written every few minutes and at the end; what a crash loses of it is learnt again. What
//! transactions teach is in `learning`; what follows from it in `policy` and `serve::stages`.

use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use scan::reputation::greylist::Greylist;
use scan::reputation::rate::Rates;
use scan::reputation::record::snapshot::{self, Loaded};
use scan::reputation::record::{Record, RecordSettings};
use scan::reputation::seconds_now;
use tokio::time::Instant;

mod learning;

pub use learning::learn;

/// How often the files are written.
const SAVE_INTERVAL: Duration = Duration::from_secs(300);

/// What is known of senders.
#[derive(Debug)]
pub struct Senders {
    /// What came from them.
    pub record: Arc<Record>,
    /// Who was asked to come again.
    pub greylist: Greylist,
    /// Transactions of client networks.
    pub networks: Rates,
    /// Messages of proven domains.
    pub domains: Rates,
    folder: Option<PathBuf>,
    saved: Mutex<Instant>,
}

/// A file that was damaged, and set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damaged {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub detail: String,
}

impl Senders {
    /// What earlier runs left in `folder`, and what of it was damaged. Blocks on the disk.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn open(folder: PathBuf, settings: RecordSettings) -> io::Result<(Senders, Vec<Damaged>)> {
        let mut folders = std::fs::DirBuilder::new();
        folders.recursive(true).mode(0o750).create(&folder)?;
        let senders = Senders::with(Some(folder), settings);
        let mut damaged = Vec::new();
        if let Some(path) = senders.record_file()
            && let Loaded::SetAside(path, damage) =
                snapshot::load(&senders.record, &path, seconds_now())?
        {
            let detail = damage.to_string();
            damaged.push(Damaged { path, detail });
        }
        if let Some(path) = senders.greylist_file()
            && let Some(detail) = senders.greylist.load(&path)?
        {
            damaged.push(Damaged {
                path: path.with_extension("damaged"),
                detail: detail.to_owned(),
            });
        }
        Ok((senders, damaged))
    }

    /// What a command knows that takes no mail: nothing, and nothing is written.
    pub fn unwritten() -> Senders {
        Senders::with(None, RecordSettings::default())
    }

    /// Forgets what no longer counts, and writes the files if it is time. Blocks on the disk.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn tidy_up(&self) -> io::Result<()> {
        self.networks.tidy_up(Instant::now());
        self.domains.tidy_up(Instant::now());
        {
            let mut saved = self.saved.lock().unwrap_or_else(PoisonError::into_inner);
            if saved.elapsed() < SAVE_INTERVAL {
                return Ok(());
            }
            *saved = Instant::now();
        }
        self.record.tidy_up(seconds_now());
        self.greylist.tidy_up(seconds_now());
        self.save()
    }

    /// Writes the files. Blocks on the disk.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn save(&self) -> io::Result<()> {
        if let Some(path) = self.record_file() {
            snapshot::save(&self.record, &path)?;
        }
        match self.greylist_file() {
            Some(path) => self.greylist.save(&path),
            None => Ok(()),
        }
    }

    fn with(folder: Option<PathBuf>, settings: RecordSettings) -> Senders {
        Senders {
            record: Arc::new(Record::new(settings)),
            greylist: Greylist::default(),
            networks: Rates::default(),
            domains: Rates::default(),
            folder,
            saved: Mutex::new(Instant::now()),
        }
    }

    fn record_file(&self) -> Option<PathBuf> {
        self.file("senders")
    }

    fn greylist_file(&self) -> Option<PathBuf> {
        self.file("greylist")
    }

    fn file(&self, name: &str) -> Option<PathBuf> {
        self.folder
            .as_deref()
            .map(|folder: &Path| folder.join(name))
    }
}

#[cfg(test)]
mod tests;

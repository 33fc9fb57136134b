//! What DMARC said of messages, kept by day and published record, and the aggregate reports made of it (RFC 9990).
//!
//! What is noted of a message is in `observation`, the counts in `tally`, whom a report may go to in `destination`, the report in
//! `document`, the daily round in `round`. A session only ever notes, which waits for nobody. Reports hold addresses of clients and
//! domains, never those of people.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

pub mod destination;
pub mod document;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
pub mod observation;
pub mod round;
pub mod tally;

use super::daily::WaitingReport;
use super::sts::cache::unix_seconds;
use observation::Observation;
use tally::Tally;

/// What was observed by this node. Cheap to clone; survives reloads.
#[derive(Clone)]
pub struct DmarcReports {
    folder: Option<PathBuf>,
    tally: Arc<Mutex<Option<Tally>>>,
    saving: Arc<Mutex<()>>,
    rounds: Arc<tokio::sync::Mutex<()>>,
}

impl DmarcReports {
    /// Keeps nothing until it is [switched](DmarcReports::switch) on; without a folder not even then.
    pub fn new(folder: Option<PathBuf>) -> DmarcReports {
        DmarcReports {
            folder,
            tally: Arc::default(),
            saving: Arc::default(),
            rounds: Arc::default(),
        }
    }

    /// Keeps observations from now on, and takes up those that lie in the folder; or keeps none any longer. It blocks on the file
    /// system.
    ///
    /// # Errors
    /// The folder cannot be made or read.
    pub fn switch(&self, on: bool) -> io::Result<()> {
        let is_on = self.with(|_| ()).is_some();
        let tally = match &self.folder {
            Some(folder) if on && !is_on => Some(Tally::open(folder.clone())?),
            Some(_) if on => return Ok(()),
            _ => None,
        };
        *self.tally.lock().unwrap_or_else(PoisonError::into_inner) = tally;
        Ok(())
    }

    /// Whether anything is kept.
    pub fn is_on(&self) -> bool {
        self.with(|_| ()).is_some()
    }

    /// Notes a message.
    pub fn note(&self, observation: &Observation) {
        self.with(|tally| tally.note(unix_seconds(), observation));
    }

    /// Writes what was noted since the last time to the disk. It blocks, but keeps nobody who notes: for housekeeping, and before
    /// the end.
    ///
    /// # Errors
    /// Those of the file system; what could not be written is tried again with the next call.
    pub fn save(&self) -> io::Result<()> {
        let _one_at_a_time = self.saving.lock().unwrap_or_else(PoisonError::into_inner);
        let mut failure = Ok(());
        for batch in self.with(Tally::take).unwrap_or_default() {
            if let Err(error) = batch.write() {
                failure = Err(error);
                self.with(|tally| tally.give_back(batch));
            }
        }
        failure
    }

    /// Reports that are not sent yet, those of today too.
    pub fn waiting(&self) -> Vec<WaitingReport> {
        let waiting = self.with(|tally| tally.waiting(unix_seconds()));
        waiting.unwrap_or_default()
    }

    fn with<T>(&self, act: impl FnOnce(&mut Tally) -> T) -> Option<T> {
        let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        tally.as_mut().map(act)
    }
}

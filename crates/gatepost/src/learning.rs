//! What an installation teaches its classifier, message by message, and the bounds of that: whoever could have messages
//! learned at will would decide what is refused.
//!
//! The model is moved in place of the one that ships. A ledger beside it (`classifier.learned` for `classifier.model`, one
//! JSON object a line) says what was learned when, on whose word; it is also the lock of the model.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::{fmt, io};

use jiff::Timestamp;
use scan::content::classifier::cluster::Ties;
use scan::content::classifier::{Features, Model};
use scan::content::reading::link::registrable;
use scan::content::rules::{RuleFacts, Rules};
use scan::message::Message;
use serde::{Deserialize, Serialize};

use crate::config::read_model;

/// The time for which limits count, in seconds.
const DAY_SECONDS: i64 = 24 * 60 * 60;

/// How long what was learned is remembered, in seconds.
const REMEMBERED_SECONDS: i64 = 90 * DAY_SECONDS;

/// Lines of the ledger from which on old ones are dropped.
const LEDGER_LINES_MAX: usize = 20_000;

/// Bytes of a ledger that are read.
const LEDGER_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// Legitimate
    Ham,
    /// Spam
    Spam,
}

/// On whose word a message is learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// The operator, who has seen the message
    Operator,
    /// A recipient or sender who had a refused message released
    Release,
}

impl Source {
    /// Messages of this source in a day.
    fn messages_max(self) -> usize {
        match self {
            Source::Operator => 5_000,
            Source::Release => 100,
        }
    }

    /// Messages of this source and of one domain in the header field From in a day.
    fn of_domain_max(self) -> usize {
        match self {
            Source::Operator => usize::MAX,
            Source::Release => 5,
        }
    }
}

/// What learning a message did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Learned {
    /// The probability that it is spam before.
    pub before: f32,
    /// The same now.
    pub after: f32,
    /// Steps that the model took.
    pub steps: usize,
}

/// Why a message is not learned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotLearned {
    /// It was, as the same.
    Again,
    /// So many of this source were in the last 24 hours.
    TooMany(usize),
    /// So many of this source were in the last 24 hours from this domain.
    TooManyOf(String, usize),
}

impl fmt::Display for NotLearned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotLearned::Again => write!(f, "it was learned before, as the same"),
            NotLearned::TooMany(count) => write!(
                f,
                "{count} messages were learned in the last 24 hours on this source's word: try again tomorrow"
            ),
            NotLearned::TooManyOf(domain, count) => write!(
                f,
                "{count} messages from {domain} were learned in the last 24 hours on this source's word: try again tomorrow"
            ),
        }
    }
}

/// A line of the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    /// Seconds since 1970.
    time: i64,
    class: Class,
    source: Source,
    /// Of the header field From; empty without one.
    domain: String,
    /// What tells the message from others: a hash of its words, or of its bytes if it has few.
    message: String,
}

/// The model of an installation while it learns. Others wait.
#[derive(Debug)]
pub struct Learning {
    file: PathBuf,
    model: Model,
    ledger: File,
    /// A crash left a line without its end.
    is_cut_short: bool,
    entries: Vec<Entry>,
    new: usize,
}

impl Learning {
    /// Begins to move the model at `file`; without one there, a copy of the one that ships.
    ///
    /// # Errors
    /// Says which file can't be used, and why.
    pub fn begin(file: &Path) -> Result<Learning, String> {
        let ledger_file = file.with_extension("learned");
        let told = |error: &dyn fmt::Display| format!("{}: {error}", ledger_file.display());
        // A node that has not run yet has no `data_dir`.
        if let Some(folder) = file
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
        {
            std::fs::create_dir_all(folder).map_err(|error| told(&error))?;
        }
        let mut ledger = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(&ledger_file)
            .map_err(|error| told(&error))?;
        ledger.lock().map_err(|error| told(&error))?;
        let mut bytes = Vec::new();
        Read::by_ref(&mut ledger)
            .take(LEDGER_BYTES_MAX)
            .read_to_end(&mut bytes)
            .map_err(|error| told(&error))?;
        // A line that a crash cut short says nothing; the message may be learned again.
        let text = String::from_utf8_lossy(&bytes);
        let entries = text
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok());
        let model = match read_model(file) {
            Ok(Some(model)) => model,
            Ok(None) => Model::clone(&*Model::shipped().map_err(|error| error.to_string())?),
            Err(error) => return Err(format!("{}: {error}", file.display())),
        };
        Ok(Learning {
            file: file.to_owned(),
            model,
            ledger,
            is_cut_short: bytes.last().is_some_and(|last| *last != b'\n'),
            entries: entries.collect(),
            new: 0,
        })
    }

    /// Learns a message, if no limit forbids it.
    ///
    /// # Errors
    /// Which limit does.
    pub fn learn(
        &mut self,
        message: &Message,
        rules: &Rules,
        class: Class,
        source: Source,
        now: Timestamp,
    ) -> Result<Learned, NotLearned> {
        let entry = Entry {
            time: now.as_second(),
            class,
            source,
            domain: domain_of(message),
            message: identity(message),
        };
        self.check(&entry)?;
        let reading = message.reading();
        let features = Features::of(reading, &rules.match_(reading, &RuleFacts::default()));
        let before = self.model.probability(&features);
        let steps = self.model.learn(&features, class == Class::Spam);
        self.entries.push(entry);
        self.new += 1;
        Ok(Learned {
            before,
            after: self.model.probability(&features),
            steps,
        })
    }

    /// Writes the model, then what was learned. A crash between the two forgets the latter, and a message may be learned twice.
    ///
    /// # Errors
    /// Says which file can't be written.
    pub fn finish(mut self) -> Result<(), String> {
        if self.new == 0 {
            return Ok(());
        }
        write_model(&self.file, &self.model)?;
        self.record()
            .map_err(|error| format!("{}: {error}", self.file.with_extension("learned").display()))
    }

    fn record(&mut self) -> io::Result<()> {
        let mut from = self.entries.len() - self.new;
        if self.entries.len() > LEDGER_LINES_MAX {
            let newest = self.entries.last().map(|entry| entry.time);
            self.entries.retain(|entry| {
                newest.is_some_and(|newest| newest - entry.time < REMEMBERED_SECONDS)
            });
            self.ledger.set_len(0)?;
            self.ledger.rewind()?;
            from = 0;
            self.is_cut_short = false;
        }
        let mut lines = if self.is_cut_short {
            "\n".to_owned()
        } else {
            String::new()
        };
        for entry in self.entries.iter().skip(from) {
            lines.push_str(&serde_json::to_string(entry)?);
            lines.push('\n');
        }
        self.ledger.write_all(lines.as_bytes())?;
        self.ledger.sync_data()
    }

    fn check(&self, entry: &Entry) -> Result<(), NotLearned> {
        let last = self
            .entries
            .iter()
            .rev()
            .find(|other| other.message == entry.message);
        if last.is_some_and(|last| last.class == entry.class) {
            return Err(NotLearned::Again);
        }
        let of_day: Vec<&Entry> = self
            .entries
            .iter()
            .filter(|other| other.source == entry.source && entry.time - other.time < DAY_SECONDS)
            .collect();
        if of_day.len() >= entry.source.messages_max() {
            return Err(NotLearned::TooMany(of_day.len()));
        }
        let of_domain = of_day
            .iter()
            .filter(|other| other.domain == entry.domain)
            .count();
        if of_domain >= entry.source.of_domain_max() {
            return Err(NotLearned::TooManyOf(entry.domain.clone(), of_domain));
        }
        Ok(())
    }
}

/// Writes beside and renames: whoever reads sees the old model or the new one.
///
/// # Errors
/// Says which file can't be written.
pub fn write_model(file: &Path, model: &Model) -> Result<(), String> {
    let beside = file.with_added_extension("new");
    let written = File::create(&beside).and_then(|mut open| {
        open.write_all(&model.to_bytes())?;
        open.sync_all()?;
        std::fs::rename(&beside, file)
    });
    written.map_err(|error| format!("{}: {error}", file.display()))
}

/// The registrable domain of the header field From.
fn domain_of(message: &Message) -> String {
    let from = message
        .reading()
        .header()
        .values("from")
        .next()
        .unwrap_or_default();
    let domain = from.rsplit('@').next().unwrap_or_default();
    let domain = domain.trim_end_matches(['>', ' ']).to_ascii_lowercase();
    registrable(&domain).unwrap_or(domain)
}

fn identity(message: &Message) -> String {
    match Ties::of(message.reading()).body {
        Some(words) => format!("words:{words:016x}"),
        None => {
            let digest = ring::digest::digest(&ring::digest::SHA256, message.bytes());
            let hex: String = digest
                .as_ref()
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            format!("sha256:{hex}")
        }
    }
}

#[cfg(test)]
mod tests;

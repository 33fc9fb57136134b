//! What an installation teaches its classifier, message by message, and the bounds of that: whoever could have messages
//! learned at will would decide what is refused.
//!
//! The model is moved in place of the one that ships. A ledger beside it (`classifier.learned` for `classifier.model`, one
//! JSON object a line) says what was learned when, on whose word. Whoever changes either holds `classifier.lock`.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write as _};
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

/// Lines of the ledger from which on the older half is dropped: what is left is more than any day may bring.
const LEDGER_LINES_MAX: usize = 20_000;

/// Bytes of a ledger that are read: several times what as many lines have.
const LEDGER_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Bytes of a domain that are noted.
const DOMAIN_BYTES_MAX: usize = 253;

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
    /// Held until all is written.
    _lock: File,
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
        let lock = lock(file)?;
        let ledger_file = ledger_of(file);
        let told = |error: &dyn fmt::Display| format!("{}: {error}", ledger_file.display());
        let mut ledger = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(&ledger_file)
            .map_err(|error| told(&error))?;
        let length = ledger.metadata().map_err(|error| told(&error))?.len();
        if length > LEDGER_BYTES_MAX {
            // Without its end nobody knows what was learned today.
            return Err(told(
                &"it is larger than 64 MiB: move it away to begin another",
            ));
        }
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
            _lock: lock,
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
        if self.entries.len() > LEDGER_LINES_MAX {
            let newest = self.entries.len() - LEDGER_LINES_MAX / 2;
            let kept = lines(self.entries.iter().skip(newest))?;
            return replace(&ledger_of(&self.file), kept.as_bytes());
        }
        let from = self.entries.len() - self.new;
        let mut appended = if self.is_cut_short {
            "\n".to_owned()
        } else {
            String::new()
        };
        appended.push_str(&lines(self.entries.iter().skip(from))?);
        self.ledger.write_all(appended.as_bytes())?;
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

/// Puts a model that was trained in the place of another. What the other had learned by single messages is forgotten, so that
/// it can be learned again.
///
/// # Errors
/// Says which file can't be written.
pub fn replace_model(file: &Path, model: &Model) -> Result<(), String> {
    let _lock = lock(file)?;
    let ledger = ledger_of(file);
    write_model(file, model)?;
    match std::fs::remove_file(&ledger) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(format!("{}: {error}", ledger.display()))
        }
        _ => Ok(()),
    }
}

fn write_model(file: &Path, model: &Model) -> Result<(), String> {
    replace(file, &model.to_bytes()).map_err(|error| format!("{}: {error}", file.display()))
}

/// Writes beside and renames, synced: whoever reads sees the old content or the new one, also after a power failure.
fn replace(file: &Path, content: &[u8]) -> io::Result<()> {
    let beside = file.with_added_extension("new");
    let mut open = File::create(&beside)?;
    open.write_all(content)?;
    open.sync_all()?;
    std::fs::rename(&beside, file)?;
    File::open(folder_of(file))?.sync_all()
}

/// Waits until nobody else changes the model, and keeps others waiting as long as it is held.
fn lock(file: &Path) -> Result<File, String> {
    let path = file.with_extension("lock");
    // A node that has not run yet has no `data_dir`.
    let locked = std::fs::create_dir_all(folder_of(file)).and_then(|()| {
        let lock = File::create(&path)?;
        lock.lock()?;
        Ok(lock)
    });
    locked.map_err(|error| format!("{}: {error}", path.display()))
}

fn ledger_of(file: &Path) -> PathBuf {
    file.with_extension("learned")
}

fn folder_of(file: &Path) -> &Path {
    let folder = file.parent().filter(|it| !it.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

fn lines<'e>(entries: impl Iterator<Item = &'e Entry>) -> io::Result<String> {
    let mut lines = String::new();
    for entry in entries {
        lines.push_str(&serde_json::to_string(entry)?);
        lines.push('\n');
    }
    Ok(lines)
}

/// The registrable domain of the author; empty where there is none, so that all of these share one limit.
fn domain_of(message: &Message) -> String {
    let author = message.reading().header().from.first();
    let domain = author.and_then(|author| author.domain.clone());
    let mut domain = domain.unwrap_or_default();
    domain = registrable(&domain).unwrap_or(domain);
    if domain.len() > DOMAIN_BYTES_MAX {
        domain.clear();
    }
    domain
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

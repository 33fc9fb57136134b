//! The record of senders: what came from an address, its network, the name it gives and the domains it proves, the
//! older the less counted.
//!
//! It stands alone, without any list: from the verdicts on messages it learns whom to expect what from. What is counted is in
//! `tally`, what that makes of a sender in `class`, what follows for a client or a message in `judgement`; `table` holds all of
//! it within a bound of bytes, and `snapshot` keeps it over a restart. What is known of one key is never a reason for a grave
//! step by itself where another key knows better: a network never condemns an address that is known to be good.

use std::net::IpAddr;
use std::time::Duration;

mod class;
mod judgement;
mod key;
pub mod snapshot;
mod table;
mod tally;

pub use class::{Class, Measures};
pub use judgement::{Advice, Judgement, Opinion};
pub use key::Key;
pub use table::Usage;
pub use tally::Tally;

use super::origin::is_public;
use table::Table;

/// How the record judges and what it may take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RecordSettings {
    /// How long it takes until something counts half.
    pub half_life: Duration,
    /// Bytes of memory.
    pub memory_max: usize,
    /// From when on a sender is called what.
    pub measures: Measures,
}

impl Default for RecordSettings {
    fn default() -> RecordSettings {
        RecordSettings {
            half_life: crate::limits::RECORD_HALF_LIFE,
            memory_max: crate::limits::RECORD_MEMORY_MAX,
            measures: Measures::default(),
        }
    }
}

/// Who sends.
#[derive(Clone, Copy, Debug)]
pub struct Sender<'a> {
    /// The client.
    pub ip: IpAddr,
    /// The name it gave with EHLO or HELO.
    pub helo: &'a str,
    /// The name is the client's own by DNS: its confirmed reverse name, or SPF of HELO passes. Any other name may be
    /// anybody's.
    pub helo_is_proven: bool,
    /// The domains that DKIM or SPF proved.
    pub domains: &'a [String],
}

/// What is to be learnt of a sender.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Lesson {
    /// A message was accepted, and nothing was held against it.
    Good,
    /// A message was refused as spam or for a virus, on other evidence than this record. 1, or less where the evidence is
    /// weak.
    Bad(f32),
    /// It named recipients that do not exist.
    UnknownRecipients(u32),
    /// It named recipients that were accepted.
    KnownRecipients(u32),
    /// It was refused for what says little of its messages: by a list, for its rate, by this record itself. Counted to be
    /// shown; never held against it, or a refusal would feed the next one.
    Refused,
}

/// What is known of one sender, shown to a postmaster.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Of whom.
    pub key: Key,
    /// The counters as they stand now.
    pub tally: Tally,
    /// What that makes it.
    pub class: Class,
    /// Why, in words.
    pub reason: String,
    /// Since when it is known, in seconds since 1970.
    pub first_seen: u32,
    /// When it was last heard of, in seconds since 1970.
    pub last_seen: u32,
    /// When whoever is called suspect or bad will be called something better if nothing more is learnt, in seconds since 1970.
    pub until: Option<u32>,
}

/// What is known of senders. Shared by reference; clients come in on all threads.
///
/// Times are seconds since 1970, given by the caller.
#[derive(Debug)]
pub struct Record {
    table: Table,
}

impl Record {
    /// An empty record.
    pub fn new(settings: RecordSettings) -> Record {
        Record {
            table: Table::new(settings),
        }
    }

    /// Judges by these settings from now on; what was learnt stays.
    pub fn set(&self, settings: RecordSettings) {
        self.table.set(settings);
    }

    /// Learns something of a sender, for every key that it has.
    pub fn learn(&self, sender: &Sender<'_>, lesson: Lesson, now: u32) {
        for key in Key::all(sender) {
            self.table.learn(key, lesson, now);
        }
    }

    /// What to make of a client that connects.
    pub fn client(&self, ip: IpAddr, now: u32) -> Judgement {
        if !is_public(ip) {
            return Judgement::nobodys(ip);
        }
        let address = self.known(Key::address(ip), now);
        let network = self.known(Key::network(ip), now);
        judgement::client(&address, &network, &self.measures(), now)
    }

    /// What to make of a message of this sender.
    pub fn sender(&self, sender: &Sender<'_>, now: u32) -> Opinion {
        let entries: Vec<Entry> = Key::all(sender)
            .into_iter()
            .map(|key| self.known(key, now))
            .collect();
        judgement::sender(&entries)
    }

    /// What is known of one key, if anything is.
    pub fn entry(&self, key: &Key, now: u32) -> Option<Entry> {
        self.table.entry(key, now)
    }

    /// Forgets one key. Tells whether anything was known of it.
    pub fn forget(&self, key: &Key) -> bool {
        self.table.forget(key)
    }

    /// Forgets what no longer counts.
    pub fn tidy_up(&self, now: u32) {
        self.table.tidy_up(now);
    }

    /// How much there is.
    pub fn usage(&self) -> Usage {
        self.table.usage()
    }

    fn measures(&self) -> Measures {
        self.table.settings().measures
    }

    fn known(&self, key: Key, now: u32) -> Entry {
        self.table
            .entry(&key, now)
            .unwrap_or_else(|| Entry::nothing(key, now))
    }
}

impl Entry {
    fn nothing(key: Key, now: u32) -> Entry {
        Entry {
            reason: format!("nothing is known of {key}"),
            key,
            tally: Tally::default(),
            class: Class::Unknown,
            first_seen: now,
            last_seen: now,
            until: None,
        }
    }
}

#[cfg(test)]
mod tests;

//! fjall, used as well as its interface permits.
//!
//! Two keyspaces, written in one atomic batch: envelopes, small and read at start, and contents with key-value separation on,
//! so that compaction moves pointers and not messages. Group commit: fjall syncs under the lock of its journal and lets nobody
//! share a sync that already waits, so one thread collects what all submitters bring meanwhile into one batch with
//! `PersistMode::SyncData`; that is one write and one fdatasync for all of them. Removals are batched alike and not synced.

use std::path::Path;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;

use anyhow::{Context, Result, anyhow};
use fjall::{Database, Keyspace, KeyspaceCreateOptions, KvSeparationOptions, PersistMode};

use crate::message::Message;
use crate::store::Store;

/// Messages of one batch at most: more would only make each wait longer.
const BATCH_MAX: usize = 256;

/// One submission and where its outcome goes.
struct Waiting {
    number: u64,
    envelope: Vec<u8>,
    content: bytes::Bytes,
    done: SyncSender<Result<(), String>>,
}

pub(crate) struct Fjall {
    spaces: Spaces,
    submissions: Mutex<Option<Sender<Waiting>>>,
    stored: Mutex<Receiver<u64>>,
}

#[derive(Clone)]
struct Spaces {
    database: Database,
    envelopes: Keyspace,
    contents: Keyspace,
}

impl Fjall {
    pub(crate) fn open(folder: &Path) -> Result<Fjall> {
        let database = Database::builder(folder).open()?;
        let envelopes = database.keyspace("envelopes", KeyspaceCreateOptions::default)?;
        let contents = database.keyspace("contents", || {
            KeyspaceCreateOptions::default()
                .with_kv_separation(Some(KvSeparationOptions::default()))
        })?;
        let spaces = Spaces {
            database,
            envelopes,
            contents,
        };
        let (submissions, received) = channel();
        let (stored, waiting) = channel();
        let writing = spaces.clone();
        thread::spawn(move || writing.commit_groups(&received, &stored));
        Ok(Fjall {
            spaces,
            submissions: Mutex::new(Some(submissions)),
            stored: Mutex::new(waiting),
        })
    }
}

impl Spaces {
    /// Takes all that wait, commits them together, and tells each.
    fn commit_groups(&self, submissions: &Receiver<Waiting>, stored: &Sender<u64>) {
        while let Ok(first) = submissions.recv() {
            let mut group = vec![first];
            group.extend(submissions.try_iter().take(BATCH_MAX - 1));
            let mut batch = self
                .database
                .batch()
                .durability(Some(PersistMode::SyncData));
            for waiting in &mut group {
                let key = waiting.number.to_be_bytes();
                let envelope = std::mem::take(&mut waiting.envelope);
                batch.insert(&self.envelopes, key, envelope);
                batch.insert(&self.contents, key, waiting.content.as_ref());
            }
            let outcome = batch.commit().map_err(|error| error.to_string());
            for waiting in group {
                if outcome.is_ok() {
                    // Nobody delivers any more: then nobody asks.
                    let _ = stored.send(waiting.number);
                }
                let _ = waiting.done.send(outcome.clone());
            }
        }
    }
}

impl Store for Fjall {
    fn submit(&self, message: &Message) -> Result<()> {
        let (done, outcome) = sync_channel(1);
        let waiting = Waiting {
            number: message.number,
            envelope: message.envelope(),
            content: message.content.clone(),
            done,
        };
        let submissions = self.submissions.lock().expect("no thread panics").clone();
        submissions.context("finished")?.send(waiting)?;
        outcome.recv()?.map_err(|error| anyhow!(error))
    }

    fn deliver(&self, count: &mut dyn FnMut(usize)) -> Result<()> {
        loop {
            let next = self.stored.lock().expect("no thread panics").recv();
            let Ok(number) = next else {
                return Ok(());
            };
            let key = number.to_be_bytes();
            let content = self.spaces.contents.get(key)?;
            count(content.context("a stored message is gone")?.len());
            let mut batch = self.spaces.database.batch();
            batch.remove(&self.spaces.envelopes, key);
            batch.remove(&self.spaces.contents, key);
            batch.commit()?;
        }
    }

    fn finish(&self) {
        self.submissions.lock().expect("no thread panics").take();
    }

    fn fill(&self, messages: &mut dyn Iterator<Item = Message>) -> Result<()> {
        let mut messages = messages.peekable();
        while messages.peek().is_some() {
            let mut batch = self.spaces.database.batch();
            for message in messages.by_ref().take(BATCH_MAX) {
                let key = message.number.to_be_bytes();
                batch.insert(&self.spaces.envelopes, key, message.envelope());
                batch.insert(&self.spaces.contents, key, message.content.as_ref());
            }
            batch.commit()?;
        }
        Ok(self.spaces.database.persist(PersistMode::SyncAll)?)
    }

    fn index(&self) -> Result<u64> {
        let mut count = 0;
        for entry in self.spaces.envelopes.iter() {
            entry.into_inner()?;
            count += 1;
        }
        Ok(count)
    }
}

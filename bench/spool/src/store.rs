//! What the three engines have to do, and nothing else: keep a message safely, hand it out once, forget it.

use std::path::Path;

use anyhow::{Result, bail};

use crate::files::Files;
use crate::fjall_store::Fjall;
use crate::log_store::LogStore;
use crate::message::Message;

/// Which engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    /// The queue crate of Gatepost: segments with group commit.
    Queue,
    /// fjall: a log-structured merge tree with values kept apart from keys.
    Fjall,
    /// One file for each message, synced, renamed into place; its folder synced too.
    Files,
}

impl Engine {
    pub(crate) fn named(name: &str) -> Result<Engine> {
        Ok(match name {
            "queue" => Engine::Queue,
            "fjall" => Engine::Fjall,
            "files" => Engine::Files,
            other => bail!("no engine {other:?}: queue, fjall or files"),
        })
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Engine::Queue => "queue",
            Engine::Fjall => "fjall",
            Engine::Files => "files",
        }
    }

    /// Opens or makes a store in a folder.
    pub(crate) fn open(self, folder: &Path) -> Result<Box<dyn Store>> {
        Ok(match self {
            Engine::Queue => Box::new(LogStore::open(folder)?),
            Engine::Fjall => Box::new(Fjall::open(folder)?),
            Engine::Files => Box::new(Files::open(folder)?),
        })
    }
}

/// A durable queue, called from several threads.
pub(crate) trait Store: Send + Sync {
    /// Keeps a message; returns once it would survive a power failure.
    fn submit(&self, message: &Message) -> Result<()>;

    /// Reads each message once and forgets it, and gives the bytes read to `count`, until the store is finished and empty. That a
    /// message is gone need not be durable: delivering it again after a crash is allowed. Called from several threads.
    fn deliver(&self, count: &mut dyn FnMut(usize)) -> Result<()>;

    /// No more messages will be submitted: `deliver` returns once all are delivered.
    fn finish(&self);

    /// Keeps many messages as fast as the engine can; returns once all are durable.
    fn fill(&self, messages: &mut dyn Iterator<Item = Message>) -> Result<()>;

    /// Makes or waits for the index that a start needs: which messages there are, and for whom. Gives their number.
    fn index(&self) -> Result<u64>;
}

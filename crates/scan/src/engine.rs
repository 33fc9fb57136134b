//! The engine: something that examines a message. Its trait, how it is armed for a wave, its health, and the settings
//! that all daemons have.
//!
//! Engines report facts (`finding`); they know nothing of each other and nothing of what is refused.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::address::Address;
use crate::finding::{Finding, Unavailable, UnavailableCause};
use crate::limits;
use crate::specimen::Specimen;

/// Something that examines messages.
///
/// `examine` may be cancelled at any moment (its deadline passes, or the verdict is certain without it) and has to leave
/// nothing half-used behind. An engine that computes rather than waits moves long work to `spawn_blocking` by itself.
pub trait Engine: Send + Sync + 'static {
    /// The engine's name, as in the configuration. Its findings bear it.
    fn name(&self) -> &str;

    /// Examines one message.
    ///
    /// # Errors
    /// `Unavailable` when it cannot: the daemon is away, refuses, or answers nonsense.
    fn examine(&self, specimen: Arc<Specimen>) -> BoxFuture<'_, Result<Finding, Unavailable>>;

    /// Asks whether the engine works, past any back-off, and answers with its banner or version.
    ///
    /// # Errors
    /// `Unavailable` when it does not.
    fn probe(&self) -> BoxFuture<'_, Result<String, Unavailable>>;

    /// Told when an examination was given up at its deadline, so that a daemon that hangs counts as failing.
    fn timed_out(&self) {}

    /// Whether it worked when it was last used.
    fn health(&self) -> Health {
        Health::Up
    }
}

/// Whether an engine works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// It answers, or has not been asked yet.
    Up,
    /// It fails and is left alone for a while; why.
    Down(Unavailable),
}

/// Told by an engine, under its name, when its health changes. It is called on the path of a message: it must not block.
pub type Observer = Arc<dyn Fn(&str, &Health) + Send + Sync>;

/// An engine with the time that it has for one message.
#[derive(Clone)]
pub struct Armed {
    /// The engine.
    pub engine: Arc<dyn Engine>,
    /// How long it is waited for.
    pub deadline: Duration,
}

impl Armed {
    /// An engine with the default deadline.
    pub fn new(engine: Arc<dyn Engine>) -> Armed {
        Armed {
            engine,
            deadline: limits::ENGINE_DEADLINE,
        }
    }
}

impl fmt::Debug for Armed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Armed")
            .field("engine", &self.engine.name())
            .field("deadline", &self.deadline)
            .finish()
    }
}

/// What every engine that talks to a daemon is told.
#[derive(Clone)]
pub struct DaemonSettings {
    /// The engine's name, as in the configuration.
    pub name: String,
    /// Where the daemon listens.
    pub address: Address,
    /// How many messages it is given at a time; more wait, within their deadline.
    pub connections_max: usize,
    /// The largest message that it is given, in bytes.
    pub message_size_max: u64,
    /// Told when the daemon goes down or comes up.
    pub observer: Option<Observer>,
}

impl DaemonSettings {
    /// The daemon at `address` under `name`, with default limits.
    pub fn new(name: impl Into<String>, address: Address) -> DaemonSettings {
        DaemonSettings {
            name: name.into(),
            address,
            connections_max: limits::CONNECTIONS_MAX,
            message_size_max: limits::MESSAGE_SIZE_MAX,
            observer: None,
        }
    }

    /// Whether the message is small enough for the daemon.
    pub(crate) fn admits(&self, specimen: &Specimen) -> Result<(), Unavailable> {
        let bytes = specimen.message.bytes().len() as u64;
        if bytes <= self.message_size_max {
            return Ok(());
        }
        let detail = format!(
            "the message has {bytes} bytes, more than the {} for this engine",
            self.message_size_max
        );
        Err(Unavailable::new(UnavailableCause::TooLarge, detail))
    }
}

impl fmt::Debug for DaemonSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DaemonSettings")
            .field("name", &self.name)
            .field("address", &self.address)
            .field("connections_max", &self.connections_max)
            .field("message_size_max", &self.message_size_max)
            .finish_non_exhaustive()
    }
}

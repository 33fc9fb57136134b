//! `[engine.NAME]`: the engines that are set up, where they are, and what their word counts.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::Secret;

/// One `[engine.NAME]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Engine {
    /// `clamav`, `spamassassin`, ...
    pub name: String,
    /// How long it may take for one message.
    pub deadline: Duration,
    /// Connections to its daemon at one time.
    pub connections_max: usize,
    /// Bytes of the largest message that it is given.
    pub size_max: u64,
    /// What holds for a route that says nothing else.
    pub rule: EngineRule,
    /// Which engine it is, with its own settings.
    pub kind: EngineKind,
}

/// Which engine it is, with its own settings.
#[derive(Clone, Debug, PartialEq)]
pub enum EngineKind {
    /// clamd.
    Clamav {
        /// Of clamd.
        address: Address,
    },
    /// spamd.
    Spamassassin {
        /// Of spamd.
        address: Address,
        /// Whose preferences hold.
        user: Option<String>,
        /// Asks for the report with the points of each rule, not only for their names.
        report: bool,
    },
    /// rspamd's normal worker.
    Rspamd {
        /// Of the worker.
        address: Address,
        /// The password that it wants.
        password: Option<Secret>,
    },
    /// Sophos SAVDI over SSSP.
    Sophos {
        /// Of the daemon.
        address: Address,
    },
    /// Any ICAP server (RFC 3507).
    Icap {
        /// Of the server.
        address: Address,
        /// The service path on it.
        service: String,
    },
    /// A daemon that speaks RPD's HTTP protocol.
    Ctasd {
        /// Of the daemon.
        address: Address,
    },
    /// Dangerous attachments, examined in this process.
    Attachment(Attachment),
}

/// What the attachment engine looks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// File name extensions refused besides the built-in ones, lower case without the dot.
    pub banned_extensions: Vec<String>,
    /// Built-in ones that are allowed after all.
    pub allowed_extensions: Vec<String>,
    /// What an encrypted archive brings.
    pub encrypted_archives: EncryptedArchives,
    /// Levels of archives within archives that are opened.
    pub archive_depth_max: usize,
    /// Entries that are looked at over all archives of a message.
    pub archive_entries_max: usize,
}

/// What an archive that cannot be looked into brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EncryptedArchives {
    /// Nothing.
    Allow,
    /// It is banned.
    Refuse,
}

/// What an engine's findings count on a route.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EngineRule {
    /// Its findings count.
    pub enabled: bool,
    /// The score from which on it finds a message likely spam; `None`: the engine's own mark.
    pub likely: Option<f32>,
    /// The score from which on it is sure; `None`: by its class alone.
    pub sure: Option<f32>,
    /// What happens when it is unavailable.
    pub on_failure: OnFailure,
}

/// What happens when an engine is unavailable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// The message is decided without it.
    Open,
    /// The client is told to try again (451).
    Defer,
}

/// Where a daemon listens. `Display` gives the form of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    /// `HOST:PORT`, an IPv6 address in brackets.
    Tcp(String, u16),
    /// `unix:PATH`.
    Unix(PathBuf),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Tcp(host, port) if host.contains(':') => write!(f, "[{host}]:{port}"),
            Address::Tcp(host, port) => write!(f, "{host}:{port}"),
            Address::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

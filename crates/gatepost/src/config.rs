//! The configuration: one TOML file read into typed settings, with every error of it reported at once.
//!
//! `config/keys` declares each key once (type, default, range, meaning, source); the reader, the check for unknown
//! keys and `docs/configuration.md` all come from it. Nothing here opens a socket or starts a task; files that the
//! configuration names (domain lists, recipient lists) are read here, so that `check` finds their errors too.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::deliver::report::Reporter;
use crate::lists::ListSettings;
use crate::relay_table::DomainMap;
use crate::replies::Templates;

mod authentication;
mod classifier;
mod content;
mod delivery;
mod domains;
mod engine;
mod error;
mod files;
mod keys;
mod listener;
mod lists;
mod load;
mod nexthop;
mod node;
mod queue;
mod reader;
mod reference;
mod replies;
mod reports;
mod reputation;
mod route;
mod secret;
mod suggest;
mod tls_policy;
mod value;

pub use authentication::Authentication;
pub use classifier::{Classifier, Origin, read as read_model};
pub use content::Content;
pub use delivery::{AddressPreference, Delivery, InetProtocols};
pub use engine::{Attachment, EncryptedArchives, Engine, EngineKind};
pub use error::ConfigError;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use error::ERRORS_MAX;
pub use listener::{
    BareNewline, CertificateFiles, Listener, ListenerAuth, ListenerTimeouts, Tls, TlsMode,
};
pub use nexthop::{Nexthop, NexthopAuth, NexthopOrder, NexthopTimeouts, NexthopTls};
pub use node::{Admin, DecisionLog, Dns, Level, Log, Node, Scan};
pub use queue::{Destination, Destinations, Pool, Queue, Queueing, Rate};
pub use reference::reference_markdown;
pub use reports::{Dkim, Loops};
pub use reputation::{Caution, Reputation};
pub use route::{Callout, OnNexthopFailure, RecipientCheck, Route};
pub use scan::address::Address;
pub use secret::Secret;
pub use tls_policy::{DailyReportSettings, TlsPolicy};

/// The whole configuration of a node: an immutable snapshot, replaced as a whole on reload.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the configuration was read from; `None` for the embedded default.
    pub file: Option<PathBuf>,
    /// `[node]`: who we are.
    pub node: Node,
    /// `[log]`: the decision log and the human log.
    pub log: Log,
    /// `[admin]`: metrics, health and the control socket.
    pub admin: Admin,
    /// `[dns]`: how names are looked up.
    pub dns: Dns,
    /// `[delivery]`: how servers are reached.
    pub delivery: Delivery,
    /// `[scan]`: the wave of engines.
    pub scan: Scan,
    /// `[tls_policy]`: how servers that take messages must prove themselves.
    pub tls_policy: TlsPolicy,
    /// `[tls_reports]`: who is told how that went.
    pub tls_reports: DailyReportSettings,
    /// `[dmarc_reports]`: who is told what DMARC said of messages.
    pub dmarc_reports: DailyReportSettings,
    /// `[queue]`: where messages wait that can't be handed on at once.
    pub queue: Queue,
    /// `[reports]`: who reports on messages, and to whom.
    pub reports: Reporter,
    /// `[[dkim]]`: keys that sign.
    pub dkim: Vec<Dkim>,
    /// `[loops]`: when a message goes round in circles.
    pub loops: Loops,
    /// `[[pool]]`: addresses and names to deliver from.
    pub pools: Vec<Pool>,
    /// `[[destination]]`, in the order of the file: the first that matches counts.
    pub destinations: Destinations,
    /// `[[listener]]`, in the order of the file; never empty.
    pub listeners: Vec<Arc<Listener>>,
    /// `[[route]]`, in the order of the file; never empty.
    pub routes: Vec<Arc<Route>>,
    /// The domains of all routes, by the place of the route; [`RelayTable`](crate::relay_table::RelayTable) looks
    /// them up.
    pub domains: Arc<DomainMap>,
    /// `[engine.NAME]` by name: each engine that is set up (those that need no daemon always are).
    pub engines: BTreeMap<String, Engine>,
    /// `[auth]`: what is made of sender authentication.
    pub auth: Authentication,
    /// `[allow]`: who is never refused as spam.
    pub allow: ListSettings,
    /// `[block]`: who is always refused.
    pub block: ListSettings,
    /// The texts of refusals: the built-in ones, with what `[replies.LANGUAGE]` changes or translates.
    pub replies: Arc<Templates>,
}

/// A duration as the configuration writes it, such as `1h30m`.
///
/// # Errors
/// What is wrong with it, and what to write.
pub(crate) fn duration(text: &str) -> Result<std::time::Duration, (String, String)> {
    value::duration(text).map_err(|fault| (fault.message, fault.remedy))
}

#[cfg(test)]
mod tests;

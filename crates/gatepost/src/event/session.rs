//! Sessions that had no transaction, and connections that became none: what their events tell.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::decision::{Client, Reply, Stage, Tls};

/// A session that ended without a transaction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SessionEnded {
    /// The listener's name.
    pub listener: Arc<str>,
    /// Who connected.
    pub client: Client,
    /// The encryption of the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
    /// The name given with EHLO or HELO.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub ehlo: String,
    /// The last stage that was reached.
    pub stage: Stage,
    /// What ended it.
    pub reason: SessionEnd,
    /// Particulars, for the operator.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// Commands that were refused.
    pub bad_commands: u32,
    /// The last reply that was not positive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<Reply>,
    /// How long the session lasted, in milliseconds.
    pub milliseconds: f32,
}

/// What ended a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SessionEnd {
    /// QUIT.
    Quit,
    /// The client closed the connection.
    Disconnect,
    /// The client spoke before the banner.
    EarlyTalker,
    /// Too many commands were refused.
    TooManyErrors,
    /// The client gave no command in time, or too few bytes.
    Timeout,
    /// A list or rule refused the client.
    Refused,
    /// The TLS handshake failed.
    TlsFailed,
    /// The PROXY header was missing or wrong.
    ProxyFailed,
    /// The session used up its transactions or its idle commands.
    Limit,
    /// The connection broke.
    Io,
    /// We were stopped.
    Stop,
    /// Our own fault; it ended this session alone.
    Fault,
}

/// Why a connection was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConnectionRefusal {
    /// The listener has as many connections as it takes.
    Listener,
    /// The client's network has as many connections as it may.
    Network,
    /// All listeners together have as many connections as they take.
    Overall,
    /// A block list.
    List,
    /// The process is stopping.
    Stopping,
    /// The process is short of file descriptors or memory.
    Exhausted,
    /// The PROXY header that the peer must send was missing or wrong.
    Proxy,
}

//! `[node]`, `[log]`, `[admin]`, `[dns]` and `[scan]`: the settings of which a node has one.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

/// `[node]`: the node itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The name that we give in banners, EHLO, `Received` fields and references.
    pub name: String,
    /// The folder that holds everything that we write.
    pub data_dir: PathBuf,
    /// The number of this node among several (part of references); `None` when it is alone.
    pub number: Option<u8>,
    /// The mailbox of whoever looks after this node (RFC 5321 4.5.1).
    pub postmaster: String,
    /// Bytes that all messages in memory may take together.
    pub memory_max: u64,
    /// Bytes of one message above which it is kept in a spool file.
    pub memory_message_max: u64,
    /// Networks of our own: may submit to any domain.
    pub trusted_networks: Vec<IpNet>,
    /// Worker threads; `None` for one per processor.
    pub threads: Option<usize>,
}

/// `[log]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// Where the decision log goes: one JSON line per transaction.
    pub decisions: DecisionLog,
    /// The least level of the human log on standard error.
    pub level: Level,
}

/// Where decisions are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DecisionLog {
    /// Standard output.
    Stdout,
    /// Appended to this file.
    File(PathBuf),
}

/// How much the human log tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Only what needs a person.
    Error,
    /// And what may soon.
    Warn,
    /// And one line per transaction.
    Info,
    /// And what a developer wants to see.
    Debug,
    /// And everything.
    Trace,
}

/// `[admin]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admin {
    /// Addresses on which metrics and health are served over HTTP.
    pub bind: Vec<SocketAddr>,
    /// The unix socket that `gatepost reload` and other commands talk to.
    pub control: PathBuf,
}

/// `[dns]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dns {
    /// Name servers to ask; empty for those of the system.
    pub nameservers: Vec<SocketAddr>,
    /// How long a whole look-up may take.
    pub timeout: Duration,
}

/// `[scan]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scan {
    /// How long the wave of all engines may take for one message.
    pub deadline: Duration,
}

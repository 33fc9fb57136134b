//! `[node]`, `[log]`, `[admin]`, `[dns]` and `[scan]`: the settings of which a node has one.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;
use net::resolver::Dnssec;
use smtp::Mailbox;

use super::error::Fault;
use super::reader::Section;
use super::value;

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
    pub postmaster: Mailbox,
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
    /// Whether nameservers are believed about DNSSEC; `None`: if all of them are on this machine.
    pub dnssec: Option<Dnssec>,
}

/// `[scan]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scan {
    /// How long the wave of all engines may take for one message.
    pub deadline: Duration,
}

impl Node {
    /// `None` if what all else stands on is missing, which is noted.
    pub(super) fn read(section: &Section<'_, '_>) -> Option<Node> {
        let name = section.form("name", value::host_name);
        let postmaster = section.form("postmaster", value::mailbox);
        let data_dir = section.path("data_dir");
        let memory_max = section.bytes("memory_max");
        let memory_message_max = section.bytes("memory_message_max");
        if section.has("memory_message_max") && memory_message_max > memory_max {
            section.error(
                "memory_message_max",
                Fault::new(
                    "`memory_message_max` is larger than `memory_max`",
                    "make it a small part of `memory_max`, so that many messages fit",
                ),
            );
        }
        let number = section.integer_if_given("number");
        let trusted_networks = section.networks("trusted_networks");
        let threads = section.integer_if_given("threads");
        let name = name?;
        // RFC 5321 4.5.1: there always is one.
        let postmaster = postmaster.or_else(|| format!("postmaster@{name}").parse().ok())?;
        Some(Node {
            name,
            data_dir: data_dir?,
            number,
            postmaster,
            memory_max,
            memory_message_max,
            trusted_networks,
            threads,
        })
    }
}

impl Log {
    pub(super) fn read(section: &Section<'_, '_>, data_dir: &Path) -> Log {
        let decisions = section.form("decisions", |text| match text.strip_prefix("file:") {
            Some(path) if !path.is_empty() && !path.contains('\0') => {
                Ok(DecisionLog::File(section.reader.path(path)))
            }
            None if text == "-" => Ok(DecisionLog::Stdout),
            _ => Err(Fault::new(
                format!("`{}` is no place for decisions", text.escape_debug()),
                "write \"file:\" and a path, or \"-\" for standard output",
            )),
        });
        let levels = [
            ("error", Level::Error),
            ("warn", Level::Warn),
            ("info", Level::Info),
            ("debug", Level::Debug),
            ("trace", Level::Trace),
        ];
        Log {
            decisions: decisions
                .unwrap_or_else(|| DecisionLog::File(data_dir.join("decisions.jsonl"))),
            level: section.choice("level", &levels).unwrap_or(Level::Info),
        }
    }
}

impl Admin {
    pub(super) fn read(section: &Section<'_, '_>, data_dir: &Path) -> Admin {
        let control = section.path("control");
        Admin {
            bind: section
                .sockets("bind")
                .into_iter()
                .map(|(bind, _)| bind)
                .collect(),
            control: control.unwrap_or_else(|| data_dir.join("control.sock")),
        }
    }
}

impl Dns {
    pub(super) fn read(section: &Section<'_, '_>) -> Dns {
        let nameservers = section.list("nameservers", value::nameserver);
        let words = [("off", Dnssec::Off), ("trust", Dnssec::Trust)];
        Dns {
            nameservers: nameservers.into_iter().map(|(server, _)| server).collect(),
            timeout: section.duration("timeout"),
            dnssec: section.choice("dnssec", &words),
        }
    }
}

impl Scan {
    pub(super) fn read(section: &Section<'_, '_>) -> Scan {
        Scan {
            deadline: section.duration("deadline"),
        }
    }
}

//! The servers that are measured side by side: Gatepost and its peers, each relaying example.com to the sink.
//!
//! The peers run as they are shipped, but for what a benchmark on loopback needs; `shared/PEERS.md` of the
//! project explains each setting. Their folders are below `target/peers` and `target/bench`.

mod exim;
mod gatepost;
mod haraka;
mod isolation;
mod opensmtpd;
mod postfix;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::process::{Process, Reaper};
use crate::install;
use crate::workspace;

pub(super) use gatepost::{Gatepost, Tls, program as gatepost_program};

/// A peer by the name it has in the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Postfix,
    Exim,
    OpenSmtpd,
    Haraka,
    Gatepost,
}

/// How a server hands on what it takes, where it knows more than one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// While the client waits: Gatepost's cut-through, Haraka's `queue/smtp_forward`.
    InLine,
    /// From a queue on the disk.
    Queued,
}

/// What a server is started for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Purpose<'a> {
    /// The port of the sink.
    pub(super) nexthop: u16,
    pub(super) manner: Manner,
    /// A program, with arguments, that runs the server and looks on; empty for none.
    pub(super) wrapper: &'a [&'a str],
}

impl Kind {
    /// Those that relay while the client waits, and Postfix, which always queues.
    pub(super) const IN_LINE: &[Kind] = &[Kind::Postfix, Kind::Haraka, Kind::Gatepost];
    /// Those that keep a queue.
    pub(super) const QUEUED: &[Kind] = &[
        Kind::Postfix,
        Kind::Exim,
        Kind::OpenSmtpd,
        Kind::Haraka,
        Kind::Gatepost,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Postfix => "postfix",
            Kind::Exim => "exim",
            Kind::OpenSmtpd => "opensmtpd",
            Kind::Haraka => "haraka",
            Kind::Gatepost => "gatepost",
        }
    }

    /// Installs or builds what the peer needs to run.
    pub(super) fn prepare(self) -> Result<()> {
        match self {
            Kind::Postfix => install::packages(install::POSTFIX),
            Kind::Exim => exim::prepare(),
            Kind::OpenSmtpd => opensmtpd::prepare(),
            Kind::Haraka => haraka::prepare(),
            Kind::Gatepost => gatepost::build(),
        }
    }

    /// What exactly was measured.
    pub(super) fn version(self) -> String {
        match self {
            Kind::Postfix => postfix::version(),
            Kind::Exim => exim::version(),
            Kind::OpenSmtpd => opensmtpd::version(),
            Kind::Haraka => haraka::version(),
            Kind::Gatepost => gatepost::version(),
        }
    }

    /// Starts it on a free port.
    pub(super) fn start(self, reaper: &Reaper, purpose: Purpose<'_>) -> Result<Running> {
        let Purpose {
            nexthop, wrapper, ..
        } = purpose;
        match self {
            Kind::Postfix => postfix::start(reaper, nexthop, wrapper),
            Kind::Exim => exim::start(reaper, nexthop, wrapper),
            Kind::OpenSmtpd => opensmtpd::start(reaper, nexthop, wrapper),
            Kind::Haraka => haraka::start(reaper, purpose),
            Kind::Gatepost => Gatepost::start(reaper, purpose, Tls::None),
        }
        .with_context(|| format!("cannot start {}", self.name()))
    }
}

/// A server that accepts connections.
pub(super) struct Running {
    pub(super) process: Process,
    pub(super) port: u16,
    /// Where Gatepost tells its metrics.
    pub(super) admin_port: Option<u16>,
}

impl Running {
    /// A server that tells nothing of itself.
    fn peer(process: Process, port: u16) -> Running {
        Running {
            process,
            port,
            admin_port: None,
        }
    }
}

/// An empty folder for one server.
fn fresh_folder(below: &str) -> Result<PathBuf> {
    let folder = workspace::target(below);
    let shown = || folder.display().to_string();
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(shown)?;
    }
    fs::create_dir_all(&folder).with_context(shown)?;
    // Peers that drop privileges have to get in; std's canonical form suits those that change directory.
    folder.canonicalize().with_context(shown)
}

fn write(path: &Path, content: &str) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    fs::write(path, content).with_context(|| path.display().to_string())
}

/// The first line that a program prints.
fn first_line(command: &mut Command) -> Option<String> {
    let output = command.output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().next().map(str::to_owned)
}

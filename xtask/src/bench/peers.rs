//! The servers that are measured side by side: Gatepost and its peers, each relaying example.com to the sink.
//!
//! The peers run as they are shipped, but for what a benchmark on loopback needs; `shared/PEERS.md` of the
//! project explains each setting. Their folders are below `target/peers` and `target/bench`.

mod gatepost;
mod haraka;
mod postfix;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::process::{Process, Reaper};
use crate::install;
use crate::workspace;

pub(super) use gatepost::{Gatepost, Tls};

/// A peer by the name it has in the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Postfix,
    Haraka,
    Gatepost,
}

impl Kind {
    pub(super) const ALL: [Kind; 3] = [Kind::Postfix, Kind::Haraka, Kind::Gatepost];

    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Postfix => "postfix",
            Kind::Haraka => "haraka",
            Kind::Gatepost => "gatepost",
        }
    }

    /// Installs or builds what the peer needs to run.
    pub(super) fn prepare(self) -> Result<()> {
        match self {
            Kind::Postfix => install::packages(install::POSTFIX),
            Kind::Haraka => haraka::prepare(),
            Kind::Gatepost => gatepost::build(),
        }
    }

    /// What exactly was measured.
    pub(super) fn version(self) -> String {
        match self {
            Kind::Postfix => postfix::version(),
            Kind::Haraka => haraka::version(),
            Kind::Gatepost => gatepost::version(),
        }
    }

    /// Starts it on a free port, with the sink as its nexthop.
    pub(super) fn start(self, reaper: &Reaper, nexthop: u16) -> Result<Running> {
        match self {
            Kind::Postfix => postfix::start(reaper, nexthop),
            Kind::Haraka => haraka::start(reaper, nexthop),
            Kind::Gatepost => Gatepost::start(reaper, nexthop, Tls::None),
        }
        .with_context(|| format!("cannot start {}", self.name()))
    }
}

/// A server that accepts connections.
pub(super) struct Running {
    pub(super) process: Process,
    pub(super) port: u16,
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

//! The server that is killed: three listeners, four routes that queue, the same ports and folder each time.

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::bench::metrics;
use crate::bench::process::{Process, Reaper, free_port};
use crate::workspace;

/// Recipient domains; those of the last route are handed on while the client waits, and queued if that fails.
pub(super) const DOMAINS: [&str; 4] = ["one.test", "two.test", "three.test", "four.test"];
const LISTENERS: [&str; 3] = ["inbound", "submission", "internal"];
/// A start takes well under a second.
const START_TIME_MAX: Duration = Duration::from_secs(30);

/// A running server.
pub(super) struct Gateway {
    program: PathBuf,
    folder: PathBuf,
    ports: Vec<u16>,
    admin_port: u16,
    process: Option<Process>,
}

impl Gateway {
    pub(super) fn start(reaper: &Reaper, program: &Path, nexthop: u16) -> Result<Gateway> {
        let folder = workspace::target("crash");
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
        }
        fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        let ports: Result<Vec<u16>> = LISTENERS.iter().map(|_| free_port()).collect();
        let mut gateway = Gateway {
            program: program.to_owned(),
            folder,
            ports: ports?,
            admin_port: free_port()?,
            process: None,
        };
        fs::write(gateway.configuration(), gateway.toml(nexthop))?;
        gateway.start_again(reaper)?;
        Ok(gateway)
    }

    /// The ports of its listeners.
    pub(super) fn ports(&self) -> &[u16] {
        &self.ports
    }

    /// Starts it, with what it left behind, and waits until it listens.
    pub(super) fn start_again(&mut self, reaper: &Reaper) -> Result<()> {
        let log = OpenOptions::new()
            .append(true)
            .create(true)
            .open(self.log())?;
        let program = self.program.to_string_lossy().into_owned();
        let configuration = self.configuration().to_string_lossy().into_owned();
        let serve = [program.as_str(), "serve", "--config", &configuration];
        let mut process = Process::start(reaper, "gatepost", &serve, |command| {
            command.stdout(Stdio::null()).stderr(log)
        })?;
        for &port in &self.ports {
            process
                .wait_for_port(port, START_TIME_MAX)
                .with_context(|| format!("see {}", self.log().display()))?;
        }
        self.process = Some(process);
        Ok(())
    }

    /// SIGKILL: it gets no chance to do anything. Returns when it is gone.
    pub(super) fn kill(&mut self) -> Result<()> {
        if let Some(mut process) = self.process.take() {
            process.child().kill().context("kill")?;
            process.child().wait().context("wait")?;
        }
        Ok(())
    }

    /// SIGTERM, as an operator stops it.
    pub(super) fn stop(&mut self) {
        self.process = None;
    }

    /// Fails if it ended by itself.
    pub(super) fn ensure_running(&mut self) -> Result<()> {
        let process = self.process.as_mut().context("not started")?;
        match process.child().try_wait()? {
            Some(status) => bail!(
                "gatepost ended by itself: {status}; see {}",
                self.log().display()
            ),
            None => Ok(()),
        }
    }

    /// Messages in its queue, by its own count.
    pub(super) fn queued(&self) -> Result<u64> {
        let metrics = metrics::read(self.admin_port)?;
        let queued = metrics.sum(metrics::QUEUED);
        Ok(queued.context("gatepost does not tell how many messages are queued")? as u64)
    }

    fn configuration(&self) -> PathBuf {
        self.folder.join("gatepost.toml")
    }

    fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    fn toml(&self, nexthop: u16) -> String {
        let (folder, admin_port) = (self.folder.display(), self.admin_port);
        // Small segments, and large messages in files of their own, so that files come and go all the time.
        let mut toml = format!(
            r#"[node]
name = "mx.example.net"
data_dir = "{folder}/data"

[admin]
bind = ["127.0.0.1:{admin_port}"]

[queue]
segment_max = "1MiB"
large_message_min = "64KiB"

[engine.attachment]
enabled = false

[engine.auth]
enabled = false

[engine.content]
enabled = false

[engine.reputation]
enabled = false
"#
        );
        for (name, port) in LISTENERS.iter().zip(&self.ports) {
            let _ = write!(
                toml,
                "\n[[listener]]\nname = \"{name}\"\nbind = [\"127.0.0.1:{port}\"]\n"
            );
        }
        for (domain, cut_through) in DOMAINS.iter().zip([false, false, false, true]) {
            let _ = write!(
                toml,
                r#"
[[route]]
domains = ["{domain}"]
nexthop = ["smtp:127.0.0.1:{nexthop}"]
recipients = "any"
cut_through = {cut_through}
on_nexthop_failure = "queue"
retry_min = "1s"
retry_max = "2s"
"#
            );
        }
        toml
    }
}

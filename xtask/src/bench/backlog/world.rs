//! What Gatepost finds when it starts: its queue, its configuration with 10,000 routes, a sink on every address, and a socket
//! that lets connections wait.

use std::fmt::Write as _;
use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;

use anyhow::{Context, Result};

use super::DESTINATIONS;
use crate::bench::postal::Sink;
use crate::bench::process::{Reaper, free_port};
use crate::bench::spool::engine::{self, Engine};
use crate::workspace;

/// What becomes of messages for a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// The sink takes them.
    Living,
    /// Nothing listens.
    Refused,
    /// A connection is made, if at all, and nothing is ever said.
    Silent,
}

/// The fate of a domain by its number.
pub(super) fn fate(domain: u64) -> Fate {
    match domain % 20 {
        19 => Fate::Silent,
        odd if odd % 2 == 1 => Fate::Refused,
        _ => Fate::Living,
    }
}

/// The domain of a living destination, different ones in turn.
pub(super) fn living_recipient(left: u64) -> String {
    format!("b@d{}.test", left * 2 % DESTINATIONS)
}

/// Everything around the server.
pub(super) struct World {
    pub(super) folder: PathBuf,
    pub(super) configuration: PathBuf,
    pub(super) port: u16,
    pub(super) admin_port: u16,
    pub(super) sink: Sink,
    /// Connections are taken by the kernel until its list is full, and never by anybody.
    _silent: TcpListener,
}

impl World {
    /// Makes it, with that many messages in the queue.
    pub(super) fn make(reaper: &Reaper, queued: u64) -> Result<World> {
        let folder = workspace::target("bench/backlog");
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
        }
        let queue = folder.join("data/queue");
        fs::create_dir_all(&queue).with_context(|| queue.display().to_string())?;
        println!("filling the queue with {queued} messages");
        let filled = engine::fill(Engine::Queue, &queue, queued, DESTINATIONS)?;
        println!("  in {} s", filled["seconds"]);
        // All addresses of this network are of its loopback.
        // It stands for thousands of servers, at each of which a connection may wait for the next message.
        let sink = Sink::start_on(reaper, "0.0.0.0", 8000)?;
        let silent = TcpListener::bind("0.0.0.0:0")?;
        let world = World {
            configuration: folder.join("gatepost.toml"),
            folder,
            port: free_port()?,
            admin_port: free_port()?,
            sink,
            _silent: silent,
        };
        let toml = world.toml()?;
        fs::write(&world.configuration, toml)?;
        Ok(world)
    }

    fn toml(&self) -> Result<String> {
        let (folder, port, admin_port) = (self.folder.display(), self.port, self.admin_port);
        let silent = self._silent.local_addr()?.port();
        let mut toml = format!(
            r#"[node]
name = "mx.example.net"
data_dir = "{folder}/data"

[admin]
bind = ["127.0.0.1:{admin_port}"]

[[listener]]
name = "inbound"
bind = ["127.0.0.1:{port}"]

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
        for domain in 0..DESTINATIONS {
            let port = match fate(domain) {
                Fate::Living => self.sink.port(),
                Fate::Refused => 9,
                Fate::Silent => silent,
            };
            // Waits shorter than usual, so that the dead are tried many times while we measure.
            let _ = write!(
                toml,
                r#"
[[route]]
domains = ["d{domain}.test"]
nexthop = ["smtp:{}:{port}"]
recipients = "any"
cut_through = false
retry_min = "30s"
retry_max = "1m"
nexthop_timeouts = {{ connect = "10s", banner = "10s" }}
"#,
                address(domain)
            );
        }
        Ok(toml)
    }
}

/// The address of a destination: one for each, so that nothing is shared between them.
fn address(domain: u64) -> String {
    format!("127.10.{}.{}", domain / 250, domain % 250 + 1)
}

#[cfg(test)]
mod tests;

//! Postfix's own load generator and sink, smtp-source(1) and smtp-sink(1): both ends of every measured path.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::account::Account;
use super::figures::number;
use super::process::{Process, Reaper, free_port};

/// What a cell of the table varies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    /// Connections at a time.
    pub(super) sessions: u32,
    /// Many messages on each connection, or one.
    pub(super) is_kept: bool,
    /// Size of the message that smtp-source makes up.
    pub(super) message_bytes: u32,
}

impl Cell {
    /// What it varies, in words.
    pub(super) fn title(self) -> String {
        let connections = if self.is_kept {
            "kept connections"
        } else {
            "one message a connection"
        };
        let bytes = number(f64::from(self.message_bytes));
        let plural = if self.sessions == 1 { "" } else { "s" };
        format!(
            "{} session{plural}, {connections}, {bytes} bytes",
            self.sessions
        )
    }
}

/// One run of the load generator.
pub(super) struct Load {
    pub(super) took: Duration,
    pub(super) processor_time: Duration,
}

/// How long a run may take before it counts as failed.
const RUN_TIME_MAX: Duration = Duration::from_secs(90);

/// Sends `messages` through the server on `port`, with as many sessions at a time as the cell says.
pub(super) fn send(reaper: &Reaper, cell: Cell, port: u16, messages: u64) -> Result<Load> {
    let sessions = cell.sessions.to_string();
    let messages = messages.to_string();
    let bytes = cell.message_bytes.to_string();
    let server = format!("127.0.0.1:{port}");
    let mut program = vec![
        "smtp-source",
        "-s",
        &sessions,
        "-m",
        &messages,
        "-l",
        &bytes,
    ];
    program.extend(["-f", "a@example.org", "-t", "b@example.com"]);
    if cell.is_kept {
        program.push("-d");
    }
    program.push(&server);
    let start = Instant::now();
    let mut source = Process::start(reaper, "smtp-source", &program, |command| command)?;
    source
        .wait(RUN_TIME_MAX)
        .with_context(|| format!("smtp-source to port {port}"))?;
    Ok(Load {
        took: start.elapsed(),
        processor_time: source.account().processor_time()?,
    })
}

/// The nexthop of every target: takes what it is given and counts it.
pub(super) struct Sink {
    process: Process,
    port: u16,
    /// Where smtp-sink prints its running count (`-c`), again and again on one line.
    counts: File,
    path: PathBuf,
}

impl Sink {
    pub(super) fn start(reaper: &Reaper) -> Result<Sink> {
        Sink::start_on(reaper, "127.0.0.1", 1000)
    }

    /// On another address of this machine, or on all of them; it serves so many sessions at a time, others wait.
    pub(super) fn start_on(reaper: &Reaper, address: &str, sessions_max: u32) -> Result<Sink> {
        let port = free_port()?;
        // In memory: the count is rewritten for each message.
        let path = PathBuf::from(format!("/dev/shm/gatepost-bench-{}", std::process::id()));
        let output = File::create(&path).with_context(|| path.display().to_string())?;
        let address = format!("{address}:{port}");
        let sessions_max = sessions_max.to_string();
        let program = [
            "smtp-sink",
            "-c",
            "-m",
            &sessions_max,
            "-u",
            "nobody",
            &address,
            "1024",
        ];
        let process = Process::start(reaper, "smtp-sink", &program, |command| {
            command.stdout(output).stderr(Stdio::null())
        })?;
        let counts = File::open(&path)?;
        let mut sink = Sink {
            process,
            port,
            counts,
            path,
        };
        sink.process.wait_for_port(port, Duration::from_secs(5))?;
        Ok(sink)
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn account(&self) -> &Account {
        self.process.account()
    }

    /// How many messages came so far.
    pub(super) fn messages(&self) -> Result<u64> {
        let mut tail = [0; 200];
        let end = self.counts.metadata()?.len();
        let start = end.saturating_sub(tail.len() as u64);
        let read = self.counts.read_at(&mut tail, start)?;
        Ok(count(&tail[..read]))
    }

    /// Waits until that many have come; gives how many did.
    pub(super) fn wait_for(&self, messages: u64, patience: Duration) -> Result<u64> {
        let start = Instant::now();
        loop {
            let come = self.messages()?;
            if come >= messages || start.elapsed() > patience {
                return Ok(come);
            }
            thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        // A file of a few hundred bytes; the next start would overwrite it.
        let _ = fs::remove_file(&self.path);
    }
}

/// The last whole count in `sess=1 quit=1 mesg=1\rsess=2 ..`.
fn count(tail: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(tail);
    let counts = text.split("mesg=").skip(1).filter_map(|piece| {
        let (count, _) = piece.split_once(['\r', ' ', '\n'])?;
        count.parse().ok()
    });
    counts.last().unwrap_or(0)
}

#[cfg(test)]
mod tests;

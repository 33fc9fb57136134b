//! The other load: Postfix's smtp-source(1) at each listener, run after run, as the server is killed under it.
//!
//! It does not tell which of its messages got 250. So it speaks through a relay of ours, which passes on every byte and reads
//! along; and it numbers its recipients, by which the sink knows them again.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};

use super::gateway::DOMAINS;
use super::ledger::Ledger;
use crate::bench::process::loopback;

/// Connections of one process at a time.
const SESSIONS: &str = "4";
/// Messages of one process, and their length.
const MESSAGES: &str = "20";
const BYTES: usize = 2000;
/// It may end one line more or less.
const LINE_END_BYTES_MAX: usize = 5;
/// Between two processes at a listener: what is accepted has to be deliverable too.
const PAUSE: Duration = Duration::from_millis(200);
const REPLY_TIME_MAX: Duration = Duration::from_secs(30);
/// Set in the number of each message that has come from here.
const OURS: u64 = 1 << 63;

/// Running load.
pub(super) struct Source {
    is_over: Arc<AtomicBool>,
    runs: Vec<JoinHandle<Result<()>>>,
}

impl Source {
    pub(super) fn start(ports: &[u16], ledger: &Arc<Ledger>) -> Result<Source> {
        let is_over = Arc::new(AtomicBool::new(false));
        let number = Arc::new(AtomicU64::new(1));
        let mut runs = Vec::new();
        for (&port, domain) in ports.iter().zip(DOMAINS) {
            let relay = relay(port, ledger)?;
            let (is_over, number) = (Arc::clone(&is_over), Arc::clone(&number));
            runs.push(thread::spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    run(relay, number.fetch_add(1, Ordering::Relaxed), domain)?;
                    thread::sleep(PAUSE);
                }
                Ok(())
            }));
        }
        Ok(Source { is_over, runs })
    }

    /// Ends the load.
    pub(super) fn stop(self) -> Result<()> {
        self.is_over.store(true, Ordering::Relaxed);
        for run in self.runs {
            run.join()
                .map_err(|_| anyhow!("a run of smtp-source died"))??;
        }
        Ok(())
    }
}

/// Whether a message has come from here.
pub(super) fn is_ours(message: u64) -> bool {
    message & OURS != 0
}

/// The message to this recipient, `12p3@one.test` for the twelfth of the third process; `None` if it is none of ours.
pub(super) fn message_to(path: &str) -> Option<u64> {
    let (_, rest) = path.split_once('<')?;
    let (number, process) = rest.split_once('@')?.0.split_once('p')?;
    let (number, process): (u64, u64) = (number.parse().ok()?, process.parse().ok()?);
    Some(OURS | process << 24 | number)
}

/// Whether this is a content that smtp-source makes up: numbered lines of one letter, as long as it was asked for.
pub(super) fn is_unharmed(content: &[u8]) -> bool {
    let Some(end) = content.windows(4).position(|it| it == b"\r\n\r\n") else {
        return false;
    };
    let body = content.get(end + 4..).unwrap_or_default();
    let is_filler = |byte: &u8| matches!(byte, b'0'..=b'9' | b'X' | b'\r' | b'\n');
    body.len().abs_diff(BYTES) < LINE_END_BYTES_MAX && body.iter().all(is_filler)
}

/// One process, to its end: it gives up as soon as the server goes away.
fn run(port: u16, process: u64, domain: &str) -> Result<()> {
    let recipient = format!("p{process}@{domain}");
    Command::new("smtp-source")
        .args([
            "-N",
            "-s",
            SESSIONS,
            "-m",
            MESSAGES,
            "-l",
            &BYTES.to_string(),
        ])
        .args(["-f", "a@example.org", "-t", &recipient])
        .arg(format!("127.0.0.1:{port}"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .context("smtp-source")?;
    Ok(())
}

/// Passes connections on to this port; returns its own.
fn relay(to: u16, ledger: &Arc<Ledger>) -> Result<u16> {
    let listener = TcpListener::bind(loopback(0)).context("the relay's port")?;
    let port = listener.local_addr()?.port();
    let ledger = Arc::clone(ledger);
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let ledger = Arc::clone(&ledger);
            thread::spawn(move || pass_on(client, to, &ledger));
        }
    });
    Ok(port)
}

/// One connection; `None` once either side is gone.
fn pass_on(client: TcpStream, to: u16, ledger: &Ledger) -> Option<()> {
    let server = TcpStream::connect(loopback(to)).ok()?;
    for stream in [&client, &server] {
        stream.set_nodelay(true).ok()?;
        stream.set_read_timeout(Some(REPLY_TIME_MAX)).ok()?;
    }
    let (mut client, mut server) = (BufReader::new(client), BufReader::new(server));
    reply(&mut server, &mut client)?;
    let mut message = None;
    loop {
        let command = line(&mut client)?;
        server.get_mut().write_all(&command).ok()?;
        let answer = reply(&mut server, &mut client)?;
        let command = String::from_utf8_lossy(&command);
        if command.starts_with("RCPT") && answer.starts_with("250") {
            message = message_to(&command);
        } else if command.starts_with("DATA") && answer.starts_with("354") {
            loop {
                let line = line(&mut client)?;
                server.get_mut().write_all(&line).ok()?;
                if line == b".\r\n" {
                    break;
                }
            }
            let answer = heard(&mut server)?;
            if let Some(message) = message.take().filter(|_| answer.starts_with(b"250")) {
                // The 250 is out; whether the process below lives to see it changes nothing.
                ledger.accepted(message, &[0], Instant::now());
            }
            client.get_mut().write_all(&answer).ok()?;
        }
    }
}

/// Passes a reply on; its last line.
fn reply(server: &mut BufReader<TcpStream>, client: &mut BufReader<TcpStream>) -> Option<String> {
    let lines = heard(server)?;
    client.get_mut().write_all(&lines).ok()?;
    let text = String::from_utf8_lossy(&lines).into_owned();
    text.lines().last().map(str::to_owned)
}

/// All lines of a reply.
fn heard(server: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let mut lines = Vec::new();
    loop {
        let line = line(server)?;
        lines.extend_from_slice(&line);
        if line.get(3) != Some(&b'-') {
            return Some(lines);
        }
    }
}

/// A whole line.
fn line(from: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let mut line = Vec::new();
    from.read_until(b'\n', &mut line).ok()?;
    line.ends_with(b"\r\n").then_some(line)
}

#[cfg(test)]
mod tests;

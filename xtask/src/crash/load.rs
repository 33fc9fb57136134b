//! The clients: several sessions at each listener, in closed loop, that begin anew whenever the server goes away.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};

use super::gateway::DOMAINS;
use super::ledger::Ledger;
use super::message;
use crate::bench::process::loopback;
use crate::random::Random;

/// Sessions at each listener.
const SESSIONS: u64 = 4;
/// Messages over one connection, at most.
const MESSAGES_MAX: u64 = 20;
/// Recipients of a message, at most.
const RECIPIENTS_MAX: u64 = 3;
/// Milliseconds between messages, at most: what is accepted has to be deliverable too.
const PAUSE_MILLISECONDS: u64 = 20;
/// A server that is being started is asked again after this time.
const AGAIN: Duration = Duration::from_millis(5);
const REPLY_TIME_MAX: Duration = Duration::from_secs(30);

/// Replies other than the expected ones, without texts that differ each time: how often.
pub(super) type Refusals = BTreeMap<String, u64>;

/// Running clients.
pub(super) struct Load {
    is_over: Arc<AtomicBool>,
    clients: Vec<JoinHandle<Refusals>>,
}

impl Load {
    pub(super) fn start(seed: u64, ports: &[u16], ledger: &Arc<Ledger>) -> Load {
        let is_over = Arc::new(AtomicBool::new(false));
        let numbers = Arc::new(AtomicU64::new(1));
        let mut clients = Vec::new();
        for session in 0..SESSIONS * ports.len() as u64 {
            let mut client = Client {
                seed,
                port: ports[session as usize % ports.len()],
                random: Random::new(seed.wrapping_add(session.wrapping_mul(0x5851_F42D))),
                numbers: Arc::clone(&numbers),
                ledger: Arc::clone(ledger),
                is_over: Arc::clone(&is_over),
                refusals: Refusals::new(),
            };
            clients.push(thread::spawn(move || {
                while !client.is_over.load(Ordering::Relaxed) {
                    if client.connection().is_none() {
                        thread::sleep(AGAIN);
                    }
                }
                client.refusals
            }));
        }
        Load { is_over, clients }
    }

    /// Ends the load; gives what was refused.
    pub(super) fn stop(self) -> Result<Refusals> {
        self.is_over.store(true, Ordering::Relaxed);
        let mut all = Refusals::new();
        for client in self.clients {
            let refusals = client.join().map_err(|_| anyhow!("a client died"))?;
            for (reply, count) in refusals {
                *all.entry(reply).or_insert(0) += count;
            }
        }
        Ok(all)
    }
}

struct Client {
    seed: u64,
    port: u16,
    random: Random,
    numbers: Arc<AtomicU64>,
    ledger: Arc<Ledger>,
    is_over: Arc<AtomicBool>,
    refusals: Refusals,
}

impl Client {
    /// One connection with some messages; `None` if it broke or was not to be had.
    fn connection(&mut self) -> Option<()> {
        let stream = TcpStream::connect(loopback(self.port)).ok()?;
        stream.set_nodelay(true).ok()?;
        stream.set_read_timeout(Some(REPLY_TIME_MAX)).ok()?;
        stream.set_write_timeout(Some(REPLY_TIME_MAX)).ok()?;
        let mut wire = Wire {
            read: BufReader::new(stream),
        };
        self.is_good(&wire.reply()?, 220).then_some(())?;
        self.ask(&mut wire, "EHLO client.example.org", 250)?;
        for _ in 0..=self.random.below(MESSAGES_MAX) {
            if self.is_over.load(Ordering::Relaxed) {
                break;
            }
            self.message(&mut wire)?;
            let pause = self.random.below(PAUSE_MILLISECONDS);
            thread::sleep(Duration::from_millis(pause));
        }
        wire.ask("QUIT").map(drop)
    }

    fn message(&mut self, wire: &mut Wire) -> Option<()> {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        self.ask(wire, "MAIL FROM:<a@example.org>", 250)?;
        let mut accepted = Vec::new();
        for recipient in 0..=self.random.below(RECIPIENTS_MAX) as u8 {
            let domain = DOMAINS[self.random.below(DOMAINS.len() as u64) as usize];
            let reply = wire.ask(&format!("RCPT TO:<r{recipient}@{domain}>"))?;
            // A recipient whose route does not fit those before is told to come again (452 4.5.3): it was not accepted.
            if reply.starts_with("250") {
                accepted.push(recipient);
            } else if !reply.starts_with("452 4.5.3") {
                self.note(&reply);
            }
        }
        if accepted.is_empty() {
            return self.ask(wire, "RSET", 250);
        }
        self.ask(wire, "DATA", 354)?;
        wire.send(&message::wire(self.seed, number))?;
        let reply = wire.reply()?;
        if self.is_good(&reply, 250) {
            self.ledger.accepted(number, &accepted, Instant::now());
        }
        Some(())
    }

    /// A command; `None` if the connection is of no use any more.
    fn ask(&mut self, wire: &mut Wire, command: &str, code: u16) -> Option<()> {
        let reply = wire.ask(command)?;
        self.is_good(&reply, code).then_some(())
    }

    fn is_good(&mut self, reply: &str, code: u16) -> bool {
        let is_good = reply.starts_with(&code.to_string());
        if !is_good {
            self.note(reply);
        }
        is_good
    }

    /// Counts a reply by its codes.
    fn note(&mut self, reply: &str) {
        let codes: Vec<&str> = reply.split_whitespace().take(2).collect();
        *self.refusals.entry(codes.join(" ")).or_insert(0) += 1;
    }
}

/// One connection.
struct Wire {
    read: BufReader<TcpStream>,
}

impl Wire {
    fn ask(&mut self, command: &str) -> Option<String> {
        self.send(format!("{command}\r\n").as_bytes())?;
        self.reply()
    }

    fn send(&mut self, bytes: &[u8]) -> Option<()> {
        self.read.get_mut().write_all(bytes).ok()
    }

    /// The last line of a reply; `None` if the connection broke, also in the middle of a line.
    fn reply(&mut self) -> Option<String> {
        loop {
            let mut line = String::new();
            self.read.read_line(&mut line).ok()?;
            let line = line.strip_suffix("\r\n")?;
            if line.as_bytes().get(3) != Some(&b'-') {
                return Some(line.to_owned());
            }
        }
    }
}

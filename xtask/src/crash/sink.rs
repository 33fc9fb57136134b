//! The nexthop: takes what it is given, looks whether it is unharmed, writes down when it came.
//!
//! It is a little slow, and puts some recipients and messages off with 4xx, so that there is always something queued, tried
//! again, and in flight.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::ledger::Ledger;
use super::{message, source};
use crate::random::Random;

/// Of a hundred recipients so many are put off, and of a hundred messages.
const PUT_OFF_RECIPIENTS: u64 = 3;
const PUT_OFF_MESSAGES: u64 = 2;
/// A message takes up to this many milliseconds.
const DELAY_MILLISECONDS: u64 = 10;
/// More descriptions of harmed messages than this say nothing new.
const HARMED_MAX: usize = 20;

/// A running sink; its threads end with this process.
pub(super) struct Sink {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    seed: u64,
    ledger: Arc<Ledger>,
    connections: AtomicU64,
    harmed: Mutex<Vec<String>>,
}

impl Sink {
    pub(super) fn start(seed: u64, ledger: Arc<Ledger>) -> Result<Sink> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).context("the sink's port")?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared {
            seed,
            ledger,
            connections: AtomicU64::new(0),
            harmed: Mutex::default(),
        });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&accepting);
                // The server is killed in the middle of anything: connections break.
                thread::spawn(move || shared.converse(stream));
            }
        });
        Ok(Sink { port, shared })
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// What came and was not what had been sent, in words.
    pub(super) fn harmed(&self) -> Vec<String> {
        let harmed = self.shared.harmed.lock();
        harmed.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Shared {
    fn converse(&self, stream: TcpStream) -> Option<()> {
        let connection = self.connections.fetch_add(1, Ordering::Relaxed);
        let random = Random::new(self.seed ^ connection);
        stream.set_nodelay(true).ok()?;
        let mut session = Session {
            shared: self,
            write: stream.try_clone().ok()?,
            read: BufReader::new(stream),
            recipients: Vec::new(),
            sourced: Vec::new(),
            random,
        };
        session.say("220 sink.example.net")?;
        loop {
            session.command()?;
        }
    }

    fn is_harmed(&self, why: String) {
        let mut harmed = self.harmed.lock().unwrap_or_else(PoisonError::into_inner);
        if harmed.len() < HARMED_MAX {
            harmed.push(why);
        }
    }
}

/// One connection; `None` ends it.
struct Session<'a> {
    shared: &'a Shared,
    read: BufReader<TcpStream>,
    write: TcpStream,
    recipients: Vec<u8>,
    /// Messages of smtp-source, which are known by their recipients.
    sourced: Vec<u64>,
    random: Random,
}

impl Session<'_> {
    fn command(&mut self) -> Option<()> {
        let mut line = String::new();
        if self.read.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let verb = line.get(..4)?.to_ascii_uppercase();
        match verb.as_str() {
            "EHLO" => self.say("250-sink.example.net\r\n250-PIPELINING\r\n250 8BITMIME"),
            "MAIL" | "RSET" => {
                self.recipients.clear();
                self.sourced.clear();
                self.say("250 2.0.0 ok")
            }
            "RCPT" => self.recipient(&line),
            "DATA" if self.recipients.is_empty() && self.sourced.is_empty() => {
                self.say("554 5.5.1 no valid recipients")
            }
            "DATA" => self.data(),
            "QUIT" => {
                self.say("221 2.0.0 bye")?;
                None
            }
            _ => self.say("250 2.0.0 ok"),
        }
    }

    /// `RCPT TO:<r2@three.test>`: the number of the recipient is in its local-part.
    fn recipient(&mut self, line: &str) -> Option<()> {
        if let Some(message) = source::message_to(line) {
            if self.random.percent(PUT_OFF_RECIPIENTS) {
                return self.say("451 4.2.0 not now");
            }
            self.sourced.push(message);
            return self.say("250 2.1.5 ok");
        }
        let number = line
            .split_once("<r")
            .and_then(|(_, rest)| rest.split_once('@'))
            .and_then(|(number, _)| number.parse().ok());
        let Some(number) = number else {
            return self.say("550 5.1.1 nobody of ours");
        };
        if self.random.percent(PUT_OFF_RECIPIENTS) {
            return self.say("451 4.2.0 not now");
        }
        self.recipients.push(number);
        self.say("250 2.1.5 ok")
    }

    fn data(&mut self) -> Option<()> {
        self.say("354 go on")?;
        let mut content = Vec::new();
        let mut line = Vec::new();
        loop {
            line.clear();
            if self.read.read_until(b'\n', &mut line).ok()? == 0 {
                return None;
            }
            if line == b".\r\n" {
                break;
            }
            content.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
        }
        thread::sleep(Duration::from_millis(self.random.below(DELAY_MILLISECONDS)));
        let recipients = std::mem::take(&mut self.recipients);
        let sourced = std::mem::take(&mut self.sourced);
        if self.random.percent(PUT_OFF_MESSAGES) {
            return self.say("451 4.3.0 not this one");
        }
        if !sourced.is_empty() {
            for message in sourced {
                self.shared.ledger.delivered(message, &[0], Instant::now());
            }
            if !source::is_unharmed(&content) {
                self.shared
                    .is_harmed("a message of smtp-source is not what was sent".to_owned());
            }
            return self.say("250 2.0.0 taken");
        }
        match message::number_of_unharmed(self.shared.seed, &content) {
            Ok(number) => {
                let ledger = &self.shared.ledger;
                ledger.delivered(number, &recipients, Instant::now());
            }
            Err(why) => self.shared.is_harmed(why),
        }
        self.say("250 2.0.0 taken")
    }

    fn say(&mut self, text: &str) -> Option<()> {
        self.write.write_all(format!("{text}\r\n").as_bytes()).ok()
    }
}

//! The client's side of an SMTP (RFC 5321) or LMTP (RFC 2033) session, without I/O: the driver
//! moves bytes and reacts to events.
//!
//! ```text
//! loop {
//!     while let Some(event) = session.poll() { ... }     // call mail(), rcpt(), data(), ... here
//!     write(session.take_output());
//!     match read() { 0 => session.closed(), bytes => session.receive(bytes) }
//! }
//! ```
//!
//! Opening is in `client::opening`, mail transactions in `client::transaction`, the order of commands
//! and replies in `client::pipeline`. What does not live here: sockets, timeouts (`stage` tells
//! which of RFC 5321 section 4.5.3.2 applies), TLS, and the choice of the peer.

mod capabilities;
mod command;
mod event;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod opening;
mod pipeline;
mod sasl;
mod settings;
mod transaction;

use std::collections::VecDeque;

use crate::reply::Reply;
use crate::reply::parse::ReplyParser;

pub use capabilities::Capabilities;
pub use event::{Event, Failure, Stage, Unsupported};
pub use settings::{ClientAuth, PixWorkaround, Protocol, Settings, StartTlsUse};

use pipeline::{Expected, Pipeline};
use transaction::Transaction;

/// A session, from the banner on.
#[derive(Debug)]
pub struct Session {
    settings: Settings,
    phase: Phase,
    replies: ReplyParser,
    pipeline: Pipeline,
    output: Vec<u8>,
    events: VecDeque<Event>,
    banner: Option<Reply>,
    capabilities: Capabilities,
    tls: bool,
    pix: bool,
    transaction: Option<Transaction>,
    /// The peer may hold an envelope that was given up: RSET has to go before the next MAIL.
    reset_needed: bool,
    transactions: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Banner, EHLO, STARTTLS, AUTH.
    Opening,
    /// The driver's TLS handshake.
    Handshake,
    /// Transactions.
    Ready,
    /// QUIT is queued.
    Quitting,
    /// `Failed` was reported; QUIT can still be said if both sides are in step.
    Failed { in_step: bool },
    /// QUIT was answered.
    Ended,
}

impl Session {
    /// A session on a connection just made: waits for the banner.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let mut pipeline = Pipeline::new();
        pipeline.expect(Expected::Banner);
        Self {
            settings,
            phase: Phase::Opening,
            replies: ReplyParser::new(),
            pipeline,
            output: Vec::new(),
            events: VecDeque::new(),
            banner: None,
            capabilities: Capabilities::default(),
            tls: false,
            pix: false,
            transaction: None,
            reset_needed: false,
            transactions: 0,
        }
    }

    /// Takes what the peer sent.
    pub fn receive(&mut self, bytes: &[u8]) {
        let mut input = bytes;
        while !self.is_over() {
            // RFC 3207 section 4.2: whatever arrived before TLS may come from anybody on the way, so
            // none of it may be taken for something said within TLS.
            if self.phase == Phase::Handshake && !input.is_empty() {
                self.fail(Failure::Protocol(
                    "bytes in clear after the reply to STARTTLS".to_owned(),
                ));
                return;
            }
            match self.replies.next(&mut input) {
                Ok(Some(reply)) => {
                    self.on_reply(reply);
                    self.release();
                }
                Ok(None) => return,
                Err(malformed) => self.fail(Failure::Protocol(malformed.to_string())),
            }
        }
    }

    /// The peer closed the connection, or it broke.
    pub fn closed(&mut self) {
        match self.phase {
            Phase::Quitting => self.on_quit(),
            _ if self.is_over() => {}
            _ => self.fail(Failure::Closed(self.stage())),
        }
    }

    /// What happened next. `None`: write the output, then give [`receive`](Self::receive) more.
    pub fn poll(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Bytes to write; the driver drains them. Content can be called between two drains only as
    /// far as the driver likes them to pile up.
    pub fn output(&mut self) -> &mut Vec<u8> {
        &mut self.output
    }

    /// Bytes to write.
    #[must_use = "the bytes have to be written"]
    pub fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.output)
    }

    /// The connection is under TLS now. After [`Event::StartTls`]: all that was known about the peer is
    /// forgotten (RFC 3207 section 4.2) and EHLO goes out again. Before the banner: TLS was there from
    /// the start.
    pub fn tls_established(&mut self) {
        match self.phase {
            Phase::Handshake => {
                self.tls = true;
                self.phase = Phase::Opening;
                self.replies = ReplyParser::new();
                self.capabilities = Capabilities::default();
                self.send_ehlo();
            }
            Phase::Opening if self.banner.is_none() => self.tls = true,
            _ => self.misuse("TLS was not asked for"),
        }
    }

    /// Ends the session. [`Event::Quit`] follows, also if the peer just closes the connection. Also
    /// possible after a failure; where QUIT would not be understood there, nothing is sent.
    ///
    /// While content is being sent there is no way to say QUIT: the session then fails as abandoned.
    pub fn quit(&mut self) {
        match self.phase {
            Phase::Opening | Phase::Ready => {
                if self.give_up_transaction() {
                    self.phase = Phase::Quitting;
                    self.queue("QUIT", Expected::Quit);
                }
            }
            Phase::Failed { in_step: true } => {
                self.phase = Phase::Quitting;
                self.queue("QUIT", Expected::Quit);
            }
            Phase::Failed { in_step: false } | Phase::Handshake => self.on_quit(),
            Phase::Quitting | Phase::Ended => {}
        }
    }

    /// What the peer offers; nothing before EHLO is answered and after HELO.
    #[must_use]
    pub fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// The banner, once it has arrived.
    #[must_use]
    pub fn banner(&self) -> Option<&Reply> {
        self.banner.as_ref()
    }

    /// Whether an SMTP fixup of a Cisco PIX or ASA firewall was recognised on the way to the peer, by
    /// its banner of asterisks or by extensions made `XXXX`.
    #[must_use]
    pub fn is_pix(&self) -> bool {
        self.pix
    }

    /// Whether the connection is under TLS.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        self.tls
    }

    /// The transactions begun (MAIL commands), which RFC 9422 MAILMAX limits.
    #[must_use]
    pub fn transactions(&self) -> u32 {
        self.transactions
    }

    /// Whether nothing is going on, so that another transaction can begin at once: the session may be
    /// kept for later.
    #[must_use]
    pub fn is_reusable(&self) -> bool {
        self.phase == Phase::Ready
            && self.transaction.is_none()
            && self.pipeline.is_idle()
            && self
                .capabilities
                .mail_max
                .is_none_or(|max| self.transactions < max)
    }

    /// What the session is waiting for.
    #[must_use]
    pub fn stage(&self) -> Stage {
        if self.is_over() {
            return Stage::Ended;
        }
        if self.phase == Phase::Handshake {
            return Stage::StartTls;
        }
        match (self.pipeline.stage(), &self.transaction) {
            (Some(stage), _) => stage,
            (None, Some(transaction)) if transaction.has_content() => Stage::Content,
            (None, _) => Stage::Idle,
        }
    }

    fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Failed { .. } | Phase::Ended)
    }

    fn on_reply(&mut self, reply: Reply) {
        if self.phase == Phase::Opening {
            return self.on_opening_reply(reply);
        }
        let stage = self.stage();
        let expected = self.pipeline.answered();
        if self.phase == Phase::Quitting
            && (expected == Some(Expected::Quit) || reply.code() == 421)
        {
            return self.on_quit();
        }
        match expected {
            // RFC 5321 section 3.8: 421 may answer any command, or none.
            Some(expected) if reply.code() != 421 => self.on_transaction_reply(expected, reply),
            _ => self.fail(Failure::Unexpected { stage, reply }),
        }
    }

    fn on_quit(&mut self) {
        self.phase = Phase::Ended;
        self.pipeline = Pipeline::new();
        self.events.push_back(Event::Quit);
    }

    /// Queues a command; it leaves as soon as the replies before it allow.
    fn queue(&mut self, line: &str, expected: Expected) {
        self.pipeline.push(command::terminated(line), expected);
        self.release();
    }

    fn release(&mut self) {
        let pipelining = self.settings.pipelining && self.capabilities.pipelining;
        self.pipeline.release(pipelining, &mut self.output);
    }

    fn fail(&mut self, failure: Failure) {
        if self.is_over() {
            return;
        }
        self.phase = Phase::Failed {
            in_step: failure.is_in_step(),
        };
        self.pipeline = Pipeline::new();
        self.transaction = None;
        // Nothing more of what was in progress may be sent, nor hands be shaken on it.
        self.output = Vec::new();
        self.events.retain(|event| *event != Event::StartTls);
        self.events.push_back(Event::Failed(failure));
    }

    fn fail_unexpected(&mut self, stage: Stage, reply: Reply) {
        self.fail(Failure::Unexpected { stage, reply });
    }

    fn misuse(&mut self, what: &'static str) {
        self.fail(Failure::Misuse(what));
    }
}

#[cfg(test)]
mod tests;

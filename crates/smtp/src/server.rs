//! The server's side of a session (RFC 5321), without I/O: bytes in, requests and replies out.
//!
//! The session answers what syntax, order and limits decide; everything else it asks its caller
//! by [`Request`] and waits for the [`Answer`]. No sockets, no clock, no TLS, no policy here.
//! Which command may come when is in `order`, what each does in `execute`, what an answer does in
//! `answers`; `line`, `data` and `bdat` find the ends of things.

mod answers;
mod auth;
mod bdat;
mod data;
mod execute;
mod extensions;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod line;
mod order;
mod replies;
mod request;
mod settings;

use std::borrow::Borrow;
use std::sync::Arc;

use crate::command::Verb;
use crate::reply::{Reply, write_reply};

pub use crate::command::XclientAttribute;
pub use auth::{Credentials, Mechanism};
pub use request::{Answer, CloseReason, Content, Defect, Ehlo, Phase, Request, Step};
pub use settings::{AuthOffer, BareNewline, Settings, Trust};

use auth::Exchange;
use data::Decoder;
use line::LineReader;
use order::State;
use replies::Fixed;

#[cfg(test)]
mod tests;

/// One session. Small and without heap while idle: a server holds thousands.
#[derive(Debug)]
pub struct Session {
    settings: Arc<Settings>,
    trust: Trust,
    stage: Stage,
    state: State,
    asked: Asked,
    /// A [`Step::Reset`] is due.
    reset_due: bool,
    tls: bool,
    authenticated: bool,
    /// No command has been read since the connection or the TLS handshake.
    untouched: bool,
    line: LineReader,
    output: Vec<u8>,
    decoder: Decoder,
    transaction: Transaction,
    counts: Counts,
    last_refused: Option<(Verb, u16)>,
}

/// What the bytes of the client are, now.
#[derive(Debug)]
enum Stage {
    /// Command lines.
    Command,
    /// Responses of an authentication exchange.
    Auth(Box<Exchange>),
    /// Mail data up to its dot.
    Data,
    /// The rest of a chunk.
    Chunk {
        remaining: u64,
        size: u64,
        last: bool,
    },
    /// The rest of a chunk that was refused, with the reply that it will get.
    RefusedChunk { remaining: u64, reply: Box<Reply> },
    /// The chunk is complete and the last: its content is finished next.
    ContentEnd { last: bool },
    /// Nothing of ours: the caller has not finished the TLS handshake.
    TlsHandshake,
    /// The session is over.
    Closed(CloseReason),
}

/// What the caller has been asked and not answered yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Nothing,
    Ehlo { extended: bool },
    Auth,
    Xclient,
    Mail { smtputf8: bool, prdr: bool },
    Rcpt,
    Data,
    Bdat { size: u64, last: bool },
    End { last: bool },
    Vrfy,
}

/// What the session itself must know of the transaction in progress.
#[derive(Clone, Copy, Debug, Default)]
struct Transaction {
    smtputf8: bool,
    prdr: bool,
    recipients: u32,
    refused_recipients: u16,
}

/// What the limits are measured by.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    bad_commands: u32,
    /// Since the last message that was accepted.
    bad_commands_lately: u16,
    idle_commands: u16,
    empty_transactions: u16,
    transactions: u32,
    auth_failures: u8,
    /// The last MAIL was refused: what was pipelined behind it is not the client's fault.
    mail_refused: bool,
}

impl Session {
    /// A session at its very beginning. Call [`banner`](Session::banner) or
    /// [`refuse`](Session::refuse) next; before it [`tls_established`](Session::tls_established)
    /// if the listener speaks TLS from the start.
    pub fn new(settings: Arc<Settings>, trust: Trust) -> Session {
        Session {
            settings,
            trust,
            stage: Stage::Command,
            state: State::Connected,
            asked: Asked::Nothing,
            reset_due: false,
            tls: false,
            authenticated: false,
            untouched: true,
            line: LineReader::default(),
            output: Vec::new(),
            decoder: Decoder::default(),
            transaction: Transaction::default(),
            counts: Counts::default(),
            last_refused: None,
        }
    }

    /// Queues the greeting (RFC 5321 3.1).
    pub fn banner(&mut self) {
        let text = format!("{} ESMTP Gatepost", self.settings.hostname);
        write_reply(&mut self.output, 220, None, &text, false);
    }

    /// Queues a last reply, 421 or 554, in place of the banner or at any other time, and ends the
    /// session: the next step is [`Step::Close`].
    pub fn refuse(&mut self, reply: impl Borrow<Reply>) {
        reply.borrow().write_to(&mut self.output);
        self.close(CloseReason::Refused);
    }

    /// The next thing that happens. Takes from the front of the input what it uses; call it again
    /// after each step until it says [`Step::Read`] or [`Step::Close`].
    ///
    /// The same bytes give the same steps however they are cut, but for the cuts in
    /// [`Step::Content`].
    pub fn next<'a>(&mut self, input: &mut &'a [u8]) -> Step<'a> {
        loop {
            if std::mem::take(&mut self.reset_due) {
                return Step::Reset;
            }
            if self.asked != Asked::Nothing {
                debug_assert!(false, "next() before answer()");
                return Step::Read;
            }
            let step = match &self.stage {
                Stage::Command | Stage::Auth(_) => self.read_line(input),
                Stage::Data => self.read_data(input),
                Stage::Chunk { .. } => self.read_chunk(input),
                Stage::RefusedChunk { .. } => self.skip_chunk(input),
                Stage::ContentEnd { last } => Some(self.end_content(*last)),
                Stage::TlsHandshake => {
                    // RFC 3207 4.2: what arrived in clear behind STARTTLS is never looked at.
                    *input = &[];
                    Some(Step::Read)
                }
                Stage::Closed(reason) => {
                    *input = &[];
                    Some(Step::Close(*reason))
                }
            };
            if let Some(step) = step {
                return step;
            }
        }
    }

    /// Replies that wait to be written; the caller drains them, at the latest before it reads.
    pub fn output(&mut self) -> &mut Vec<u8> {
        &mut self.output
    }

    /// Takes the replies that wait to be written, and their memory.
    pub fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.output)
    }

    /// Tells that the TLS handshake is done. All that the client had said is forgotten, EHLO
    /// included (RFC 3207 4.2).
    pub fn tls_established(&mut self) {
        self.tls = true;
        self.authenticated = false;
        self.untouched = true;
        self.line = LineReader::default();
        self.end_transaction(State::Connected);
        if !matches!(self.stage, Stage::Closed(_)) {
            self.stage = Stage::Command;
        }
    }

    /// Whether MAIL was accepted and the transaction has not ended.
    pub fn in_transaction(&self) -> bool {
        !matches!(self.state, State::Connected | State::Ready)
    }

    /// Recipients accepted in the transaction in progress.
    pub fn recipients(&self) -> usize {
        self.transaction.recipients as usize
    }

    /// Whether MAIL asked for a reply for each recipient.
    pub fn is_prdr(&self) -> bool {
        self.transaction.prdr
    }

    /// Whether TLS is established.
    pub fn is_tls(&self) -> bool {
        self.tls
    }

    /// Commands refused for syntax, order or limits since the connection.
    pub fn bad_commands(&self) -> u32 {
        self.counts.bad_commands
    }

    /// The last command that got a 4xx or 5xx reply, by us or by an answer, and its code.
    pub fn last_refused(&self) -> Option<(Verb, u16)> {
        self.last_refused
    }

    /// Which of RFC 5321 4.5.3.2's timeouts applies to the next read.
    pub fn phase(&self) -> Phase {
        match self.stage {
            Stage::Data | Stage::Chunk { .. } | Stage::RefusedChunk { .. } => Phase::Data,
            Stage::Auth(_) => Phase::AuthExchange,
            _ => Phase::Command,
        }
    }

    fn read_data<'a>(&mut self, input: &mut &'a [u8]) -> Option<Step<'a>> {
        let bounds = self.settings.bounds();
        match self.decoder.next(input, bounds) {
            data::Piece::Content(content) => Some(Step::Content(content)),
            data::Piece::More => Some(Step::Read),
            data::Piece::End => Some(self.end_content(true)),
            data::Piece::TooMuch => self.too_much_data(),
        }
    }

    /// The content is complete, or as complete as it will get: ask what becomes of it.
    fn end_content<'a>(&mut self, last: bool) -> Step<'a> {
        self.stage = Stage::Command;
        self.asked = Asked::End { last };
        Step::Request(Request::End(self.decoder.content()))
    }

    /// Far more came behind a defect than any honest client would send.
    fn too_much_data<'a>(&mut self) -> Option<Step<'a>> {
        self.say(replies::TOO_MUCH_DATA);
        self.close(CloseReason::TooMuchData);
        None
    }

    fn say(&mut self, reply: Fixed) {
        reply.write_to(&mut self.output);
    }

    /// Writes a reply of the caller's. UTF-8 only where the client has asked for it.
    fn relay(&mut self, reply: &Reply) {
        if self.transaction.smtputf8 {
            reply.write_utf8_to(&mut self.output);
        } else {
            reply.write_to(&mut self.output);
        }
    }

    fn close(&mut self, reason: CloseReason) {
        self.asked = Asked::Nothing;
        self.reset_due = false;
        self.line = LineReader::default();
        self.stage = Stage::Closed(reason);
    }

    fn end_transaction(&mut self, state: State) {
        self.transaction = Transaction::default();
        self.decoder = Decoder::default();
        self.state = state;
    }
}

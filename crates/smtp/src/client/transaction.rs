//! Mail transactions (RFC 5321 section 3.3): MAIL, RCPT, DATA or BDAT (RFC 3030), the content, and
//! what its end is answered with; with LMTP once for each accepted recipient (RFC 2033 section 4.2).
//!
//! Here are the driver's calls; what the peer answers is in `transaction::replies`. The encoding of
//! content is in `dot`, which command may leave when in `pipeline`.

mod replies;

use super::command;
use super::pipeline::Expected;
use super::{Event, Failure, Phase, Protocol, Session, Unsupported};
use crate::dot;
use crate::limits::CHUNK_BYTES;
use crate::parameters::{MailParameters, RcptParameters};
use crate::path::{ForwardPath, ReversePath};

/// One transaction. It exists from `mail` until its last event.
#[derive(Debug)]
pub(super) struct Transaction {
    state: State,
    framing: Framing,
    /// SMTPUTF8 was declared.
    utf8: bool,
    mail_accepted: bool,
    recipients: Vec<Recipient>,
    /// Recipients without an answer.
    unanswered: usize,
    accepted: usize,
    /// LMTP: the recipient that the next final reply is for, or one before it.
    next_final: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Recipient {
    Unanswered,
    Accepted,
    Refused,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// MAIL and RCPT.
    Envelope,
    /// `data` was called; the peer has not accepted it.
    DataWanted,
    /// Content is being sent.
    Content,
    /// All but the final dot is sent, which waits for `resume`.
    Paused,
    /// The answer to the content is awaited.
    Sent,
}

#[derive(Debug)]
enum Framing {
    Dots(dot::Encoder),
    /// BDAT, with what the next chunk has so far.
    Chunks(Vec<u8>),
}

impl Transaction {
    fn new(framing: Framing, utf8: bool) -> Self {
        Self {
            state: State::Envelope,
            framing,
            utf8,
            mail_accepted: false,
            recipients: Vec::new(),
            unanswered: 0,
            accepted: 0,
            next_final: 0,
        }
    }

    pub(super) fn has_content(&self) -> bool {
        matches!(self.state, State::Content | State::Paused)
    }
}

/// The calls of a transaction. Each is without effect once the transaction is over, so that a driver
/// may call on while the event that says so waits in `poll`; called out of order it fails the session
/// ([`Failure::Misuse`]).
impl Session {
    /// Begins a transaction; the session must be ready, and no other transaction going on. Of the
    /// parameters, those that the peer offers are sent; PRDR never.
    ///
    /// # Errors
    /// If the message needs what the peer does not offer. Nothing is sent, the session stays ready.
    pub fn mail(
        &mut self,
        reverse_path: &ReversePath,
        parameters: &MailParameters,
    ) -> Result<(), Unsupported> {
        if self.phase != Phase::Ready || self.transaction.is_some() {
            if !self.has_ended() {
                self.misuse("MAIL before the session was ready or within a transaction");
            }
            return Ok(());
        }
        let (line, utf8) = command::mail(reverse_path, parameters, &self.capabilities)?;
        if std::mem::take(&mut self.reset_needed) {
            self.queue("RSET", Expected::OwnReset);
        }
        let chunking = self.settings.chunking && self.capabilities.chunking;
        let framing = if chunking && self.settings.pipelining && self.capabilities.pipelining {
            Framing::Chunks(Vec::new())
        } else {
            Framing::Dots(dot::Encoder::new())
        };
        self.transaction = Some(Transaction::new(framing, utf8));
        self.transactions = self.transactions.saturating_add(1);
        self.queue(&line, Expected::Mail);
        Ok(())
    }

    /// Adds a recipient. It may follow `mail` at once, or come any time before `data`.
    ///
    /// # Errors
    /// If the local-part needs SMTPUTF8 and the transaction has not declared it. Nothing is sent, no
    /// index used, and no [`Event::Rcpt`] follows.
    pub fn rcpt(
        &mut self,
        forward_path: &ForwardPath,
        parameters: &RcptParameters,
    ) -> Result<(), Unsupported> {
        let Some(transaction) = &mut self.transaction else {
            return Ok(());
        };
        if transaction.state != State::Envelope {
            self.misuse("RCPT after DATA");
            return Ok(());
        }
        let line = command::rcpt(
            forward_path,
            parameters,
            transaction.utf8,
            &self.capabilities,
        )?;
        let index = transaction.recipients.len();
        transaction.recipients.push(Recipient::Unanswered);
        transaction.unanswered += 1;
        self.queue(&line, Expected::Rcpt(index));
        Ok(())
    }

    /// Asks to send the content; may follow `rcpt` at once. [`Event::Data`] answers, or
    /// [`Event::NoRecipients`].
    pub fn data(&mut self) {
        let Some(transaction) = &mut self.transaction else {
            return;
        };
        if transaction.state != State::Envelope {
            return self.misuse("DATA twice");
        }
        transaction.state = State::DataWanted;
        let chunks = matches!(transaction.framing, Framing::Chunks(_));
        if !chunks {
            self.pipeline
                .push(command::terminated("DATA"), Expected::Data);
        }
        // If all recipients are refused already, this takes the command back.
        self.settle_envelope();
        self.release();
    }

    /// Sends content, cut anywhere, after [`Event::Data`] with 354. To have it ended right is this
    /// session's care: dots, bare CR or LF (see [`dot`]), a last line without an end. Chunks of BDAT
    /// carry the octets as they are.
    pub fn content(&mut self, bytes: &[u8]) {
        let Some(transaction) = &mut self.transaction else {
            return;
        };
        if transaction.state != State::Content {
            return self.misuse("content that was not asked for");
        }
        match &mut transaction.framing {
            Framing::Dots(encoder) => encoder.encode(bytes, &mut self.output),
            Framing::Chunks(chunk) => {
                let mut rest = bytes;
                while !rest.is_empty() {
                    let room = CHUNK_BYTES.saturating_sub(chunk.len());
                    let (piece, after) = rest.split_at(room.min(rest.len()));
                    chunk.extend_from_slice(piece);
                    rest = after;
                    if chunk.len() >= CHUNK_BYTES {
                        write_chunk(chunk, false, &mut self.output);
                        self.pipeline.expect(Expected::Chunk);
                    }
                }
            }
        }
    }

    /// As [`content`](Self::content), without a copy: if true, the driver writes `bytes` itself, as they
    /// are, right behind the output there is now, which may have become more. If false, nothing
    /// happened; `content` will do.
    #[must_use = "when true, the driver has to write the bytes"]
    pub fn pass_through(&mut self, bytes: &[u8]) -> bool {
        let Some(transaction) = &mut self.transaction else {
            return false;
        };
        if transaction.state != State::Content {
            return false;
        }
        match &mut transaction.framing {
            Framing::Dots(encoder) => encoder.pass(bytes),
            Framing::Chunks(chunk) => {
                if bytes.is_empty() {
                    return true;
                }
                if !chunk.is_empty() {
                    write_chunk(chunk, false, &mut self.output);
                    self.pipeline.expect(Expected::Chunk);
                }
                write_chunk_header(bytes.len(), false, &mut self.output);
                self.pipeline.expect(Expected::Chunk);
                true
            }
        }
    }

    /// Ends the content. [`Event::Final`] or [`Event::FinalRecipient`] answers; where a firewall has to
    /// be worked around [`Event::Pause`] comes first.
    pub fn end(&mut self) {
        let works_around_pix = self.works_around_pix();
        let Some(transaction) = &mut self.transaction else {
            return;
        };
        if transaction.state != State::Content {
            return self.misuse("end of content that was not asked for");
        }
        transaction.state = State::Sent;
        match &mut transaction.framing {
            Framing::Dots(encoder) if works_around_pix => {
                encoder.end_line(&mut self.output);
                transaction.state = State::Paused;
                self.events.push_back(Event::Pause);
                return;
            }
            Framing::Dots(encoder) => encoder.finish(&mut self.output),
            Framing::Chunks(chunk) => write_chunk(chunk, true, &mut self.output),
        }
        self.pipeline.expect(Expected::Final);
    }

    /// Sends the final dot after [`Event::Pause`]. As long as there is output from before, the event is
    /// repeated instead: the dot cannot come into the same write.
    pub fn resume(&mut self) {
        let Some(transaction) = &mut self.transaction else {
            return;
        };
        if transaction.state != State::Paused {
            return self.misuse("resumed without a pause");
        }
        if !self.output.is_empty() {
            return self.events.push_back(Event::Pause);
        }
        transaction.state = State::Sent;
        self.output.extend_from_slice(dot::END);
        self.pipeline.expect(Expected::Final);
    }

    /// Sends RSET: gives the transaction up, if there is one, and shows that the session is alive.
    /// [`Event::Reset`] answers.
    ///
    /// Once DATA has been accepted a transaction cannot be given up but by closing the connection:
    /// the session then fails with [`Failure::Abandoned`].
    pub fn reset(&mut self) {
        if self.phase != Phase::Ready {
            if !self.has_ended() {
                self.misuse("RSET before the session was ready");
            }
            return;
        }
        if self.give_up_transaction() {
            self.reset_needed = false;
            self.queue("RSET", Expected::Reset);
        }
    }

    /// Gives up the transaction, if there is one. False if the session has failed by it.
    pub(super) fn give_up_transaction(&mut self) -> bool {
        let Some(transaction) = self.transaction.take() else {
            return true;
        };
        let chunks = matches!(transaction.framing, Framing::Chunks(_));
        let open = match transaction.state {
            State::Envelope | State::DataWanted => true,
            // RFC 3030 section 2: RSET between two chunks discards those sent.
            State::Content => chunks,
            State::Paused | State::Sent => false,
        };
        if !open {
            self.fail(Failure::Abandoned);
            return false;
        }
        self.pipeline.give_up(Expected::DataGivenUp);
        self.reset_needed = true;
        true
    }

    /// Whether calls are too late rather than out of order.
    fn has_ended(&self) -> bool {
        !matches!(self.phase, Phase::Opening | Phase::Handshake | Phase::Ready)
    }

    fn is_lmtp(&self) -> bool {
        self.settings.protocol == Protocol::Lmtp
    }
}

/// Writes BDAT with `chunk`, and empties it.
fn write_chunk(chunk: &mut Vec<u8>, last: bool, out: &mut Vec<u8>) {
    write_chunk_header(chunk.len(), last, out);
    out.append(chunk);
}

/// RFC 3030 section 2: `BDAT`, the number of octets that follow the line, and whether they are the last.
fn write_chunk_header(bytes: usize, last: bool, out: &mut Vec<u8>) {
    let last = if last { " LAST" } else { "" };
    out.extend_from_slice(format!("BDAT {bytes}{last}\r\n").as_bytes());
}

//! One client connection: owns the socket, feeds what arrives to the SMTP session, lets the stages answer what the session
//! asks, and writes the replies.
//!
//! An idle connection holds no buffer and no large future: that is what lets one node keep tens of thousands of them.
//! Protocol is not here (crate `smtp`), and neither is any decision (`stages`).

use std::io;
use std::time::Duration;

use net::stream::Stream;
use smtp::server::{CloseReason, Phase, Request, Session, Step};
use tokio::io::AsyncWriteExt;
use tokio::sync::watch;
use tokio::time::Instant;

use super::conversation::{Conversation, End};
use super::stages;
use crate::decision::EndedBy;
use crate::scratch;

/// A client that sends its message slower than the listener's floor is given this long before it is measured, or the
/// listener's time for a piece of a message where that is shorter.
const FLOOR_GRACE: Duration = Duration::from_secs(60);
/// Input of a client that goes on sending is read this far ahead of the session, in bytes.
const INPUT_KEPT_BYTES: usize = 64 * 1024;

/// How far the server's stop has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Not asked for.
    Running,
    /// Transactions in progress may finish, nothing new begins.
    Finishing,
    /// Everything ends now.
    Now,
}

/// One client connection.
pub struct Connection {
    session: Session,
    conversation: Conversation,
    stop: watch::Receiver<Stop>,
    input: Vec<u8>,
    /// When the client must have sent its next command, or the next piece of its message.
    deadline: Instant,
    content: Option<ContentPace>,
}

/// How fast the content of a message arrives.
#[derive(Clone, Copy)]
struct ContentPace {
    since: Instant,
    bytes: u64,
}

impl ContentPace {
    fn new() -> ContentPace {
        ContentPace {
            since: Instant::now(),
            bytes: 0,
        }
    }
}

/// What the connection must do before the session can go on.
enum Next {
    Read,
    StartTls,
    Close(End),
}

impl Connection {
    /// A connection whose TLS, if implicit, and PROXY header have been dealt with.
    pub fn new(
        session: Session,
        conversation: Conversation,
        stop: watch::Receiver<Stop>,
    ) -> Connection {
        let deadline = Instant::now() + conversation.listener.settings.timeouts.command;
        Connection {
            session,
            conversation,
            stop,
            input: Vec::new(),
            deadline,
            content: None,
        }
    }

    /// Talks until either side ends it. The banner, or the refusal in its place, is already in the session's output.
    pub async fn run(mut self, mut stream: Stream) {
        let ended_by = loop {
            // Boxed, so that the idle connection does not carry the largest stage with it.
            let next = match Box::pin(self.converse(&mut stream)).await {
                Ok(next) => next,
                Err(_) => break End::Disconnect,
            };
            match next {
                Next::Close(ended_by) => break ended_by,
                Next::StartTls => match Box::pin(self.start_tls(stream)).await {
                    Ok(encrypted) => stream = encrypted,
                    Err(_) => {
                        self.conversation.end(End::TlsFailed, &self.session);
                        return;
                    }
                },
                Next::Read => {
                    if let Err(ended_by) = self.read(&mut stream).await {
                        break Box::pin(self.last_words(&mut stream, ended_by)).await;
                    }
                }
            }
        };
        Box::pin(async move {
            self.conversation.end(ended_by, &self.session);
            // A client that is still sending would get a reset before it has read our reply: say that we are done first.
            let _ = tokio::time::timeout(Duration::from_secs(1), stream.shutdown()).await;
        })
        .await;
    }

    /// Lets the session take what has arrived, and answers what it asks, until it needs more.
    async fn converse(&mut self, stream: &mut Stream) -> io::Result<Next> {
        let mut taken = 0;
        let next = loop {
            let mut rest = self.input.get(taken..).unwrap_or_default();
            let before = rest.len();
            let step = self.session.next(&mut rest);
            taken += before - rest.len();
            match step {
                Step::Content(piece) => self.conversation.content(piece).await,
                Step::Request(request) => {
                    let (begins, ends) =
                        (request == Request::Data, matches!(request, Request::End(_)));
                    if ends {
                        self.content = None;
                        flush(&mut self.session, stream, &self.conversation).await?;
                    }
                    let answer = stages::answer(&mut self.conversation, request).await;
                    self.session.answer(answer);
                    self.expect_more();
                    if begins {
                        self.content = Some(ContentPace::new());
                    } else if ends {
                        // What is promised now is told now, not behind the client's next command.
                        flush(&mut self.session, stream, &self.conversation).await?;
                    }
                }
                Step::Reset => self.conversation.abandon(EndedBy::Rset),
                Step::StartTls => {
                    flush(&mut self.session, stream, &self.conversation).await?;
                    self.input = Vec::new();
                    return Ok(Next::StartTls);
                }
                Step::Close(reason) => break Next::Close(ended_by(reason)),
                Step::Read => break Next::Read,
            }
        };
        if !self.session.output().is_empty() {
            // The session answered something by itself.
            self.expect_more();
            flush(&mut self.session, stream, &self.conversation).await?;
        }
        self.forget_input(taken);
        Ok(next)
    }

    /// Drops the input that was used, and its buffer with it when the client waits for us.
    fn forget_input(&mut self, taken: usize) {
        if taken < self.input.len() {
            self.input.drain(..taken);
        } else if self.session.phase() == Phase::Data && self.input.capacity() <= INPUT_KEPT_BYTES {
            self.input.clear();
        } else {
            self.input = Vec::new();
        }
    }

    /// The client has done its part: its time begins anew.
    fn expect_more(&mut self) {
        self.deadline = Instant::now() + self.conversation.listener.settings.timeouts.command;
    }

    /// Waits for the client. It may be late, too slow, gone, or the server may be told to stop.
    async fn read(&mut self, stream: &mut Stream) -> Result<(), End> {
        let in_data = self.session.phase() == Phase::Data;
        if in_data {
            // RFC 5321 4.5.3.2.5: the time is per block of data, not for the message as a whole.
            self.deadline = Instant::now() + self.conversation.listener.settings.timeouts.data;
        }
        loop {
            let stop = *self.stop.borrow_and_update();
            if stop == Stop::Now || (stop == Stop::Finishing && !self.session.in_transaction()) {
                return Err(End::Stop);
            }
            let input = &mut self.input;
            let read = scratch::read(stream, |bytes| {
                input.extend_from_slice(bytes);
                bytes.len()
            });
            tokio::select! {
                biased;
                read = tokio::time::timeout_at(self.deadline, read) => {
                    return match read {
                        Ok(Ok(0)) | Ok(Err(_)) => Err(End::Disconnect),
                        Ok(Ok(count)) => self.keep_pace(count as u64),
                        Err(_) => Err(End::Timeout),
                    };
                }
                // The sender lives as long as the server; if it is gone, the server is too.
                changed = self.stop.changed() => if changed.is_err() { return Err(End::Stop) },
            }
        }
    }

    /// Measures a client that sends a message against the listener's floor, from DATA or the first BDAT to the end of the
    /// data: chunks that come apart are one message.
    fn keep_pace(&mut self, bytes: u64) -> Result<(), End> {
        if !self.session.in_transaction() {
            self.content = None;
        }
        let Some(pace) = &mut self.content else {
            return Ok(());
        };
        pace.bytes += bytes;
        let elapsed = pace.since.elapsed();
        let settings = &self.conversation.listener.settings;
        let (grace, floor) = (
            FLOOR_GRACE.min(settings.timeouts.data),
            settings.bytes_per_second_min,
        );
        if elapsed > grace && pace.bytes < floor.saturating_mul(elapsed.as_secs()) {
            return Err(End::TooSlow);
        }
        Ok(())
    }

    /// Tells the client why we leave, if it may still be listening (RFC 5321 3.8).
    async fn last_words(&mut self, stream: &mut Stream, ended_by: End) -> End {
        if let Some(reply) = stages::farewell(&self.conversation, ended_by) {
            self.session.refuse(&reply);
            // If it can't be told, it is gone: that is recorded either way.
            let _ = flush(&mut self.session, stream, &self.conversation).await;
        }
        ended_by
    }

    async fn start_tls(&mut self, stream: Stream) -> io::Result<Stream> {
        let listener = &self.conversation.listener;
        let acceptor = listener
            .acceptor
            .as_ref()
            .ok_or(io::ErrorKind::Unsupported)?;
        let plain = stream.into_tcp().map_err(|_| io::ErrorKind::InvalidInput)?;
        let handshake = net::tls::accept(plain, acceptor);
        let stream = tokio::time::timeout(listener.settings.timeouts.handshake, handshake)
            .await
            .map_err(|_| io::ErrorKind::TimedOut)??;
        self.conversation.encrypted(stream.tls_facts());
        self.session.tls_established();
        self.expect_more();
        Ok(stream)
    }
}

/// Writes what the session has to say.
async fn flush(
    session: &mut Session,
    stream: &mut Stream,
    conversation: &Conversation,
) -> io::Result<()> {
    let output = session.take_output();
    if output.is_empty() {
        return Ok(());
    }
    tokio::time::timeout(
        conversation.listener.settings.timeouts.write,
        stream.send(&output),
    )
    .await
    .map_err(|_| io::ErrorKind::TimedOut)?
}

fn ended_by(reason: CloseReason) -> End {
    match reason {
        CloseReason::Quit => End::Quit,
        CloseReason::TooManyErrors
        | CloseReason::TooManyAuthFailures
        | CloseReason::ForeignProtocol => End::Errors,
        CloseReason::Refused | CloseReason::Answered421 => End::Refused,
        CloseReason::TooManyCommands | CloseReason::TooMuchData => End::Limit,
    }
}

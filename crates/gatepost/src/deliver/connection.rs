//! One connection to a nexthop: the sans-IO client session of the `smtp` crate, driven over a socket.
//!
//! Each method sends what it must, waits for the replies that belong to it, and returns them. A refusal is a reply;
//! only what breaks the connection is a `Fault`. Dropping a connection closes it.

use std::borrow::Cow;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use net::stream::{Stream, TlsFacts};
use net::tls::{Connector, Proof};
use smtp::Reply;
use smtp::client::{Event, Failure, PixWorkaround, Protocol, Session, Settings, Unsupported};
use smtp::{Body, ForwardPath, MailParameters, RcptParameters, ReversePath};
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};
use tokio::time::Instant;

mod delivery;
mod fitness;
mod opening;

pub use delivery::{Answered, Outgoing, Transferred};

use super::fault::{Cause, Fault, Step};
use super::report::Action;
use crate::config::{NexthopTimeouts, NexthopTls};
use crate::scratch;

/// Bytes of content encoded before they are written.
const CONTENT_CHUNK_BYTES: usize = 64 * 1024;
/// The final dot follows the content after this pause where a PIX is in the path (as Postfix does).
const PIX_PAUSE: Duration = Duration::from_secs(1);

/// How long what the peer said before a write failed may take to come up.
const WORDS_WAIT_MAX: Duration = Duration::from_secs(1);

/// How long a farewell may take.
const QUIT_WAIT_MAX: Duration = Duration::from_secs(1);

/// How to talk to a nexthop.
#[derive(Clone)]
pub struct Manner {
    /// The nexthop as configured, for people.
    pub label: Arc<str>,
    /// SMTP or LMTP.
    pub protocol: Protocol,
    /// Our name in EHLO.
    pub ehlo_name: String,
    /// Our addresses to connect from; empty for those that the system chooses.
    pub bind: Arc<[IpAddr]>,
    /// TLS.
    pub tls: NexthopTls,
    /// The name that its certificate must have.
    pub tls_name: String,
    /// Makes TLS connections; as strict as `tls` says.
    pub connector: Connector,
    /// What we log in with.
    pub auth: Option<smtp::client::ClientAuth>,
    /// How long it may take.
    pub timeouts: NexthopTimeouts,
}

/// An open connection whose session is ready for a transaction, or in one.
pub struct Connection {
    wire: Wire,
    manner: Manner,
    /// When it was last given back.
    pub idle_since: Instant,
    /// Transactions that were begun on it.
    pub transactions: u32,
}

/// A socket and the session that is spoken over it.
struct Wire {
    stream: Stream,
    session: Session,
    proof: Proof,
    label: Arc<str>,
    /// A fault has happened: what the peer says from here on may belong to anything, and is not listened to.
    broken: bool,
}

impl Connection {
    /// Lets the peer greet us, and greets it.
    pub(super) async fn greet(
        stream: Stream,
        manner: &Manner,
        pix: PixWorkaround,
    ) -> Result<Connection, Fault> {
        let session = Session::new(Settings {
            protocol: manner.protocol,
            starttls: manner.tls.starttls(),
            auth: manner.auth.clone(),
            pix,
            ..Settings::new(manner.ehlo_name.clone())
        });
        let wire = Wire {
            stream,
            session,
            proof: Proof::None,
            label: Arc::clone(&manner.label),
            broken: false,
        };
        Ok(Connection {
            wire: wire.greet(manner).await?,
            manner: manner.clone(),
            idle_since: Instant::now(),
            transactions: 0,
        })
    }

    /// Begins a transaction with its first recipient, in one write where the peer takes it. The replies are those
    /// to MAIL and to RCPT; there is none to RCPT if MAIL was refused.
    ///
    /// `BODY=8BITMIME` only says what may come (many clients always say it): a peer that does not know it is asked all the
    /// same, and [`takes`](Connection::takes) decides once the content is there.
    pub async fn begin(
        &mut self,
        reverse_path: &ReversePath,
        mail: &MailParameters,
        forward_path: &ForwardPath,
        rcpt: &RcptParameters,
    ) -> Result<Result<(Reply, Option<Reply>), Unsupported>, Fault> {
        // RFC 8689 4.2.1: a server that has not proven who it is gets no such message, whatever it offers.
        if mail.require_tls && *reverse_path != ReversePath::Null && !self.wire.proof.is_given() {
            return Ok(Err(Unsupported::RequireTls));
        }
        let mut mail = Cow::Borrowed(mail);
        if mail.body.is_some() && !self.wire.session.capabilities().eight_bit_mime {
            mail.to_mut().body = None;
        }
        if let Err(unsupported) = self.wire.session.mail(reverse_path, &mail) {
            return Ok(Err(unsupported));
        }
        self.transactions += 1;
        if let Err(unsupported) = self.wire.session.rcpt(forward_path, rcpt) {
            return Ok(Err(unsupported));
        }
        let mail_reply = match self
            .wire
            .event(Step::Mail, self.manner.timeouts.command)
            .await?
        {
            Event::Mail(reply) => reply,
            other => return Err(self.wire.unexpected(Step::Mail, &other)),
        };
        if !mail_reply.is_positive() {
            return Ok(Ok((mail_reply, None)));
        }
        let rcpt_reply = self.rcpt_reply().await?;
        Ok(Ok((mail_reply, Some(rcpt_reply))))
    }

    /// What is to be told of a message that the server took, to whoever wants to know of success; `None` where the server will
    /// tell it by itself (RFC 3461 5.2.2). A yes in LMTP means that the message is in the mailbox (RFC 2033).
    pub(super) fn untold(&self) -> Option<Action> {
        match (self.wire.session.capabilities().dsn, self.manner.protocol) {
            (true, _) => None,
            (false, Protocol::Lmtp) => Some(Action::Delivered),
            (false, Protocol::Smtp) => Some(Action::Relayed),
        }
    }

    /// The server, for people.
    pub fn label(&self) -> Arc<str> {
        Arc::clone(&self.wire.label)
    }

    /// How the peer has proven over TLS that it is who we mean.
    pub fn proof(&self) -> Proof {
        self.wire.proof
    }

    /// Whether it is encrypted.
    pub fn is_tls(&self) -> bool {
        self.wire.stream.is_tls()
    }

    /// The peer's address; a unix socket has none.
    pub fn peer_ip(&self) -> Option<IpAddr> {
        let address = self.wire.stream.peer_addr();
        address.ok().map(|address| address.ip().to_canonical())
    }

    /// Our own address.
    pub fn local_ip(&self) -> Option<IpAddr> {
        let address = self.wire.stream.local_addr();
        address.ok().map(|address| address.ip().to_canonical())
    }

    /// What the handshake settled; `None` in clear.
    pub fn tls_facts(&self) -> Option<TlsFacts> {
        self.wire.stream.tls_facts()
    }

    /// Adds a recipient to the transaction.
    pub async fn recipient(
        &mut self,
        forward_path: &ForwardPath,
        rcpt: &RcptParameters,
    ) -> Result<Reply, Fault> {
        match self.wire.session.rcpt(forward_path, rcpt) {
            Ok(()) => self.rcpt_reply().await,
            // RFC 6531 3.5: the peer does not take such an address; nothing was sent.
            Err(unsupported) => Ok(Reply::new(
                553,
                unsupported.status(),
                unsupported.to_string(),
            )),
        }
    }

    async fn rcpt_reply(&mut self) -> Result<Reply, Fault> {
        match self
            .wire
            .event(Step::Rcpt, self.manner.timeouts.command)
            .await?
        {
            Event::Rcpt(_, reply) => Ok(reply),
            other => Err(self.wire.unexpected(Step::Rcpt, &other)),
        }
    }

    /// Sends the message, given in slices, and returns the final reply: one, or for LMTP one for each accepted
    /// recipient in their order. An error means that the peer can't have the message.
    pub async fn transfer<'a>(
        &mut self,
        slices: impl Iterator<Item = &'a [u8]>,
        accepted: usize,
    ) -> Result<Transferred, Fault> {
        self.wire.session.data();
        match self
            .wire
            .event(Step::Data, self.manner.timeouts.data)
            .await?
        {
            Event::Data(reply) if reply.code() == 354 => {}
            Event::Data(reply) if !reply.is_positive() => {
                return Ok(Transferred {
                    replies: vec![reply],
                    lost: None,
                });
            }
            other => return Err(self.wire.unexpected(Step::Data, &other)),
        }
        match self.send_content(slices).await {
            Ok(()) => Ok(self.final_replies(accepted).await),
            Err(fault) => Ok(Transferred {
                replies: vec![fault.refusal_of_content().cloned().ok_or(fault)?],
                lost: None,
            }),
        }
    }

    /// Whether the peer takes content that was declared as 8-bit and is (RFC 6152 3).
    pub fn takes(&self, mail: &MailParameters, eight_bit: bool) -> Result<(), Unsupported> {
        let declared = mail.body == Some(Body::EightBitMime);
        if declared && eight_bit && !self.wire.session.capabilities().eight_bit_mime {
            return Err(Unsupported::EightBitMime);
        }
        Ok(())
    }

    /// Ends the transaction without sending the message; true if the connection can be used again.
    pub async fn reset(&mut self) -> bool {
        self.wire.session.reset();
        loop {
            match self
                .wire
                .event(Step::Mail, self.manner.timeouts.command)
                .await
            {
                Ok(Event::Reset(_)) => return self.is_reusable(),
                // The answer to what was under way.
                Ok(Event::Mail(_) | Event::Rcpt(..)) => {}
                Ok(_) | Err(_) => return false,
            }
        }
    }

    /// Says QUIT without waiting for the answer.
    pub async fn quit(mut self) {
        self.wire.session.quit();
        // The peer may be gone already, which is what we are after.
        let _ = self.wire.flush(Step::Mail, QUIT_WAIT_MAX).await;
        let _ = tokio::time::timeout(QUIT_WAIT_MAX, self.wire.stream.shutdown()).await;
    }

    /// True if the idle connection can still be used: the peer has neither closed it nor said anything.
    pub fn is_alive(&mut self) -> bool {
        let mut byte = [0u8; 1];
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        let mut buffer = ReadBuf::new(&mut byte);
        Pin::new(&mut self.wire.stream)
            .poll_read(&mut cx, &mut buffer)
            .is_pending()
    }

    /// Serves another route of the same nexthop from now on.
    pub fn adopt(&mut self, timeouts: NexthopTimeouts) {
        self.manner.timeouts = timeouts;
    }

    /// Whether the dialog makes do with what the SMTP fixup of a PIX lets through; TLS is beyond its reach.
    pub(super) fn works_around_pix(&self) -> bool {
        self.wire.session.is_pix() && !self.wire.session.is_tls()
    }

    /// True if another transaction may begin on it.
    pub fn is_reusable(&self) -> bool {
        !self.wire.broken && self.wire.session.is_reusable()
    }
}

impl Wire {
    /// The next event, which the peer must bring about within `limit`.
    async fn event(&mut self, step: Step, limit: Duration) -> Result<Event, Fault> {
        if self.broken {
            return Err(self.fault(step, Cause::Closed));
        }
        let deadline = Instant::now() + limit;
        loop {
            match self.advance(step, limit, deadline).await? {
                None => {}
                Some(Event::Pause) => {
                    self.flush(step, limit).await?;
                    tokio::time::sleep(PIX_PAUSE).await;
                    self.session.resume();
                }
                Some(event) => return Ok(event),
            }
        }
    }

    /// The next event that has happened; if there is none, writes what is to be written and reads once, until `deadline`.
    async fn advance(
        &mut self,
        step: Step,
        limit: Duration,
        deadline: Instant,
    ) -> Result<Option<Event>, Fault> {
        match self.session.poll() {
            Some(Event::Failed(failure)) => return Err(self.failed(step, failure)),
            Some(event) => return Ok(Some(event)),
            None => {}
        }
        self.flush(step, limit).await?;
        let session = &mut self.session;
        let read = scratch::read(&mut self.stream, |bytes| {
            session.receive(bytes);
            bytes.len()
        });
        match tokio::time::timeout_at(deadline, read).await {
            Ok(Ok(0)) => Err(self.fault(step, Cause::Closed)),
            Ok(Ok(_)) => Ok(None),
            Ok(Err(error)) => Err(self.fault(step, Cause::Io(error))),
            Err(_) => Err(self.fault(step, Cause::Timeout(limit.as_secs()))),
        }
    }

    async fn flush(&mut self, step: Step, limit: Duration) -> Result<(), Fault> {
        let output = self.session.take_output();
        if output.is_empty() {
            return Ok(());
        }
        match tokio::time::timeout(limit, self.stream.send(&output)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(self.fault(step, Cause::Io(error))),
            Err(_) => Err(self.fault(step, Cause::Timeout(limit.as_secs()))),
        }
    }

    /// What the peer says before it has the whole message is no answer to it: a 250 that comes too early must not count as
    /// the one that ends the data.
    fn nothing_early(&mut self) -> Result<(), Fault> {
        // It may have come along with the 354.
        self.no_event()?;
        let polled = {
            let session = &mut self.session;
            let read = std::pin::pin!(scratch::read(&mut self.stream, |bytes| {
                session.receive(bytes);
                bytes.len()
            }));
            read.poll(&mut std::task::Context::from_waker(std::task::Waker::noop()))
        };
        match polled {
            Poll::Pending => return Ok(()),
            Poll::Ready(Ok(0)) => return Err(self.fault(Step::Content, Cause::Closed)),
            Poll::Ready(Ok(_)) => {}
            Poll::Ready(Err(error)) => return Err(self.fault(Step::Content, Cause::Io(error))),
        }
        self.no_event()
    }

    fn no_event(&mut self) -> Result<(), Fault> {
        match self.session.poll() {
            None => Ok(()),
            Some(Event::Failed(failure)) => Err(self.failed(Step::Content, failure)),
            Some(event) => Err(self.unexpected(Step::Content, &event)),
        }
    }

    /// Why the content could not be sent: what the peer said before it stopped reading, if it is a refusal, or else the fault.
    async fn said_before(&mut self, fault: Fault) -> Fault {
        let deadline = Instant::now() + WORDS_WAIT_MAX;
        loop {
            match self.session.poll() {
                None => {}
                Some(Event::Failed(failure)) if failure.reply().is_some() => {
                    return self.failed(Step::Content, failure);
                }
                Some(_) => return fault,
            }
            let session = &mut self.session;
            let read = scratch::read(&mut self.stream, |bytes| {
                session.receive(bytes);
                bytes.len()
            });
            let Ok(Ok(1..)) = tokio::time::timeout_at(deadline, read).await else {
                return fault;
            };
        }
    }

    fn fault(&mut self, step: Step, cause: Cause) -> Fault {
        self.broken = true;
        Fault::new(&*self.label, step, cause)
    }

    fn failed(&mut self, step: Step, failure: Failure) -> Fault {
        let reply = failure.reply().cloned();
        let cause = match failure {
            Failure::Closed(_) => Cause::Closed,
            Failure::TlsNotOffered => Cause::NoStartTls,
            Failure::Refused { reply, .. } | Failure::AuthFailed(reply) => {
                Cause::Refused(reply.to_string())
            }
            // A server may close with 421 whenever it likes (RFC 5321 section 3.8); a yes to what was not asked refuses nothing.
            Failure::Unexpected { ref reply, .. } if reply.code() >= 400 => {
                Cause::Refused(failure.to_string())
            }
            other => Cause::Protocol(other.to_string()),
        };
        let fault = self.fault(step, cause);
        Fault { reply, ..fault }
    }

    fn unexpected(&mut self, step: Step, event: &Event) -> Fault {
        self.fault(
            step,
            Cause::Protocol(format!("{event:?} does not belong here")),
        )
    }
}

#[cfg(test)]
mod tests;

//! What is known in the course of one session besides its protocol: the client, the snapshot it runs on, and the transaction
//! in progress. Ends each transaction, and a session that had none, with exactly one event.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use net::stream::TlsFacts;
use smtp::server::Session;
use tokio::time::Instant;

use super::admission::Place;
use super::reverse_names::ReverseName;
use super::transaction::Transaction;
use crate::context::{Context, ListenerContext};
use crate::decision::{self, EndedBy, Stage};
use crate::event::{Event, SessionEnd, SessionEnded};
use crate::policy::{ListMatch, Reason, Verdict};
use crate::senders;

/// One session: its client, its snapshot, its transaction.
pub struct Conversation {
    /// The snapshot that the session runs on to its end.
    pub cx: Arc<Context>,
    /// The listener that it came in on.
    pub listener: Arc<ListenerContext>,
    /// Who is on the other side.
    pub client: Box<Client>,
    /// The transaction in progress.
    pub transaction: Option<Box<Transaction>>,
    /// The last stage reached before a transaction.
    pub stage: Stage,
    /// The client spoke before the banner.
    pub talked_early: bool,
    /// Why it was refused in place of the banner.
    pub refused: Option<Reason>,
    had_transaction: bool,
    begun: Instant,
    _place: Place,
}

/// Who is on the other side.
#[derive(Debug)]
pub struct Client {
    /// Its address: that of the PROXY header or of XCLIENT where one is trusted.
    pub ip: IpAddr,
    /// Its port.
    pub port: u16,
    /// The proxy between us.
    pub proxied_by: Option<IpAddr>,
    /// Its name in the DNS.
    pub name: ReverseName,
    /// The name it gave with EHLO or HELO; empty before.
    pub ehlo: String,
    /// It said EHLO, not HELO.
    pub extended: bool,
    /// Encryption.
    pub tls: Option<TlsFacts>,
    /// Who it has proven to be.
    pub authenticated_as: Option<String>,
    /// The list entries that match its address.
    pub lists: Vec<ListMatch>,
    /// What the record of senders says to it, where it was named by XCLIENT.
    pub standing: Verdict,
}

/// What ended a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// QUIT.
    Quit,
    /// The client closed the connection, or it broke.
    Disconnect,
    /// The client gave nothing in time.
    Timeout,
    /// The client sent its message slower than the floor.
    TooSlow,
    /// The server was told to stop.
    Stop,
    /// Too many bad commands.
    Errors,
    /// We refused to go on.
    Refused,
    /// The TLS handshake failed.
    TlsFailed,
    /// The client spoke before the banner.
    EarlyTalker,
    /// The session used up its transactions, its idle commands, or its bytes.
    Limit,
}

impl Client {
    /// A client of which only the address is known.
    pub fn new(address: SocketAddr, proxied_by: Option<IpAddr>, lists: Vec<ListMatch>) -> Client {
        Client {
            ip: address.ip().to_canonical(),
            port: address.port(),
            proxied_by,
            name: ReverseName::Unasked,
            ehlo: String::new(),
            extended: false,
            tls: None,
            authenticated_as: None,
            lists,
            standing: Verdict::ACCEPT,
        }
    }

    /// Begins to look up its name, if that has not been done.
    pub fn ask_name(&mut self, cx: &Context) {
        if matches!(self.name, ReverseName::Unasked) {
            self.name = cx.services.reverse_names.ask(&cx.resolver, self.ip);
        }
    }

    /// Whether it may relay to domains that are not ours: it proved who it is, or is of a network of our own.
    pub fn may_relay(&self, cx: &Context) -> bool {
        self.authenticated_as.is_some() || cx.trusted_networks.contains(self.ip)
    }

    /// As events have it. Its name is left out unless it is known by now.
    pub fn facts(&self) -> decision::Client {
        decision::Client {
            ip: self.ip,
            port: self.port,
            name: self.name.known().map(str::to_owned),
            proxied_by: self.proxied_by,
        }
    }

    /// Its encryption as events have it.
    pub fn tls_facts(&self) -> Option<decision::Tls> {
        self.tls.as_ref().map(|tls| decision::Tls {
            version: tls.version.clone(),
            cipher: tls.cipher.clone(),
            server_name: tls.server_name.clone(),
        })
    }
}

impl Conversation {
    /// A session that begins now.
    pub fn new(
        cx: Arc<Context>,
        listener: Arc<ListenerContext>,
        client: Client,
        place: Place,
    ) -> Conversation {
        Conversation {
            cx,
            listener,
            client: Box::new(client),
            transaction: None,
            stage: Stage::Connect,
            talked_early: false,
            refused: None,
            had_transaction: false,
            begun: Instant::now(),
            _place: place,
        }
    }

    /// The session is encrypted from now on: what was said before does not count (RFC 3207 4.2).
    pub fn encrypted(&mut self, tls: Option<TlsFacts>) {
        self.client.tls = tls;
        self.client.ehlo.clear();
        self.client.extended = false;
        self.client.authenticated_as = None;
        self.stage = Stage::Connect;
    }

    /// A piece of the message in progress.
    pub async fn content(&mut self, piece: &[u8]) {
        if let Some(transaction) = &mut self.transaction {
            transaction.append(piece).await;
        }
    }

    /// Ends the transaction in progress without a message.
    pub fn abandon(&mut self, ended_by: EndedBy) {
        if let Some(transaction) = self.transaction.take() {
            self.record(*transaction, ended_by);
        }
    }

    /// Records a transaction that has ended.
    pub fn record(&mut self, transaction: Transaction, ended_by: EndedBy) {
        self.had_transaction = true;
        let decision = transaction.into_decision(&self.cx, &self.listener, &self.client, ended_by);
        senders::learn(&self.cx, &self.client, &decision);
        self.cx
            .services
            .journal
            .emit(&Event::Decided(Box::new(decision)));
    }

    /// Ends the session.
    pub fn end(&mut self, end: End, session: &Session) {
        let end = if self.talked_early {
            End::EarlyTalker
        } else {
            end
        };
        self.abandon(match end {
            End::Quit => EndedBy::Quit,
            End::Timeout | End::TooSlow => EndedBy::Timeout,
            End::Stop => EndedBy::Stop,
            End::Disconnect | End::TlsFailed => EndedBy::Disconnect,
            End::Errors | End::Refused | End::EarlyTalker | End::Limit => EndedBy::Reply,
        });
        if self.had_transaction {
            return;
        }
        let refused = session.last_refused();
        let ended = SessionEnded {
            listener: Arc::clone(&self.listener.name),
            client: self.client.facts(),
            tls: self.client.tls_facts(),
            ehlo: self.client.ehlo.clone(),
            stage: self.stage,
            reason: session_end(end),
            detail: match &self.refused {
                Some(reason) => format!("{}: {}", reason.kind.name(), reason.detail),
                None => refused.map_or(String::new(), |(verb, code)| {
                    format!("last refused: {verb:?} with {code}")
                }),
            },
            bad_commands: session.bad_commands(),
            reply: None,
            milliseconds: milliseconds(self.begun),
        };
        self.cx
            .services
            .journal
            .emit(&Event::SessionEnded(Box::new(ended)));
    }
}

fn session_end(end: End) -> SessionEnd {
    match end {
        End::Quit => SessionEnd::Quit,
        End::Disconnect => SessionEnd::Disconnect,
        End::Timeout | End::TooSlow => SessionEnd::Timeout,
        End::Stop => SessionEnd::Stop,
        End::Errors => SessionEnd::TooManyErrors,
        End::Refused => SessionEnd::Refused,
        End::TlsFailed => SessionEnd::TlsFailed,
        End::EarlyTalker => SessionEnd::EarlyTalker,
        End::Limit => SessionEnd::Limit,
    }
}

/// The time since `begun`, in milliseconds.
pub fn milliseconds(begun: Instant) -> f32 {
    begun.elapsed().as_secs_f32() * 1000.0
}

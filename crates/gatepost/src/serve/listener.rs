//! Accepts connections on one address: PROXY header, limits, implicit TLS, early talkers; then one task for each connection.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use net::proxy;
use net::stream::Stream;
use smtp::Reply;
use smtp::Status;
use smtp::server::{Session, Trust};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::admission::Crowded;
use super::connection::{Connection, Stop};
use super::conversation::{Client, Conversation, End};
use super::stages;
use super::{Current, Sessions};
use crate::context::{Context, ListenerContext};
use crate::decision;
use crate::event::{ConnectionRefusal, Event};
use crate::scratch;

/// Pause after the system could not give us a connection (RFC 5321 has no word on it; file descriptors come back).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How long a refused client may take to read why.
const REFUSAL_WAIT_MAX: Duration = Duration::from_secs(5);

/// Accepts on one address until told to stop.
pub struct Listener {
    /// The bound socket.
    pub socket: TcpListener,
    /// The address as configured, by which the listener is found in the snapshot.
    pub address: SocketAddr,
    /// The snapshot in force.
    pub current: Current,
    /// The sessions of the server.
    pub sessions: Sessions,
}

impl Listener {
    /// Accepts until `stop` says otherwise. The socket closes on return.
    pub async fn run(self, mut stop: watch::Receiver<Stop>, mut retired: watch::Receiver<bool>) {
        loop {
            let accepted = tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop != Stop::Running) => return,
                _ = retired.wait_for(|retired| *retired) => return,
                accepted = self.socket.accept() => accepted,
            };
            match accepted {
                Ok((socket, peer)) => self.welcome(socket, peer, stop.clone()),
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    tracing::error!(%error, "no connection can be accepted: raise the limit of open files, or free memory");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    /// Starts the connection's own task: nothing a client does holds up the next one.
    fn welcome(&self, socket: TcpStream, peer: SocketAddr, stop: watch::Receiver<Stop>) {
        let cx = self.current.load();
        let Some(listener) = cx.listener_at(self.address) else {
            return;
        };
        let arrival = Arrival {
            listener: Arc::clone(listener),
            cx,
            peer,
        };
        let session = self.sessions.enter();
        tokio::spawn(async move {
            arrival.serve(socket, stop).await;
            drop(session);
        });
    }
}

/// The peer was gone before we looked: says nothing about the next one.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    )
}

/// A connection that was just accepted.
struct Arrival {
    cx: Arc<Context>,
    listener: Arc<ListenerContext>,
    peer: SocketAddr,
}

impl Arrival {
    async fn serve(self, socket: TcpStream, stop: watch::Receiver<Stop>) {
        if let Some((stream, connection)) = Box::pin(self.prepare(socket, stop)).await {
            connection.run(stream).await;
        }
    }

    /// Everything before the banner. `None` if the client is gone or was sent away.
    async fn prepare(
        self,
        mut socket: TcpStream,
        stop: watch::Receiver<Stop>,
    ) -> Option<(Stream, Connection)> {
        let settings = Arc::clone(&self.listener.settings);
        let (address, proxied_by) = match self.client_address(&mut socket).await {
            Ok(found) => found,
            Err(detail) => {
                self.emit_refused(self.peer, ConnectionRefusal::Proxy, None, None, &detail);
                return None;
            }
        };
        let ip = address.ip().to_canonical();
        let place = match self.listener.admission.enter(
            ip,
            settings.connections_max,
            settings.connections_per_network_max,
        ) {
            Ok(place) => place,
            Err(crowded) => {
                self.turn_away(socket, address, crowded).await;
                return None;
            }
        };
        let trust = Trust {
            xclient: self.listener.xclient_networks.contains(ip),
        };
        let mut session = Session::new(Arc::clone(&self.listener.smtp), trust);
        let connected = stages::connect(&self.cx, &self.listener, ip).await;
        let lists = connected.clone().unwrap_or_default();
        let client = Client::new(address, proxied_by, lists);
        let mut conversation = Conversation::new(
            Arc::clone(&self.cx),
            Arc::clone(&self.listener),
            client,
            place,
        );
        let mut stream = Stream::Tcp(socket);
        if let Some(acceptor) = self.listener.implicit_tls() {
            let plain = stream.into_tcp().ok()?;
            let handshake = net::tls::accept(plain, acceptor);
            match tokio::time::timeout(settings.timeouts.handshake, handshake).await {
                Ok(Ok(encrypted)) => stream = encrypted,
                Ok(Err(_)) | Err(_) => {
                    conversation.end(End::TlsFailed, &session);
                    return None;
                }
            }
            conversation.encrypted(stream.tls_facts());
            session.tls_established();
        }
        match connected {
            Err((reason, reply)) => {
                conversation.refused = Some(reason);
                session.refuse(&reply);
            }
            Ok(_) if self.talks_early(&mut stream).await => {
                conversation.talked_early = true;
                session.refuse(Reply::new(
                    554,
                    Status::permanent(5, 1),
                    "You spoke before the banner (RFC 5321 3.1)",
                ));
            }
            Ok(_) => session.banner(),
        }
        Some((stream, Connection::new(session, conversation, stop)))
    }

    /// The client's address, from the PROXY header where the peer must send one.
    async fn client_address(
        &self,
        socket: &mut TcpStream,
    ) -> Result<(SocketAddr, Option<std::net::IpAddr>), String> {
        let peer_ip = self.peer.ip().to_canonical();
        if !self.listener.proxy_networks.contains(peer_ip) {
            return Ok((self.peer, None));
        }
        let header = tokio::time::timeout(
            self.listener.settings.timeouts.handshake,
            proxy::read(socket),
        )
        .await
        .map_err(|_| "no PROXY header came in time".to_owned())?
        .map_err(|error| format!("PROXY header: {error}"))?;
        // LOCAL and UNKNOWN: the proxy speaks for itself, as health checks do.
        Ok(header
            .source
            .map_or((self.peer, None), |source| (source, Some(peer_ip))))
    }

    /// Whether the client speaks before it is greeted, as those do who don't care for the answers.
    async fn talks_early(&self, stream: &mut Stream) -> bool {
        let delay = self.listener.settings.greeting_delay;
        if delay.is_zero() {
            return false;
        }
        // A client that leaves without a word ends the wait too, and is found gone by whoever reads next.
        matches!(
            tokio::time::timeout(delay, scratch::read(stream, <[u8]>::len)).await,
            Ok(Ok(1..))
        )
    }

    /// Tells a client that there is no room (RFC 5321 3.8), without waiting for it long.
    async fn turn_away(&self, mut socket: TcpStream, address: SocketAddr, crowded: Crowded) {
        let settings = &self.listener.settings;
        let (reason, limit) = match crowded {
            Crowded::Listener => (ConnectionRefusal::Listener, settings.connections_max),
            Crowded::Network => (
                ConnectionRefusal::Network,
                settings.connections_per_network_max,
            ),
        };
        let text = match crowded {
            Crowded::Listener => format!(
                "{} has too many connections, please try again later",
                settings.hostname
            ),
            Crowded::Network => {
                format!(
                    "{} has too many connections from your network, please try again later",
                    settings.hostname
                )
            }
        };
        let reply = Reply::new(421, Status::transient(7, 0), text);
        self.emit_refused(address, reason, Some(limit as u64), Some(&reply), "");
        if self.listener.implicit_tls().is_some() {
            // A handshake for a refusal would be a gift to whoever floods us.
            return;
        }
        let mut bytes = Vec::new();
        reply.write_to(&mut bytes);
        // Whether it still hears us makes no difference.
        let _ = tokio::time::timeout(REFUSAL_WAIT_MAX, async {
            socket.write_all(&bytes).await?;
            socket.shutdown().await
        })
        .await;
    }

    fn emit_refused(
        &self,
        address: SocketAddr,
        reason: ConnectionRefusal,
        limit: Option<u64>,
        reply: Option<&Reply>,
        detail: &str,
    ) {
        self.cx.services.journal.emit(&Event::ConnectionRefused {
            listener: Arc::clone(&self.listener.name),
            client: decision::Client::new(address.ip().to_canonical(), address.port()),
            reason,
            limit,
            detail: detail.to_owned(),
            reply: reply.map(Into::into),
        });
    }
}

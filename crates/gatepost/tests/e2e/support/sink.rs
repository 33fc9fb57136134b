//! A server behind the gateway that takes everything and records every byte, or does what its script says: SMTP or LMTP, over
//! TCP or a unix socket, in clear or with STARTTLS (RFC 3207), with the extensions that the test gives it.

#[path = "sink/act.rs"]
mod act;
#[path = "sink/session.rs"]
mod session;
#[path = "sink/wire.rs"]
mod wire;

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rustls::ServerConfig;

use super::authority::Issued;
use super::await_some_or;
use super::loopback;

pub(crate) use act::{Act, Step};

/// Asked at each command line, at `connect`, at `content` before the message is read, and at `message` (for LMTP with the
/// recipient behind it) for the final reply.
type Script = Box<dyn Fn(&str) -> Act + Send + Sync>;

/// What a good server offers in its reply to EHLO.
const EXTENSIONS: &[&str] = &[
    "PIPELINING",
    "8BITMIME",
    "SMTPUTF8",
    "ENHANCEDSTATUSCODES",
    "SIZE 0",
];

/// A message as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Received {
    /// What followed MAIL.
    pub(crate) mail: String,
    /// What followed each accepted RCPT.
    pub(crate) recipients: Vec<String>,
    /// The message without stuffed dots and without the final dot.
    pub(crate) content: Vec<u8>,
    /// The bytes on the wire, with the final dot.
    pub(crate) wire: Vec<u8>,
    /// The accepted connection, counted from 1.
    pub(crate) connection: usize,
    /// The connection was encrypted.
    pub(crate) is_encrypted: bool,
    /// The message was given a positive reply (LMTP: at least one).
    pub(crate) taken: bool,
}

/// A running sink.
pub(crate) struct Sink {
    shared: Arc<Shared>,
    address: Option<SocketAddr>,
    nexthop: String,
    wake: Box<dyn Fn() + Send + Sync>,
}

struct Shared {
    lmtp: bool,
    script: Script,
    extensions: Vec<String>,
    tls: Option<Arc<ServerConfig>>,
    /// The script is over: from now on it is a good server.
    behaves: AtomicBool,
    commands: Mutex<Vec<String>>,
    received: Mutex<Vec<Received>>,
    connections: AtomicUsize,
    peers: Mutex<Vec<IpAddr>>,
    open: AtomicUsize,
    open_at_most: AtomicUsize,
    stop: AtomicBool,
}

/// How a sink is made.
pub(crate) struct Manner {
    lmtp: bool,
    script: Script,
    extensions: Vec<String>,
    tls: Option<Arc<ServerConfig>>,
}

impl Manner {
    pub(crate) fn smtp() -> Manner {
        Manner {
            lmtp: false,
            script: Box::new(|_| Act::Usual),
            extensions: EXTENSIONS.iter().map(|it| (*it).to_owned()).collect(),
            tls: None,
        }
    }

    /// Takes its time for each message.
    pub(crate) fn slow() -> Manner {
        Manner::smtp().script(|moment| {
            if moment == "message" {
                thread::sleep(Duration::from_millis(100));
            }
            Act::Usual
        })
    }

    pub(crate) fn lmtp() -> Manner {
        Manner {
            lmtp: true,
            ..Manner::smtp()
        }
    }

    pub(crate) fn script(self, script: impl Fn(&str) -> Act + Send + Sync + 'static) -> Manner {
        Manner {
            script: Box::new(script),
            ..self
        }
    }

    /// One act at one step of each connection; all else is as usual.
    pub(crate) fn at(self, step: Step, act: Act) -> Manner {
        self.script(move |moment| {
            if step.is_at(moment) {
                act.clone()
            } else {
                Act::Usual
            }
        })
    }

    /// Offers this extension too.
    pub(crate) fn offers(mut self, extension: &str) -> Manner {
        self.extensions.push(extension.to_owned());
        self
    }

    /// Does not offer this one.
    pub(crate) fn without(mut self, extension: &str) -> Manner {
        self.extensions.retain(|it| it != extension);
        self
    }

    /// Offers STARTTLS with this certificate.
    pub(crate) fn tls(self, issued: &Issued) -> Manner {
        Manner {
            tls: Some(issued.server_config()),
            ..self
        }
    }

    /// On a port that the system gives.
    pub(crate) fn start(self) -> Sink {
        self.start_at("127.0.0.1:0".parse().unwrap())
    }

    /// On port 25 of a loopback address of its own, as the host of an MX record is found.
    pub(crate) fn start_as_host(self) -> Sink {
        self.serve(loopback::listen(25))
    }

    pub(crate) fn start_at(self, address: SocketAddr) -> Sink {
        self.serve(TcpListener::bind(address).unwrap())
    }

    fn serve(self, listener: TcpListener) -> Sink {
        let address = listener.local_addr().unwrap();
        let protocol = if self.lmtp { "lmtp" } else { "smtp" };
        let shared = self.shared();
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for socket in listener.incoming().map_while(Result::ok) {
                if serving.stop.load(Ordering::Relaxed) {
                    return;
                }
                if let Ok(peer) = socket.peer_addr() {
                    serving.peers.lock().unwrap().push(peer.ip());
                }
                let _ = socket.set_nodelay(true);
                serving.converse(wire::Wire::Tcp(socket));
            }
        });
        let wake = Box::new(move || drop(TcpStream::connect(address)));
        Sink {
            shared,
            address: Some(address),
            nexthop: format!("{protocol}:{address}"),
            wake,
        }
    }

    /// On a unix socket.
    pub(crate) fn start_on(self, path: &Path) -> Sink {
        let listener = UnixListener::bind(path).unwrap();
        let shared = self.shared();
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for socket in listener.incoming().map_while(Result::ok) {
                if serving.stop.load(Ordering::Relaxed) {
                    return;
                }
                serving.converse(wire::Wire::Unix(socket));
            }
        });
        let nexthop = format!("lmtp:unix:{}", path.display());
        let path = path.to_owned();
        let wake = Box::new(move || drop(UnixStream::connect(&path)));
        Sink {
            shared,
            address: None,
            nexthop,
            wake,
        }
    }

    fn shared(self) -> Arc<Shared> {
        Arc::new(Shared {
            lmtp: self.lmtp,
            script: self.script,
            extensions: self.extensions,
            tls: self.tls,
            behaves: AtomicBool::new(false),
            commands: Mutex::default(),
            received: Mutex::default(),
            connections: AtomicUsize::new(0),
            peers: Mutex::default(),
            open: AtomicUsize::new(0),
            open_at_most: AtomicUsize::new(0),
            stop: AtomicBool::new(false),
        })
    }
}

impl Sink {
    /// A good SMTP server.
    pub(crate) fn smtp() -> Sink {
        Manner::smtp().start()
    }

    /// As a `nexthop` of a route.
    pub(crate) fn nexthop(&self) -> &str {
        &self.nexthop
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address.unwrap()
    }

    /// The address in an A record.
    pub(crate) fn ip(&self) -> Ipv4Addr {
        match self.address() {
            SocketAddr::V4(address) => *address.ip(),
            SocketAddr::V6(address) => panic!("{address}"),
        }
    }

    /// Forgets the script: every connection from now on is served as a good server does.
    pub(crate) fn behave(&self) {
        self.shared.behaves.store(true, Ordering::Relaxed);
    }

    /// Every command line so far, of all connections.
    pub(crate) fn commands(&self) -> Vec<String> {
        self.shared.commands.lock().unwrap().clone()
    }

    /// How many commands begin with this.
    pub(crate) fn count(&self, beginning: &str) -> usize {
        self.commands()
            .iter()
            .filter(|line| line.starts_with(beginning))
            .count()
    }

    /// How many connections were accepted so far.
    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// Where they came from, in order.
    pub(crate) fn peers(&self) -> Vec<IpAddr> {
        self.shared.peers.lock().unwrap().clone()
    }

    /// How many connections were open at one time, at most.
    pub(crate) fn connections_at_once(&self) -> usize {
        self.shared.open_at_most.load(Ordering::Relaxed)
    }

    /// What came so far.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.shared.received.lock().unwrap().clone()
    }

    /// What came so far and was given a positive reply.
    pub(crate) fn taken(&self) -> Vec<Received> {
        let mut received = self.received();
        received.retain(|it| it.taken);
        received
    }

    /// Takes out what came so far.
    pub(crate) fn take(&self) -> Vec<Received> {
        std::mem::take(&mut self.shared.received.lock().unwrap())
    }

    /// Takes out the message that has this recipient.
    pub(crate) fn take_for(&self, recipient: &str) -> Option<Received> {
        let to = format!("TO:<{recipient}>");
        let mut received = self.shared.received.lock().unwrap();
        let place = received
            .iter()
            .position(|message| message.recipients.contains(&to))?;
        Some(received.swap_remove(place))
    }

    /// The only message; waits for it.
    pub(crate) fn one(&self) -> Received {
        let mut received = self.at_least(1);
        assert_eq!(received.len(), 1, "{received:#?}");
        received.remove(0)
    }

    /// Waits until so many messages were given a positive reply.
    pub(crate) fn at_least(&self, count: usize) -> Vec<Received> {
        let enough = || Some(self.received()).filter(|received| received.len() >= count);
        await_some_or(
            || {
                let commands = self.commands();
                let last = &commands[commands.len().saturating_sub(40)..];
                format!(
                    "{} of {count} messages came; last commands: {last:?}",
                    self.received().len()
                )
            },
            enough,
        )
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        (self.wake)();
    }
}

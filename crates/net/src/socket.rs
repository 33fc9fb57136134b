//! Sockets: listening, connecting, and taking over those that systemd opened for us.
//!
//! Every error says what was tried and what the system answered, and keeps its [`io::ErrorKind`],
//! so that a caller can tell an unreachable network from a refusal. What is done with a connection
//! is in `stream`, `proxy` and `tls`.

use std::env;
use std::error::Error;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use listenfd::ListenFd;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::net::{TcpListener, TcpSocket, TcpStream, UnixStream};

/// Listens on an address. A restart may take the address over at once (`SO_REUSEADDR`), and `[::]`
/// is IPv6 only (`IPV6_V6ONLY`), so that it and `0.0.0.0` can be bound side by side. Connections
/// come without Nagle's delay, as those of [`connect`]. Needs a tokio runtime.
///
/// # Errors
/// Those of the system, with the address in the text: in use, not on this machine, a port below
/// 1024 without the right.
pub fn bind(address: SocketAddr, backlog: u32) -> io::Result<TcpListener> {
    listen(address, backlog).map_err(|source| failure("listen on", address.to_string(), source))
}

/// Makes a listening socket one of ours, for those that [`activated`] yields: known to the tokio
/// runtime, and its connections without Nagle's delay (`TCP_NODELAY`, which they inherit; a reply
/// behind a TLS ticket would wait 40 ms without it).
///
/// # Errors
/// Those of the system.
pub fn adopt(listener: std::net::TcpListener) -> io::Result<TcpListener> {
    listener.set_nonblocking(true)?;
    SockRef::from(&listener).set_tcp_nodelay(true)?;
    TcpListener::from_std(listener)
}

/// Connects over TCP, from the address `bind` if one is given, and without Nagle's delay
/// (`TCP_NODELAY`): SMTP and the engines' protocols write whole commands.
///
/// # Errors
/// Those of the system with address and cause in the text, `ErrorKind::TimedOut` after `timeout`,
/// and `ErrorKind::InvalidInput` if `bind` is of the other address family. [`is_unreachable`] tells
/// when another address of the same host may serve.
pub async fn connect(
    address: SocketAddr,
    bind: Option<IpAddr>,
    timeout: Duration,
) -> io::Result<TcpStream> {
    let connected = within(timeout, connect_from(address, bind)).await;
    connected.map_err(|source| failure("connect to", address.to_string(), source))
}

/// Connects to a Unix socket.
///
/// # Errors
/// Those of the system with path and cause in the text, and `ErrorKind::TimedOut` after `timeout`.
pub async fn connect_unix(path: &Path, timeout: Duration) -> io::Result<UnixStream> {
    let connected = within(timeout, UnixStream::connect(path)).await;
    connected.map_err(|source| failure("connect to", path.display().to_string(), source))
}

/// True if no packet could even be sent that way: no route, network down, or this machine has no
/// address of that family. The peer said nothing, so the next address, of the other family above
/// all, should be tried at once.
pub fn is_unreachable(error: &io::Error) -> bool {
    use io::ErrorKind::{AddrNotAvailable, HostUnreachable, NetworkDown, NetworkUnreachable};
    matches!(
        error.kind(),
        HostUnreachable | NetworkUnreachable | NetworkDown | AddrNotAvailable
    )
}

/// Sockets that systemd opened for us (`sd_listen_fds(3)`), with the names of its
/// `FileDescriptorName=`; `unknown` where it gave none. Empty if we were not started that way. The
/// sockets can be taken once: a second call yields nothing.
///
/// It must be called at start, before other threads read the environment: the variables are
/// removed, so that no child takes the sockets for its own.
///
/// # Errors
/// `ErrorKind::InvalidInput` if one of them is not a TCP socket.
pub fn activated() -> io::Result<Vec<(String, std::net::TcpListener)>> {
    let names = env::var("LISTEN_FDNAMES").unwrap_or_default();
    let mut names = names.split(':').filter(|name| !name.is_empty());
    let mut descriptors = ListenFd::from_env();
    let mut listeners = Vec::with_capacity(descriptors.len());
    for index in 0..descriptors.len() {
        let name = names.next().unwrap_or("unknown").to_owned();
        let taken = descriptors.take_tcp_listener(index);
        if let Some(listener) =
            taken.map_err(|source| failure("take over socket", name.clone(), source))?
        {
            listeners.push((name, listener));
        }
    }
    Ok(listeners)
}

fn listen(address: SocketAddr, backlog: u32) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.bind(&address.into())?;
    socket.listen(i32::try_from(backlog).unwrap_or(i32::MAX))?;
    adopt(socket.into())
}

async fn connect_from(address: SocketAddr, bind: Option<IpAddr>) -> io::Result<TcpStream> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()
    } else {
        TcpSocket::new_v6()
    };
    let socket = socket.map_err(without_family)?;
    if let Some(ip) = bind {
        if ip.is_ipv4() != address.is_ipv4() {
            let text = format!("{ip} cannot be the source: it is of the other address family");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        socket.bind(SocketAddr::new(ip, 0))?;
    }
    let stream = socket.connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn within<T>(
    timeout: Duration,
    connecting: impl Future<Output = io::Result<T>>,
) -> io::Result<T> {
    match tokio::time::timeout(timeout, connecting).await {
        Ok(connected) => connected,
        Err(_) => {
            let text = format!("no answer within {} s", timeout.as_secs_f32());
            Err(io::Error::new(io::ErrorKind::TimedOut, text))
        }
    }
}

/// A system without IPv6 has no such socket. For who connects, that is a network that cannot be
/// reached.
fn without_family(error: io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(libc::EAFNOSUPPORT) => io::Error::new(io::ErrorKind::NetworkUnreachable, error),
        _ => error,
    }
}

/// What was tried, on what, and what the system said.
#[derive(Debug)]
struct Failure {
    tried: &'static str,
    subject: String,
    source: io::Error,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.source.to_string();
        // "(os error 113)" tells an operator nothing that "No route to host" has not told.
        let text = text.split(" (os error ").next().unwrap_or(&text);
        write!(f, "cannot {} {}: {text}", self.tried, self.subject)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}

fn failure(tried: &'static str, subject: String, source: io::Error) -> io::Error {
    io::Error::new(
        source.kind(),
        Failure {
            tried,
            subject,
            source,
        },
    )
}

#[cfg(test)]
mod tests;

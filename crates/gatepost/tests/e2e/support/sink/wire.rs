//! The connection of a sink: plain or, after STARTTLS, encrypted by rustls.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// How long a read waits before it is looked whether the sink was dropped.
const POLL: Duration = Duration::from_millis(200);

pub(super) enum Wire {
    Tcp(TcpStream),
    Unix(UnixStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
}

impl Wire {
    /// Encrypts from here on; the handshake is done with the first bytes that are read.
    pub(super) fn encrypt(self, config: &Arc<ServerConfig>) -> io::Result<Wire> {
        let Wire::Tcp(socket) = self else {
            return Err(io::Error::other("TLS goes over TCP, once"));
        };
        let session = ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
        Ok(Wire::Tls(Box::new(StreamOwned::new(session, socket))))
    }

    pub(super) fn is_encrypted(&self) -> bool {
        matches!(self, Wire::Tls(_))
    }

    /// Reads end with an error now and then, so that whoever reads can look around.
    pub(super) fn poll_reads(&self) {
        let _ = match self {
            Wire::Tcp(socket) => socket.set_read_timeout(Some(POLL)),
            Wire::Unix(socket) => socket.set_read_timeout(Some(POLL)),
            Wire::Tls(stream) => stream.sock.set_read_timeout(Some(POLL)),
        };
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Wire::Tcp(socket) => socket.read(buffer),
            Wire::Unix(socket) => socket.read(buffer),
            Wire::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Wire::Tcp(socket) => socket.write(bytes),
            Wire::Unix(socket) => socket.write(bytes),
            Wire::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Wire::Tcp(socket) => socket.flush(),
            Wire::Unix(socket) => socket.flush(),
            Wire::Tls(stream) => stream.flush(),
        }
    }
}

//! One connection, whatever carries it: TCP, TLS over TCP, or a Unix socket.
//!
//! The enum is thin (TLS state is boxed), because ten thousand idle connections each hold one.
//! Reading, writing and vectored writing go straight to what carries it; how to get a TLS stream is
//! in `tls`, a TCP or Unix one in `socket`.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsStream;
use tokio_rustls::rustls::{CipherSuite, ProtocolVersion};

/// A connection to a client or to a server.
#[derive(Debug)]
pub enum Stream {
    /// In clear over TCP.
    Tcp(TcpStream),
    /// Encrypted over TCP, from either side of the handshake.
    Tls(Box<TlsStream<TcpStream>>),
    /// In clear over a Unix socket.
    Unix(UnixStream),
}

/// What a TLS handshake settled: for the `Received` field, the decision and the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFacts {
    /// Protocol version, such as `TLSv1.3`.
    pub version: String,
    /// Cipher suite by its IANA name, such as `TLS_AES_256_GCM_SHA384`.
    pub cipher: String,
    /// The name that the client asked for (RFC 6066 section 3, SNI). Known where we are the server.
    pub server_name: Option<String>,
}

impl Stream {
    /// Address and port of the peer. A Unix socket has none: `ErrorKind::Unsupported`.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.tcp().ok_or_else(no_address)?.peer_addr()
    }

    /// Our own address and port on this connection. A Unix socket has none:
    /// `ErrorKind::Unsupported`.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp().ok_or_else(no_address)?.local_addr()
    }

    /// What TLS settled; `None` in clear.
    pub fn tls_facts(&self) -> Option<TlsFacts> {
        let Stream::Tls(stream) = self else {
            return None;
        };
        let (_, connection) = stream.get_ref();
        let server_name = match &**stream {
            TlsStream::Server(stream) => stream.get_ref().1.server_name().map(str::to_owned),
            TlsStream::Client(_) => None,
        };
        Some(TlsFacts {
            version: connection
                .protocol_version()
                .map_or_else(String::new, version_name),
            cipher: connection
                .negotiated_cipher_suite()
                .map_or_else(String::new, |suite| cipher_name(suite.suite())),
            server_name,
        })
    }

    /// Writes all of `bytes` and sees them on their way: TLS may hold back the end of what it was given until it is flushed.
    ///
    /// # Errors
    /// As the system says.
    pub async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes).await?;
        self.flush().await
    }

    /// True if what is written is encrypted.
    pub fn is_tls(&self) -> bool {
        matches!(self, Stream::Tls(_))
    }

    /// The bare TCP connection, for a handshake upon it (RFC 3207 STARTTLS). Anything else is given
    /// back unchanged.
    pub fn into_tcp(self) -> Result<TcpStream, Stream> {
        match self {
            Stream::Tcp(stream) => Ok(stream),
            other => Err(other),
        }
    }

    fn tcp(&self) -> Option<&TcpStream> {
        match self {
            Stream::Tcp(stream) => Some(stream),
            Stream::Tls(stream) => Some(stream.get_ref().0),
            Stream::Unix(_) => None,
        }
    }
}

impl From<TcpStream> for Stream {
    fn from(stream: TcpStream) -> Stream {
        Stream::Tcp(stream)
    }
}

impl From<UnixStream> for Stream {
    fn from(stream: UnixStream) -> Stream {
        Stream::Unix(stream)
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Tcp(stream) => Pin::new(stream).poll_read(cx, buffer),
            Stream::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
            Stream::Unix(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Tcp(stream) => Pin::new(stream).poll_write(cx, bytes),
            Stream::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
            Stream::Unix(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Tcp(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Stream::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Stream::Unix(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Stream::Tcp(stream) => stream.is_write_vectored(),
            Stream::Tls(stream) => stream.is_write_vectored(),
            Stream::Unix(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Unix(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

fn no_address() -> io::Error {
    io::Error::new(
        io::ErrorKind::Unsupported,
        "a Unix socket has no network address",
    )
}

fn version_name(version: ProtocolVersion) -> String {
    match version {
        ProtocolVersion::TLSv1_2 => "TLSv1.2".to_owned(),
        ProtocolVersion::TLSv1_3 => "TLSv1.3".to_owned(),
        other => format!("{other:?}"),
    }
}

/// rustls names the suites of TLS 1.3 `TLS13_...`; IANA's registry, and everybody else's log, says
/// `TLS_...`.
fn cipher_name(suite: CipherSuite) -> String {
    let name = format!("{suite:?}");
    match name.strip_prefix("TLS13_") {
        Some(rest) => format!("TLS_{rest}"),
        None => name,
    }
}

#[cfg(test)]
mod tests;

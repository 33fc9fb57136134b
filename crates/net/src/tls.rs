//! TLS for SMTP (RFC 3207 STARTTLS, RFC 8314 implicit): accepting it here, connecting with it in
//! `connector`, whom to believe in `dane` and `verifiers`, our certificates in `certificates`.
//!
//! rustls with ring, TLS 1.2 and 1.3 (RFC 8996 retired what came before). When to start TLS, and
//! what to do where it fails, is decided by those who speak SMTP.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::{CryptoProvider, ring};
use rustls::server::NoServerSessionStorage;
use rustls::{CertificateError, InvalidMessage, ServerConfig};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsStream};

use crate::limits::{TLS_HANDSHAKE_SECONDS_MAX, TLS_SEND_BUFFER_BYTES_MAX};
use crate::stream::Stream;

mod certificates;
mod connector;
pub mod dane;
mod error;
mod fault;
mod verifiers;

pub use certificates::{CertificateFiles, Certificates};
pub use connector::{Connector, Proof, Roots};
pub use error::TlsError;
pub use fault::TlsFault;

use fault::HandshakeError;

/// What a listener needs to accept TLS. Cheap to clone.
#[derive(Clone)]
pub struct Acceptor {
    inner: TlsAcceptor,
}

impl fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acceptor").finish_non_exhaustive()
    }
}

/// Makes what a listener needs to accept TLS with these certificates. It follows their reloads.
///
/// An idle connection is to cost little memory, so nothing is kept for clients that may come back:
/// they keep it themselves, encrypted, in one ticket (RFC 5077, RFC 8446 section 4.6.1) under a key
/// that changes every few hours.
///
/// # Errors
/// [`TlsError::Random`] if the system yields no random bytes for that key.
pub fn acceptor(certificates: Arc<Certificates>) -> Result<Acceptor, TlsError> {
    #[expect(clippy::expect_used, reason = "see the proof below")]
    let builder = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        // ring's provider is built with suites of both versions (feature `tls12`); the tests shake
        // hands in both.
        .expect("ring supports TLS 1.2 and 1.3");
    let mut config = builder
        .with_no_client_auth()
        .with_cert_resolver(certificates);
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.ticketer = ring::Ticketer::new().map_err(|_| TlsError::Random)?;
    config.send_tls13_tickets = 1;
    Ok(Acceptor {
        inner: TlsAcceptor::from(Arc::new(config)),
    })
}

/// Shakes hands with a client. Nothing may have been read from the connection that belongs to the
/// handshake.
///
/// # Errors
/// `ErrorKind::TimedOut` after a minute, `ErrorKind::InvalidData` where the client breaks the
/// protocol or shares no version, cipher or signature algorithm with us (it was sent the alert),
/// and those of the connection. The text says which.
pub async fn accept(stream: TcpStream, acceptor: &Acceptor) -> io::Result<Stream> {
    // Boxed: a handshake is large and short, and its room must not stay in the future of every
    // connection.
    let handshake = Box::pin(acceptor.inner.accept(stream));
    let mut stream = within_limit(handshake).await?;
    stream
        .get_mut()
        .1
        .set_buffer_limit(Some(TLS_SEND_BUFFER_BYTES_MAX));
    Ok(Stream::Tls(Box::new(TlsStream::Server(stream))))
}

/// The one provider of cryptography.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

async fn within_limit<T>(handshake: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let limit = Duration::from_secs(TLS_HANDSHAKE_SECONDS_MAX);
    match tokio::time::timeout(limit, handshake).await {
        Ok(done) => done.map_err(|error| explain(&error)),
        Err(_) => {
            let text = format!("TLS handshake: not done within {TLS_HANDSHAKE_SECONDS_MAX} s");
            Err(io::Error::new(io::ErrorKind::TimedOut, text))
        }
    }
}

/// What an operator needs to read in the log.
fn explain(error: &io::Error) -> io::Error {
    let tls = error
        .get_ref()
        .and_then(|error| error.downcast_ref::<rustls::Error>());
    let text = match tls {
        Some(rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType)) => {
            "TLS handshake: the peer does not speak TLS".to_owned()
        }
        _ if error.kind() == io::ErrorKind::UnexpectedEof => {
            "TLS handshake: the peer closed the connection".to_owned()
        }
        // rustls would only say that it is something else.
        Some(rustls::Error::InvalidCertificate(CertificateError::Other(other))) => {
            format!("TLS handshake: invalid peer certificate: {}", other.0)
        }
        _ => format!("TLS handshake: {error}"),
    };
    io::Error::new(error.kind(), HandshakeError::new(tls, text))
}

#[cfg(test)]
mod tests;

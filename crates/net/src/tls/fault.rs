//! Why a handshake failed, in the few kinds that a report tells apart (RFC 8460 section 4.3) and that decide what comes next.

use std::error::Error;
use std::fmt;
use std::io;

use rustls::CertificateError;

/// The kind of a failed handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TlsFault {
    /// The certificate's time is over or has not begun.
    Expired,
    /// The certificate is for other names.
    HostMismatch,
    /// Nobody whom we trust has issued the certificate.
    NotTrusted,
    /// No TLSA record names the certificate or its issuer.
    TlsaMismatch,
    /// Versions, ciphers, alerts, damaged certificates.
    Handshake,
    /// The connection broke or timed out: nothing is known of the server's TLS.
    Connection,
}

/// A failed handshake: inside the `io::Error` that [`Connector::connect`](super::Connector::connect) gives.
#[derive(Debug)]
pub(super) struct HandshakeError {
    fault: TlsFault,
    text: String,
}

impl TlsFault {
    /// The kind of an error that [`Connector::connect`](super::Connector::connect) gave.
    pub fn of(error: &io::Error) -> TlsFault {
        error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<HandshakeError>())
            .map_or(TlsFault::Connection, |error| error.fault)
    }
}

impl HandshakeError {
    pub(super) fn new(error: Option<&rustls::Error>, text: String) -> HandshakeError {
        let fault = error.map_or(TlsFault::Connection, classify);
        HandshakeError { fault, text }
    }
}

/// What a TLSA record does not say of a server.
#[derive(Debug)]
pub(super) struct TlsaMismatch;

impl fmt::Display for TlsaMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no TLSA record names it or its issuer")
    }
}

impl Error for TlsaMismatch {}

/// The kind of what rustls found wrong.
pub(super) fn classify(error: &rustls::Error) -> TlsFault {
    let rustls::Error::InvalidCertificate(error) = error else {
        return TlsFault::Handshake;
    };
    match error {
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => TlsFault::Expired,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            TlsFault::HostMismatch
        }
        CertificateError::UnknownIssuer
        | CertificateError::BadSignature
        | CertificateError::Revoked
        | CertificateError::InvalidPurpose
        | CertificateError::InvalidPurposeContext { .. } => TlsFault::NotTrusted,
        CertificateError::Other(other) if other.0.is::<TlsaMismatch>() => TlsFault::TlsaMismatch,
        // A self-signed certificate of a CA as the server's own: webpki names it so.
        CertificateError::Other(_) => TlsFault::NotTrusted,
        _ => TlsFault::Handshake,
    }
}

impl fmt::Display for HandshakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Error for HandshakeError {}

//! TLS to others: opportunistic (RFC 7435), where encryption without a proof of identity is better
//! than none, and verified, where it must be the server of that name.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WantsClientCert};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ConfigBuilder, DigitallySignedStruct, RootCertStore, SignatureScheme,
    WantsVerifier,
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, TlsStream};

use super::certificates::read_certificates;
use super::{TlsError, provider, within_limit};
use crate::limits::TLS_CLIENT_SESSIONS_MAX;
use crate::stream::Stream;

/// How connections to servers are secured. Cheap to clone; clones resume each other's sessions.
#[derive(Clone)]
pub struct Connector {
    inner: TlsConnector,
    verifies: bool,
}

impl Connector {
    /// Takes any certificate: it keeps those out who only listen. For nexthops that nobody said to
    /// be more careful about, as SMTP servers do among each other.
    pub fn opportunistic() -> Connector {
        let anyone = Arc::new(Anyone {
            schemes: provider()
                .signature_verification_algorithms
                .supported_schemes(),
        });
        Connector::new(
            builder()
                .dangerous()
                .with_custom_certificate_verifier(anyone),
            false,
        )
    }

    /// Takes certificates for the server's name only, issued by a CA of this system or of `ca_file`
    /// (PEM). It blocks on the file system.
    ///
    /// # Errors
    /// Those of reading `ca_file`; [`TlsError::NoRoots`] if neither has any.
    pub fn verified(ca_file: Option<&Path>) -> Result<Connector, TlsError> {
        let mut roots = RootCertStore::empty();
        if let Some(path) = ca_file {
            for certificate in read_certificates(path)? {
                let added = roots.add(certificate);
                added.map_err(|error| TlsError::Unusable {
                    path: path.to_owned(),
                    detail: error.to_string(),
                })?;
            }
        }
        let system = rustls_native_certs::load_native_certs();
        // Of the system's many, those that are broken are left out: none of them is known to be
        // needed.
        roots.add_parsable_certificates(system.certs);
        if roots.is_empty() {
            let detail = system
                .errors
                .first()
                .map_or_else(String::new, |error| format!(" ({error})"));
            return Err(TlsError::NoRoots { detail });
        }
        Ok(Connector::new(
            builder().with_root_certificates(roots),
            true,
        ))
    }

    /// Shakes hands with the server `name`: a host name, or an IP address. It is sent as SNI if it
    /// is a host name.
    ///
    /// # Errors
    /// `ErrorKind::InvalidInput` if the name can be none and a certificate for it is wanted,
    /// `ErrorKind::TimedOut` after a minute, `ErrorKind::InvalidData` where the certificate or the
    /// protocol is not as it must be, and those of the connection. The text says which.
    pub async fn connect(&self, name: &str, stream: TcpStream) -> io::Result<Stream> {
        let name = name.strip_suffix('.').unwrap_or(name);
        let name = match ServerName::try_from(name) {
            Ok(name) => name.to_owned(),
            // Without verification the name is a courtesy; an address goes unsent.
            Err(_) if !self.verifies => ServerName::IpAddress(stream.peer_addr()?.ip().into()),
            Err(_) => {
                let text = format!("\"{name}\" can be no name in a certificate");
                return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
            }
        };
        // Boxed, as on the other side: `accept` says why.
        let handshake = Box::pin(self.inner.connect(name, stream));
        let stream = within_limit(handshake).await?;
        Ok(Stream::Tls(Box::new(TlsStream::Client(stream))))
    }

    fn new(builder: ConfigBuilder<ClientConfig, WantsClientCert>, verifies: bool) -> Connector {
        let mut config = builder.with_no_client_auth();
        config.resumption = Resumption::in_memory_sessions(TLS_CLIENT_SESSIONS_MAX);
        Connector {
            inner: TlsConnector::from(Arc::new(config)),
            verifies,
        }
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector")
            .field("verifies", &self.verifies)
            .finish_non_exhaustive()
    }
}

#[expect(clippy::expect_used, reason = "see the proof below")]
fn builder() -> ConfigBuilder<ClientConfig, WantsVerifier> {
    ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        // ring's provider is built with suites of both versions (feature `tls12`); the tests shake
        // hands in both.
        .expect("ring supports TLS 1.2 and 1.3")
}

/// Believes every server. Its signatures are not looked at either: whoever sits in the middle signs
/// for himself.
#[derive(Debug)]
struct Anyone {
    schemes: Vec<SignatureScheme>,
}

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes.clone()
    }
}

#[cfg(test)]
mod tests;

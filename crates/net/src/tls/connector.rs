//! TLS to others: opportunistic (RFC 7435), where encryption without a proof of identity is better
//! than none, and proven: by a CA of this system or a file, or by TLSA records (RFC 7672).
//!
//! Which one a nexthop gets is decided by those who deliver. Who is believed is in `verifiers`.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::client::{Resumption, WantsClientCert};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, TlsStream};

use super::certificates::read_certificates;
use super::dane::{DaneMatch, TlsaSet};
use super::fault::{TlsFault, classify};
use super::verifiers::{AnyName, Anyone, Dane};
use super::{TlsError, provider, within_limit};
use crate::limits::TLS_CLIENT_SESSIONS_MAX;
use crate::stream::Stream;

/// How connections to servers are secured. Cheap to clone; clones resume each other's sessions.
#[derive(Clone)]
pub struct Connector {
    inner: TlsConnector,
    believes: Believes,
}

/// Whom a connector believes.
#[derive(Clone)]
enum Believes {
    Anyone,
    Ca,
    Dane(Arc<Dane>),
    /// Anyone, but notes what `AnyName` would say.
    Observes(Arc<AnyName>),
}

/// How a server has proven who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Proof {
    /// Not at all: encryption only.
    None,
    /// By a certificate of a CA for its name.
    Ca,
    /// By a TLSA record for its certificate or key (DANE-EE).
    DaneEndEntity,
    /// By a TLSA record for a CA that issued its certificate (DANE-TA).
    DaneTrustAnchor,
    /// Nobody asked it to; this is what would have been wrong, if anything ([`Roots::observer`]).
    Observed(Option<TlsFault>),
}

impl Proof {
    /// Whether the server has proven who it is.
    pub fn is_given(self) -> bool {
        matches!(
            self,
            Proof::Ca | Proof::DaneEndEntity | Proof::DaneTrustAnchor
        )
    }

    /// As events and logs have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Proof::None | Proof::Observed(_) => "none",
            Proof::Ca => "ca",
            Proof::DaneEndEntity => "dane-ee",
            Proof::DaneTrustAnchor => "dane-ta",
        }
    }
}

/// The CAs that servers are verified with. Cheap to clone.
#[derive(Clone)]
pub struct Roots {
    store: Arc<RootCertStore>,
}

impl Roots {
    /// The CAs of this system, and those of `ca_file` (PEM). It blocks on the file system.
    ///
    /// # Errors
    /// Those of reading `ca_file`; [`TlsError::NoRoots`] if neither has any.
    pub fn load(ca_file: Option<&Path>) -> Result<Roots, TlsError> {
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
        Ok(Roots {
            store: Arc::new(roots),
        })
    }

    /// Takes certificates for the server's name, the one that is connected to.
    pub fn connector(&self) -> Connector {
        let builder = builder().with_root_certificates(Arc::clone(&self.store));
        Connector::new(builder, Believes::Ca)
    }

    /// Takes certificates for any of these names, whatever name is connected to. Those that can be no name in a certificate
    /// count for nothing; if none is left, nobody is believed.
    pub fn connector_for(&self, names: &[&str]) -> Connector {
        let verifier = AnyName::new(Arc::clone(&self.store), server_names(names));
        let builder = builder()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        Connector::new(builder, Believes::Ca)
    }
}

impl Roots {
    /// Takes any certificate as [`Connector::opportunistic`] does, and tells in [`Proof::Observed`] what would have been wrong
    /// with it for this name: for policies that are only tested (RFC 8461 section 5).
    pub fn observer(&self, name: &str) -> Connector {
        let names = server_names(&[name]);
        let verifier = AnyName::new(Arc::clone(&self.store), names);
        let anyone = Arc::new(Anyone::new());
        let builder = builder()
            .dangerous()
            .with_custom_certificate_verifier(anyone);
        Connector::new(builder, Believes::Observes(Arc::new(verifier)))
    }
}

impl Connector {
    /// Takes any certificate: it keeps those out who only listen. For nexthops that nobody said to
    /// be more careful about, as SMTP servers do among each other.
    pub fn opportunistic() -> Connector {
        let builder = builder()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anyone::new()));
        Connector::new(builder, Believes::Anyone)
    }

    /// Takes certificates for the server's name only, issued by a CA of this system or of `ca_file`
    /// (PEM). It blocks on the file system.
    ///
    /// # Errors
    /// Those of [`Roots::load`].
    pub fn verified(ca_file: Option<&Path>) -> Result<Connector, TlsError> {
        Roots::load(ca_file).map(|roots| roots.connector())
    }

    /// Takes the certificates that `records` name. `names` are those that a certificate of a DANE-TA may have: the server's, and
    /// the domain that is sent to (RFC 7672 section 3.2.2). Sessions are not resumed: records change.
    pub fn dane(records: TlsaSet, names: &[&str]) -> Connector {
        let verifier = Arc::new(Dane::new(records, server_names(names)));
        let mut config = builder()
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(&verifier) as _)
            .with_no_client_auth();
        config.resumption = Resumption::disabled();
        Connector {
            inner: TlsConnector::from(Arc::new(config)),
            believes: Believes::Dane(verifier),
        }
    }

    /// Whether it takes the certificates of servers only that have proven who they are.
    pub fn verifies(&self) -> bool {
        matches!(self.believes, Believes::Ca | Believes::Dane(_))
    }

    /// Shakes hands with the server `name`: a host name, or an IP address. It is sent as SNI if it
    /// is a host name.
    ///
    /// # Errors
    /// `ErrorKind::InvalidInput` if the name can be none and a certificate for it is wanted,
    /// `ErrorKind::TimedOut` after a minute, `ErrorKind::InvalidData` where the certificate or the
    /// protocol is not as it must be, and those of the connection. The text says which, and
    /// [`TlsFault::of`](super::TlsFault::of) its kind.
    pub async fn connect(&self, name: &str, stream: TcpStream) -> io::Result<Stream> {
        self.prove(name, stream).await.map(|(stream, _)| stream)
    }

    /// As [`connect`](Connector::connect), and tells how the server has proven who it is.
    ///
    /// # Errors
    /// Those of [`connect`](Connector::connect).
    pub async fn prove(&self, name: &str, stream: TcpStream) -> io::Result<(Stream, Proof)> {
        let name = name.strip_suffix('.').unwrap_or(name);
        let name = match ServerName::try_from(name) {
            Ok(name) => name.to_owned(),
            // Without verification the name is a courtesy; an address goes unsent.
            Err(_) if !self.verifies() => ServerName::IpAddress(stream.peer_addr()?.ip().into()),
            Err(_) => {
                let text = format!("\"{name}\" can be no name in a certificate");
                return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
            }
        };
        // Boxed, as on the other side: `accept` says why.
        let handshake = Box::pin(self.inner.connect(name, stream));
        let stream = within_limit(handshake).await?;
        let proof = self.proof(stream.get_ref().1.peer_certificates());
        Ok((Stream::Tls(Box::new(TlsStream::Client(stream))), proof))
    }

    /// The handshake has succeeded; what is left to tell is how.
    fn proof(&self, shown: Option<&[CertificateDer<'_>]>) -> Proof {
        match &self.believes {
            Believes::Anyone => Proof::None,
            Believes::Ca => Proof::Ca,
            Believes::Observes(verifier) => {
                let examined = shown
                    .and_then(<[_]>::split_first)
                    .map(|(end_entity, others)| {
                        verifier.examine(end_entity, others, UnixTime::now())
                    });
                Proof::Observed(match examined {
                    Some(Ok(())) => None,
                    Some(Err(error)) => Some(classify(&error)),
                    None => Some(TlsFault::Handshake),
                })
            }
            Believes::Dane(dane) => {
                let examined = shown
                    .and_then(<[_]>::split_first)
                    .map(|(end_entity, others)| dane.examine(end_entity, others, UnixTime::now()));
                match examined {
                    Some(Ok(DaneMatch::EndEntity)) => Proof::DaneEndEntity,
                    Some(Ok(DaneMatch::TrustAnchor)) => Proof::DaneTrustAnchor,
                    Some(Err(_)) | None => Proof::None,
                }
            }
        }
    }

    fn new(builder: ConfigBuilder<ClientConfig, WantsClientCert>, believes: Believes) -> Connector {
        let mut config = builder.with_no_client_auth();
        config.resumption = Resumption::in_memory_sessions(TLS_CLIENT_SESSIONS_MAX);
        Connector {
            inner: TlsConnector::from(Arc::new(config)),
            believes,
        }
    }
}

impl fmt::Debug for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Roots")
            .field("count", &self.store.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let believes = match &self.believes {
            Believes::Anyone => "anyone",
            Believes::Ca => "CAs",
            Believes::Dane(_) => "TLSA records",
            Believes::Observes(_) => "anyone, observing",
        };
        f.debug_struct("Connector")
            .field("believes", &believes)
            .finish_non_exhaustive()
    }
}

fn server_names(names: &[&str]) -> Vec<ServerName<'static>> {
    names
        .iter()
        .map(|name| name.strip_suffix('.').unwrap_or(name))
        .filter_map(|name| ServerName::try_from(name).ok())
        .map(|name| name.to_owned())
        .collect()
}

#[expect(clippy::expect_used, reason = "see the proof below")]
fn builder() -> ConfigBuilder<ClientConfig, WantsVerifier> {
    ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        // ring's provider is built with suites of both versions (feature `tls12`); the tests shake
        // hands in both.
        .expect("ring supports TLS 1.2 and 1.3")
}

#[cfg(test)]
mod tests;

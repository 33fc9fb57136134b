//! What can be wrong with certificates, keys and CA files, and what to do about it.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why certificates or roots cannot be used. The text names the file and the remedy.
#[derive(Debug)]
pub enum TlsError {
    /// A file cannot be read.
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file is larger than certificates are.
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// A file is damaged: not PEM (RFC 7468).
    Pem {
        /// The file.
        path: PathBuf,
        /// Where.
        detail: String,
    },
    /// There is no certificate in a file.
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// There is no private key in a file.
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// The private key needs a passphrase.
    EncryptedKey {
        /// The file.
        path: PathBuf,
    },
    /// The key does not belong to the certificate.
    Mismatch {
        /// The file with the certificate.
        certificate: PathBuf,
        /// The file with the key.
        key: PathBuf,
    },
    /// What is in a file cannot be used.
    Unusable {
        /// The file.
        path: PathBuf,
        /// Why.
        detail: String,
    },
    /// No certificate was named at all.
    Nothing,
    /// The system has no root certificates to verify others with.
    NoRoots {
        /// What was found instead.
        detail: String,
    },
    /// The system yields no random bytes.
    Random,
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TlsError::Read { path, source } => {
                let remedy = match source.kind() {
                    io::ErrorKind::PermissionDenied => "let the user that Gatepost runs as read it",
                    _ => "correct the path, or put the file there",
                };
                write!(f, "{}: {source}; {remedy}", path.display())
            }
            TlsError::TooLarge { path } => {
                write!(
                    f,
                    "{}: larger than 4 MiB; name a PEM file of certificates or a key",
                    path.display()
                )
            }
            TlsError::Pem { path, detail } => {
                write!(
                    f,
                    "{}: damaged PEM ({detail}); copy the file again",
                    path.display()
                )
            }
            TlsError::NoCertificate { path } => write!(
                f,
                "{}: holds no \"BEGIN CERTIFICATE\"; it must hold the certificate, then its chain, as PEM",
                path.display()
            ),
            TlsError::NoKey { path } => {
                write!(
                    f,
                    "{}: holds no \"BEGIN PRIVATE KEY\"; it must hold the key as PEM",
                    path.display()
                )
            }
            TlsError::EncryptedKey { path } => write!(
                f,
                "{0}: the key is encrypted; decrypt it: openssl pkey -in {0} -out NEW",
                path.display()
            ),
            TlsError::Mismatch { certificate, key } => write!(
                f,
                "{}: not the key of the certificate in {}; name the pair that was issued together, certificate first in \
                 its file",
                key.display(),
                certificate.display()
            ),
            TlsError::Unusable { path, detail } => {
                write!(
                    f,
                    "{}: cannot be used: {detail}; have it issued again",
                    path.display()
                )
            }
            TlsError::Nothing => {
                f.write_str("no certificate is named; name a certificate and a key")
            }
            TlsError::NoRoots { detail } => write!(
                f,
                "this system has no root certificates{detail}; install its ca-certificates package, or name a CA file"
            ),
            TlsError::Random => {
                f.write_str("this system yields no random bytes; is /dev/urandom there?")
            }
        }
    }
}

impl Error for TlsError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            TlsError::Read { source, .. } => Some(source),
            _ => None,
        }
    }
}

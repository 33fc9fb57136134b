//! Our certificates: read from PEM files (RFC 7468), chosen by the name that a client asks for (RFC
//! 6066 section 3), read again when the files change.

use std::collections::HashMap;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{InconsistentKeys, SignatureScheme};
use webpki::EndEntityCert;

use super::{TlsError, provider};
use crate::limits::PEM_FILE_BYTES_MAX;

/// Where a certificate and its key are. Both may be in one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    /// PEM: the certificate, then the chain that leads to a root.
    pub certificate: PathBuf,
    /// PEM: the private key (PKCS #8, PKCS #1 or SEC 1), not encrypted.
    pub key: PathBuf,
}

/// The certificates of a listener. The first is the default: for clients that ask for no name, or
/// for one we do not have, since a client of SMTP that sees the wrong name mostly goes on, and one
/// that sees a failure sends in clear.
///
/// A certificate serves the names that it carries itself, wildcards included. Several may carry the
/// same name (say, one with an RSA key and one with an ECDSA key): the first whose signatures the
/// client understands is taken.
pub struct Certificates {
    files: Vec<CertificateFiles>,
    provider: Arc<CryptoProvider>,
    loaded: RwLock<Arc<Loaded>>,
    /// The files as they were at the last attempt to read them, good or bad. Held during a reload,
    /// so that there is one.
    stamps: Mutex<Vec<Stamp>>,
}

impl Certificates {
    /// Reads certificates and keys, and checks that they belong together. It blocks on the file
    /// system.
    ///
    /// # Errors
    /// The first file that cannot be used; [`TlsError::Nothing`] if `files` is empty.
    pub fn load(files: &[CertificateFiles]) -> Result<Arc<Certificates>, TlsError> {
        // Before reading: a change in between is then seen as a change at the next look.
        let stamps = stamps(files);
        let provider = provider();
        let loaded = Loaded::read(files, &provider)?;
        Ok(Arc::new(Certificates {
            files: files.to_vec(),
            provider,
            loaded: RwLock::new(Arc::new(loaded)),
            stamps: Mutex::new(stamps),
        }))
    }

    /// Reads all files again if one of them is not what it was: to be called now and then. True if
    /// new certificates are in use from now on, for new handshakes. It blocks on the file system.
    ///
    /// # Errors
    /// Those of [`Certificates::load`]; the certificates in use stay in use. They are reported
    /// once, not again before a file changes once more: renewal often replaces certificate and key
    /// one after the other.
    pub fn reload_if_changed(&self) -> Result<bool, TlsError> {
        let mut known = self.stamps.lock().unwrap_or_else(PoisonError::into_inner);
        let stamps = stamps(&self.files);
        if *known == stamps {
            return Ok(false);
        }
        *known = stamps;
        let loaded = Arc::new(Loaded::read(&self.files, &self.provider)?);
        *self.loaded.write().unwrap_or_else(PoisonError::into_inner) = loaded;
        Ok(true)
    }

    /// The names that the certificates in use carry, sorted.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.loaded().names.keys().cloned().collect();
        names.sort_unstable();
        names
    }

    fn loaded(&self) -> Arc<Loaded> {
        self.loaded
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, client: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.loaded()
            .choose(client.server_name(), client.signature_schemes())
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificates")
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}

/// What the files held.
struct Loaded {
    keys: Vec<Arc<CertifiedKey>>,
    /// Lower case; a wildcard as it is written, `*.example.net`.
    names: HashMap<String, Vec<Arc<CertifiedKey>>>,
}

impl Loaded {
    fn read(files: &[CertificateFiles], provider: &CryptoProvider) -> Result<Loaded, TlsError> {
        let mut loaded = Loaded {
            keys: Vec::with_capacity(files.len()),
            names: HashMap::new(),
        };
        for files in files {
            let (key, names) = read_pair(files, provider)?;
            for name in names {
                loaded.names.entry(name).or_default().push(key.clone());
            }
            loaded.keys.push(key);
        }
        if loaded.keys.is_empty() {
            Err(TlsError::Nothing)
        } else {
            Ok(loaded)
        }
    }

    fn choose(&self, name: Option<&str>, schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let keys = name
            .and_then(|name| self.of_name(name))
            .unwrap_or(&self.keys);
        let understood = keys
            .iter()
            .find(|key| key.key.choose_scheme(schemes).is_some());
        understood.or(keys.first()).cloned()
    }

    /// Those that carry the name itself, else those that carry a wildcard in place of its first
    /// label (RFC 9525 section 6.3).
    fn of_name(&self, name: &str) -> Option<&Vec<Arc<CertifiedKey>>> {
        let name = name.to_ascii_lowercase();
        let exact = self.names.get(&name);
        exact.or_else(|| self.names.get(&format!("*.{}", name.split_once('.')?.1)))
    }
}

fn read_pair(
    files: &CertificateFiles,
    provider: &CryptoProvider,
) -> Result<(Arc<CertifiedKey>, Vec<String>), TlsError> {
    let chain = read_certificates(&files.certificate)?;
    let key = read_key(&files.key)?;
    let unusable = |path: &Path, detail: String| TlsError::Unusable {
        path: path.to_owned(),
        detail,
    };
    let leaf = chain.first().ok_or_else(|| TlsError::NoCertificate {
        path: files.certificate.clone(),
    })?;
    let leaf = EndEntityCert::try_from(leaf)
        .map_err(|error| unusable(&files.certificate, error.to_string()))?;
    let names = leaf
        .valid_dns_names()
        .map(str::to_ascii_lowercase)
        .collect();
    match CertifiedKey::from_der(chain.clone(), key, provider) {
        Ok(key) => Ok((Arc::new(key), names)),
        Err(rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => {
            Err(TlsError::Mismatch {
                certificate: files.certificate.clone(),
                key: files.key.clone(),
            })
        }
        // The certificate was parsed above, so it is the key.
        Err(error) => Err(unusable(&files.key, error.to_string())),
    }
}

/// All certificates of a PEM file, in their order; at least one.
pub(super) fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let text = read_file(path)?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match certificates {
        Ok(certificates) if certificates.is_empty() => Err(TlsError::NoCertificate {
            path: path.to_owned(),
        }),
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(damaged(path, &error)),
    }
}

fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let text = read_file(path)?;
    let encrypted = ["BEGIN ENCRYPTED PRIVATE KEY", "Proc-Type: 4,ENCRYPTED"];
    match PrivateKeyDer::from_pem_slice(&text) {
        _ if encrypted.iter().any(|mark| holds(&text, mark)) => Err(TlsError::EncryptedKey {
            path: path.to_owned(),
        }),
        Ok(key) => Ok(key),
        Err(pem::Error::NoItemsFound) => Err(TlsError::NoKey {
            path: path.to_owned(),
        }),
        Err(error) => Err(damaged(path, &error)),
    }
}

fn damaged(path: &Path, error: &pem::Error) -> TlsError {
    let detail = match error {
        // The library prints the line as a list of numbers.
        pem::Error::MissingSectionEnd { .. } => "its END line is missing".to_owned(),
        pem::Error::IllegalSectionStart { .. } => "its BEGIN line is broken".to_owned(),
        other => other.to_string(),
    };
    TlsError::Pem {
        path: path.to_owned(),
        detail,
    }
}

fn holds(text: &[u8], mark: &str) -> bool {
    text.windows(mark.len())
        .any(|window| window == mark.as_bytes())
}

fn read_file(path: &Path) -> Result<Vec<u8>, TlsError> {
    let read = |path: &Path| -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        File::open(path)?
            .take(PEM_FILE_BYTES_MAX + 1)
            .read_to_end(&mut text)?;
        Ok(text)
    };
    let text = read(path).map_err(|source| TlsError::Read {
        path: path.to_owned(),
        source,
    })?;
    if text.len() as u64 > PEM_FILE_BYTES_MAX {
        return Err(TlsError::TooLarge {
            path: path.to_owned(),
        });
    }
    Ok(text)
}

/// What tells that a file is another one, or holds other bytes: device, inode, size, and both
/// times, since a copy may bring its old modification time along. `None`: the file is not there.
/// Symbolic links are followed.
type Stamp = Option<(u64, u64, u64, [i64; 4])>;

fn stamps(files: &[CertificateFiles]) -> Vec<Stamp> {
    let stamp = |path: &PathBuf| {
        let file = fs::metadata(path).ok()?;
        Some((
            file.dev(),
            file.ino(),
            file.size(),
            [
                file.mtime(),
                file.mtime_nsec(),
                file.ctime(),
                file.ctime_nsec(),
            ],
        ))
    };
    files
        .iter()
        .flat_map(|files| [stamp(&files.certificate), stamp(&files.key)])
        .collect()
}

#[cfg(test)]
mod tests;

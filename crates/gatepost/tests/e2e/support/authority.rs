//! Certificates that a certificate authority of the test issues: right ones, expired ones, ones for another name; with the
//! TLSA data (RFC 6698) that matches them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PublicKeyData,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::programs::run;

/// A certificate authority, trusted by nobody who was not told.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    der: CertificateDer<'static>,
}

/// A certificate that it issued, or one that signed itself.
pub(crate) struct Issued {
    key: KeyPair,
    certificate: CertificateDer<'static>,
    /// What a server shows: the certificate, and the authority's if there is one.
    chain: Vec<CertificateDer<'static>>,
    pem: String,
}

impl Authority {
    pub(crate) fn new() -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params
            .distinguished_name
            .push(DnType::CommonName, "Gatepost test authority");
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Authority {
            pem: certificate.pem(),
            der: certificate.der().clone(),
            issuer: Issuer::new(params, key),
        }
    }

    /// Writes its certificate for a `ca_file`.
    pub(crate) fn file(&self, folder: &Path) -> PathBuf {
        let file = folder.join("authority.pem");
        std::fs::write(&file, &self.pem).unwrap();
        file
    }

    /// A good certificate for these names.
    pub(crate) fn issue(&self, names: &[&str]) -> Issued {
        self.sign(&params(names))
    }

    /// One whose time is over.
    pub(crate) fn issue_expired(&self, names: &[&str]) -> Issued {
        let mut params = params(names);
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2021, 1, 1);
        self.sign(&params)
    }

    fn sign(&self, params: &CertificateParams) -> Issued {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Issued {
            chain: vec![certificate.der().clone(), self.der.clone()],
            pem: format!("{}{}", certificate.pem(), self.pem),
            certificate: certificate.der().clone(),
            key,
        }
    }

    /// TLSA data for usage 2 (DANE-TA), the whole certificate, SHA-256.
    pub(crate) fn tlsa(&self) -> String {
        format!("2 0 1 {}", sha256(&self.der))
    }
}

impl Issued {
    /// A certificate that only vouches for itself.
    pub(crate) fn by_itself(names: &[&str]) -> Issued {
        let key = KeyPair::generate().unwrap();
        let certificate = params(names).self_signed(&key).unwrap();
        Issued {
            chain: vec![certificate.der().clone()],
            pem: certificate.pem(),
            certificate: certificate.der().clone(),
            key,
        }
    }

    /// TLSA data for usage 3 (DANE-EE), the public key, SHA-256: what RFC 7672 3.1.1 recommends.
    pub(crate) fn tlsa(&self) -> String {
        format!("3 1 1 {}", sha256(&self.key.subject_public_key_info()))
    }

    /// The same for the whole certificate.
    pub(crate) fn tlsa_of_certificate(&self) -> String {
        format!("3 0 1 {}", sha256(&self.certificate))
    }

    /// Writes chain and key; their paths.
    pub(crate) fn files(&self, folder: &Path, name: &str) -> (PathBuf, PathBuf) {
        let (chain, key) = (
            folder.join(format!("{name}.pem")),
            folder.join(format!("{name}.key")),
        );
        std::fs::write(&chain, &self.pem).unwrap();
        std::fs::write(&key, self.key.serialize_pem()).unwrap();
        (chain, key)
    }

    pub(crate) fn server_config(&self) -> Arc<ServerConfig> {
        let key = PrivateKeyDer::try_from(self.key.serialize_der()).unwrap();
        let config =
            ServerConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(self.chain.clone(), key)
                .unwrap();
        Arc::new(config)
    }
}

fn params(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names.clone()).unwrap();
    params
        .distinguished_name
        .push(DnType::CommonName, names.first().map_or("", String::as_str));
    params
}

/// In hexadecimal.
fn sha256(bytes: &[u8]) -> String {
    let said = run("/usr/bin/openssl", &["dgst", "-sha256", "-r"], bytes).expect_success();
    said.split(' ').next().unwrap().to_owned()
}

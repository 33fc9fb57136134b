//! Private keys: read from PEM, and what they compute. They never show themselves (DESIGN law 7).

use std::fmt;

use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;

/// A private key that signs.
pub struct PrivateKey(Pair);

enum Pair {
    Rsa(RsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

/// Why a key can't be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// The text is no PEM of a private key.
    Pem(String),
    /// The key is neither RSA nor Ed25519, or of a size that is not signed with.
    Unusable(String),
    /// It did not sign.
    Signing,
}

impl PrivateKey {
    /// Reads a PEM of an RSA key (PKCS #1 or #8) or an Ed25519 key (PKCS #8).
    ///
    /// # Errors
    /// It is none, or an RSA key of less than 2048 bits, which `ring` does not sign with.
    pub fn from_pem(pem: &[u8]) -> Result<PrivateKey, KeyError> {
        let der =
            PrivateKeyDer::from_pem_slice(pem).map_err(|error| KeyError::Pem(error.to_string()))?;
        let rsa = |pair: Result<RsaKeyPair, ring::error::KeyRejected>| {
            pair.map(|pair| PrivateKey(Pair::Rsa(pair)))
                .map_err(|error| KeyError::Unusable(error.to_string()))
        };
        match &der {
            PrivateKeyDer::Pkcs1(der) => rsa(RsaKeyPair::from_der(der.secret_pkcs1_der())),
            PrivateKeyDer::Pkcs8(der) => {
                let der = der.secret_pkcs8_der();
                match Ed25519KeyPair::from_pkcs8_maybe_unchecked(der) {
                    Ok(pair) => Ok(PrivateKey(Pair::Ed25519(pair))),
                    Err(_) => rsa(RsaKeyPair::from_pkcs8(der)),
                }
            }
            _ => Err(KeyError::Unusable(
                "it is neither RSA nor Ed25519".to_owned(),
            )),
        }
    }

    /// The name of the algorithm in `a=`.
    pub fn algorithm(&self) -> &'static str {
        match &self.0 {
            Pair::Rsa(_) => "rsa-sha256",
            Pair::Ed25519(_) => "ed25519-sha256",
        }
    }

    /// What the DNS has under the selector (RFC 6376 3.6.1, RFC 8463 4).
    pub fn public_record(&self) -> String {
        match &self.0 {
            Pair::Rsa(pair) => {
                let key = super::super::report::base64(&subject_public_key_info(
                    pair.public_key().as_ref(),
                ));
                format!("v=DKIM1; k=rsa; p={key}")
            }
            Pair::Ed25519(pair) => {
                let key = super::super::report::base64(pair.public_key().as_ref());
                format!("v=DKIM1; k=ed25519; p={key}")
            }
        }
    }

    pub(super) fn sign(&self, input: &[u8]) -> Result<Vec<u8>, KeyError> {
        match &self.0 {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(
                    &RSA_PKCS1_SHA256,
                    &SystemRandom::new(),
                    input,
                    &mut signature,
                )
                .map_err(|_| KeyError::Signing)?;
                Ok(signature)
            }
            // RFC 8463 3: what is signed is the hash.
            Pair::Ed25519(pair) => Ok(pair.sign(digest(&SHA256, input).as_ref()).as_ref().to_vec()),
        }
    }
}

/// DER of a SubjectPublicKeyInfo around an RSAPublicKey (RFC 3279 2.3.1): what RFC 6376 3.6.1 has come to mean.
fn subject_public_key_info(key: &[u8]) -> Vec<u8> {
    const RSA_ENCRYPTION: [u8; 15] = [
        0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
    ];
    let mut bits = vec![0];
    bits.extend(key);
    let mut inner = RSA_ENCRYPTION.to_vec();
    inner.extend(der(0x03, &bits));
    der(0x30, &inner)
}

fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    let length = content.len().to_be_bytes();
    let significant: Vec<u8> = length
        .iter()
        .copied()
        .skip_while(|byte| *byte == 0)
        .collect();
    match (significant.as_slice(), u8::try_from(significant.len())) {
        ([short], _) if *short < 0x80 => out.push(*short),
        (long, Ok(count)) => {
            out.push(0x80 | count);
            out.extend(long);
        }
        // A length has eight bytes.
        (_, Err(_)) => {}
    }
    out.extend(content);
    out
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({}, [redacted])", self.algorithm())
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeyError::Pem(detail) => write!(f, "it is no PEM of a private key ({detail})"),
            KeyError::Unusable(detail) => write!(
                f,
                "it must be RSA of 2048 to 4096 bits or Ed25519 ({detail})"
            ),
            KeyError::Signing => f.write_str("the key did not sign"),
        }
    }
}

impl std::error::Error for KeyError {}

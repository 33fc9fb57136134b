//! Public keys: what the DNS has under a selector (RFC 6376 section 3.6.1, RFC 8463 section 4), and verifying with them.

use ring::digest::{SHA256, digest};
use ring::signature::{ED25519, RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, UnparsedPublicKey};

use net::resolver::Resolver;

use super::signature::{Algorithm, Flaw, Signature};
use crate::auth::facts::DkimResult;
use crate::auth::tags::{Tags, base64};

/// Bits that an RSA key needs at least (RFC 8301 section 3.2).
const RSA_BITS_MIN: usize = 1024;

/// Records of a selector that are tried: there should be one (section 3.6.2.2).
const RECORDS_MAX: usize = 4;

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::auth) struct Key {
    algorithm: Algorithm,
    /// For RSA an `RSAPublicKey` in DER, for Ed25519 the 32 octets.
    octets: Vec<u8>,
    /// Bits of the modulus, or 256.
    pub(in crate::auth) bits: usize,
    /// `t=y`: the domain is testing.
    pub(in crate::auth) testing: bool,
    /// `t=s`: the identity must be of the very domain.
    strict: bool,
}

impl Key {
    /// Asks for the key of a signature.
    pub(in crate::auth) async fn of(
        resolver: &Resolver,
        selector: &str,
        domain: &str,
    ) -> Result<Key, Flaw> {
        let name = format!("{selector}._domainkey.{domain}");
        let texts = match resolver.txt(&name).await {
            Ok(texts) => texts,
            Err(error) if error.is_absence() => {
                return Err(Flaw::permanent(&format!("there is no key at {name}")));
            }
            Err(error) => {
                return Err(Flaw {
                    result: DkimResult::Temperror,
                    problem: crate::printable::printable(&format!("{name}: {error}"), 200),
                });
            }
        };
        let mut flaw = None;
        for text in texts.iter().take(RECORDS_MAX) {
            match Key::parse(text) {
                Ok(key) => return Ok(key),
                Err(problem) => flaw = flaw.or(Some(problem)),
            }
        }
        Err(flaw.unwrap_or_else(|| Flaw::permanent("there is no key")))
    }

    /// Reads a record.
    pub(in crate::auth) fn parse(text: &str) -> Result<Key, Flaw> {
        let tags =
            Tags::parse(text).ok_or_else(|| Flaw::permanent("the key is no list of tags"))?;
        if tags.value("v").is_some() && tags.first() != Some(("v", "DKIM1")) {
            return Err(Flaw::permanent("the key is of another version"));
        }
        let has = |name: &str, wanted: &[&str]| {
            let words = tags.words(name);
            words.is_none_or(|mut words| words.any(|word| wanted.contains(&word)))
        };
        if !has("h", &["sha256"]) {
            return Err(Flaw::permanent("the key is not for SHA-256"));
        }
        if !has("s", &["*", "email"]) {
            return Err(Flaw::permanent("the key is not for e-mail"));
        }
        let value = tags
            .value("p")
            .ok_or_else(|| Flaw::permanent("the key has no p="))?;
        let octets = base64(value).ok_or_else(|| Flaw::permanent("the key is no base64"))?;
        if octets.is_empty() {
            return Err(Flaw::permanent("the key is revoked"));
        }
        let flag = |wanted| {
            tags.words("t")
                .is_some_and(|mut words| words.any(|word| word == wanted))
        };
        let (algorithm, octets, bits) = match tags.value("k").unwrap_or("rsa") {
            "rsa" => {
                let (octets, bits) =
                    rsa(&octets).ok_or_else(|| Flaw::permanent("the key is no RSA key"))?;
                (Algorithm::Rsa, octets, bits)
            }
            "ed25519" if octets.len() == 32 => (Algorithm::Ed25519, octets, 256),
            "ed25519" => return Err(Flaw::permanent("the key is no Ed25519 key")),
            _ => return Err(Flaw::permanent("the key is of an unknown kind")),
        };
        Ok(Key {
            algorithm,
            octets,
            bits,
            testing: flag("y"),
            strict: flag("s"),
        })
    }

    /// Whether the key may be used for a signature at all.
    pub(in crate::auth) fn permits(&self, signature: &Signature) -> Result<(), Flaw> {
        let identity = signature.identity.as_deref();
        let of = identity.and_then(|identity| identity.rsplit_once('@'));
        if self.strict && of.is_some_and(|(_, of)| !of.eq_ignore_ascii_case(&signature.domain)) {
            return Err(Flaw::permanent("the key is not for domains below (t=s)"));
        }
        Ok(())
    }

    /// Verifies a signature over `input`.
    pub(in crate::auth) fn verify(
        &self,
        algorithm: Algorithm,
        input: &[u8],
        signature: &[u8],
    ) -> Result<(), Flaw> {
        if self.algorithm != algorithm {
            return Err(Flaw::permanent(
                "the key is of another kind than the signature",
            ));
        }
        let verified = match algorithm {
            Algorithm::Rsa if self.bits < RSA_BITS_MIN => {
                return Err(Flaw {
                    result: DkimResult::Policy,
                    problem: format!(
                        "the key has {} bits; {RSA_BITS_MIN} are too few to go below",
                        self.bits
                    ),
                });
            }
            Algorithm::Rsa => UnparsedPublicKey::new(
                &RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
                &self.octets,
            )
            .verify(input, signature),
            // RFC 8463 section 3: what is signed is the hash.
            Algorithm::Ed25519 => UnparsedPublicKey::new(&ED25519, &self.octets)
                .verify(digest(&SHA256, input).as_ref(), signature),
        };
        verified.map_err(|_| Flaw {
            result: DkimResult::Fail,
            problem: "the signature does not fit the header fields".to_owned(),
        })
    }
}

/// The `RSAPublicKey` in a `SubjectPublicKeyInfo` (RFC 3279 section 2.3.1), which `p=` has come to mean, or as it is; and the
/// bits of its modulus.
fn rsa(der: &[u8]) -> Option<(Vec<u8>, usize)> {
    let (content, []) = element(der, 0x30)? else {
        return None;
    };
    let key = match element(content, 0x30) {
        Some((_algorithm, rest)) => {
            let (bits, []) = element(rest, 0x03)? else {
                return None;
            };
            bits.strip_prefix(&[0])?
        }
        None => der,
    };
    let (numbers, []) = element(key, 0x30)? else {
        return None;
    };
    let (modulus, _) = element(numbers, 0x02)?;
    let modulus = modulus.strip_prefix(&[0]).unwrap_or(modulus);
    let first = *modulus.first()?;
    let bits = modulus.len() * 8 - usize::try_from(first.leading_zeros()).ok()?;
    Some((key.to_vec(), bits))
}

/// The content of the DER element (X.690 section 8.1) that `der` begins with, if it has this tag; and what follows it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&first, rest) = der.split_first()?;
    if first != tag {
        return None;
    }
    let (&length, rest) = rest.split_first()?;
    if length < 0x80 {
        return rest.split_at_checked(usize::from(length));
    }
    let (digits, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
    if digits.len() > 3 {
        return None;
    }
    let length = digits
        .iter()
        .fold(0, |sum, digit| sum << 8 | usize::from(*digit));
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests;

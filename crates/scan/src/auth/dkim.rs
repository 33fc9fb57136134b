//! DKIM (RFC 6376, RFC 8301, RFC 8463): who answers for this message?
//!
//! `signature` reads the field, `canonical` brings message and field into the form that was signed, `key` has the key and
//! verifies. Of very many signatures those in the middle are not looked at; the body is read once for each canonical form.

use futures_util::future::join_all;
use net::resolver::Resolver;
use tokio::time::timeout;

use super::facts::{DkimFact, DkimResult};
use crate::limits::{AUTH_LOOKUPS_DEADLINE, DKIM_SIGNATURES_MAX};
use crate::message::Message;

pub(super) mod canonical;
pub(super) mod key;
pub(super) mod signature;

use canonical::Form;
use key::Key;
use signature::{Field, Fields, Flaw, Kind, Signature};

/// Bytes of a body from which on hashing is no matter of a moment.
const BLOCKING_BYTES: usize = 256 * 1024;

/// What all signatures of a message come to, topmost first, and how many more there were.
pub(super) async fn verify(
    resolver: &Resolver,
    message: &Message,
    fields: &Fields<'_>,
    unix_seconds: u64,
) -> (Vec<DkimFact>, usize) {
    let mut found: Vec<Field<'_>> = fields.named("dkim-signature").collect();
    let skipped = found.len().saturating_sub(DKIM_SIGNATURES_MAX);
    if skipped > 0 {
        // The author's own stands below those of all who passed the message on.
        let upper = DKIM_SIGNATURES_MAX / 2;
        found.drain(upper..upper + skipped);
    }
    let signatures: Vec<_> = found
        .iter()
        .map(|field| Signature::parse(field, Kind::Dkim))
        .collect();
    let bodies = Bodies::gather(message, signatures.iter().flatten().cloned().collect()).await;
    let facts = found.iter().zip(signatures).map(|(field, signature)| {
        let bodies = &bodies;
        async move {
            match signature {
                Ok(signature) => {
                    let checking = one(resolver, fields, field, &signature, bodies, unix_seconds);
                    let outcome = timeout(AUTH_LOOKUPS_DEADLINE, checking).await;
                    fact(
                        &signature,
                        outcome.unwrap_or_else(|_| Err((Flaw::late(), None))),
                    )
                }
                Err(flaw) => DkimFact::flawed(flaw.result, flaw.problem),
            }
        }
    });
    (join_all(facts).await, skipped)
}

async fn one(
    resolver: &Resolver,
    fields: &Fields<'_>,
    field: &Field<'_>,
    signature: &Signature,
    bodies: &Bodies,
    unix_seconds: u64,
) -> Result<Key, (Flaw, Option<Key>)> {
    if signature
        .expires
        .is_some_and(|expires| expires < unix_seconds)
    {
        return Err((Flaw::neutral("it has expired"), None));
    }
    let key = Key::of(resolver, &signature.selector, &signature.domain).await;
    let key = key.map_err(|flaw| (flaw, None))?;
    match checked(fields, field, signature, bodies, &key) {
        Ok(()) => Ok(key),
        Err(flaw) => Err((flaw, Some(key))),
    }
}

/// Whether a signature is good under its key.
pub(super) fn checked(
    fields: &Fields<'_>,
    field: &Field<'_>,
    signature: &Signature,
    bodies: &Bodies,
    key: &Key,
) -> Result<(), Flaw> {
    key.permits(signature)?;
    let unsigned = bodies.compare(signature)?;
    let input = signature.input(fields, field)?;
    key.verify(signature.algorithm, &input, &signature.value)?;
    // Section 8.2: who may append can have anything shown.
    if unsigned > 0 {
        return Err(Flaw {
            result: DkimResult::Policy,
            problem: format!("{unsigned} bytes of the body are not signed (l=)"),
        });
    }
    Ok(())
}

fn fact(signature: &Signature, outcome: Result<Key, (Flaw, Option<Key>)>) -> DkimFact {
    let (result, problem, key) = match outcome {
        Ok(key) => (DkimResult::Pass, None, Some(key)),
        Err((flaw, key)) => (flaw.result, Some(flaw.problem), key),
    };
    DkimFact {
        result,
        domain: signature.domain.clone(),
        selector: signature.selector.clone(),
        algorithm: signature.algorithm.name().to_owned(),
        key_bits: key.as_ref().map(|key| key.bits),
        testing: key.is_some_and(|key| key.testing),
        value_start: value_start(&signature.value),
        problem,
    }
}

/// The first characters of `b=`, by which a signature is named (RFC 6008 section 3).
fn value_start(value: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits = value
        .iter()
        .take(6)
        .fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
    let digits = (0..8).rev().map(|place| bits >> (6 * place) & 63);
    let digits = digits.filter_map(|digit| DIGITS.get(usize::try_from(digit).ok()?));
    digits.map(|digit| char::from(*digit)).collect()
}

/// The hashes of the body that signatures are compared with.
pub(super) struct Bodies {
    hashes: Vec<Hashed>,
}

/// The hash of one body, or of its beginning.
struct Hashed {
    form: Form,
    /// How much of it; `None` is all.
    length: Option<u64>,
    /// `None`: it is shorter than that.
    hash: Option<Vec<u8>>,
    /// Bytes of the whole canonical body.
    whole: u64,
}

impl Bodies {
    /// As the signatures want them. A large body is hashed off the runtime's threads.
    pub(super) async fn gather(message: &Message, signatures: Vec<Signature>) -> Bodies {
        let body = message.bytes().slice_ref(message.body());
        if body.len() < BLOCKING_BYTES || signatures.is_empty() {
            return Bodies::of(&body, &signatures);
        }
        let hashing = tokio::task::spawn_blocking(move || Bodies::of(&body, &signatures));
        // It has no reason to end otherwise, and then no body fits.
        hashing.await.unwrap_or(Bodies { hashes: Vec::new() })
    }

    fn of(body: &[u8], signatures: &[Signature]) -> Bodies {
        let mut hashes = Vec::new();
        for form in [Form::Simple, Form::Relaxed] {
            let wanting = signatures
                .iter()
                .filter(|signature| signature.body_form == form);
            let mut lengths: Vec<Option<u64>> = wanting.map(|signature| signature.length).collect();
            if lengths.is_empty() {
                continue;
            }
            lengths.sort_unstable();
            lengths.dedup();
            let found = form.body_hashes(body, &lengths);
            for (length, hash) in lengths.into_iter().zip(found.hashes) {
                hashes.push(Hashed {
                    form,
                    length,
                    hash,
                    whole: found.length,
                });
            }
        }
        Bodies { hashes }
    }

    /// Compares; gives the bytes of the body that are not signed.
    fn compare(&self, signature: &Signature) -> Result<u64, Flaw> {
        let known = self
            .hashes
            .iter()
            .find(|hashed| hashed.form == signature.body_form && hashed.length == signature.length);
        let hash = known.and_then(|hashed| hashed.hash.as_ref());
        match (known, hash) {
            (Some(hashed), Some(hash)) if *hash == signature.body_hash => {
                let length = hashed.length.unwrap_or(hashed.whole);
                Ok(hashed.whole.saturating_sub(length))
            }
            (Some(_), None) => Err(Flaw::fail("the body is shorter than what was signed")),
            _ => Err(Flaw::fail("the body was changed")),
        }
    }
}

impl Flaw {
    fn late() -> Flaw {
        Flaw {
            result: DkimResult::Temperror,
            problem: "the DNS took too long".to_owned(),
        }
    }

    fn fail(problem: &str) -> Flaw {
        Flaw {
            result: DkimResult::Fail,
            problem: problem.to_owned(),
        }
    }
}

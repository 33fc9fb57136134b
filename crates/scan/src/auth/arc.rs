//! ARC (RFC 8617): who had this message on its way, and what did they find?
//!
//! A chain is good or not as a whole (section 5.2). Whose word counts is a list of the operator's; their findings are read
//! from their ARC-Authentication-Results.

use std::collections::HashMap;

use net::resolver::Resolver;

use super::dkim::canonical::Form;
use super::dkim::key::Key;
use super::dkim::signature::{Algorithm, Field, Fields, Flaw, Kind, Signature, without_value};
use super::dkim::{self, Bodies};
use super::facts::{ArcFact, ArcResult, DkimResult};
use super::results::Results;
use super::tags::{Tags, base64};
use crate::limits::{ARC_SETS_MAX, DKIM_FIELD_BYTES_MAX};
use crate::message::Message;

/// What one of those on the way has put on top (section 4.1).
struct Set<'a> {
    results: Field<'a>,
    signature: Field<'a>,
    seal: Field<'a>,
}

/// The seal's own list (section 4.1.3).
struct Seal {
    algorithm: Algorithm,
    domain: String,
    selector: String,
    value: Vec<u8>,
}

/// `cv`: what the sealer found of the chain before it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    None,
    Pass,
    Fail,
}

/// A chain that is whole, and verified.
pub(super) struct Chain<'a> {
    /// What is known of it.
    pub(super) fact: ArcFact,
    /// What each sealer had found, the first one first; none unless the chain is good.
    findings: Vec<(String, Field<'a>)>,
}

/// The keys that were asked for, each once.
struct Keys<'r> {
    resolver: &'r Resolver,
    known: HashMap<(String, String), Result<Key, Flaw>>,
}

/// Verifies the chain of a message; `None` if it has none.
pub(super) async fn verify<'a>(
    resolver: &Resolver,
    message: &Message,
    fields: &Fields<'a>,
) -> Option<Chain<'a>> {
    let sets = match sets(fields) {
        Ok(sets) if sets.is_empty() => return None,
        Ok(sets) => sets,
        Err(problem) => return Some(Chain::broken(Vec::new(), Flaw::permanent(problem))),
    };
    let mut sealers = Vec::new();
    let mut seals = Vec::new();
    for (index, set) in sets.iter().enumerate() {
        match Seal::parse(&set.seal, index) {
            Ok(seal) => {
                sealers.push(seal.domain.clone());
                seals.push(seal);
            }
            Err(flaw) => return Some(Chain::broken(sealers, flaw)),
        }
    }
    let mut keys = Keys {
        resolver,
        known: HashMap::new(),
    };
    if let Err(flaw) = chain(&mut keys, message, fields, &sets, &seals).await {
        return Some(Chain::broken(sealers, flaw));
    }
    let findings = sealers.iter().cloned();
    Some(Chain {
        findings: findings.zip(sets.iter().map(|set| set.results)).collect(),
        fact: ArcFact {
            result: ArcResult::Pass,
            sealers,
            vouched_by: None,
            problem: None,
        },
    })
}

impl Chain<'_> {
    /// Looks for one whose word counts, and after whom only such have sealed, who found the author authentic (section 7.2.1).
    pub(super) fn ask(&mut self, from_domain: &str, is_trusted: impl Fn(&str) -> bool) {
        let trusted = self
            .findings
            .iter()
            .rev()
            .take_while(|(sealer, _)| is_trusted(sealer));
        let vouching = trusted.filter(|(_, field)| says_authentic(field, from_domain));
        self.fact.vouched_by = vouching.last().map(|(sealer, _)| sealer.clone());
    }

    fn broken<'a>(sealers: Vec<String>, flaw: Flaw) -> Chain<'a> {
        let result = match flaw.result {
            DkimResult::Temperror => ArcResult::Temperror,
            _ => ArcResult::Fail,
        };
        Chain {
            fact: ArcFact {
                result,
                sealers,
                vouched_by: None,
                problem: Some(flaw.problem),
            },
            findings: Vec::new(),
        }
    }
}

impl Keys<'_> {
    async fn key(&mut self, selector: &str, domain: &str) -> Result<Key, Flaw> {
        let name = (selector.to_owned(), domain.to_owned());
        if let Some(known) = self.known.get(&name) {
            return known.clone();
        }
        let key = Key::of(self.resolver, selector, domain).await;
        self.known.insert(name, key.clone());
        key
    }
}

/// The sets of a message in the order of their instances, each whole (section 5.2 step 3).
fn sets<'a>(fields: &Fields<'a>) -> Result<Vec<Set<'a>>, &'static str> {
    let results = instances(fields.named("arc-authentication-results"))?;
    let signatures = instances(fields.named("arc-message-signature"))?;
    let seals = instances(fields.named("arc-seal"))?;
    if results.len() != seals.len() || signatures.len() != seals.len() {
        return Err("a set is not whole");
    }
    let sets = results.into_iter().zip(signatures).zip(seals);
    let sets = sets.map(|((results, signature), seal)| Set {
        results,
        signature,
        seal,
    });
    Ok(sets.collect())
}

/// Fields by their `i=`, which must count from 1 without a gap.
fn instances<'a>(found: impl Iterator<Item = Field<'a>>) -> Result<Vec<Field<'a>>, &'static str> {
    let found: Vec<Field<'a>> = found.take(ARC_SETS_MAX + 1).collect();
    if found.len() > ARC_SETS_MAX {
        return Err("there are more than 50 sets");
    }
    let mut sorted = vec![None; found.len()];
    for field in &found {
        let number = instance(field).ok_or("a field has no instance")?;
        let slot = sorted.get_mut(number - 1).ok_or("an instance is missing")?;
        if slot.replace(*field).is_some() {
            return Err("an instance is there twice");
        }
    }
    sorted
        .into_iter()
        .collect::<Option<_>>()
        .ok_or("an instance is missing")
}

/// `i=`, at least 1.
fn instance(field: &Field<'_>) -> Option<usize> {
    if field.body.len() > DKIM_FIELD_BYTES_MAX {
        return None;
    }
    // ARC-Authentication-Results is no list of tags but for its beginning (section 4.1.1).
    let text = String::from_utf8_lossy(field.body);
    let tags = Tags::lenient(&text);
    let number = tags.value("i")?;
    let is_number = number.bytes().all(|byte| byte.is_ascii_digit()) && number.len() <= 3;
    number
        .parse()
        .ok()
        .filter(|number| is_number && *number >= 1)
}

impl Seal {
    fn parse(field: &Field<'_>, index: usize) -> Result<Seal, Flaw> {
        let text =
            str::from_utf8(field.body).map_err(|_| Flaw::permanent("a seal is not UTF-8"))?;
        let tags = Tags::parse(text).ok_or_else(|| Flaw::permanent("a seal is no list of tags"))?;
        let needed = |name: &str| {
            let value = tags.value(name).filter(|value| !value.is_empty());
            value.ok_or_else(|| Flaw::permanent(&format!("a seal has no tag {name}=")))
        };
        if tags.value("h").is_some() {
            return Err(Flaw::permanent("a seal names fields (h=)"));
        }
        let verdict = match needed("cv")? {
            "none" => Verdict::None,
            "pass" => Verdict::Pass,
            _ => Verdict::Fail,
        };
        // Section 5.2 step 3.
        let wanted = if index == 0 {
            Verdict::None
        } else {
            Verdict::Pass
        };
        if verdict != wanted {
            return Err(Flaw::permanent("a sealer found the chain broken"));
        }
        let value = base64(needed("b")?);
        Ok(Seal {
            algorithm: Algorithm::named(needed("a")?)?,
            domain: dkim::signature::domain(needed("d")?)?,
            selector: dkim::signature::domain(needed("s")?)?,
            value: value.ok_or_else(|| Flaw::permanent("a seal is no base64"))?,
        })
    }
}

/// The newest signature, then every seal (section 5.2 steps 4 and 6).
async fn chain(
    keys: &mut Keys<'_>,
    message: &Message,
    fields: &Fields<'_>,
    sets: &[Set<'_>],
    seals: &[Seal],
) -> Result<(), Flaw> {
    let Some(newest) = sets.last() else {
        return Ok(());
    };
    let signature = Signature::parse(&newest.signature, Kind::Arc)?;
    if signature.names.iter().any(|name| name == "arc-seal") {
        return Err(Flaw::permanent("the signature signs seals"));
    }
    let bodies = Bodies::gather(message, vec![signature.clone()]).await;
    let key = keys.key(&signature.selector, &signature.domain).await?;
    dkim::checked(fields, &newest.signature, &signature, &bodies, &key)?;
    for (index, seal) in seals.iter().enumerate().rev() {
        let key = keys.key(&seal.selector, &seal.domain).await?;
        let below = sets.get(..=index).unwrap_or_default();
        let verified = key.verify(seal.algorithm, &sealed(below), &seal.value);
        verified.map_err(|flaw| Flaw {
            result: flaw.result,
            problem: format!("seal {} of {}: {}", index + 1, seal.domain, flaw.problem),
        })?;
    }
    Ok(())
}

/// What the last of these sets seals (section 5.1.1).
fn sealed(sets: &[Set<'_>]) -> Vec<u8> {
    let mut out = Vec::with_capacity(4096);
    for (index, set) in sets.iter().enumerate() {
        for field in [&set.results, &set.signature] {
            Form::Relaxed.field(field.name, field.body, &mut out);
            out.extend(b"\r\n");
        }
        if index + 1 == sets.len() {
            Form::Relaxed.field(set.seal.name, &without_value(set.seal.body), &mut out);
        } else {
            Form::Relaxed.field(set.seal.name, set.seal.body, &mut out);
            out.extend(b"\r\n");
        }
    }
    out
}

/// Whether a sealer found that the message passes DMARC for this author's domain.
fn says_authentic(field: &Field<'_>, from_domain: &str) -> bool {
    let text = String::from_utf8_lossy(field.body);
    let Some((_, rest)) = text.split_once(';') else {
        return false;
    };
    let Some(results) = Results::parse(rest) else {
        return false;
    };
    results.methods.iter().any(|method| {
        let of = method.property("header.from");
        method.name == "dmarc"
            && method.result == "pass"
            && of.is_some_and(|of| of.eq_ignore_ascii_case(from_domain))
    })
}

#[cfg(test)]
mod tests;

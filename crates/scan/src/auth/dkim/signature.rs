//! The signature as it stands in a header field (RFC 6376 section 3.5), of DKIM and of ARC (RFC 8617 section 4.1.2), and
//! what is signed by it.

use std::collections::HashMap;

use super::canonical::Form;
use crate::auth::facts::DkimResult;
use crate::auth::tags::{Tags, base64, is_blank};
use crate::limits::{
    DKIM_FIELD_BYTES_MAX, DKIM_SIGNED_BYTES_MAX, DKIM_SIGNED_FIELDS_MAX, HEADER_FIELDS_MAX,
};

/// One header field of the message: its name as written, and what is behind the colon, without the last CRLF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::auth) struct Field<'a> {
    pub(in crate::auth) name: &'a [u8],
    pub(in crate::auth) body: &'a [u8],
}

/// The fields of a message, found by name.
pub(in crate::auth) struct Fields<'a> {
    all: Vec<Field<'a>>,
    by_name: HashMap<Vec<u8>, Vec<usize>>,
    /// Whether there are more than are looked at.
    is_cut: bool,
}

/// A signature of which nothing is verified yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::auth) struct Signature {
    pub(in crate::auth) algorithm: Algorithm,
    /// `d=`, in lower case.
    pub(in crate::auth) domain: String,
    /// `s=`, in lower case.
    pub(in crate::auth) selector: String,
    /// `i=`, as written.
    pub(in crate::auth) identity: Option<String>,
    pub(in crate::auth) header_form: Form,
    pub(in crate::auth) body_form: Form,
    /// `l=`.
    pub(in crate::auth) length: Option<u64>,
    /// `h=`, in lower case.
    pub(in crate::auth) names: Vec<String>,
    pub(in crate::auth) body_hash: Vec<u8>,
    pub(in crate::auth) value: Vec<u8>,
    /// `x=`, in seconds since 1970.
    pub(in crate::auth) expires: Option<u64>,
}

/// How is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::auth) enum Algorithm {
    Rsa,
    Ed25519,
}

/// Which field a signature stands in: they differ in little.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::auth) enum Kind {
    Dkim,
    Arc,
}

/// Why a signature is not even tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::auth) struct Flaw {
    pub(in crate::auth) result: DkimResult,
    pub(in crate::auth) problem: String,
}

impl<'a> Fields<'a> {
    /// Of all fields of a message, in their order.
    pub(in crate::auth) fn new(mut fields: impl Iterator<Item = Field<'a>>) -> Fields<'a> {
        let all: Vec<Field<'a>> = fields.by_ref().take(HEADER_FIELDS_MAX).collect();
        let mut by_name: HashMap<Vec<u8>, Vec<usize>> = HashMap::new();
        for (index, field) in all.iter().enumerate() {
            let name = field.name.trim_ascii_end().to_ascii_lowercase();
            by_name.entry(name).or_default().push(index);
        }
        Fields {
            all,
            by_name,
            is_cut: fields.next().is_some(),
        }
    }

    /// The fields of that name (in lower case), from the top.
    pub(in crate::auth) fn named(&self, name: &str) -> impl Iterator<Item = Field<'a>> + '_ {
        let indices = self.by_name.get(name.as_bytes()).into_iter().flatten();
        indices.filter_map(|index| self.all.get(*index).copied())
    }

    /// The canonical form of the fields that a signature signs, each ended by CRLF: of several of one name the last comes
    /// first (section 5.4.2), and one that is not there is the empty string. The signature's own name means other signatures
    /// (section 3.7), never the field that is verified.
    fn signed(&self, signature: &Signature, own: &Field<'_>) -> Result<Vec<u8>, Flaw> {
        if self.is_cut {
            return Err(Flaw::neutral("the message has too many header fields"));
        }
        let mut out = Vec::with_capacity(4096);
        let mut taken: HashMap<&str, usize> = HashMap::new();
        for name in &signature.names {
            let Some(indices) = self.by_name.get(name.as_bytes()) else {
                continue;
            };
            let count = taken.entry(name).or_default();
            let left = indices.iter().rev().skip(*count);
            let left = left.filter_map(|index| self.all.get(*index));
            let is_own = |field: &Field<'_>| std::ptr::eq(field.body, own.body);
            let Some((passed, field)) = left.enumerate().find(|(_, field)| !is_own(field)) else {
                continue;
            };
            *count += passed + 1;
            signature
                .header_form
                .field(field.name, field.body, &mut out);
            out.extend(b"\r\n");
            if out.len() > DKIM_SIGNED_BYTES_MAX {
                return Err(Flaw::neutral("it signs very large header fields"));
            }
        }
        Ok(out)
    }
}

impl Signature {
    /// Reads the field.
    pub(in crate::auth) fn parse(field: &Field<'_>, kind: Kind) -> Result<Signature, Flaw> {
        if field.body.len() > DKIM_FIELD_BYTES_MAX {
            return Err(Flaw::neutral("the field is very large"));
        }
        let text = str::from_utf8(field.body).map_err(|_| Flaw::neutral("it is not UTF-8"))?;
        let tags = Tags::parse(text).ok_or_else(|| Flaw::neutral("it is no list of tags"))?;
        if kind == Kind::Dkim && tags.value("v") != Some("1") {
            return Err(Flaw::neutral("its version is not 1"));
        }
        let needed = |name: &str| {
            let value = tags.value(name).filter(|value| !value.is_empty());
            value.ok_or_else(|| Flaw::permanent(&format!("the tag {name}= is missing")))
        };
        let algorithm = Algorithm::named(needed("a")?)?;
        let domain = domain(needed("d")?)?;
        let selector = self::domain(needed("s")?)?;
        let (header_form, body_form) = forms(tags.value("c"))?;
        // It is quoted-printable (section 2.11), in which blanks are folding and mean nothing.
        let identity = tags.value("i").filter(|_| kind == Kind::Dkim);
        let identity = identity.map(|text| text.replace(is_blank, ""));
        let foreign = identity
            .as_deref()
            .is_some_and(|identity| !is_of(identity, &domain));
        if foreign {
            return Err(Flaw::permanent(
                "its identity (i=) is not of its domain (d=)",
            ));
        }
        if tags
            .words("q")
            .is_some_and(|mut words| !words.any(|word| word == "dns/txt"))
        {
            return Err(Flaw::neutral("its key is not in the DNS"));
        }
        let expires = number(&tags, "x")?;
        if number(&tags, "t")?
            .zip(expires)
            .is_some_and(|(signed, expires)| expires < signed)
        {
            return Err(Flaw::permanent("it expires before it was made"));
        }
        let decoded = |name: &str| {
            let bytes = base64(needed(name)?).filter(|bytes| !bytes.is_empty());
            bytes.ok_or_else(|| Flaw::neutral(&format!("the tag {name}= is no base64")))
        };
        needed("h")?;
        Ok(Signature {
            algorithm,
            domain,
            selector,
            identity,
            header_form,
            body_form,
            length: number(&tags, "l")?,
            names: names(&tags)?,
            body_hash: decoded("bh")?,
            value: decoded("b")?,
            expires,
        })
    }

    /// The octets that are signed: the fields, and the signature's own field without what is to come out (section 3.7).
    pub(in crate::auth) fn input(
        &self,
        fields: &Fields<'_>,
        own: &Field<'_>,
    ) -> Result<Vec<u8>, Flaw> {
        let mut out = fields.signed(self, own)?;
        self.header_form
            .field(own.name, &without_value(own.body), &mut out);
        Ok(out)
    }
}

impl Algorithm {
    pub(in crate::auth) fn named(name: &str) -> Result<Algorithm, Flaw> {
        match name {
            "rsa-sha256" => Ok(Algorithm::Rsa),
            "ed25519-sha256" => Ok(Algorithm::Ed25519),
            // RFC 8301 section 3.1.
            "rsa-sha1" => Err(Flaw {
                result: DkimResult::Policy,
                problem: "rsa-sha1 proves nothing any more".to_owned(),
            }),
            other => Err(Flaw::neutral(&format!("algorithm {other} is unknown"))),
        }
    }

    pub(in crate::auth) fn name(self) -> &'static str {
        match self {
            Algorithm::Rsa => "rsa-sha256",
            Algorithm::Ed25519 => "ed25519-sha256",
        }
    }
}

impl Flaw {
    pub(in crate::auth) fn neutral(problem: &str) -> Flaw {
        Flaw {
            result: DkimResult::Neutral,
            problem: crate::printable::printable(problem, 100),
        }
    }

    pub(in crate::auth) fn permanent(problem: &str) -> Flaw {
        Flaw {
            result: DkimResult::Permerror,
            problem: crate::printable::printable(problem, 100),
        }
    }
}

/// A domain name or selector as it is asked for and told: lower case, letters, digits, hyphens, underscores. U-labels become
/// A-labels (RFC 8616 section 3).
pub(in crate::auth) fn domain(text: &str) -> Result<String, Flaw> {
    let wrong = || Flaw::permanent("its domain or selector is no domain name");
    let name = net::resolver::ascii_name(text).ok_or_else(wrong)?;
    let is_label = |label: &str| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        (1..=63).contains(&label.len()) && label.bytes().all(fits)
    };
    if name.len() <= 253 && name.split('.').all(is_label) {
        Ok(name)
    } else {
        Err(wrong())
    }
}

/// Whether an identity is of a domain or of one below it.
fn is_of(identity: &str, domain: &str) -> bool {
    let Some((_, of)) = identity.rsplit_once('@') else {
        return false;
    };
    net::resolver::ascii_name(of).is_some_and(|of| {
        let above = of.strip_suffix(domain);
        above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
    })
}

/// `c=`: what is not said of the body is simple.
fn forms(text: Option<&str>) -> Result<(Form, Form), Flaw> {
    let text = text.unwrap_or("simple");
    let (header, body) = text.split_once('/').unwrap_or((text, "simple"));
    let pair = Form::named(header).zip(Form::named(body));
    pair.ok_or_else(|| Flaw::neutral("its canonical form (c=) is unknown"))
}

fn number(tags: &Tags<'_>, name: &str) -> Result<Option<u64>, Flaw> {
    let Some(value) = tags.value(name) else {
        return Ok(None);
    };
    let is_number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number {
        return Err(Flaw::neutral(&format!("the tag {name}= is no number")));
    }
    // Section 3.5: up to 76 digits are allowed; what is larger than the largest is as far away.
    Ok(Some(value.parse().unwrap_or(u64::MAX)))
}

/// `h=`: the author is always signed (section 5.4).
fn names(tags: &Tags<'_>) -> Result<Vec<String>, Flaw> {
    let words = tags.words("h").into_iter().flatten();
    let words = words
        .take(DKIM_SIGNED_FIELDS_MAX + 1)
        .map(str::to_ascii_lowercase);
    let names: Vec<String> = words.collect();
    if names.len() > DKIM_SIGNED_FIELDS_MAX {
        return Err(Flaw::neutral("it signs very many header fields"));
    }
    if !names.iter().any(|name| name == "from") {
        return Err(Flaw::permanent("it does not sign the field From"));
    }
    Ok(names)
}

/// The field's own list without the value of `b=`, blanks around it and all.
pub(in crate::auth) fn without_value(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len());
    for (index, part) in body.split(|byte| *byte == b';').enumerate() {
        if index > 0 {
            out.push(b';');
        }
        let equals = memchr::memchr(b'=', part);
        match equals.and_then(|at| part.split_at_checked(at + 1)) {
            Some((name, _)) if is_b(name) => out.extend(name),
            _ => out.extend(part),
        }
    }
    out
}

/// Whether a tag's name with its equals sign is that of the signature's value.
fn is_b(name: &[u8]) -> bool {
    let name = name.strip_suffix(b"=").unwrap_or(name);
    name.trim_ascii() == b"b"
}

#[cfg(test)]
mod tests;

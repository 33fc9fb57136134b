//! SPF records (RFC 7208 sections 4.5, 4.6, 5, 6 and 12): text to terms. A record with any wrong term is wrong as a whole.
//!
//! What the terms mean for a client is told by `check`.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::macros::{MacroString, Place};

/// Terms of a record that are read: of those that ask the DNS ten are allowed, and 64 KiB of text hold some thousand
/// addresses.
const TERMS_MAX: usize = 2_000;

/// A record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) directives: Vec<Directive>,
    pub(super) redirect: Option<MacroString>,
    pub(super) explanation: Option<MacroString>,
}

/// A mechanism and what a match means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Directive {
    pub(super) qualifier: Qualifier,
    pub(super) mechanism: Mechanism,
    /// As published.
    pub(super) text: String,
}

/// What a match means (section 4.6.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Qualifier {
    Pass,
    Fail,
    Softfail,
    Neutral,
}

/// When a directive matches (section 5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mechanism {
    All,
    Include(MacroString),
    A(Option<MacroString>, Prefixes),
    Mx(Option<MacroString>, Prefixes),
    Ptr(Option<MacroString>),
    Ip4(Ipv4Addr, u8),
    Ip6(Ipv6Addr, u8),
    Exists(MacroString),
}

/// How many bits of an address count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Prefixes {
    pub(super) ipv4: u8,
    pub(super) ipv6: u8,
}

/// What is wrong with a record, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SyntaxError {
    problem: &'static str,
    place: String,
}

impl Record {
    /// Whether a TXT record is one of SPF, of this version (section 4.5).
    pub(super) fn is_one(text: &str) -> bool {
        terms(text).is_some()
    }

    pub(super) fn parse(text: &str) -> Result<Record, SyntaxError> {
        let terms = terms(text).ok_or_else(|| SyntaxError::new("no SPF record", text))?;
        let mut record = Record {
            directives: Vec::new(),
            redirect: None,
            explanation: None,
        };
        let terms = terms.split(' ').filter(|term| !term.is_empty());
        for (index, term) in terms.enumerate() {
            if index == TERMS_MAX {
                return Err(SyntaxError::new("too many terms after", term));
            }
            match modifier(term) {
                Some((name, value)) => record.modify(name, value, term)?,
                None => record.directives.push(directive(term)?),
            }
        }
        Ok(record)
    }

    /// Each of the two known modifiers may be there once (section 6).
    fn modify(&mut self, name: &str, value: &str, term: &str) -> Result<(), SyntaxError> {
        let slot = if name.eq_ignore_ascii_case("redirect") {
            &mut self.redirect
        } else if name.eq_ignore_ascii_case("exp") {
            &mut self.explanation
        } else {
            return MacroString::parse(value, Place::Modifier).map(|_| ());
        };
        if slot.is_some() {
            return Err(SyntaxError::new("a second modifier of its kind", term));
        }
        *slot = Some(MacroString::domain_spec(value)?);
        Ok(())
    }
}

impl SyntaxError {
    pub(super) fn new(problem: &'static str, place: &str) -> SyntaxError {
        SyntaxError {
            problem,
            place: crate::printable::printable(place, 60),
        }
    }
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in \"{}\"", self.problem, self.place)
    }
}

/// What follows the version.
fn terms(text: &str) -> Option<&str> {
    let (version, rest) = text.split_at_checked("v=spf1".len())?;
    let ends = rest.is_empty() || rest.starts_with(' ');
    (version.eq_ignore_ascii_case("v=spf1") && ends).then_some(rest)
}

/// `name "=" value` (section 4.6.1).
fn modifier(term: &str) -> Option<(&str, &str)> {
    let (name, value) = term.split_once('=')?;
    let begins = name.starts_with(|first: char| first.is_ascii_alphabetic());
    let goes_on = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    (begins && goes_on).then_some((name, value))
}

fn directive(term: &str) -> Result<Directive, SyntaxError> {
    let (qualifier, rest) = match term.as_bytes().first() {
        Some(b'+') => (Qualifier::Pass, term.get(1..)),
        Some(b'-') => (Qualifier::Fail, term.get(1..)),
        Some(b'~') => (Qualifier::Softfail, term.get(1..)),
        Some(b'?') => (Qualifier::Neutral, term.get(1..)),
        _ => (Qualifier::Pass, Some(term)),
    };
    let rest = rest.unwrap_or_default();
    let end = rest.find([':', '/']).unwrap_or(rest.len());
    let (name, argument) = rest.split_at(end);
    Ok(Directive {
        qualifier,
        mechanism: mechanism(&name.to_ascii_lowercase(), argument, term)?,
        text: crate::printable::printable(term, 100),
    })
}

fn mechanism(name: &str, argument: &str, term: &str) -> Result<Mechanism, SyntaxError> {
    let wrong = |problem| SyntaxError::new(problem, term);
    let after_colon = argument.strip_prefix(':');
    let spec = |text: Option<&str>| match text {
        Some(text) => MacroString::domain_spec(text),
        None => Err(wrong("a domain is missing")),
    };
    match name {
        "all" if argument.is_empty() => Ok(Mechanism::All),
        "all" => Err(wrong("something after all")),
        "include" => spec(after_colon).map(Mechanism::Include),
        "exists" => spec(after_colon).map(Mechanism::Exists),
        "ptr" if argument.is_empty() => Ok(Mechanism::Ptr(None)),
        "ptr" => spec(after_colon).map(|domain| Mechanism::Ptr(Some(domain))),
        "a" | "mx" => {
            let (domain, prefixes) = dual_prefix(argument).ok_or_else(|| wrong("a prefix"))?;
            let domain = match domain {
                "" => None,
                given => Some(spec(given.strip_prefix(':'))?),
            };
            Ok(if name == "a" {
                Mechanism::A(domain, prefixes)
            } else {
                Mechanism::Mx(domain, prefixes)
            })
        }
        "ip4" => network(after_colon, 32)
            .map(|(ip, bits)| Mechanism::Ip4(ip, bits))
            .ok_or_else(|| wrong("no IPv4 network")),
        "ip6" => network(after_colon, 128)
            .map(|(ip, bits)| Mechanism::Ip6(ip, bits))
            .ok_or_else(|| wrong("no IPv6 network")),
        _ => Err(wrong("a mechanism that does not exist")),
    }
}

/// `[ ip4-cidr-length ] [ "/" ip6-cidr-length ]` at the end of an argument (section 5.3): what is before, and the lengths.
fn dual_prefix(argument: &str) -> Option<(&str, Prefixes)> {
    let (rest, ipv6) = match argument.rsplit_once("//") {
        Some((rest, digits)) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            (rest, bits(digits, 128)?)
        }
        _ => (argument, 128),
    };
    let (rest, ipv4) = match rest.rsplit_once('/') {
        Some((rest, digits)) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            (rest, bits(digits, 32)?)
        }
        _ => (rest, 32),
    };
    Some((rest, Prefixes { ipv4, ipv6 }))
}

fn network<T: std::str::FromStr>(text: Option<&str>, bits_max: u8) -> Option<(T, u8)> {
    let text = text?;
    let (ip, length) = match text.split_once('/') {
        Some((ip, digits)) => (ip, bits(digits, bits_max)?),
        None => (text, bits_max),
    };
    Some((ip.parse().ok()?, length))
}

/// A length of a prefix: no leading zero (section 12).
fn bits(digits: &str, max: u8) -> Option<u8> {
    let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit())
        && (digits == "0" || !digits.starts_with('0'));
    let count = digits.parse().ok()?;
    (is_plain && count <= max).then_some(count)
}

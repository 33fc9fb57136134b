//! The DNS as a text: a subset of zone files (RFC 1035 section 5.1), each record on one line, every
//! name fully qualified.

use std::collections::HashMap;
use std::fmt;
use std::iter::Peekable;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::Chars;
use std::time::Duration;

use super::{Answer, Answered, DnsError, Kind, Mx, Tlsa, name, text};
use crate::limits::DNS_ALIASES_MAX;

/// How long an answer without a TTL may be believed.
const VALID_FOR: Duration = Duration::from_secs(300);

/// All records, by owner.
#[derive(Debug, Default)]
pub(super) struct Zone {
    owners: HashMap<String, Vec<(Duration, Entry)>>,
    /// Names that are signed, with all below them.
    signed: Vec<String>,
}

/// A line of a zone text that is no record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneError {
    line: usize,
    problem: String,
}

/// What a line says of its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Entry {
    Record(Kind, Answer),
    Alias(String),
    Signed,
    Broken(&'static str),
}

impl Zone {
    pub(super) fn parse(text: &str) -> Result<Zone, ZoneError> {
        let mut zone = Zone::default();
        for (index, line) in text.lines().enumerate() {
            let problem = |problem| ZoneError {
                line: index + 1,
                problem,
            };
            let words = words(line).map_err(problem)?;
            if words.is_empty() {
                continue;
            }
            let (owner, ttl, entry) = record(&words).map_err(problem)?;
            match entry {
                Entry::Signed => zone.signed.push(owner),
                entry => zone.owners.entry(owner).or_default().push((ttl, entry)),
            }
        }
        Ok(zone)
    }

    /// The answers for a name in lower case without the final dot.
    pub(super) fn ask(&self, name: &str, kind: Kind) -> Result<Answered<Vec<Answer>>, DnsError> {
        let mut name = name;
        let mut secure = true;
        let mut valid_for = Duration::MAX;
        for _ in 0..=DNS_ALIASES_MAX {
            secure &= self.is_signed(name);
            let entries = self.owners.get(name).ok_or_else(|| self.absence(name))?;
            let mut alias = None;
            let mut answers = Vec::new();
            for (ttl, entry) in entries {
                match entry {
                    Entry::Broken(detail) => return Err(DnsError::temporary(*detail)),
                    Entry::Alias(target) if kind == Kind::Cname => {
                        answers.push(Answer::Name(target.clone()));
                    }
                    Entry::Alias(target) => alias = Some(target),
                    Entry::Record(of, answer) if *of == kind => answers.push(answer.clone()),
                    Entry::Record(..) | Entry::Signed => continue,
                }
                valid_for = valid_for.min(*ttl);
            }
            match alias {
                Some(target) => name = target,
                None if answers.is_empty() => return Err(DnsError::NoRecord),
                None => {
                    return Ok(Answered {
                        value: answers,
                        name: name.to_owned(),
                        secure,
                        valid_for,
                    });
                }
            }
        }
        Err(DnsError::temporary(format!(
            "more than {DNS_ALIASES_MAX} CNAMEs, or a loop of them"
        )))
    }

    fn is_signed(&self, name: &str) -> bool {
        self.signed
            .iter()
            .any(|top| name == top || is_below(name, top))
    }

    /// A name above others exists, though nothing is said of it (RFC 8020 section 2).
    fn absence(&self, name: &str) -> DnsError {
        if self.owners.keys().any(|owner| is_below(owner, name)) {
            DnsError::NoRecord
        } else {
            DnsError::NoSuchName
        }
    }
}

fn is_below(name: &str, top: &str) -> bool {
    name.strip_suffix(top)
        .is_some_and(|rest| rest.ends_with('.'))
}

/// `NAME [TTL] [IN] TYPE DATA`.
fn record(words: &[String]) -> Result<(String, Duration, Entry), String> {
    let (owner, rest) = words.split_first().ok_or("empty")?;
    let owner = host(owner)?;
    let ttl = rest.first().and_then(|word| word.parse().ok());
    let ttl = ttl.map_or(VALID_FOR, Duration::from_secs);
    let rest = after(rest, |word| word.parse::<u32>().is_ok());
    let rest = after(rest, |word| word.eq_ignore_ascii_case("IN"));
    let (kind, data) = rest
        .split_first()
        .ok_or("a type is missing: write NAME TYPE DATA")?;
    let kind = kind.to_ascii_uppercase();
    let entry = match (kind.as_str(), data) {
        ("A", [ip]) => Entry::Record(
            Kind::A,
            Answer::Ip(parse::<Ipv4Addr>(ip, "an IPv4 address")?.into()),
        ),
        ("AAAA", [ip]) => Entry::Record(
            Kind::Aaaa,
            Answer::Ip(parse::<Ipv6Addr>(ip, "an IPv6 address")?.into()),
        ),
        ("CNAME", [target]) => Entry::Alias(host(target)?),
        ("PTR", [target]) => Entry::Record(Kind::Ptr, Answer::Name(host(target)?)),
        ("MX", [preference, exchange]) => {
            let preference = parse(preference, "a preference")?;
            // RFC 7505: a domain that takes no messages.
            let exchange = if exchange == "." {
                String::new()
            } else {
                host(exchange)?
            };
            Entry::Record(
                Kind::Mx,
                Answer::Mx(Mx {
                    preference,
                    exchange,
                }),
            )
        }
        ("TXT", [_, ..]) => Entry::Record(Kind::Txt, Answer::Text(data.concat())),
        ("TLSA", [usage, selector, matching, data @ ..]) if !data.is_empty() => Entry::Record(
            Kind::Tlsa,
            Answer::Tlsa(Tlsa {
                usage: parse(usage, "a certificate usage")?,
                selector: parse(selector, "a selector")?,
                matching: parse(matching, "a matching type")?,
                data: bytes(&data.concat())?,
            }),
        ),
        ("SECURE", []) => Entry::Signed,
        ("SERVFAIL", []) => Entry::Broken("the nameserver says Server Failure"),
        ("TIMEOUT", []) => Entry::Broken("timeout"),
        (
            "A" | "AAAA" | "CNAME" | "PTR" | "MX" | "TLSA" | "TXT" | "SECURE" | "SERVFAIL"
            | "TIMEOUT",
            _,
        ) => {
            return Err(format!("{kind} has too much data, or too little"));
        }
        _ => {
            return Err(format!(
                "unknown type {kind}: one of A AAAA CNAME MX PTR SECURE SERVFAIL TIMEOUT TLSA TXT"
            ));
        }
    };
    Ok((owner, ttl, entry))
}

/// The words after an optional first one.
fn after(words: &[String], is_optional: impl Fn(&str) -> bool) -> &[String] {
    match words {
        [first, rest @ ..] if is_optional(first) => rest,
        all => all,
    }
}

fn host(word: &str) -> Result<String, String> {
    let name = name(word).map_err(|_| format!("\"{word}\" is no domain name"))?;
    Ok(text(&name))
}

/// Hexadecimal digits, as zone files write certificates (RFC 6698 section 2.2).
fn bytes(digits: &str) -> Result<Vec<u8>, String> {
    let problem = || format!("\"{digits}\" is not hexadecimal");
    let (pairs, []) = digits.as_bytes().as_chunks::<2>() else {
        return Err(problem());
    };
    let byte = |pair: &[u8; 2]| {
        let text = std::str::from_utf8(pair).ok()?;
        let is_digits = pair.iter().all(u8::is_ascii_hexdigit);
        u8::from_str_radix(text, 16).ok().filter(|_| is_digits)
    };
    pairs
        .iter()
        .map(|pair| byte(pair).ok_or_else(problem))
        .collect()
}

fn parse<T: std::str::FromStr>(word: &str, what: &str) -> Result<T, String> {
    word.parse()
        .map_err(|_| format!("\"{word}\" is not {what}"))
}

/// What a backslash means: the character with the number of three digits that follow, or the next character as it is.
fn escaped(characters: &mut Peekable<Chars<'_>>) -> Result<Option<char>, String> {
    let Some(digit) = characters.peek().and_then(|digit| digit.to_digit(10)) else {
        return Ok(characters.next());
    };
    characters.next();
    let mut number = digit;
    for _ in 0..2 {
        let digit = characters.next().and_then(|digit| digit.to_digit(10));
        number = number * 10 + digit.ok_or("a backslash and a digit need two digits more")?;
    }
    Ok(char::from_u32(number))
}

/// The words of a line, without its comment. A quoted string is one word, blanks and semicolons and
/// all; a backslash is an escape (RFC 1035 section 5.1).
fn words(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut characters = line.chars().peekable();
    while let Some(&first) = characters.peek() {
        if first == ';' {
            break;
        }
        if first.is_whitespace() {
            characters.next();
            continue;
        }
        let quoted = first == '"';
        if quoted {
            characters.next();
        }
        let mut word = String::new();
        let mut closed = !quoted;
        while let Some(&character) = characters.peek() {
            if !quoted && (character.is_whitespace() || character == ';') {
                break;
            }
            characters.next();
            match character {
                '"' if quoted => {
                    closed = true;
                    break;
                }
                '\\' if quoted => word.extend(escaped(&mut characters)?),
                other => word.push(other),
            }
        }
        if !closed {
            return Err("a quotation mark is not closed".to_owned());
        }
        words.push(word);
    }
    Ok(words)
}

impl fmt::Display for ZoneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.problem)
    }
}

impl std::error::Error for ZoneError {}

#[cfg(test)]
mod tests;

//! Reading paths and mailboxes (RFC 5321 4.1.2 and 4.1.3, RFC 6531 3.3).
//!
//! Non-ASCII is read whether or not SMTPUTF8 was given, since that parameter stands behind the
//! path; the command parser refuses it afterwards. Source routes are read over (RFC 5321 C).

use std::error::Error;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use super::domain::ascii_label;
use super::{Domain, ForwardPath, LocalPart, Mailbox, ReversePath};
use crate::limits::{DOMAIN_BYTES_MAX, LABEL_BYTES_MAX, LOCAL_PART_BYTES_MAX, PATH_BYTES_MAX};

/// Why a text is no path or mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathError {
    /// It does not begin with `<`, or the `>` is missing.
    Brackets,
    /// Path, local-part or domain is longer than its limit.
    TooLong,
    /// The local-part is neither a dot-string nor a quoted-string.
    LocalPart,
    /// The domain or address literal is wrong.
    Domain,
    /// There is no domain.
    DomainMissing,
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PathError::Brackets => "angle brackets are missing",
            PathError::TooLong => "too long",
            PathError::LocalPart => "malformed local-part",
            PathError::Domain => "malformed domain",
            PathError::DomainMissing => "the domain is missing",
        })
    }
}

impl Error for PathError {}

impl ReversePath {
    /// Reads `<path>` from the front of the text and returns it with what follows.
    ///
    /// # Errors
    /// If the text does not begin with a reverse-path.
    pub fn parse_prefix(text: &str) -> Result<(ReversePath, &str), PathError> {
        if let Some(rest) = text.strip_prefix("<>") {
            return Ok((ReversePath::Null, rest));
        }
        let (mailbox, rest) = bracketed(text)?;
        Ok((ReversePath::Mailbox(mailbox), rest))
    }
}

impl ForwardPath {
    /// Reads `<path>` from the front of the text and returns it with what follows.
    ///
    /// # Errors
    /// If the text does not begin with a forward-path.
    pub fn parse_prefix(text: &str) -> Result<(ForwardPath, &str), PathError> {
        const POSTMASTER: &str = "<postmaster>";
        if let Some((start, rest)) = text.split_at_checked(POSTMASTER.len())
            && start.eq_ignore_ascii_case(POSTMASTER)
        {
            return Ok((ForwardPath::Postmaster, rest));
        }
        let (mailbox, rest) = bracketed(text)?;
        Ok((ForwardPath::Mailbox(mailbox), rest))
    }
}

/// The wire form without angle brackets, as an operator writes it; the empty text is null.
impl FromStr for ReversePath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<ReversePath, PathError> {
        if text.is_empty() {
            return Ok(ReversePath::Null);
        }
        text.parse().map(ReversePath::Mailbox)
    }
}

/// The wire form without angle brackets, as an operator writes it.
impl FromStr for ForwardPath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<ForwardPath, PathError> {
        if text.eq_ignore_ascii_case("postmaster") {
            return Ok(ForwardPath::Postmaster);
        }
        text.parse().map(ForwardPath::Mailbox)
    }
}

/// The wire form: `user@example.com`, `"a b"@[192.0.2.1]`. Non-ASCII is taken.
impl FromStr for Mailbox {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Mailbox, PathError> {
        if text.len() > PATH_BYTES_MAX - "<>".len() {
            return Err(PathError::TooLong);
        }
        match mailbox(text)? {
            (mailbox, "") => Ok(mailbox),
            _ => Err(PathError::Domain),
        }
    }
}

/// A domain name or a literal in brackets. Non-ASCII is taken.
impl FromStr for Domain {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Domain, PathError> {
        match domain(text)? {
            (domain, "") => Ok(domain),
            _ => Err(PathError::Domain),
        }
    }
}

fn bracketed(text: &str) -> Result<(Mailbox, &str), PathError> {
    let inner = text.strip_prefix('<').ok_or(PathError::Brackets)?;
    let inner = skip_source_route(inner)?;
    let (mailbox, rest) = mailbox(inner)?;
    let rest = rest.strip_prefix('>').ok_or(match rest {
        "" => PathError::Brackets,
        _ => PathError::Domain,
    })?;
    if text.len() - rest.len() > PATH_BYTES_MAX {
        return Err(PathError::TooLong);
    }
    Ok((mailbox, rest))
}

/// RFC 5321 4.1.1.3 and C: `@one,@two:` must be accepted, should be ignored.
fn skip_source_route(text: &str) -> Result<&str, PathError> {
    let mut rest = text;
    if !rest.starts_with('@') {
        return Ok(rest);
    }
    loop {
        let hop = rest.strip_prefix('@').ok_or(PathError::Domain)?;
        let (_, after) = domain(hop)?;
        if let Some(path) = after.strip_prefix(':') {
            return Ok(path);
        }
        rest = after.strip_prefix(',').ok_or(PathError::Domain)?;
    }
}

fn mailbox(text: &str) -> Result<(Mailbox, &str), PathError> {
    let (local_part, rest) = if let Some(quoted) = text.strip_prefix('"') {
        quoted_string(quoted)?
    } else {
        let end = text.find(['@', '>']).unwrap_or(text.len());
        let (local_part, rest) = text.split_at(end);
        if !is_dot_string(local_part) {
            return Err(PathError::LocalPart);
        }
        (local_part.to_owned(), rest)
    };
    check_local_part(&local_part)?;
    let rest = rest.strip_prefix('@').ok_or(match rest.chars().next() {
        None | Some('>') => PathError::DomainMissing,
        Some(_) => PathError::LocalPart,
    })?;
    let (domain, rest) = domain(rest)?;
    let local_part = LocalPart(local_part);
    Ok((Mailbox { local_part, domain }, rest))
}

/// The text behind the opening quote up to the closing one, unquoted.
fn quoted_string(text: &str) -> Result<(String, &str), PathError> {
    let mut unquoted = String::new();
    let mut characters = text.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return Ok((unquoted, &text[at + 1..])),
            '\\' => match characters.next() {
                // RFC 5321 4.1.2 quoted-pairSMTP: a backslash before any printable ASCII.
                Some((_, c @ ' '..='~')) => unquoted.push(c),
                _ => return Err(PathError::LocalPart),
            },
            c => unquoted.push(c),
        }
        if unquoted.len() > LOCAL_PART_BYTES_MAX {
            return Err(PathError::TooLong);
        }
    }
    Err(PathError::LocalPart)
}

pub(super) fn check_local_part(unquoted: &str) -> Result<(), PathError> {
    if unquoted.len() > LOCAL_PART_BYTES_MAX {
        return Err(PathError::TooLong);
    }
    if unquoted.chars().any(char::is_control) {
        return Err(PathError::LocalPart);
    }
    Ok(())
}

/// RFC 5321 4.1.2 Dot-string: atoms with single dots between them.
pub(super) fn is_dot_string(text: &str) -> bool {
    text.split('.')
        .all(|atom| !atom.is_empty() && atom.chars().all(is_atext))
}

/// RFC 5322 3.2.3, with UTF-8 by RFC 6531 3.3. Non-ASCII blanks and control characters are kept
/// in quotes, where they cannot be taken for the end of a word.
fn is_atext(c: char) -> bool {
    match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' => true,
        '!' | '#' | '$' | '%' | '&' | '\'' | '*' | '+' | '-' | '/' | '=' | '?' | '^' | '_'
        | '`' | '{' | '|' | '}' | '~' => true,
        c => !c.is_ascii() && !c.is_control() && !c.is_whitespace(),
    }
}

fn domain(text: &str) -> Result<(Domain, &str), PathError> {
    if let Some(literal) = text.strip_prefix('[') {
        let (content, rest) = literal.split_once(']').ok_or(PathError::Domain)?;
        return Ok((address_literal(content)?, rest));
    }
    let end = text.find(|c| !is_domain_char(c)).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    if name.is_empty() {
        return Err(match rest.chars().next() {
            None | Some('>') => PathError::DomainMissing,
            Some(_) => PathError::Domain,
        });
    }
    check_name(name)?;
    Ok((Domain::Name(name.to_owned()), rest))
}

/// RFC 5321 4.1.2 Domain with the underscore, which many hosts carry in spite of it. Non-ASCII
/// blanks, control characters and the foreign dots of RFC 3490 3.1 are in no label.
fn is_domain_char(c: char) -> bool {
    match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_' | '.' => true,
        '\u{3002}' | '\u{ff0e}' | '\u{ff61}' => false,
        c => !c.is_ascii() && !c.is_control() && !c.is_whitespace(),
    }
}

fn check_name(name: &str) -> Result<(), PathError> {
    if name.len() > DOMAIN_BYTES_MAX {
        return Err(PathError::TooLong);
    }
    let mut ascii_bytes = 0;
    for label in name.split('.') {
        if label.is_empty() || label.starts_with('-') || label.ends_with('-') {
            return Err(PathError::Domain);
        }
        let bytes = if label.is_ascii() {
            label.len()
        } else {
            ascii_label(label).len()
        };
        if bytes > LABEL_BYTES_MAX {
            return Err(PathError::Domain);
        }
        ascii_bytes += bytes + 1;
    }
    if ascii_bytes > DOMAIN_BYTES_MAX + 1 {
        return Err(PathError::TooLong);
    }
    Ok(())
}

/// RFC 5321 4.1.3, without the brackets.
fn address_literal(content: &str) -> Result<Domain, PathError> {
    if content.len() > DOMAIN_BYTES_MAX {
        return Err(PathError::TooLong);
    }
    if let Ok(ip) = content.parse::<Ipv4Addr>() {
        return Ok(Domain::Literal(IpAddr::V4(ip)));
    }
    let (tag, address) = content.split_once(':').ok_or(PathError::Domain)?;
    if tag.eq_ignore_ascii_case("IPv6") {
        let ip = address.parse::<Ipv6Addr>();
        return ip
            .map(|ip| Domain::Literal(IpAddr::V6(ip)))
            .map_err(|_| PathError::Domain);
    }
    let tag_is_ldh = tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let dcontent = |byte| matches!(byte, b'!'..=b'Z' | b'^'..=b'~');
    if tag.is_empty() || tag.ends_with('-') || !tag_is_ldh {
        return Err(PathError::Domain);
    }
    if address.is_empty() || !address.bytes().all(dcontent) {
        return Err(PathError::Domain);
    }
    Ok(Domain::GeneralLiteral(content.to_owned()))
}

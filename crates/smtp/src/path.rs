//! Reverse-paths, forward-paths and mailboxes (RFC 5321 4.1.2), with SMTPUTF8 (RFC 6531 3.3).
//!
//! Values and how they are written; reading them is in `path::parse`, the comparison of
//! internationalised domains in `path::domain`. What a path is allowed to do is policy.

mod domain;
mod parse;
mod punycode;

use std::fmt;

pub use domain::Domain;
pub use parse::PathError;

#[cfg(test)]
mod tests;

/// Where a message comes from, and where its failure reports go: the path of MAIL.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ReversePath {
    /// `<>`: a report that must itself never cause a report (RFC 5321 4.5.5).
    Null,
    /// A mailbox.
    Mailbox(Mailbox),
}

/// Where a message goes: the path of RCPT.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ForwardPath {
    /// `<Postmaster>` without a domain, in any case: always accepted (RFC 5321 4.5.1).
    Postmaster,
    /// A mailbox.
    Mailbox(Mailbox),
}

/// `local-part@domain`. The local-part is compared as it is, the domain without regard to case.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Mailbox {
    /// The part before the last `@`.
    pub local_part: LocalPart,
    /// The part after it.
    pub domain: Domain,
}

/// A local-part without its quoting: `"a b"` and `"a\ b"` are the same three characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LocalPart(String);

impl ReversePath {
    /// Whether this is the null reverse-path.
    pub fn is_null(&self) -> bool {
        matches!(self, ReversePath::Null)
    }

    /// The mailbox, unless null.
    pub fn mailbox(&self) -> Option<&Mailbox> {
        match self {
            ReversePath::Null => None,
            ReversePath::Mailbox(mailbox) => Some(mailbox),
        }
    }

    /// Whether it can be sent without SMTPUTF8.
    pub fn is_ascii(&self) -> bool {
        self.mailbox().is_none_or(Mailbox::is_ascii)
    }

    /// As a command carries it: `<a@b.example>` or `<>`.
    pub fn to_wire(&self) -> String {
        format!("<{self}>")
    }
}

impl ForwardPath {
    /// The mailbox, unless it is the postmaster without a domain.
    pub fn mailbox(&self) -> Option<&Mailbox> {
        match self {
            ForwardPath::Postmaster => None,
            ForwardPath::Mailbox(mailbox) => Some(mailbox),
        }
    }

    /// The domain, unless it is the postmaster without one.
    pub fn domain(&self) -> Option<&Domain> {
        self.mailbox().map(|mailbox| &mailbox.domain)
    }

    /// Whether it can be sent without SMTPUTF8.
    pub fn is_ascii(&self) -> bool {
        self.mailbox().is_none_or(Mailbox::is_ascii)
    }

    /// As a command carries it: `<a@b.example>` or `<Postmaster>`.
    pub fn to_wire(&self) -> String {
        format!("<{self}>")
    }
}

impl Mailbox {
    /// Whether it can be sent without SMTPUTF8.
    pub fn is_ascii(&self) -> bool {
        self.local_part.as_str().is_ascii() && self.domain.is_ascii()
    }
}

impl LocalPart {
    /// The local-part of this text, which is not quoted.
    ///
    /// # Errors
    /// If it is too long or holds control characters, which no quoting can carry.
    pub fn new(unquoted: impl Into<String>) -> Result<LocalPart, PathError> {
        let unquoted = unquoted.into();
        parse::check_local_part(&unquoted)?;
        Ok(LocalPart(unquoted))
    }

    /// Without quoting.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is no dot-string and goes over the wire as a quoted-string.
    pub fn needs_quoting(&self) -> bool {
        !parse::is_dot_string(&self.0)
    }
}

impl AsRef<str> for LocalPart {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// The wire form, quoted where it must be.
impl fmt::Display for LocalPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.needs_quoting() {
            return f.write_str(&self.0);
        }
        f.write_str("\"")?;
        for c in self.0.chars() {
            if matches!(c, '"' | '\\') {
                f.write_str("\\")?;
            }
            write!(f, "{c}")?;
        }
        f.write_str("\"")
    }
}

impl fmt::Display for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.local_part, self.domain)
    }
}

/// Without angle brackets; the null reverse-path is empty.
impl fmt::Display for ReversePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReversePath::Null => Ok(()),
            ReversePath::Mailbox(mailbox) => mailbox.fmt(f),
        }
    }
}

/// Without angle brackets.
impl fmt::Display for ForwardPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ForwardPath::Postmaster => f.write_str("Postmaster"),
            ForwardPath::Mailbox(mailbox) => mailbox.fmt(f),
        }
    }
}

//! The domain of a mailbox: a name or an address literal (RFC 5321 4.1.2, 4.1.3), and when two
//! of them are the same (RFC 4343 for ASCII, RFC 5890 2.3.2 for internationalised names).

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::IpAddr;

use super::punycode;

/// What stands behind the `@`. Kept as sent; compared by [`ascii`](Domain::ascii).
#[derive(Clone, Debug)]
pub enum Domain {
    /// A domain name; with SMTPUTF8 it may hold U-labels.
    Name(String),
    /// `[192.0.2.1]` or `[IPv6:2001:db8::1]`.
    Literal(IpAddr),
    /// `[tag:content]`, without the brackets: any other kind of address.
    GeneralLiteral(String),
}

impl Domain {
    /// The key under which to look the domain up: ASCII, lower-case, U-labels as A-labels.
    ///
    /// A U-label is by definition in Unicode normalisation form C (RFC 5890 2.3.2.1), so none is
    /// applied here: a sender's malformed label merely finds nothing.
    pub fn ascii(&self) -> Cow<'_, str> {
        match self {
            Domain::Name(name) => ascii_name(name),
            Domain::Literal(_) => Cow::Owned(self.to_string().to_ascii_lowercase()),
            Domain::GeneralLiteral(content) => Cow::Owned(format!("[{}]", ascii_name(content))),
        }
    }

    /// Whether it can be sent without SMTPUTF8.
    pub fn is_ascii(&self) -> bool {
        match self {
            Domain::Name(text) | Domain::GeneralLiteral(text) => text.is_ascii(),
            Domain::Literal(_) => true,
        }
    }

    /// The domain name, unless it is a literal.
    pub fn name(&self) -> Option<&str> {
        match self {
            Domain::Name(name) => Some(name),
            _ => None,
        }
    }
}

fn ascii_name(name: &str) -> Cow<'_, str> {
    if !name.is_ascii() {
        let labels: Vec<Cow<'_, str>> = name.split('.').map(ascii_label).collect();
        return Cow::Owned(labels.join("."));
    }
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Cow::Owned(name.to_ascii_lowercase());
    }
    Cow::Borrowed(name)
}

/// One label as it stands in the DNS.
pub(super) fn ascii_label(label: &str) -> Cow<'_, str> {
    if label.is_ascii() {
        return Cow::Owned(label.to_ascii_lowercase());
    }
    let lower = label.to_lowercase();
    if lower.is_ascii() {
        // The Kelvin sign is the one letter beyond ASCII whose lower case is within.
        return Cow::Owned(lower);
    }
    Cow::Owned(format!("xn--{}", punycode::encode(&lower)))
}

impl PartialEq for Domain {
    fn eq(&self, other: &Domain) -> bool {
        match (self, other) {
            (Domain::Name(a), Domain::Name(b))
            | (Domain::GeneralLiteral(a), Domain::GeneralLiteral(b)) => {
                a.eq_ignore_ascii_case(b)
                    || (!a.is_ascii() || !b.is_ascii()) && ascii_name(a) == ascii_name(b)
            }
            (Domain::Literal(a), Domain::Literal(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for Domain {}

impl Hash for Domain {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.ascii().hash(state);
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Domain::Name(name) => f.write_str(name),
            Domain::Literal(IpAddr::V4(ip)) => write!(f, "[{ip}]"),
            Domain::Literal(IpAddr::V6(ip)) => write!(f, "[IPv6:{ip}]"),
            Domain::GeneralLiteral(content) => write!(f, "[{content}]"),
        }
    }
}

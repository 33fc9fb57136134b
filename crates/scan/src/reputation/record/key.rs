//! Of whom something is known: an address, a network, a name given with HELO, a domain that was proven.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use super::Sender;
use crate::content::reading::link::registrable;
use crate::reputation::origin::{is_public, origin};

/// Bytes of a name; longer ones are no domain names (RFC 1035 section 2.3.4).
const NAME_BYTES_MAX: usize = 253;

/// Domains of one message that something is learnt of: more are a sign of nothing but of patience.
const DOMAINS_MAX: usize = 4;

/// Of whom something is known. Names are in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    /// An IPv4 address, or the /64 of an IPv6 address: whoever has one address of it has all.
    Address(IpAddr),
    /// The first address of a /24, or of the /48 of an IPv6 address.
    Network(IpAddr),
    /// A name given with HELO or EHLO that is the client's own.
    Helo(Box<str>),
    /// A name given with HELO or EHLO that may be anybody's.
    ClaimedHelo(Box<str>),
    /// The registered domain of one that DKIM or SPF proved: `example.co.uk` of `mail.example.co.uk`.
    Domain(Box<str>),
}

impl Key {
    /// That of a client's address.
    pub fn address(ip: IpAddr) -> Key {
        Key::Address(match origin(ip) {
            IpAddr::V4(ip) => ip.into(),
            IpAddr::V6(ip) => Ipv6Addr::from(u128::from(ip) & (u128::MAX << 64)).into(),
        })
    }

    /// That of a client's network.
    pub fn network(ip: IpAddr) -> Key {
        Key::Network(net::network::of(origin(ip)).network())
    }

    /// That of a domain: the one that was registered, since whoever has it has as many below it as he likes.
    pub fn domain(name: &str) -> Option<Key> {
        let registered = registrable(&name_of(name)?)?;
        Some(Key::Domain(registered.into_boxed_str()))
    }

    /// All keys of a sender, its address and its network first, unless these are nobody's: behind an address of a private
    /// network may be everybody.
    pub(super) fn all(sender: &Sender<'_>) -> Vec<Key> {
        let mut keys = Vec::with_capacity(4);
        if is_public(sender.ip) {
            keys.extend([Key::address(sender.ip), Key::network(sender.ip)]);
        }
        let helo = name_of(sender.helo).map(|name| match sender.helo_is_proven {
            true => Key::Helo(name),
            false => Key::ClaimedHelo(name),
        });
        keys.extend(helo);
        let most = keys.len() + DOMAINS_MAX;
        for key in sender
            .domains
            .iter()
            .filter_map(|domain| Key::domain(domain))
        {
            if keys.len() < most && !keys.contains(&key) {
                keys.push(key);
            }
        }
        keys
    }

    /// The keys that an operator may mean by a text: an address with its network, a network, or a name.
    ///
    /// # Errors
    /// What to write instead.
    pub fn parse_any(text: &str) -> Result<Vec<Key>, String> {
        if let Ok(ip) = text.parse::<IpAddr>() {
            return Ok(vec![Key::address(ip), Key::network(ip)]);
        }
        if text.contains('/') {
            let network = net::network::parse(text).map_err(|error| error.to_string())?;
            let key = Key::network(network.addr());
            return if key.to_string() == network.to_string() {
                Ok(vec![key])
            } else if Key::address(network.addr()).to_string() == network.to_string() {
                Ok(vec![Key::address(network.addr())])
            } else {
                Err(format!("{text}: networks are counted as {key}"))
            };
        }
        let name = name_of(text)
            .ok_or_else(|| format!("\"{text}\" is no address, no network and no domain"))?;
        let domain = Key::domain(&name).into_iter();
        Ok(domain
            .chain([Key::Helo(name.clone()), Key::ClaimedHelo(name)])
            .collect())
    }

    /// What it is, in a word.
    pub const fn kind(&self) -> &'static str {
        match self {
            Key::Address(_) => "address",
            Key::Network(_) => "network",
            Key::Helo(_) => "helo",
            Key::ClaimedHelo(_) => "claimed-helo",
            Key::Domain(_) => "domain",
        }
    }

    /// Bytes on the heap, with what the allocator adds.
    pub(super) fn heap_bytes(&self) -> usize {
        match self {
            Key::Address(_) | Key::Network(_) => 0,
            Key::Helo(name) | Key::ClaimedHelo(name) | Key::Domain(name) => {
                (name.len() + 8).next_multiple_of(16).max(32)
            }
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Key::Address(ip @ IpAddr::V4(_)) => write!(f, "{ip}"),
            Key::Address(ip @ IpAddr::V6(_)) => write!(f, "{ip}/64"),
            Key::Network(ip @ IpAddr::V4(_)) => write!(f, "{ip}/24"),
            Key::Network(ip @ IpAddr::V6(_)) => write!(f, "{ip}/48"),
            Key::Helo(name) => write!(f, "the host {name}"),
            Key::ClaimedHelo(name) => write!(f, "hosts that call themselves {name}"),
            Key::Domain(name) => f.write_str(name),
        }
    }
}

/// A name as a key has it: in lower case, without the final dot; nothing for what is no name with two labels.
pub(super) fn name_of(text: &str) -> Option<Box<str>> {
    let name = text.strip_suffix('.').unwrap_or(text);
    let is_label = |label: &str| {
        !label.is_empty()
            && label
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_') || c.is_alphanumeric())
    };
    let is_name = name.len() <= NAME_BYTES_MAX
        && name.contains('.')
        && name.split('.').all(is_label)
        && std::net::Ipv4Addr::from_str(name).is_err();
    if !is_name {
        return None;
    }
    let name = name.to_lowercase();
    (name.len() <= NAME_BYTES_MAX).then(|| name.into_boxed_str())
}

#[cfg(test)]
mod tests;

//! Networks: the key by which clients are counted, and sets of networks for trust, allow and block
//! lists.
//!
//! IPv4 addresses that arrive mapped into IPv6 (RFC 4291 section 2.5.5.2) are the IPv4 addresses
//! they stand for, everywhere. What a listed network is allowed to do is the policy's affair.

use std::collections::HashSet;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::limits::{IPV4_PREFIX_BITS, IPV6_PREFIX_BITS};

/// The network that a client belongs to when clients are counted: its /24 (IPv4) or /48 (IPv6).
pub fn of(ip: IpAddr) -> IpNet {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ipv4_network(ip, IPV4_PREFIX_BITS),
        IpAddr::V6(ip) => ipv6_network(ip, IPV6_PREFIX_BITS),
    }
}

/// A set of networks, such as trusted networks or a block list. Looking up costs one hash look-up
/// per prefix length that occurs in the set, however many networks there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetworkSet {
    /// Longest prefix first, so that the first hit is the most specific one.
    ipv4: Vec<(u8, HashSet<u32>)>,
    ipv6: Vec<(u8, HashSet<u128>)>,
}

impl NetworkSet {
    /// True if a network of the set holds this address.
    pub fn contains(&self, ip: IpAddr) -> bool {
        self.find(ip).is_some()
    }

    /// The most specific network of the set that holds this address: what to name when telling why.
    pub fn find(&self, ip: IpAddr) -> Option<IpNet> {
        match ip.to_canonical() {
            IpAddr::V4(ip) => {
                let holds = |(bits, networks): &&(u8, HashSet<u32>)| {
                    networks.contains(&ipv4_prefix(ip, *bits))
                };
                self.ipv4
                    .iter()
                    .find(holds)
                    .map(|(bits, _)| ipv4_network(ip, *bits))
            }
            IpAddr::V6(ip) => {
                let holds = |(bits, networks): &&(u8, HashSet<u128>)| {
                    networks.contains(&ipv6_prefix(ip, *bits))
                };
                self.ipv6
                    .iter()
                    .find(holds)
                    .map(|(bits, _)| ipv6_network(ip, *bits))
            }
        }
    }

    /// Adds a network; bits beyond its prefix length are ignored.
    pub fn insert(&mut self, network: IpNet) {
        match fold(network) {
            IpNet::V4(network) => {
                let key = ipv4_prefix(network.addr(), network.prefix_len());
                group(&mut self.ipv4, network.prefix_len()).insert(key);
            }
            IpNet::V6(network) => {
                let key = ipv6_prefix(network.addr(), network.prefix_len());
                group(&mut self.ipv6, network.prefix_len()).insert(key);
            }
        }
    }

    /// How many different networks are in the set.
    pub fn len(&self) -> usize {
        let ipv4: usize = self.ipv4.iter().map(|(_, networks)| networks.len()).sum();
        let ipv6: usize = self.ipv6.iter().map(|(_, networks)| networks.len()).sum();
        ipv4 + ipv6
    }

    /// True if nothing is in the set.
    pub fn is_empty(&self) -> bool {
        self.ipv4.is_empty() && self.ipv6.is_empty()
    }
}

impl FromIterator<IpNet> for NetworkSet {
    fn from_iter<I: IntoIterator<Item = IpNet>>(networks: I) -> NetworkSet {
        let mut set = NetworkSet::default();
        set.extend(networks);
        set
    }
}

impl Extend<IpNet> for NetworkSet {
    fn extend<I: IntoIterator<Item = IpNet>>(&mut self, networks: I) {
        for network in networks {
            self.insert(network);
        }
    }
}

/// A network as an operator writes it: `192.0.2.0/24`, `2001:db8::/32`, or a single address.
///
/// # Errors
/// [`NetworkError`] says what is wrong, and what was probably meant where address bits lie outside
/// the prefix.
pub fn parse(text: &str) -> Result<IpNet, NetworkError> {
    if let Ok(ip) = text.parse::<IpAddr>() {
        return Ok(fold(IpNet::from(ip)));
    }
    let network: IpNet = text.parse().map_err(|_| NetworkError {
        text: text.to_owned(),
        meant: None,
    })?;
    if network.trunc() != network {
        return Err(NetworkError {
            text: text.to_owned(),
            meant: Some(network.trunc()),
        });
    }
    Ok(fold(network))
}

/// A text that names no network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkError {
    text: String,
    meant: Option<IpNet>,
}

impl fmt::Display for NetworkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = &self.text;
        match self.meant {
            Some(meant) => write!(
                f,
                "\"{text}\" has address bits beyond its prefix length: write {meant}"
            ),
            None => write!(
                f,
                "\"{text}\" is no network: write 192.0.2.0/24, 2001:db8::/32 or a single address"
            ),
        }
    }
}

impl std::error::Error for NetworkError {}

/// `::ffff:192.0.2.0/120` is `192.0.2.0/24`.
fn fold(network: IpNet) -> IpNet {
    const MAPPED_BITS: u8 = 96;
    if let IpNet::V6(mapped) = network
        && let Some(bits) = mapped.prefix_len().checked_sub(MAPPED_BITS)
        && let Some(ip) = mapped.addr().to_ipv4_mapped()
    {
        return ipv4_network(ip, bits);
    }
    network
}

/// The networks of one prefix length, made when there are none yet. The list stays sorted, longest
/// prefix first.
fn group<T>(groups: &mut Vec<(u8, HashSet<T>)>, bits: u8) -> &mut HashSet<T> {
    let at = match groups.binary_search_by(|(other, _)| bits.cmp(other)) {
        Ok(at) => at,
        Err(at) => {
            groups.insert(at, (bits, HashSet::new()));
            at
        }
    };
    &mut groups[at].1
}

/// The first `bits` bits, the rest zero.
fn ipv4_prefix(ip: Ipv4Addr, bits: u8) -> u32 {
    let mask = u32::MAX
        .checked_shl(32 - u32::from(bits.min(32)))
        .unwrap_or(0);
    ip.to_bits() & mask
}

fn ipv6_prefix(ip: Ipv6Addr, bits: u8) -> u128 {
    let mask = u128::MAX
        .checked_shl(128 - u32::from(bits.min(128)))
        .unwrap_or(0);
    ip.to_bits() & mask
}

fn ipv4_network(ip: Ipv4Addr, bits: u8) -> IpNet {
    let bits = bits.min(32);
    IpNet::V4(Ipv4Net::new_assert(
        Ipv4Addr::from_bits(ipv4_prefix(ip, bits)),
        bits,
    ))
}

fn ipv6_network(ip: Ipv6Addr, bits: u8) -> IpNet {
    let bits = bits.min(128);
    IpNet::V6(Ipv6Net::new_assert(
        Ipv6Addr::from_bits(ipv6_prefix(ip, bits)),
        bits,
    ))
}

#[cfg(test)]
mod tests;

//! `[delivery]`: how servers are reached.

use super::reader::Section;

/// `[delivery]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The families that are used at all.
    pub inet_protocols: InetProtocols,
    /// The family that is tried first.
    pub address_preference: AddressPreference,
    /// Whether the DNS may send messages to loopback addresses.
    pub loopback: bool,
}

/// The address families that are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InetProtocols {
    /// Both.
    All,
    /// IPv4 alone.
    Ipv4,
    /// IPv6 alone.
    Ipv6,
}

/// Which family of a server's addresses comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressPreference {
    /// Either, by chance.
    Any,
    /// IPv6.
    Ipv6,
    /// IPv4.
    Ipv4,
}

impl Delivery {
    /// `None` if a word is none of the known, which is noted.
    pub(super) fn read(section: &Section<'_, '_>) -> Option<Delivery> {
        let protocols = [
            ("all", InetProtocols::All),
            ("ipv4", InetProtocols::Ipv4),
            ("ipv6", InetProtocols::Ipv6),
        ];
        let preferences = [
            ("any", AddressPreference::Any),
            ("ipv6", AddressPreference::Ipv6),
            ("ipv4", AddressPreference::Ipv4),
        ];
        let inet_protocols = section.choice("inet_protocols", &protocols);
        let address_preference = section.choice("address_preference", &preferences);
        Some(Delivery {
            inet_protocols: inet_protocols?,
            address_preference: address_preference?,
            loopback: section.toggle("loopback"),
        })
    }
}

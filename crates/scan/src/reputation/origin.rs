//! Whose an address is: what a translated address stands for, and which addresses belong to somebody outside.
//!
//! Neither lists nor the record are about addresses of private networks: behind one of them may be everybody, as with a
//! translator or a load balancer in front of this node that does not tell its clients.

use std::net::{IpAddr, Ipv4Addr};

/// The address as its owner has it: IPv4 mapped into IPv6 (RFC 4291 section 2.5.5.2) and IPv4 behind the well-known prefix
/// of translators (64:ff9b::/96, RFC 6052 section 2.1) are IPv4. All of IPv4 would be one network otherwise.
pub(super) fn origin(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(v6) => match v6.segments() {
            [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
                let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
                Ipv4Addr::new(a, b, c, d).into()
            }
            _ => v6.into(),
        },
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// Whether somebody outside can have this address (RFC 6890): not that of a private or shared network, of a link, or of this
/// machine.
pub(super) fn is_public(ip: IpAddr) -> bool {
    match origin(ip) {
        IpAddr::V4(ip) => {
            let [first, second, ..] = ip.octets();
            let is_shared = first == 100 && (64..128).contains(&second);
            !(ip.is_private()
                || ip.is_loopback()
                || ip.is_link_local()
                || ip.is_multicast()
                || ip.is_broadcast()
                || is_shared
                || first == 0)
        }
        IpAddr::V6(ip) => {
            let is_site_local = ip
                .segments()
                .first()
                .is_some_and(|first| first & 0xffc0 == 0xfec0);
            !(ip.is_loopback()
                || ip.is_unspecified()
                || ip.is_unique_local()
                || ip.is_unicast_link_local()
                || is_site_local
                || ip.is_multicast())
        }
    }
}

#[cfg(test)]
mod tests;

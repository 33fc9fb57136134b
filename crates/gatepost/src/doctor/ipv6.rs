//! Whether this machine can reach anything over IPv6. Nothing is sent: the system is asked which way a packet would take.

use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, UdpSocket};

use super::Check;
use crate::config::InetProtocols;

/// An address that is routed if anything is: a.root-servers.net.
const SOMEWHERE: Ipv6Addr = Ipv6Addr::new(0x2001, 0x503, 0xba3e, 0, 0, 0, 2, 0x30);

/// What to do where IPv6 does not work and something needs it.
pub(super) const REMEDY: &str =
    "mend this machine's IPv6 routing, or write `inet_protocols = \"ipv4\"` under [delivery]";

/// What was found out about this machine.
#[derive(Debug, PartialEq, Eq)]
enum Reach {
    /// A packet would leave from this address.
    From(Ipv6Addr),
    /// A packet would leave from an address that only the local network knows.
    LocalOnly(Ipv6Addr),
    /// The system knows no way.
    Nowhere(String),
}

/// Checks this machine. `needed`: something has no other address.
pub(super) fn machine(protocols: InetProtocols, needed: bool) -> Check {
    if protocols == InetProtocols::Ipv4 {
        return match needed {
            false => Check::ok("ipv6", "[delivery] inet_protocols has switched IPv6 off"),
            true => Check::warning(
                "ipv6",
                "[delivery] inet_protocols has switched IPv6 off, but a server has no other address",
                "write `inet_protocols = \"all\"`: what has no route is not tried anyway",
            ),
        };
    }
    judge(reach(SOMEWHERE), has_global_address(), needed)
}

fn reach(somewhere: Ipv6Addr) -> Reach {
    let source = || -> io::Result<IpAddr> {
        let socket = UdpSocket::bind(SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)))?;
        // For UDP this chooses a route and an address, and sends nothing.
        socket.connect(SocketAddr::from((somewhere, 53)))?;
        Ok(socket.local_addr()?.ip())
    };
    match source() {
        Ok(IpAddr::V6(ip))
            if ip.is_unique_local() || ip.is_unicast_link_local() || ip.is_loopback() =>
        {
            Reach::LocalOnly(ip)
        }
        Ok(IpAddr::V6(ip)) => Reach::From(ip),
        Ok(IpAddr::V4(ip)) => Reach::Nowhere(format!("the system would take {ip}")),
        Err(error) => Reach::Nowhere(error.to_string()),
    }
}

/// Whether any interface has a global address: scope 00 in `/proc/net/if_inet6`.
fn has_global_address() -> bool {
    let interfaces = std::fs::read_to_string("/proc/net/if_inet6").unwrap_or_default();
    is_any_global(&interfaces)
}

fn is_any_global(interfaces: &str) -> bool {
    interfaces.lines().any(|line| {
        let scope = line.split_whitespace().nth(3);
        // RFC 4193: unique local addresses have global scope too, but lead nowhere.
        scope == Some("00") && !line.starts_with("fc") && !line.starts_with("fd")
    })
}

fn judge(reach: Reach, has_address: bool, needed: bool) -> Check {
    match reach {
        Reach::From(ip) => Check::ok("ipv6", format!("this machine reaches IPv6 from {ip}")),
        Reach::Nowhere(_) if !has_address && !needed => Check::ok(
            "ipv6",
            "this machine has no IPv6, and needs none: servers are reached over IPv4",
        ),
        Reach::LocalOnly(ip) if !has_address && !needed => Check::ok(
            "ipv6",
            format!(
                "this machine has IPv6 for its own network only ({ip}): servers elsewhere are reached over IPv4"
            ),
        ),
        Reach::LocalOnly(ip) => Check::warning(
            "ipv6",
            format!("only the local network is reached, from {ip}"),
            REMEDY,
        ),
        Reach::Nowhere(error) if has_address => Check::warning(
            "ipv6",
            format!("this machine has an IPv6 address, but no route to anywhere: {error}"),
            REMEDY,
        ),
        Reach::Nowhere(error) => Check::warning(
            "ipv6",
            format!("this machine has no IPv6 ({error}), but a server has no other address"),
            REMEDY,
        ),
    }
}

#[cfg(test)]
mod tests;

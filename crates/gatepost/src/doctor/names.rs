//! Whether the DNS answers, and whether name and address of this node lead to each other: servers that take our mail, and
//! those that connect to us, look (RFC 8601 `iprev`; RFC 5321 4.1.4).

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Instant;

use net::resolver::{DnsError, Resolver};
use tokio::time::timeout;

use super::{CHECK_WAIT_MAX, Check, Checks, tell};
use crate::context::Context;

/// Addresses of the node's name that are looked at.
const ADDRESSES_MAX: usize = 8;

/// Checks the node's name.
pub(super) async fn check(cx: Arc<Context>, checks: Checks) {
    let name = &cx.config.node.name;
    let begun = Instant::now();
    let answer = match timeout(CHECK_WAIT_MAX, cx.resolver.ip(name)).await {
        Ok(answer) => answer,
        Err(_) => Err(DnsError::Temporary {
            detail: format!("no answer within {} s", CHECK_WAIT_MAX.as_secs()),
        }),
    };
    let milliseconds = begun.elapsed().as_secs_f64() * 1000.0;
    match answer {
        Err(error @ DnsError::Temporary { .. }) => tell(
            &checks,
            Check::failed(
                "dns",
                error.to_string(),
                "look at [dns] nameservers, or /etc/resolv.conf where none are set",
            ),
        ),
        Err(DnsError::NoSuchName | DnsError::NoRecord) => {
            tell(
                &checks,
                Check::ok("dns", format!("answers ({milliseconds:.0} ms)")),
            );
            tell(&checks, unknown(name));
        }
        Ok(addresses) => {
            tell(
                &checks,
                Check::ok("dns", format!("answers ({milliseconds:.0} ms)")),
            );
            for ip in addresses.into_iter().take(ADDRESSES_MAX) {
                tell(&checks, own(name, ip));
                if let Some(check) = back(&cx.resolver, name, ip).await {
                    tell(&checks, check);
                }
            }
        }
    }
}

fn unknown(name: &str) -> Check {
    Check::warning(
        "name",
        format!("{name} has no address in the DNS, but is our EHLO name; many servers refuse that"),
        "give node.name an A or AAAA record, or set node.name to the name that this machine has",
    )
}

fn own(name: &str, ip: IpAddr) -> Check {
    // Only an address of this machine can be bound.
    if UdpSocket::bind(SocketAddr::from((ip, 0))).is_ok() {
        return Check::ok(
            "name",
            format!("{name} is {ip}, an address of this machine"),
        );
    }
    Check::warning(
        "name",
        format!("{name} is {ip}, which is no address of this machine"),
        "right where a load balancer or NAT stands before it; if not, mend the record or node.name",
    )
}

/// Whether the reverse zone leads back to the name. Only the owner of a public address can have it say so.
async fn back(resolver: &Resolver, name: &str, ip: IpAddr) -> Option<Check> {
    if is_private(ip) {
        return None;
    }
    let remedy = format!("ask whoever provides {ip} to set its PTR record to {name}");
    let answer = timeout(CHECK_WAIT_MAX, resolver.ptr(ip)).await;
    Some(match answer {
        Ok(Ok(names)) if names.iter().any(|other| same(other, name)) => Check::ok(
            "name",
            format!("{ip} leads back to {name}: name, address and EHLO agree"),
        ),
        Ok(Ok(names)) => Check::warning(
            "name",
            format!(
                "the PTR of {ip} is {}, not {name}: EHLO name and reverse name differ",
                names.join(", ")
            ),
            remedy,
        ),
        Ok(Err(DnsError::NoSuchName | DnsError::NoRecord)) => Check::warning(
            "name",
            format!("{ip} has no PTR record; many servers refuse that"),
            remedy,
        ),
        Ok(Err(error)) => Check::warning("name", format!("the PTR of {ip}: {error}"), "try again"),
        Err(_) => Check::warning(
            "name",
            format!("the PTR of {ip}: no answer in time"),
            "try again",
        ),
    })
}

fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_private() || ip.is_loopback() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_loopback() || ip.is_unicast_link_local(),
    }
}

fn same(a: &str, b: &str) -> bool {
    a.trim_end_matches('.')
        .eq_ignore_ascii_case(b.trim_end_matches('.'))
}

#[cfg(test)]
mod tests;

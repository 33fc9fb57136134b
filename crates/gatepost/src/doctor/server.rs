//! A server that messages are handed to: does it take connections, what does it say, is anything in the path that changes it?

use std::collections::HashSet;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use futures_util::future::join_all;
use net::socket;
use net::stream::Stream;
use net::tls::Connector;
use smtp::client::{ClientAuth, Protocol, Settings};
use tokio::time::timeout;

use super::dialog::Dialog;
use super::{CHECK_WAIT_MAX, Check, Checks, ipv6, machine, tell};
use crate::config::{Address, Nexthop, NexthopTls, Route};
use crate::context::Context;

mod findings;

use findings::Visit;

/// Addresses of one host that are tried.
const ADDRESSES_MAX: usize = 8;

/// The port of SMTP (RFC 5321 4.5.4.2).
const SMTP_PORT: u16 = 25;

/// A server and how to talk to it.
#[derive(Clone, Debug)]
pub struct Target {
    /// `nexthop` or `server`.
    area: &'static str,
    /// As it is configured, or was asked for.
    label: String,
    place: Place,
    protocol: Protocol,
    tls: NexthopTls,
    auth: Option<ClientAuth>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Host(String, u16),
    Socket(PathBuf),
}

impl Target {
    /// `HOST`, `HOST:PORT`, `[IPv6]`, `[IPv6]:PORT` or a bare IPv6 address.
    ///
    /// # Errors
    /// Why it is none.
    pub fn parse(text: &str) -> Result<Target, String> {
        let (host, port) = host_and_port(text)?;
        Ok(Target {
            area: "server",
            label: Address::Tcp(host.clone(), port).to_string(),
            place: Place::Host(host, port),
            protocol: Protocol::Smtp,
            tls: NexthopTls::Opportunistic,
            auth: None,
        })
    }

    /// Whether it was named by an IPv6 address.
    pub(super) fn is_ipv6_only(&self) -> bool {
        matches!(&self.place, Place::Host(host, _) if host.parse::<IpAddr>().is_ok_and(|ip| ip.is_ipv6()))
    }

    fn of(nexthop: &Nexthop, route: &Route) -> Option<Target> {
        let (place, protocol) = match nexthop {
            Nexthop::Smtp { host, port } => (Place::Host(host.clone(), *port), Protocol::Smtp),
            Nexthop::Lmtp(Address::Tcp(host, port)) => {
                (Place::Host(host.clone(), *port), Protocol::Lmtp)
            }
            Nexthop::Lmtp(Address::Unix(path)) => (Place::Socket(path.clone()), Protocol::Lmtp),
            Nexthop::Maildir(_) | Nexthop::Mx { .. } => return None,
        };
        Some(Target {
            area: "nexthop",
            label: nexthop.to_string(),
            place,
            protocol,
            tls: route.nexthop_tls,
            auth: route.nexthop_auth.as_ref().map(|auth| ClientAuth {
                user: auth.user.clone(),
                password: auth.password.reveal().to_owned(),
                in_clear: false,
            }),
        })
    }

    fn session_settings(&self, ehlo_name: &str) -> Settings {
        Settings {
            protocol: self.protocol,
            starttls: self.tls.starttls(),
            auth: self.auth.clone(),
            ..Settings::new(ehlo_name)
        }
    }

    fn tls_name(&self) -> &str {
        match &self.place {
            Place::Host(host, _) => host,
            Place::Socket(_) => "",
        }
    }
}

/// Every nexthop that is talked to, once for each way of talking to it. Maildirs are checked at once.
pub(super) fn targets(cx: &Context, checks: &Checks) -> Vec<Target> {
    let mut seen = HashSet::new();
    let mut targets = Vec::new();
    for route in cx.routes.iter().map(|route| &route.route) {
        let user = route.nexthop_auth.as_ref().map(|auth| auth.user.as_str());
        for nexthop in &route.nexthops {
            if !seen.insert((nexthop, route.nexthop_tls, user)) {
                continue;
            }
            match (nexthop, Target::of(nexthop, route)) {
                (_, Some(target)) => targets.push(target),
                (Nexthop::Maildir(path), None) => tell(checks, machine::maildir(nexthop, path)),
                (_, None) => {}
            }
        }
    }
    targets
}

/// Checks it at each of its addresses, all at the same time.
pub(super) async fn check(cx: Arc<Context>, target: Target, checks: Checks) {
    let (host, port) = match &target.place {
        Place::Host(host, port) => (host, *port),
        Place::Socket(path) => {
            let visit = visit_socket(&cx, &target, path).await;
            return tell(&checks, visit.judge(&target, false));
        }
    };
    let addresses = match timeout(CHECK_WAIT_MAX, cx.resolver.ip(host)).await {
        Ok(Ok(addresses)) => addresses,
        Ok(Err(error)) => return tell(&checks, unresolved(&target, host, &error.to_string())),
        Err(_) => return tell(&checks, unresolved(&target, host, "no answer in time")),
    };
    let visits = addresses.iter().take(ADDRESSES_MAX);
    let visits = visits.map(|ip| visit(&cx, &target, SocketAddr::from((*ip, port))));
    let visits = join_all(visits).await;
    // One address that works is enough: the others are tried one after the other.
    let works = visits.iter().any(Visit::is_ready);
    for visit in visits {
        tell(&checks, visit.judge(&target, works));
    }
}

async fn visit(cx: &Context, target: &Target, address: SocketAddr) -> Visit {
    let begun = Instant::now();
    let connected = socket::connect(address, None, CHECK_WAIT_MAX).await;
    talk(cx, target, Some(address), begun, connected.map(Stream::Tcp)).await
}

async fn visit_socket(cx: &Context, target: &Target, path: &Path) -> Visit {
    let begun = Instant::now();
    let connected = socket::connect_unix(path, CHECK_WAIT_MAX).await;
    talk(cx, target, None, begun, connected.map(Stream::Unix)).await
}

async fn talk(
    cx: &Context,
    target: &Target,
    address: Option<SocketAddr>,
    begun: Instant,
    connected: io::Result<Stream>,
) -> Visit {
    let mut dialog = Dialog::default();
    let connect = begun.elapsed();
    let outcome = match connected {
        Err(error) => Err(findings::Trouble::Connect(error)),
        Ok(stream) => {
            let settings = target.session_settings(&cx.dialling.source.ehlo_name);
            let held = dialog.hold(stream, settings, connector(cx, target), target.tls_name());
            match timeout(CHECK_WAIT_MAX, held).await {
                Ok(Ok(())) => Ok(()),
                Ok(Err(why)) => Err(findings::Trouble::Session(why)),
                Err(_) => Err(findings::Trouble::Session(format!(
                    "no answer within {} s",
                    CHECK_WAIT_MAX.as_secs()
                ))),
            }
        }
    };
    Visit {
        address,
        dialog,
        outcome,
        connect,
        total: begun.elapsed(),
    }
}

fn connector<'a>(cx: &'a Context, target: &Target) -> &'a Connector {
    match target.tls {
        NexthopTls::Require => &cx.dialling.verified,
        // Records and policies are the business of delivery; here it matters whether TLS works.
        _ => &cx.dialling.opportunistic,
    }
}

fn unresolved(target: &Target, host: &str, why: &str) -> Check {
    Check::failed(
        target.area,
        format!("{}: {host}: {why}", target.label),
        "mend the name, or give an IP address",
    )
}

fn host_and_port(text: &str) -> Result<(String, u16), String> {
    let port = |port: &str| {
        let port = port.parse::<u16>().ok().filter(|port| *port > 0);
        port.ok_or_else(|| "the port is a number from 1 to 65535".to_owned())
    };
    if let Some(rest) = text.strip_prefix('[') {
        let (ip, rest) = rest.split_once(']').ok_or("the bracket is not closed")?;
        let ip: IpAddr = ip
            .parse()
            .map_err(|_| "within brackets stands an IPv6 address".to_owned())?;
        return match rest.strip_prefix(':') {
            Some(number) => Ok((ip.to_string(), port(number)?)),
            None if rest.is_empty() => Ok((ip.to_string(), SMTP_PORT)),
            None => Err("behind the bracket only :PORT may stand".to_owned()),
        };
    }
    let (host, port) = match text.split_once(':') {
        Some(_) if text.parse::<IpAddr>().is_ok() => (text, SMTP_PORT),
        Some((host, number)) => (host, port(number)?),
        None => (text, SMTP_PORT),
    };
    if host.is_empty() || host.contains(char::is_whitespace) {
        return Err("there is no host".to_owned());
    }
    Ok((host.to_owned(), port))
}

#[cfg(test)]
mod tests;

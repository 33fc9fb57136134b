//! The plan for a lane: the servers to try in order, and the site that they make.
//!
//! Plans come from the configuration in force: a reload changes where queued messages go. What the DNS said is kept for its
//! TTL, within bounds; chance among equals is drawn anew for each plan. Nothing is dialled here (`dial`), and which servers a
//! domain has is found in `mx`.

use std::fmt::Write;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use queue::LaneKey;
use smtp::Status;
use smtp::client::Protocol;

use super::fault::{Cause, Fault, Step, Undeliverable};
use super::fitting::Securities;
use super::limits;
use super::mx::{self, Found, MxHost, NotFound, Ourselves};
use crate::config::{Address, Config, Nexthop, NexthopOrder, NexthopTls, Route};
use crate::context::{Context, RouteContext};
use crate::expiring::Expiring;

/// Plans kept at one time.
const PLANS_MAX: usize = 50_000;
/// Bytes that they take. Whoever has a domain chooses how many servers it has, and how long their names are.
const PLANS_BYTES_MAX: usize = 64 << 20;
/// What the DNS said is kept for its TTL, but at least and at most so long.
const KEPT_MIN: Duration = Duration::from_secs(60);
const KEPT_MAX: Duration = Duration::from_secs(3600);
/// How long it is kept that there is no server, or that the DNS did not tell.
const ABSENCE_KEPT: Duration = Duration::from_secs(60);

/// Where a lane goes.
#[derive(Clone)]
pub struct Plan {
    /// What lanes share that may share connections: the servers, and how they are talked to.
    pub site: Arc<str>,
    /// The servers in the order in which they are to be tried; empty for a maildir.
    pub hosts: Vec<Host>,
    /// The maildir, where messages go into one.
    pub maildir: Option<PathBuf>,
    /// TLS, as the route or a `[[destination]]` says.
    pub tls: NexthopTls,
    /// The route that has the domain.
    pub route: Arc<RouteContext>,
    /// The recipient domain, as the lane has it.
    pub domain: Arc<str>,
}

/// A server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Name, or address, or path of a unix socket: as the configuration or the DNS has it.
    pub name: Arc<str>,
    /// What the name is an alias of; the name itself if it is none (RFC 7672 section 2.2.2).
    pub canonical: Arc<str>,
    /// TCP port; 0 for a unix socket.
    pub port: u16,
    /// SMTP or LMTP.
    pub protocol: Protocol,
    /// The unix socket, if it is one.
    pub socket: Option<Arc<Path>>,
    /// Its addresses; empty for a unix socket.
    pub ips: Arc<[IpAddr]>,
    /// Lower is tried first.
    pub preference: u16,
    /// An MX record names it. Otherwise it is the domain itself, an address literal, or configured.
    pub from_mx: bool,
    /// The DNS has chosen it, by MX records or as the domain itself; no configuration, and no address literal.
    pub by_mx: bool,
    /// What led to its name is secure: the MX records, or for an implicit MX the addresses.
    pub secure: bool,
    /// Its addresses are secure.
    pub ips_secure: bool,
    /// For people: the nexthop as configured, or `mx NAME:PORT`.
    pub label: Arc<str>,
}

/// Why there is no plan.
#[derive(Debug)]
pub enum NoPlan {
    /// Waiting would be vain.
    Permanent {
        /// The enhanced status.
        status: Status,
        /// What is wrong.
        text: String,
    },
    /// Later there may be one.
    Transient(Fault),
}

/// Plans that were made under one configuration.
pub struct Plans {
    kept: Expiring<Key, Result<Kept, NotFound>>,
    /// What their servers must prove.
    pub(super) securities: Securities,
}

/// Domain, chosen nexthop, and the index of the route.
type Key = (Arc<str>, Option<Arc<str>>, usize);

/// What a plan is made of, before chance has its turn.
#[derive(Clone)]
struct Kept {
    site: Arc<str>,
    hosts: Arc<[Host]>,
    order: Order,
    maildir: Option<PathBuf>,
    tls: NexthopTls,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    /// By preference, at random among equals (RFC 5321 section 5.1).
    Preference,
    /// All at random.
    Random,
}

impl Default for Plans {
    fn default() -> Plans {
        Plans {
            kept: Expiring::within(PLANS_MAX, PLANS_BYTES_MAX, bytes_of),
            securities: Securities::default(),
        }
    }
}

/// About what a kept plan takes in memory.
fn bytes_of((domain, nexthop, _): &Key, kept: &Result<Kept, NotFound>) -> usize {
    let texts = domain.len() + nexthop.as_ref().map_or(0, |nexthop| nexthop.len());
    let of_host = |host: &Host| {
        let texts = host.name.len() + host.canonical.len() + host.label.len();
        size_of::<Host>() + texts + size_of_val(&*host.ips)
    };
    let made = match kept {
        Ok(kept) => kept.site.len() + kept.hosts.iter().map(of_host).sum::<usize>(),
        Err(NotFound::Dns(detail)) => detail.len(),
        Err(NotFound::Undeliverable(why)) => why.to_string().len(),
    };
    size_of::<Key>() + size_of::<Kept>() + texts + made
}

impl From<Fault> for NoPlan {
    fn from(fault: Fault) -> NoPlan {
        if fault.is_permanent() {
            NoPlan::Permanent {
                status: fault.status(),
                text: fault.what_happened().to_string(),
            }
        } else {
            NoPlan::Transient(fault)
        }
    }
}

/// The plan for a lane.
///
/// # Errors
/// [`NoPlan`].
pub async fn plan(cx: &Context, lane: &LaneKey) -> Result<Plan, NoPlan> {
    let fault = |cause| NoPlan::from(Fault::new(&*lane.domain, Step::Resolve, cause));
    let configured = routed(cx, lane);
    let route = configured.unwrap_or(&cx.anywhere);
    let key = (
        Arc::clone(&lane.domain),
        lane.nexthop.clone(),
        route.route.index,
    );
    let kept = match cx.plans.kept.find(&key) {
        Some(kept) => kept,
        None => {
            let (made, kept_for) = make(cx, lane, &route.route).await;
            cx.plans.kept.insert(key, made.clone(), kept_for);
            made
        }
    };
    let kept = kept.map_err(|none| {
        fault(match none {
            // Its route was taken out of the configuration, where that can be mended: nothing is lost by an oversight.
            NotFound::Undeliverable(Undeliverable::Loop(detail)) if configured.is_none() => {
                Cause::Unroutable(format!("no route has this domain, and {detail}"))
            }
            NotFound::Undeliverable(why) => Cause::Undeliverable(why),
            NotFound::Dns(detail) => Cause::Dns(detail),
        })
    })?;
    Ok(Plan {
        site: kept.site,
        hosts: drawn(&kept.hosts, kept.order),
        maildir: kept.maildir,
        tls: kept.tls,
        route: Arc::clone(route),
        domain: Arc::clone(&lane.domain),
    })
}

/// The route that a lane's messages take.
pub(super) fn route<'c>(cx: &'c Context, lane: &LaneKey) -> &'c Arc<RouteContext> {
    routed(cx, lane).unwrap_or(&cx.anywhere)
}

fn routed<'c>(cx: &'c Context, lane: &LaneKey) -> Option<&'c Arc<RouteContext>> {
    cx.table
        .route_for_text(&lane.domain)
        // Whoever submitted it was allowed to, or it would not be here.
        .or_else(|| cx.table.route_for_rest())
        .and_then(|route| cx.route_context(route))
}

async fn make(cx: &Context, lane: &LaneKey, route: &Route) -> (Result<Kept, NotFound>, Duration) {
    let made = match nexthops(lane, route) {
        Err(problem) => Err(NotFound::Dns(problem)),
        Ok(nexthops) => match nexthops.as_slice() {
            [Nexthop::Maildir(path)] => {
                let site = Arc::from(format!("maildir:{}", path.display()));
                let kept = Kept {
                    site,
                    hosts: Arc::from([]),
                    order: Order::Preference,
                    maildir: Some(path.clone()),
                    tls: route.nexthop_tls,
                };
                return (Ok(kept), KEPT_MAX);
            }
            [Nexthop::Mx { port }] => {
                let found = mx::find(&cx.resolver, &lane.domain, *port, &Node(&cx.config)).await;
                found.map(|found| of_exchangers(cx, lane, found, *port, route))
            }
            nexthops => of_nexthops(cx, lane, nexthops, route).await,
        },
    };
    match made {
        Ok((kept, valid_for)) => (Ok(kept), valid_for.clamp(KEPT_MIN, KEPT_MAX)),
        Err(none) => (Err(none), ABSENCE_KEPT),
    }
}

/// The nexthops of the lane: what an operator chose for it, or else the route's.
fn nexthops(lane: &LaneKey, route: &Route) -> Result<Vec<Nexthop>, String> {
    match &lane.nexthop {
        None => Ok(route.nexthops.clone()),
        Some(chosen) => chosen
            .split_whitespace()
            .map(Nexthop::from_command)
            .collect(),
    }
}

fn of_exchangers(
    cx: &Context,
    lane: &LaneKey,
    found: Found,
    port: u16,
    route: &Route,
) -> (Kept, Duration) {
    let hosts: Arc<[Host]> = found
        .hosts
        .into_iter()
        .map(|host| exchanger(host, port))
        .collect();
    let mut names: Vec<&str> = hosts.iter().map(|host| &*host.name).collect();
    names.sort_unstable();
    let tls = tls(&cx.config, lane, &hosts, route);
    let kept = Kept {
        site: site(&format!("mx {}:{port}", names.join(",")), tls, route),
        tls,
        order: Order::Preference,
        maildir: None,
        hosts,
    };
    (kept, found.valid_for)
}

fn exchanger(host: MxHost, port: u16) -> Host {
    let MxHost {
        preference,
        place,
        from_mx,
        secure,
    } = host;
    // An address literal leaves the DNS nothing to choose, and no certificate names it.
    let by_mx = !place.name.starts_with('[') && place.name.parse::<IpAddr>().is_err();
    Host {
        label: Arc::from(format!("mx {}:{port}", place.name)),
        name: place.name,
        canonical: place.canonical,
        port,
        protocol: Protocol::Smtp,
        socket: None,
        ips: Arc::from(place.ips),
        preference,
        from_mx,
        by_mx,
        secure,
        ips_secure: place.secure,
    }
}

/// Configured servers. One whose addresses are not known at the moment is left out if there are others.
async fn of_nexthops(
    cx: &Context,
    lane: &LaneKey,
    nexthops: &[Nexthop],
    route: &Route,
) -> Result<(Kept, Duration), NotFound> {
    let mut hosts = Vec::with_capacity(nexthops.len());
    let mut valid_for = KEPT_MAX;
    let mut untold = "there is no server among the nexthops".to_owned();
    for (preference, nexthop) in (0..).zip(nexthops) {
        match configured(cx, nexthop, preference).await {
            Ok(Some((host, host_valid_for))) => {
                valid_for = valid_for.min(host_valid_for);
                hosts.push(host);
            }
            Ok(None) => {}
            Err(error) => {
                valid_for = Duration::ZERO;
                untold = error;
            }
        }
    }
    if hosts.is_empty() {
        return Err(NotFound::Dns(untold));
    }
    let labels: Vec<String> = nexthops.iter().map(ToString::to_string).collect();
    let tls = tls(&cx.config, lane, &hosts, route);
    let kept = Kept {
        site: site(&labels.join(" "), tls, route),
        tls,
        hosts: Arc::from(hosts),
        order: match route.nexthop_order {
            NexthopOrder::Failover => Order::Preference,
            NexthopOrder::Random => Order::Random,
        },
        maildir: None,
    };
    Ok((kept, valid_for))
}

async fn configured(
    cx: &Context,
    nexthop: &Nexthop,
    preference: u16,
) -> Result<Option<(Host, Duration)>, String> {
    let (name, port, protocol) = match nexthop {
        Nexthop::Smtp { host, port } => (host, *port, Protocol::Smtp),
        Nexthop::Lmtp(Address::Tcp(host, port)) => (host, *port, Protocol::Lmtp),
        Nexthop::Lmtp(Address::Unix(path)) => {
            let name: Arc<str> = Arc::from(path.display().to_string());
            let host = Host {
                canonical: Arc::clone(&name),
                name,
                port: 0,
                protocol: Protocol::Lmtp,
                socket: Some(Arc::from(path.as_path())),
                ips: Arc::from([]),
                preference,
                from_mx: false,
                by_mx: false,
                secure: false,
                ips_secure: false,
                label: Arc::from(nexthop.to_string()),
            };
            return Ok(Some((host, KEPT_MAX)));
        }
        Nexthop::Maildir(_) | Nexthop::Mx { .. } => return Ok(None),
    };
    let place = mx::place(&cx.resolver, name)
        .await
        .map_err(|error| format!("{name}: {error}"))?;
    let host = Host {
        name: place.name,
        canonical: place.canonical,
        port,
        protocol,
        socket: None,
        ips: Arc::from(place.ips),
        preference,
        from_mx: false,
        by_mx: false,
        secure: place.secure,
        ips_secure: place.secure,
        label: Arc::from(nexthop.to_string()),
    };
    Ok(Some((host, place.valid_for)))
}

/// What the `[[destination]]` says that covers the domain or a server, or else the route.
fn tls(config: &Config, lane: &LaneKey, hosts: &[Host], route: &Route) -> NexthopTls {
    limits::destination(config, &lane.domain, hosts)
        .and_then(|destination| destination.tls)
        .unwrap_or(route.nexthop_tls)
}

/// The servers, and all that a connection to them must have in common to serve another lane: TLS, login, pool.
fn site(servers: &str, tls: NexthopTls, route: &Route) -> Arc<str> {
    let mut site = servers.to_owned();
    if tls != NexthopTls::Opportunistic {
        // Writing to a string does not fail.
        let _ = write!(site, " tls={}", tls.as_str());
    }
    if let Some(pool) = &route.queueing.pool {
        let _ = write!(site, " pool={pool}");
    }
    if let Some(auth) = &route.nexthop_auth {
        // The password, which may differ too, must not show: the route stands for it.
        let _ = write!(site, " login={} of {}", auth.user, route.origin);
    }
    Arc::from(site)
}

/// The hosts in order, with chance where it belongs.
fn drawn(hosts: &[Host], order: Order) -> Vec<Host> {
    let mut hosts = hosts.to_vec();
    fastrand::shuffle(&mut hosts);
    if order == Order::Preference {
        hosts.sort_by_key(|host| host.preference);
    }
    hosts
}

/// This node by its configuration.
struct Node<'a>(&'a Config);

impl Ourselves for Node<'_> {
    fn is_name(&self, host: &str) -> bool {
        let listeners = self.0.listeners.iter().map(|listener| &listener.hostname);
        let pools = self
            .0
            .pools
            .iter()
            .filter_map(|pool| pool.ehlo_name.as_ref());
        listeners
            .chain(pools)
            .chain([&self.0.node.name])
            .any(|name| name.eq_ignore_ascii_case(host))
    }

    fn is_address(&self, ip: IpAddr, port: u16) -> bool {
        let mut binds = self.0.listeners.iter().flat_map(|listener| &listener.bind);
        binds.any(|bind| {
            bind.port() == port
                && (bind.ip() == ip
                    || bind.ip().is_unspecified()
                        && bind.is_ipv4() == ip.is_ipv4()
                        && is_of_this_machine(ip))
        })
    }

    fn follows_loopback(&self) -> bool {
        self.0.delivery.loopback
    }
}

/// Only addresses of this machine can be bound.
fn is_of_this_machine(ip: IpAddr) -> bool {
    UdpSocket::bind(SocketAddr::new(ip, 0)).is_ok()
}

#[cfg(test)]
mod tests;

//! Address families towards the Internet: in which order a server's addresses are tried, and which family leads nowhere at
//! the moment.
//!
//! A family without a route on this machine is never tried: the system is asked for each address which way a packet would
//! take, and nothing is sent. What routers or silence tell later (`No route to host`, connections that time out) is remembered
//! for the address, and for its family once several networks have told the same: then the other family goes first for a
//! while. The family is not given up: a server that has no other address is still tried.

use std::collections::HashSet;
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::config::{AddressPreference, Delivery, InetProtocols};
use crate::expiring::Expiring;

/// How long a family is put last after its first outage; doubled with each further one.
const PAUSE_MIN: Duration = Duration::from_secs(60);
/// At most this long.
const PAUSE_MAX: Duration = Duration::from_secs(600);

/// Networks that must have been out of reach, with no success between them, before their family is held to be: one server that is
/// down is no outage.
const NETWORKS_MIN: usize = 3;

/// Addresses that failed, remembered at one time.
const ADDRESSES_MAX: usize = 50_000;
/// How long an address that failed goes last.
const ADDRESS_PAUSE: Duration = Duration::from_secs(600);

/// An address family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
}

/// A family stopped or began to lead anywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FamilyChange {
    /// The family.
    pub family: Family,
    /// What was told; `None` when servers are reached again.
    pub fault: Option<String>,
    /// How long nothing was reached.
    pub down: Duration,
}

/// Told of each change.
pub type Observer = Arc<dyn Fn(FamilyChange) + Send + Sync>;

/// What is known of both families.
pub struct Families {
    ipv4: Mutex<State>,
    ipv6: Mutex<State>,
    failed: Expiring<IpAddr, ()>,
    observer: Observer,
}

#[derive(Default)]
struct State {
    /// Networks that were out of reach since the last success.
    networks: HashSet<ipnet::IpNet>,
    /// Outages without any success between them.
    outages: u32,
    down_since: Option<Instant>,
    down_until: Option<Instant>,
    detail: String,
}

impl Family {
    /// Whose address this is.
    pub fn of(ip: IpAddr) -> Family {
        if ip.to_canonical().is_ipv4() {
            Family::Ipv4
        } else {
            Family::Ipv6
        }
    }

    fn other(self) -> Family {
        match self {
            Family::Ipv4 => Family::Ipv6,
            Family::Ipv6 => Family::Ipv4,
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Family::Ipv4 => "IPv4",
            Family::Ipv6 => "IPv6",
        })
    }
}

impl Families {
    /// Nothing known yet.
    pub fn new(observer: Observer) -> Families {
        Families {
            ipv4: Mutex::default(),
            ipv6: Mutex::default(),
            failed: Expiring::new(ADDRESSES_MAX),
            observer,
        }
    }

    /// The addresses of one server in the order in which they are to be tried. `last` is the family that was tried last for the
    /// same message; the other one begins then.
    pub fn order(&self, ips: &[IpAddr], delivery: Delivery, last: Option<Family>) -> Vec<IpAddr> {
        let first = match (delivery.address_preference, last) {
            (AddressPreference::Ipv4, _) => Family::Ipv4,
            (AddressPreference::Ipv6, _) => Family::Ipv6,
            (AddressPreference::Any, Some(last)) => last.other(),
            (AddressPreference::Any, None) if fastrand::bool() => Family::Ipv4,
            (AddressPreference::Any, None) => Family::Ipv6,
        };
        let ips = ips
            .iter()
            .copied()
            .filter(|ip| is_allowed(*ip, delivery.inet_protocols));
        let mut ips: Vec<IpAddr> = ips.collect();
        fastrand::shuffle(&mut ips);
        let (tried_later, ips): (Vec<IpAddr>, Vec<IpAddr>) =
            ips.into_iter().partition(|ip| self.goes_last(*ip));
        let mut ordered = alternate(ips, first);
        ordered.extend(alternate(tried_later, first));
        ordered
    }

    /// A connection to this address came about.
    pub fn works(&self, ip: IpAddr) {
        self.failed.remove(&ip);
        self.leads(ip);
    }

    /// This address was silent for a moment, while one of the other family answered: it goes last for a while.
    pub fn lags(&self, ip: IpAddr) {
        self.failed.insert(ip, (), ADDRESS_PAUSE);
    }

    /// A connection to this address came about, if late: its family leads somewhere.
    pub fn leads(&self, ip: IpAddr) {
        if !is_far(ip) {
            return;
        }
        let family = Family::of(ip);
        let mut state = self.state(family);
        let ended = state.down_since;
        *state = State::default();
        drop(state);
        if let Some(since) = ended {
            (self.observer)(FamilyChange {
                family,
                fault: None,
                down: since.elapsed(),
            });
        }
    }

    /// No connection to this address came about: nobody said anything, or a router that there is no way. That a server refused
    /// tells nothing about its family.
    pub fn fails(&self, ip: IpAddr, error: &io::Error) {
        self.failed.insert(ip, (), ADDRESS_PAUSE);
        let tells = net::socket::is_unreachable(error) || error.kind() == io::ErrorKind::TimedOut;
        if !tells || !is_far(ip) {
            return;
        }
        let family = Family::of(ip);
        let mut state = self.state(family);
        state.networks.insert(net::network::of(ip));
        if state.networks.len() < NETWORKS_MIN {
            return;
        }
        state.networks.clear();
        let pause = PAUSE_MIN
            .saturating_mul(1 << state.outages.min(10))
            .min(PAUSE_MAX);
        state.outages = state.outages.saturating_add(1);
        state.down_until = Some(Instant::now() + pause);
        state.detail = error.to_string();
        if state.down_since.is_none() {
            state.down_since = Some(Instant::now());
            let fault = Some(state.detail.clone());
            drop(state);
            (self.observer)(FamilyChange {
                family,
                fault,
                down: Duration::ZERO,
            });
        }
    }

    /// The families that lead nowhere, with the last thing that was told.
    pub fn down(&self) -> Vec<(Family, String)> {
        let families = [Family::Ipv4, Family::Ipv6].into_iter();
        let down = families.filter_map(|family| {
            let state = self.state(family);
            state.down_since?;
            Some((family, state.detail.clone()))
        });
        down.collect()
    }

    fn goes_last(&self, ip: IpAddr) -> bool {
        let is_down = || {
            let state = self.state(Family::of(ip));
            state.down_until.is_some_and(|until| Instant::now() < until)
        };
        self.failed.find(&ip).is_some() || is_far(ip) && is_down()
    }

    fn state(&self, family: Family) -> MutexGuard<'_, State> {
        let state = match family {
            Family::Ipv4 => &self.ipv4,
            Family::Ipv6 => &self.ipv6,
        };
        state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether this machine knows a way to an address, from `bind` if that is given. Nothing is sent.
///
/// # Errors
/// The system's words.
pub fn route_to(ip: IpAddr, bind: Option<IpAddr>) -> io::Result<()> {
    let unspecified: IpAddr = match ip {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind(SocketAddr::new(bind.unwrap_or(unspecified), 0))?;
    // For UDP this chooses a route and an address. The port has no meaning.
    socket.connect(SocketAddr::new(ip, 25))
}

fn is_allowed(ip: IpAddr, protocols: InetProtocols) -> bool {
    match protocols {
        InetProtocols::All => true,
        InetProtocols::Ipv4 => Family::of(ip) == Family::Ipv4,
        InetProtocols::Ipv6 => Family::of(ip) == Family::Ipv6,
    }
}

/// Both families by turns, so that at most half of those tried are of one family as long as the other has any.
fn alternate(ips: Vec<IpAddr>, first: Family) -> Vec<IpAddr> {
    let count = ips.len();
    let (leading, following): (Vec<IpAddr>, Vec<IpAddr>) =
        ips.into_iter().partition(|ip| Family::of(*ip) == first);
    let (mut leading, mut following) = (leading.into_iter(), following.into_iter());
    let mut ordered = Vec::with_capacity(count);
    while ordered.len() < count {
        ordered.extend(leading.next());
        ordered.extend(following.next());
    }
    ordered
}

/// Whether an address lies beyond our own networks, so that reaching it, or not, tells something about its family.
fn is_far(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => !(ip.is_loopback() || ip.is_private() || ip.is_link_local()),
        IpAddr::V6(ip) => !(ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local()),
    }
}

#[cfg(test)]
mod tests;

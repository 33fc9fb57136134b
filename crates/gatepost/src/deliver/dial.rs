//! Connecting to a server: its addresses in turn, from our own ones, until one greets us.
//!
//! There is one way to dial, for cut-through and queue alike. Addresses without a route are left out, the others come in the
//! order of `families`. Where an address stays silent, the next one is begun beside it if it is of the other family (RFC 8305
//! section 5), so that a family that leads nowhere costs a moment and not a timeout. What lies between us and the server (a
//! PIX) is remembered.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use net::socket;
use net::stream::Stream;
use smtp::client::{PixWorkaround, StartTlsUse};
use tokio::net::TcpStream;
use tokio::time::Instant;

mod losers;

use self::losers::{Losers, Running};
use super::connection::{Connection, Manner};
use super::families::{Families, Family, route_to};
use super::fault::{Cause, Fault, Step};
use super::nexthops::Server;
use super::plan::{Host, Plan};
pub use super::security::Demand;
use super::security::{self, HostSecurity, Refused, Target};
use crate::config::{Delivery, NexthopTls};
use crate::context::Context;
use crate::expiring::Expiring;

/// How long all addresses of all hosts may take together, the time of those that talk with us included.
const DIAL_TIME_MAX: Duration = Duration::from_secs(300);

/// Addresses that are tried for one connection.
const ADDRESSES_MAX: usize = 50;

/// How long an address may be silent before one of the other family is begun beside it (RFC 8305 section 5 advises 250 ms; this
/// is farther from what a busy server takes).
const STAGGER: Duration = Duration::from_millis(400);

/// Peers with a PIX in front, remembered at one time.
const PIX_PEERS_MAX: usize = 10_000;
/// How long they are.
const PIX_LIFETIME: Duration = Duration::from_secs(86_400);

/// What is remembered of the ways to servers, for all who dial.
pub struct Ways {
    /// Which address family leads anywhere.
    pub families: Arc<Families>,
    losers: Losers,
    /// Addresses at which the SMTP fixup of a PIX was recognised.
    pix: Expiring<IpAddr, ()>,
}

/// One attempt to get a connection: at one host, or at several in turn.
pub(super) struct Attempt<'a> {
    ways: &'a Ways,
    delivery: Delivery,
    deadline: Instant,
    tried: usize,
    last: Option<Family>,
    fault: Option<Fault>,
}

/// An address of the host, and ours to connect from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Candidate {
    address: SocketAddr,
    bind: Option<IpAddr>,
}

impl Ways {
    /// Nothing known yet.
    pub fn new(families: Families) -> Ways {
        Ways {
            families: Arc::new(families),
            losers: Losers::default(),
            pix: Expiring::new(PIX_PEERS_MAX),
        }
    }
}

/// Connects to the first server of the plan that greets us, and that proves who it is where records, policies, the route or the
/// message want it.
///
/// # Errors
/// The last fault, if none does. Of those that no waiting mends, none hides one that may pass.
pub async fn dial(cx: &Context, plan: &Plan, demand: Demand) -> Result<Connection, Fault> {
    let mut attempt = Attempt::new(&cx.services.ways, cx.config.delivery);
    let mut lasting = None;
    for host in &plan.hosts {
        let manner = manner(cx, plan, host);
        let connected = match &host.socket {
            Some(path) => attempt.unix(path, &manner).await,
            None => match secure(cx, plan, host, demand).await {
                Ok(security) => attempt.securely(cx, plan, host, manner, &security).await,
                Err(fault) if fault.is_permanent() => {
                    lasting = Some(fault);
                    None
                }
                Err(fault) => {
                    attempt.failed(fault);
                    None
                }
            },
        };
        if let Some(connection) = connected {
            return Ok(connection);
        }
        if attempt.is_over() {
            break;
        }
    }
    let cause = || Cause::Unroutable("the plan has no server".to_owned());
    Err(attempt
        .into_fault()
        .or(lasting)
        .unwrap_or_else(|| Fault::new(&*plan.site, Step::Connect, cause())))
}

/// The same, and a refusal is noted for reports.
async fn secure(
    cx: &Context,
    plan: &Plan,
    host: &Host,
    demand: Demand,
) -> Result<HostSecurity, Fault> {
    let security = require(cx, plan, host, demand).await;
    security.map_err(|refused| {
        refused.note(&cx.services.tls_reports, &session(plan, host, None));
        refused.fault
    })
}

/// How a server of the plan must prove who it is. A connection that is there already may serve if it
/// [meets](Connection::meets) that.
///
/// # Errors
/// It must not be used.
pub(super) async fn require(
    cx: &Context,
    plan: &Plan,
    host: &Host,
    demand: Demand,
) -> Result<HostSecurity, Refused> {
    let target = Target {
        domain: &plan.domain,
        host: &host.name,
        canonical: &host.canonical,
        port: host.port,
        by_mx: host.by_mx,
        secure: host.secure,
        ips_secure: host.ips_secure,
        tls: plan.tls,
        label: &host.label,
    };
    // Boxed: a policy may have to be fetched, and the room for that must not stay in the future of every delivery.
    Box::pin(cx.dialling.tls_policies.host_security(&target, demand)).await
}

fn session<'a>(
    plan: &'a Plan,
    host: &'a Host,
    connection: Option<&Connection>,
) -> security::Attempt<'a> {
    security::Attempt {
        domain: &plan.domain,
        host: &host.name,
        ip: connection.and_then(Connection::peer_ip),
        local_ip: connection.and_then(Connection::local_ip),
    }
}

fn manner(cx: &Context, plan: &Plan, host: &Host) -> Manner {
    cx.dialling.manner(
        &plan.route.route,
        Server {
            label: &host.label,
            name: &host.name,
            protocol: host.protocol,
        },
        plan.tls,
    )
}

impl<'a> Attempt<'a> {
    pub(super) fn new(ways: &'a Ways, delivery: Delivery) -> Attempt<'a> {
        Attempt {
            ways,
            delivery,
            deadline: Instant::now() + DIAL_TIME_MAX,
            tried: 0,
            last: None,
            fault: None,
        }
    }

    /// Whether time or addresses are used up.
    pub(super) fn is_over(&self) -> bool {
        self.tried >= ADDRESSES_MAX || Instant::now() >= self.deadline
    }

    /// The last fault, if there was any.
    pub(super) fn into_fault(self) -> Option<Fault> {
        self.fault
    }

    /// Remembers why something did not come about.
    pub(super) fn failed(&mut self, fault: Fault) {
        self.fault = Some(fault);
    }

    /// The first address that greets us; `None` if none does.
    pub(super) async fn host(
        &mut self,
        ips: &[IpAddr],
        port: u16,
        manner: &Manner,
    ) -> Option<Connection> {
        let mut waiting = self.candidates(ips, port, manner);
        while let Some((candidate, stream)) = self.race(&mut waiting, manner).await {
            let ip = candidate.address.ip();
            match self.greet(Stream::Tcp(stream), ip, manner).await {
                Ok(connection) => return Some(connection),
                Err(fault) => self.failed(fault),
            }
        }
        None
    }

    /// The first address of the host that greets us and proves itself as it must. Where nothing more than opportunistic TLS is asked
    /// for, a handshake that fails is followed by another try in clear (RFC 7435 section 3).
    async fn securely(
        &mut self,
        cx: &Context,
        plan: &Plan,
        host: &Host,
        mut manner: Manner,
        security: &HostSecurity,
    ) -> Option<Connection> {
        security.apply(&mut manner);
        let before = self.fault.take();
        let mut connected = self.host(&host.ips, host.port, &manner).await;
        let reports = &cx.services.tls_reports;
        let session = session(plan, host, connected.as_ref());
        match (&connected, &self.fault) {
            (Some(connection), _) => {
                let outcome = (connection.proof(), connection.is_tls());
                security.note(reports, &session, Ok(outcome));
            }
            (None, Some(fault)) => {
                security.note(reports, &session, Err(fault));
                // RFC 7435 3: where nothing is promised, a handshake that fails or stalls must not cost the message.
                let is_of_tls =
                    matches!(fault.cause, Cause::Handshake { .. }) || fault.step == Step::Tls;
                if manner.tls == NexthopTls::Opportunistic && is_of_tls && !self.is_over() {
                    manner.tls = NexthopTls::Off;
                    connected = self.host(&host.ips, host.port, &manner).await;
                }
            }
            (None, None) => {}
        }
        if self.fault.is_none() {
            self.fault = before;
        }
        connected
    }

    /// A unix socket, which is where it is.
    pub(super) async fn unix(&mut self, path: &Path, manner: &Manner) -> Option<Connection> {
        let connected = socket::connect_unix(path, manner.timeouts.connect).await;
        let greeted = match connected {
            Ok(stream) => {
                Connection::greet(Stream::Unix(stream), manner, PixWorkaround::Detect).await
            }
            Err(error) => Err(fault(manner, Cause::Io(error))),
        };
        greeted.map_err(|fault| self.failed(fault)).ok()
    }

    /// The addresses that can be tried, in order, each with one of ours.
    fn candidates(&mut self, ips: &[IpAddr], port: u16, manner: &Manner) -> VecDeque<Candidate> {
        let ordered = self.ways.families.order(ips, self.delivery, self.last);
        let mut unreachable = None;
        let mut candidates = VecDeque::with_capacity(ordered.len());
        for ip in ordered {
            let found = ours(&manner.bind, ip)
                .and_then(|bind| route_to(ip, bind).map(|()| bind))
                .map(|bind| Candidate {
                    address: SocketAddr::new(ip, port),
                    bind,
                });
            match found {
                Ok(candidate) => candidates.push_back(candidate),
                Err(error) => unreachable = Some((ip, error)),
            }
        }
        if candidates.is_empty() {
            let cause = match unreachable {
                Some((ip, error)) => Cause::Unroutable(format!("no way to {ip}: {error}")),
                None => Cause::Unroutable(
                    "it has no address of a family that [delivery] inet_protocols allows"
                        .to_owned(),
                ),
            };
            self.failed(fault(manner, cause));
        }
        candidates
    }

    /// The first connection of those that wait, begun one after the other, or beside each other where one is silent.
    async fn race(
        &mut self,
        waiting: &mut VecDeque<Candidate>,
        manner: &Manner,
    ) -> Option<(Candidate, TcpStream)> {
        let mut running: Running<TcpStream> = Running::new();
        let mut begun: Vec<Candidate> = Vec::with_capacity(2);
        loop {
            if running.is_empty() {
                begun.clear();
                let next = self.next(waiting)?;
                begun.push(next);
                running.push(self.connect(next, manner));
            }
            let is_other = |next: &Candidate| {
                let family = |candidate: &Candidate| Family::of(candidate.address.ip());
                begun.iter().all(|other| family(other) != family(next))
            };
            let may_join = !self.is_over() && waiting.front().is_some_and(is_other);
            tokio::select! {
                Some((address, connected)) = running.next() => match connected {
                    Ok(stream) => {
                        return Some((self.won(address, &begun, running, waiting)?, stream));
                    }
                    Err(error) => {
                        begun.retain(|other| other.address != address);
                        self.ways.families.fails(address.ip(), &error);
                        self.failed(fault(manner, Cause::Io(error)));
                    }
                },
                () = tokio::time::sleep(STAGGER), if may_join => {
                    if let Some(next) = self.next(waiting) {
                        begun.push(next);
                        running.push(self.connect(next, manner));
                    }
                }
            }
        }
    }

    fn next(&mut self, waiting: &mut VecDeque<Candidate>) -> Option<Candidate> {
        if self.is_over() {
            return None;
        }
        let next = waiting.pop_front()?;
        self.tried += 1;
        self.last = Some(Family::of(next.address.ip()));
        Some(next)
    }

    fn connect(
        &self,
        candidate: Candidate,
        manner: &Manner,
    ) -> BoxFuture<'static, (SocketAddr, io::Result<TcpStream>)> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        let limit = manner.timeouts.connect.min(left);
        Box::pin(async move {
            let connected = socket::connect(candidate.address, candidate.bind, limit).await;
            (candidate.address, connected)
        })
    }

    /// The winner. Those that were begun earlier have been silent for longer: their addresses go last, and if they stay silent
    /// that counts as a failure, since a timeout would cost each message its whole time. All may still be tried, should the winner
    /// not greet us.
    fn won(
        &self,
        address: SocketAddr,
        begun: &[Candidate],
        running: Running<TcpStream>,
        waiting: &mut VecDeque<Candidate>,
    ) -> Option<Candidate> {
        self.ways.families.works(address.ip());
        let place = begun.iter().position(|other| other.address == address)?;
        let earlier = begun.iter().take(place).map(|loser| loser.address);
        let (families, silent) = (&self.ways.families, earlier.collect());
        self.ways.losers.watch(families, running, silent, address);
        let others = begun.iter().filter(|other| other.address != address);
        waiting.extend(others);
        begun.get(place).copied()
    }

    async fn greet(
        &self,
        stream: Stream,
        ip: IpAddr,
        manner: &Manner,
    ) -> Result<Connection, Fault> {
        // HELO leaves no STARTTLS: where TLS is a must, the peer is asked anew.
        let is_known =
            manner.tls.starttls() != StartTlsUse::Require && self.ways.pix.find(&ip).is_some();
        let pix = if is_known {
            PixWorkaround::Known
        } else {
            PixWorkaround::Detect
        };
        let connection = Connection::greet(stream, manner, pix).await?;
        if !is_known && connection.works_around_pix() {
            self.ways.pix.insert(ip, (), PIX_LIFETIME);
        }
        Ok(connection)
    }
}

fn fault(manner: &Manner, cause: Cause) -> Fault {
    Fault::new(&*manner.label, Step::Connect, cause)
}

/// The address of ours to connect from; `None` for what the system chooses.
fn ours(bind: &[IpAddr], peer: IpAddr) -> io::Result<Option<IpAddr>> {
    if bind.is_empty() {
        return Ok(None);
    }
    let family = Family::of(peer);
    let same: Vec<IpAddr> = bind
        .iter()
        .copied()
        .filter(|ip| Family::of(*ip) == family)
        .collect();
    match same.get(fastrand::usize(..same.len().max(1))) {
        Some(ip) => Ok(Some(*ip)),
        None => Err(io::Error::new(
            io::ErrorKind::AddrNotAvailable,
            format!("the pool has no {family} address"),
        )),
    }
}

#[cfg(test)]
mod tests;

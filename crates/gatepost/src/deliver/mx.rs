//! Which servers take the messages of a domain: mail exchangers, or the domain itself (RFC 5321 section 5.1), none (RFC 7505),
//! an address literal (section 4.1.3).
//!
//! Nothing is dialled here, and no order is chosen among equals; that is done anew for each connection, in `plan`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use net::resolver::{ByFamily, DnsError, Mx, Resolver};

use super::fault::Undeliverable;

/// Mail exchangers that are looked at, the most preferred.
pub(super) const HOSTS_MAX: usize = 20;
/// Addresses of all of them together.
pub(super) const ADDRESSES_MAX: usize = 50;

/// Where a domain wants its messages, and how long that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// By preference; not empty, and all with addresses.
    pub(super) hosts: Vec<MxHost>,
    pub(super) valid_for: Duration,
    /// Why a further exchanger is not among them, although it may have an address.
    untold: Option<String>,
}

/// A server of a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MxHost {
    pub(super) preference: u16,
    pub(super) place: Place,
    /// An MX record names it; it is not the domain itself.
    pub(super) from_mx: bool,
    /// That record is secure (RFC 7672 section 2.2.1).
    pub(super) secure: bool,
}

/// A host and its addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// As it is named: in lower case without the final dot.
    pub(super) name: Arc<str>,
    /// What it is an alias of; the name itself if it is none.
    pub(super) canonical: Arc<str>,
    /// Not empty.
    pub(super) ips: Vec<IpAddr>,
    /// The addresses are secure.
    pub(super) secure: bool,
    pub(super) valid_for: Duration,
}

/// Why there is no server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NotFound {
    /// The domain's owner says so, or has made it so.
    Undeliverable(Undeliverable),
    /// The DNS did not tell.
    Dns(String),
}

/// Whether a host, or an address of it, is this node itself, listening there.
pub(super) trait Ourselves {
    fn is_name(&self, host: &str) -> bool;
    fn is_address(&self, ip: IpAddr, port: u16) -> bool;
    /// Whether domains may have servers at loopback addresses.
    fn follows_loopback(&self) -> bool;
}

/// The servers of a recipient domain: A-labels in lower case, or an address literal in brackets.
pub(super) async fn find(
    resolver: &Resolver,
    domain: &str,
    port: u16,
    ourselves: &impl Ourselves,
) -> Result<Found, NotFound> {
    let found = match literal(domain) {
        Some(ip) => of_literal(domain, ip),
        None if domain.starts_with('[') => {
            return Err(no_host(format!(
                "{domain} is no address that messages can go to"
            )));
        }
        None => of_domain(resolver, domain, ourselves).await?,
    };
    let hosts = without_loopback(found.hosts, ourselves)
        .and_then(|hosts| without_ourselves(hosts, port, ourselves));
    match (hosts, found.untold) {
        (Ok(hosts), untold) => Ok(Found {
            hosts,
            valid_for: found.valid_for,
            untold,
        }),
        // The one that is not known now may be another node.
        (Err(_), Some(untold)) => Err(NotFound::Dns(untold)),
        (Err(why), None) => Err(NotFound::Undeliverable(why)),
    }
}

/// The addresses of a host, of both families. A family that is not told now does no harm if the other one is.
pub(super) async fn place(resolver: &Resolver, host: &str) -> Result<Place, DnsError> {
    let ByFamily { ipv4, ipv6 } = resolver.ip_by_family(host).await;
    let answers = match (ipv4, ipv6) {
        (Ok(ipv4), Ok(ipv6)) => vec![ipv4, ipv6],
        (Ok(answered), Err(_)) | (Err(_), Ok(answered)) => vec![answered],
        (Err(absence), Err(error)) if absence.is_absence() => return Err(error),
        (Err(error), Err(_)) => return Err(error),
    };
    let canonical = answers.first().map_or(host, |answered| &answered.name);
    let mut ips: Vec<IpAddr> = Vec::new();
    for ip in answers.iter().flat_map(|answered| &answered.value) {
        // RFC 4291 section 2.5.5.2: an IPv4-mapped address is reached over IPv4.
        let ip = ip.to_canonical();
        if can_be_a_server(ip) && !ips.contains(&ip) {
            ips.push(ip);
        }
    }
    if ips.is_empty() {
        return Err(DnsError::NoRecord);
    }
    Ok(Place {
        name: Arc::from(host),
        canonical: Arc::from(canonical),
        secure: answers.iter().all(|answered| answered.secure),
        valid_for: answers
            .iter()
            .map(|answered| answered.valid_for)
            .min()
            .unwrap_or_default(),
        ips,
    })
}

/// The unspecified address would lead to this machine, the others to nobody in particular (RFC 6890).
fn can_be_a_server(ip: IpAddr) -> bool {
    let is_broadcast = matches!(ip, IpAddr::V4(ip) if ip.is_broadcast());
    !(ip.is_unspecified() || ip.is_multicast() || is_broadcast)
}

/// The address in an address literal (RFC 5321 section 4.1.3).
fn literal(domain: &str) -> Option<IpAddr> {
    let inner = domain.strip_prefix('[')?.strip_suffix(']')?;
    let tag = inner
        .get(..5)
        .filter(|tag| tag.eq_ignore_ascii_case("IPv6:"));
    let ip = match tag.and_then(|tag| inner.get(tag.len()..)) {
        Some(ipv6) => ipv6.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => inner.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
    };
    ip.map(|ip| ip.to_canonical())
        .filter(|ip| can_be_a_server(*ip))
}

fn of_literal(domain: &str, ip: IpAddr) -> Found {
    let valid_for = Duration::from_secs(3600);
    let place = Place {
        name: Arc::from(domain),
        canonical: Arc::from(domain),
        ips: vec![ip],
        secure: false,
        valid_for,
    };
    Found {
        hosts: vec![MxHost {
            preference: 0,
            place,
            from_mx: false,
            secure: false,
        }],
        valid_for,
        untold: None,
    }
}

async fn of_domain(
    resolver: &Resolver,
    domain: &str,
    ourselves: &impl Ourselves,
) -> Result<Found, NotFound> {
    let answered = match resolver.mx_answer(domain).await {
        Ok(answered) => answered,
        // Only the absence of MX records makes the domain its own exchanger: if they cannot be known, waiting is all there is.
        Err(DnsError::NoRecord) => return of_itself(resolver, domain).await,
        Err(DnsError::NoSuchName) => {
            return Err(NotFound::Undeliverable(Undeliverable::NoSuchDomain));
        }
        Err(error) => return Err(NotFound::Dns(error.to_string())),
    };
    let is_null = |mx: &Mx| mx.exchange.is_empty();
    if answered.value.iter().all(is_null) {
        return Err(NotFound::Undeliverable(Undeliverable::NullMx));
    }
    let mut exchangers = answered.value;
    // An address is no host name (RFC 5321 section 5.1, RFC 1035 section 3.3.9).
    exchangers.retain(|mx| !is_null(mx) && mx.exchange.parse::<IpAddr>().is_err());
    exchangers.sort_by_key(|mx| mx.preference);
    exchangers.dedup_by(|later, earlier| later.exchange == earlier.exchange);
    let ours = without_our_name(&mut exchangers, ourselves).map_err(NotFound::Undeliverable)?;
    exchangers.truncate(HOSTS_MAX);
    let places = join_all(exchangers.iter().map(|mx| place(resolver, &mx.exchange))).await;
    let mut valid_for = answered.valid_for;
    let mut hosts = Vec::with_capacity(exchangers.len());
    let mut untold = None;
    let mut addresses_left = ADDRESSES_MAX;
    for (mx, place) in exchangers.iter().zip(places) {
        match place {
            Ok(mut place) => {
                place.ips.truncate(addresses_left);
                addresses_left -= place.ips.len();
                valid_for = valid_for.min(place.valid_for);
                if !place.ips.is_empty() {
                    hosts.push(MxHost {
                        preference: mx.preference,
                        place,
                        from_mx: true,
                        secure: answered.secure,
                    });
                }
            }
            Err(error) if error.is_absence() => {}
            Err(error) => untold = Some(format!("{}: {error}", mx.exchange)),
        }
    }
    match (hosts.is_empty(), untold) {
        (false, untold) => Ok(Found {
            hosts,
            // The other exchangers are asked for again soon.
            valid_for: untold.as_ref().map_or(valid_for, |_| Duration::ZERO),
            untold,
        }),
        (true, Some(untold)) => Err(NotFound::Dns(untold)),
        (true, None) => Err(match ours {
            Some(name) => NotFound::Undeliverable(loops(&name)),
            None => no_host(format!(
                "none of the mail exchangers of {domain} has an address"
            )),
        }),
    }
}

/// The implicit MX (RFC 5321 section 5.1).
async fn of_itself(resolver: &Resolver, domain: &str) -> Result<Found, NotFound> {
    match place(resolver, domain).await {
        Ok(mut place) => {
            place.ips.truncate(ADDRESSES_MAX);
            Ok(Found {
                valid_for: place.valid_for,
                hosts: vec![MxHost {
                    preference: 0,
                    secure: place.secure,
                    place,
                    from_mx: false,
                }],
                untold: None,
            })
        }
        Err(DnsError::NoSuchName) => Err(NotFound::Undeliverable(Undeliverable::NoSuchDomain)),
        Err(DnsError::NoRecord) => Err(no_host(format!(
            "{domain} has neither mail exchangers nor an address"
        ))),
        Err(error) => Err(NotFound::Dns(error.to_string())),
    }
}

fn no_host(detail: String) -> NotFound {
    NotFound::Undeliverable(Undeliverable::NoHost(detail))
}

/// RFC 5321 section 5.1: if this node is among them, only the more preferred ones count; those that are no better would hand the
/// message back. What we are called is known without an address. Returns the name, if it was there.
fn without_our_name(
    exchangers: &mut Vec<Mx>,
    ourselves: &impl Ourselves,
) -> Result<Option<String>, Undeliverable> {
    let ours = exchangers
        .iter()
        .filter(|mx| ourselves.is_name(&mx.exchange))
        .min_by_key(|mx| mx.preference);
    let Some(Mx {
        preference,
        exchange: name,
    }) = ours.cloned()
    else {
        return Ok(None);
    };
    exchangers.retain(|mx| mx.preference < preference);
    if exchangers.is_empty() {
        return Err(loops(&name));
    }
    Ok(Some(name))
}

/// The same for what is known by its addresses, and for a domain that is its own exchanger.
fn without_ourselves(
    mut hosts: Vec<MxHost>,
    port: u16,
    ourselves: &impl Ourselves,
) -> Result<Vec<MxHost>, Undeliverable> {
    let is_ours = |host: &MxHost| {
        let mut ips = host.place.ips.iter();
        ourselves.is_name(&host.place.name) || ips.any(|ip| ourselves.is_address(*ip, port))
    };
    let Some(ours) = hosts
        .iter()
        .filter(|host| is_ours(host))
        .min_by_key(|host| host.preference)
    else {
        return Ok(hosts);
    };
    let (preference, name) = (ours.preference, Arc::clone(&ours.place.name));
    hosts.retain(|host| host.preference < preference);
    if hosts.is_empty() {
        return Err(loops(&name));
    }
    Ok(hosts)
}

/// A server at a loopback address is this machine, whoever's domain it is: what listens there (a filter, the backend of this very
/// node) takes messages that are checked already and is nobody else's to name. Such addresses count as none.
fn without_loopback(
    mut hosts: Vec<MxHost>,
    ourselves: &impl Ourselves,
) -> Result<Vec<MxHost>, Undeliverable> {
    if ourselves.follows_loopback() {
        return Ok(hosts);
    }
    let first = hosts.first().map(|host| Arc::clone(&host.place.name));
    hosts.retain_mut(|host| {
        // Mapped ones are IPv4 addresses by now.
        host.place.ips.retain(|ip| !ip.is_loopback());
        !host.place.ips.is_empty()
    });
    match first {
        Some(name) if hosts.is_empty() => Err(Undeliverable::Loop(format!(
            "{name} has a loopback address, which leads back to this node"
        ))),
        _ => Ok(hosts),
    }
}

fn loops(name: &str) -> Undeliverable {
    Undeliverable::Loop(format!(
        "{name} is this node itself, which has no other nexthop for the domain"
    ))
}

#[cfg(test)]
mod tests;

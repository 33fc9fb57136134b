//! Names and addresses: questions to the DNS (RFC 1035) by way of hickory-resolver, or to a zone
//! text in tests.
//!
//! What there is, what there is not, and what cannot be known now are three answers (RFC 5321
//! section 3.6 and 5.1 treat them differently), and nothing else is. Every name is taken as fully
//! qualified: the search list of the system is for people who type. Whether an answer is secure
//! (RFC 4033 section 5) is told with it, where nameservers are trusted to know.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use hickory_resolver::proto::rr::Name;

use crate::limits::{DNS_POSITIVE_SECONDS_MAX, DNS_REVERSE_NAMES_MAX};

mod dns;
mod names;
mod outage;
mod zone;

pub use names::ascii_name;
pub use outage::Outage;
pub use zone::ZoneError;

use names::{is_host_name, is_localhost, name, text};

/// Asks the DNS. Cheap to clone; clones share one cache.
#[derive(Clone, Debug)]
pub struct Resolver {
    source: Arc<Source>,
}

/// One mail exchanger (RFC 5321 section 5.1).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mx {
    /// Lower is tried first.
    pub preference: u16,
    /// Host name in lower case without the final dot. Empty: the domain takes no messages (RFC 7505
    /// null MX).
    pub exchange: String,
}

/// One association of a certificate with a service (RFC 6698 section 2.1); the numbers as published,
/// also those without meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tlsa {
    /// Certificate usage: 2 is DANE-TA, 3 DANE-EE.
    pub usage: u8,
    /// 0 is the whole certificate, 1 its public key.
    pub selector: u8,
    /// 0 is the data itself, 1 its SHA-256, 2 its SHA-512.
    pub matching: u8,
    /// The certificate association data.
    pub data: Vec<u8>,
}

/// An answer, and how far to believe it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered<T> {
    /// What was asked for.
    pub value: T,
    /// Whose it is: the name asked for, or the canonical one if that is an alias (CNAME), in lower
    /// case without the final dot.
    pub name: String,
    /// Whether all of it, aliases included, is secure (RFC 4033 section 5). Never so without
    /// [`Dnssec::Trust`].
    pub secure: bool,
    /// How long it may be kept.
    pub valid_for: Duration,
}

/// The addresses of a host, each family with an answer of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ByFamily {
    /// A records.
    pub ipv4: Result<Answered<Vec<IpAddr>>, DnsError>,
    /// AAAA records.
    pub ipv6: Result<Answered<Vec<IpAddr>>, DnsError>,
}

/// What is made of DNSSEC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dnssec {
    /// Nothing: no answer is secure.
    Off,
    /// The nameservers validate, and tell by the AD bit what is secure (RFC 4035 section 3.2.3). The
    /// way to them must be as safe as they are: loopback, as a rule.
    Trust,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DnsError {
    /// The name does not exist (NXDOMAIN), or can be no name.
    NoSuchName,
    /// The name exists, but has no such record.
    NoRecord,
    /// The DNS did not tell: a timeout, a failing server, signatures that are wrong. Later it may.
    Temporary {
        /// What happened, for the log.
        detail: String,
    },
}

impl DnsError {
    /// True if the answer is that there is none; false if there may be one.
    pub fn is_absence(&self) -> bool {
        matches!(self, DnsError::NoSuchName | DnsError::NoRecord)
    }

    fn temporary(detail: impl Into<String>) -> DnsError {
        DnsError::Temporary {
            detail: detail.into(),
        }
    }
}

impl Resolver {
    /// Asks the nameservers of this system (`/etc/resolv.conf`), after `/etc/hosts`. Where none are
    /// named, asks the one on this machine, as resolv.conf(5) has it. Needs a tokio runtime when
    /// asked, not before.
    ///
    /// # Errors
    /// Those of reading these files.
    pub fn system() -> io::Result<Resolver> {
        dns::Dns::system().map(|dns| Resolver::new(Source::Dns(Box::new(dns))))
    }

    /// Asks these nameservers, and nobody else.
    ///
    /// # Errors
    /// `ErrorKind::InvalidInput` if there are none.
    pub fn from_nameservers(nameservers: &[SocketAddr]) -> io::Result<Resolver> {
        dns::Dns::of(nameservers, dns::Patience::default())
            .map(|dns| Resolver::new(Source::Dns(Box::new(dns))))
    }

    /// The same nameservers with DNSSEC as said. A zone text says by itself what is secure.
    #[must_use]
    pub fn with_dnssec(self, dnssec: Dnssec) -> Resolver {
        match &*self.source {
            Source::Dns(dns) => Resolver::new(Source::Dns(Box::new(dns.with_dnssec(dnssec)))),
            Source::Zone(_) => self,
        }
    }

    /// Whether all nameservers are on this machine, so that nobody can put words into their mouths.
    pub fn is_local(&self) -> bool {
        match &*self.source {
            Source::Dns(dns) => dns.is_local(),
            Source::Zone(_) => true,
        }
    }

    /// Tells `observer` when no nameserver answers any more, and when one does again. The first observer stays.
    pub fn observe(&self, observer: impl Fn(Outage) + Send + Sync + 'static) {
        if let Source::Dns(dns) = &*self.source {
            dns.observe(Box::new(observer));
        }
    }

    /// For how long no nameserver has answered, a probe included; `None` if they do. Meanwhile questions fail at once.
    pub fn outage(&self) -> Option<Duration> {
        match &*self.source {
            Source::Dns(dns) => dns.outage(),
            Source::Zone(_) => None,
        }
    }

    /// Answers from the lines of a zone file, without any network: `NAME [TTL] [IN] TYPE DATA`,
    /// with the types A, AAAA, CNAME, MX, PTR, TLSA and TXT. Names are fully qualified, with or
    /// without the final dot. The type `SERVFAIL` or `TIMEOUT`, without data, makes every question
    /// for a name fail that way; `SECURE` makes the answers for a name and all below it secure. What
    /// is not in it does not exist.
    ///
    /// # Errors
    /// [`ZoneError`] names the line.
    pub fn zone(text: &str) -> Result<Resolver, ZoneError> {
        zone::Zone::parse(text).map(|zone| Resolver::new(Source::Zone(zone)))
    }

    /// The addresses of a host, IPv4 before IPv6; at least one. An address as `host` is its own
    /// answer, and `localhost` (RFC 6761 section 6.3) is this machine: both are answered without
    /// asking.
    ///
    /// # Errors
    /// [`DnsError::Temporary`] only if neither family yields an address and one of them cannot be
    /// known.
    pub async fn ip(&self, host: &str) -> Result<Vec<IpAddr>, DnsError> {
        if let Ok(ip) = host.parse::<IpAddr>() {
            return Ok(vec![ip]);
        }
        if is_localhost(host) {
            return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
        }
        let ByFamily { ipv4, ipv6 } = self.ip_by_family(host).await;
        match (ipv4, ipv6) {
            (Ok(ipv4), Ok(ipv6)) => Ok([ipv4.value, ipv6.value].concat()),
            (Ok(answered), Err(_)) | (Err(_), Ok(answered)) => Ok(answered.value),
            // What one family says of the name holds for both, unless it was not told.
            (Err(absence), Err(error)) if absence.is_absence() => Err(error),
            (Err(error), Err(_)) => Err(error),
        }
    }

    /// The addresses of a host, what is known of each family apart. An address as `host`, and
    /// `localhost`, are answered as by [`ip`](Resolver::ip).
    pub async fn ip_by_family(&self, host: &str) -> ByFamily {
        let (ipv4, ipv6) = tokio::join!(self.ipv4(host), self.ipv6(host));
        ByFamily { ipv4, ipv6 }
    }

    /// The IPv4 addresses of a host, without a question about IPv6 (for SPF, RFC 7208 section 5). An address as `host`,
    /// and `localhost`, are answered as by [`ip`](Resolver::ip).
    ///
    /// # Errors
    /// [`DnsError`].
    pub async fn ipv4(&self, host: &str) -> Result<Answered<Vec<IpAddr>>, DnsError> {
        self.ip_of(host, Kind::A, Ipv4Addr::LOCALHOST.into()).await
    }

    /// The IPv6 addresses of a host, without a question about IPv4.
    ///
    /// # Errors
    /// [`DnsError`].
    pub async fn ipv6(&self, host: &str) -> Result<Answered<Vec<IpAddr>>, DnsError> {
        self.ip_of(host, Kind::Aaaa, Ipv6Addr::LOCALHOST.into())
            .await
    }

    async fn ip_of(
        &self,
        host: &str,
        kind: Kind,
        localhost: IpAddr,
    ) -> Result<Answered<Vec<IpAddr>>, DnsError> {
        let given = match host.parse::<IpAddr>() {
            Ok(ip) if ip.is_ipv4() == localhost.is_ipv4() => Some(ip),
            Ok(_) => return Err(DnsError::NoRecord),
            Err(_) => is_localhost(host).then_some(localhost),
        };
        if let Some(ip) = given {
            return Ok(Answered {
                value: vec![ip],
                name: host.to_owned(),
                secure: false,
                valid_for: Duration::from_secs(DNS_POSITIVE_SECONDS_MAX),
            });
        }
        let answered = self.ask(&name(host)?, kind).await?;
        Ok(answered.map(|answers| {
            let ips = answers.into_iter().filter_map(|answer| match answer {
                Answer::Ip(ip) => Some(ip),
                _ => None,
            });
            ips.collect()
        }))
    }

    /// The names that the reverse zone gives an address (RFC 1035 section 3.5, RFC 3596 section
    /// 2.5), unconfirmed: whoever holds the zone can write any. Those that can be no host name are
    /// left out.
    ///
    /// # Errors
    /// [`DnsError`]; `NoRecord` also if no host name is left.
    pub async fn ptr(&self, ip: IpAddr) -> Result<Vec<String>, DnsError> {
        let answered = self.ask(&Name::from(ip.to_canonical()), Kind::Ptr).await?;
        let names = answered
            .value
            .into_iter()
            .filter_map(|answer| match answer {
                Answer::Name(name) if is_host_name(&name) => Some(name),
                _ => None,
            });
        found(names.collect())
    }

    /// The TXT records of a name, the strings of each joined (RFC 7208 section 3.3), with `U+FFFD`
    /// for what is no UTF-8.
    ///
    /// # Errors
    /// [`DnsError`].
    pub async fn txt(&self, name: &str) -> Result<Vec<String>, DnsError> {
        let answered = self.ask(&self::name(name)?, Kind::Txt).await?;
        let texts = answered
            .value
            .into_iter()
            .filter_map(|answer| match answer {
                Answer::Text(text) => Some(text),
                _ => None,
            });
        found(texts.collect())
    }

    /// The mail exchangers of a domain, most preferred first. Without any, RFC 5321 section 5.1
    /// takes the domain itself for a host: that is for who delivers. If the domain is an alias, they
    /// are those of its canonical name, which is told with them.
    ///
    /// # Errors
    /// [`DnsError`].
    pub async fn mx_answer(&self, domain: &str) -> Result<Answered<Vec<Mx>>, DnsError> {
        let answered = self.ask(&name(domain)?, Kind::Mx).await?;
        Ok(answered.map(|answers| {
            let exchangers = answers.into_iter().filter_map(|answer| match answer {
                Answer::Mx(mx) => Some(mx),
                _ => None,
            });
            let mut exchangers: Vec<Mx> = exchangers.collect();
            exchangers.sort_by_key(|mx| mx.preference);
            exchangers
        }))
    }

    /// The certificate associations of a TCP service of a host (RFC 6698 section 3).
    ///
    /// # Errors
    /// [`DnsError`].
    pub async fn tlsa(&self, port: u16, host: &str) -> Result<Answered<Vec<Tlsa>>, DnsError> {
        let answered = self
            .ask(&name(&format!("_{port}._tcp.{host}"))?, Kind::Tlsa)
            .await?;
        Ok(answered.map(|answers| {
            let associations = answers.into_iter().filter_map(|answer| match answer {
                Answer::Tlsa(tlsa) => Some(tlsa),
                _ => None,
            });
            associations.collect()
        }))
    }

    /// What a name is an alias of (CNAME), without following it further: RFC 7672 section 2.2.2 wants
    /// to know whether that record alone is secure.
    ///
    /// # Errors
    /// [`DnsError`]; `NoRecord` if it is no alias.
    pub async fn alias(&self, host: &str) -> Result<Answered<String>, DnsError> {
        let answered = self.ask(&name(host)?, Kind::Cname).await?;
        let Answered {
            value,
            name,
            secure,
            valid_for,
        } = answered;
        match value.into_iter().next() {
            Some(Answer::Name(value)) => Ok(Answered {
                value,
                name,
                secure,
                valid_for,
            }),
            _ => Err(DnsError::NoRecord),
        }
    }

    /// The name of a client that both sides agree on: a name of the address that has this address
    /// (RFC 8601 `iprev`, section 3). `None`: there is none. Of many names, five are looked at.
    ///
    /// # Errors
    /// [`DnsError::Temporary`] if no name is confirmed, and one could be when the DNS answers
    /// again.
    pub async fn reverse_name(&self, ip: IpAddr) -> Result<Option<String>, DnsError> {
        let ip = ip.to_canonical();
        let mut names = match self.ptr(ip).await {
            Ok(names) => names,
            Err(error) if error.is_absence() => return Ok(None),
            Err(error) => return Err(error),
        };
        names.truncate(DNS_REVERSE_NAMES_MAX);
        let answers = join_all(names.iter().map(|name| self.ip(name))).await;
        let mut failure = None;
        for (name, answer) in names.iter().zip(answers) {
            match answer {
                Ok(ips) if ips.contains(&ip) => return Ok(Some(name.clone())),
                Ok(_) => {}
                Err(error) if error.is_absence() => {}
                Err(error) => failure = Some(error),
            }
        }
        failure.map_or(Ok(None), Err)
    }

    fn new(source: Source) -> Resolver {
        Resolver {
            source: Arc::new(source),
        }
    }

    async fn ask(&self, name: &Name, kind: Kind) -> Result<Answered<Vec<Answer>>, DnsError> {
        match &*self.source {
            Source::Dns(dns) => dns.ask(name, kind).await,
            Source::Zone(zone) => zone.ask(&text(name), kind),
        }
    }
}

impl fmt::Display for DnsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DnsError::NoSuchName => f.write_str("DNS has no such name"),
            DnsError::NoRecord => f.write_str("DNS has no such record of this name"),
            DnsError::Temporary { detail } => write!(f, "DNS gives no answer: {detail}"),
        }
    }
}

impl std::error::Error for DnsError {}

/// Where answers come from.
#[derive(Debug)]
enum Source {
    Dns(Box<dns::Dns>),
    Zone(zone::Zone),
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    A,
    Aaaa,
    Ptr,
    Txt,
    Mx,
    Tlsa,
    Cname,
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Answer {
    Ip(IpAddr),
    Name(String),
    Text(String),
    Mx(Mx),
    Tlsa(Tlsa),
}

impl<T> Answered<T> {
    fn map<U>(self, change: impl FnOnce(T) -> U) -> Answered<U> {
        Answered {
            value: change(self.value),
            name: self.name,
            secure: self.secure,
            valid_for: self.valid_for,
        }
    }
}

/// Nothing found is an error of its own.
fn found<T>(answers: Vec<T>) -> Result<Vec<T>, DnsError> {
    if answers.is_empty() {
        Err(DnsError::NoRecord)
    } else {
        Ok(answers)
    }
}

#[cfg(test)]
mod tests;

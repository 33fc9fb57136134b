//! Names and addresses: questions to the DNS (RFC 1035) by way of hickory-resolver, or to a zone
//! text in tests.
//!
//! What there is, what there is not, and what cannot be known now are three answers (RFC 5321
//! section 3.6 and 5.1 treat them differently), and nothing else is. Every name is taken as fully
//! qualified: the search list of the system is for people who type. DNSSEC is not looked at.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use futures_util::future::join_all;
use hickory_resolver::proto::rr::Name;

use crate::limits::DNS_REVERSE_NAMES_MAX;

mod dns;
mod zone;

pub use zone::ZoneError;

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

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DnsError {
    /// The name does not exist, or has no such record, or can be no name.
    NotFound,
    /// The DNS did not tell: a timeout, a failing server. Later it may.
    Temporary {
        /// What happened, for the log.
        detail: String,
    },
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

    /// Answers from the lines of a zone file, without any network: `NAME [TTL] [IN] TYPE DATA`,
    /// with the types A, AAAA, CNAME, MX, PTR and TXT. Names are fully qualified, with or without
    /// the final dot. The type `SERVFAIL` or `TIMEOUT`, without data, makes every question for a
    /// name fail that way. What is not in it does not exist.
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
        let name = name(host)?;
        let (ipv4, ipv6) = tokio::join!(self.ask(&name, Kind::A), self.ask(&name, Kind::Aaaa));
        match (ipv4, ipv6) {
            (Ok(ipv4), Ok(ipv6)) => Ok(addresses(ipv4.into_iter().chain(ipv6))),
            (Ok(answers), Err(_)) | (Err(_), Ok(answers)) => Ok(addresses(answers)),
            (Err(DnsError::NotFound), Err(error)) | (Err(error), Err(_)) => Err(error),
        }
    }

    /// The names that the reverse zone gives an address (RFC 1035 section 3.5, RFC 3596 section
    /// 2.5), unconfirmed: whoever holds the zone can write any. Those that can be no host name are
    /// left out.
    ///
    /// # Errors
    /// [`DnsError`]; `NotFound` also if no host name is left.
    pub async fn ptr(&self, ip: IpAddr) -> Result<Vec<String>, DnsError> {
        let answers = self.ask(&Name::from(ip.to_canonical()), Kind::Ptr).await?;
        let names = answers.into_iter().filter_map(|answer| match answer {
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
        let answers = self.ask(&self::name(name)?, Kind::Txt).await?;
        let texts = answers.into_iter().filter_map(|answer| match answer {
            Answer::Text(text) => Some(text),
            _ => None,
        });
        found(texts.collect())
    }

    /// The mail exchangers of a domain, most preferred first. Without any, RFC 5321 section 5.1
    /// takes the domain itself for a host: that is for who delivers.
    ///
    /// # Errors
    /// [`DnsError`].
    pub async fn mx(&self, domain: &str) -> Result<Vec<Mx>, DnsError> {
        let answers = self.ask(&name(domain)?, Kind::Mx).await?;
        let exchangers = answers.into_iter().filter_map(|answer| match answer {
            Answer::Mx(mx) => Some(mx),
            _ => None,
        });
        let mut exchangers: Vec<Mx> = exchangers.collect();
        exchangers.sort_by_key(|mx| mx.preference);
        found(exchangers)
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
            Err(DnsError::NotFound) => return Ok(None),
            Err(error) => return Err(error),
        };
        names.truncate(DNS_REVERSE_NAMES_MAX);
        let answers = join_all(names.iter().map(|name| self.ip(name))).await;
        let mut failure = None;
        for (name, answer) in names.iter().zip(answers) {
            match answer {
                Ok(ips) if ips.contains(&ip) => return Ok(Some(name.clone())),
                Ok(_) | Err(DnsError::NotFound) => {}
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

    async fn ask(&self, name: &Name, kind: Kind) -> Result<Vec<Answer>, DnsError> {
        match &*self.source {
            Source::Dns(dns) => dns.ask(name, kind).await,
            Source::Zone(zone) => zone.ask(&text(name), kind),
        }
    }
}

impl fmt::Display for DnsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DnsError::NotFound => f.write_str("DNS has no such name or record"),
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
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Answer {
    Ip(IpAddr),
    Name(String),
    Text(String),
    Mx(Mx),
}

/// Nothing found is an error of its own.
fn found<T>(answers: Vec<T>) -> Result<Vec<T>, DnsError> {
    if answers.is_empty() {
        Err(DnsError::NotFound)
    } else {
        Ok(answers)
    }
}

/// A name as the DNS writes it; U-labels become A-labels (RFC 5891). What can be no name cannot be
/// found.
fn name(text: &str) -> Result<Name, DnsError> {
    let text = text.strip_suffix('.').unwrap_or(text);
    // A backslash would begin an escape of zone files, which no name from SMTP or a configuration
    // means.
    if text.is_empty() || text.contains('\\') {
        return Err(DnsError::NotFound);
    }
    Name::from_utf8(format!("{text}.")).map_err(|_| DnsError::NotFound)
}

/// A name as we write it: A-labels, lower case, no final dot.
fn text(name: &Name) -> String {
    let mut text = name.to_ascii();
    text.make_ascii_lowercase();
    if text.ends_with('.') {
        text.pop();
    }
    text
}

fn addresses(answers: impl IntoIterator<Item = Answer>) -> Vec<IpAddr> {
    let ips = answers.into_iter().filter_map(|answer| match answer {
        Answer::Ip(ip) => Some(ip),
        _ => None,
    });
    ips.collect()
}

fn is_localhost(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    let last = host.rsplit('.').next().unwrap_or(host);
    last.eq_ignore_ascii_case("localhost")
}

/// Letters, digits, hyphens; underscores too, since real hosts have them. It goes into header
/// fields and logs.
fn is_host_name(name: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    name.split('.').all(is_label)
}

#[cfg(test)]
mod tests;

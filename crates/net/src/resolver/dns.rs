//! Questions to nameservers: hickory-resolver with our patience and bounds, and its many errors
//! made two.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use hickory_resolver::config::{NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError as ServerError, NetError};
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::{ResolverBuilder, TokioResolver};

use super::{Answer, DnsError, Kind, Mx, found, text};
use crate::limits::{
    DNS_CACHE_ANSWERS_MAX, DNS_NEGATIVE_SECONDS_MAX, DNS_POSITIVE_SECONDS_MAX, DNS_TIMEOUT_SECONDS,
    DNS_TRIES,
};

const DNS_PORT: u16 = 53;

/// The DNS by way of some nameservers.
#[derive(Debug)]
pub(super) struct Dns {
    resolver: TokioResolver,
}

/// How long to wait for nameservers, and how often.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    pub(super) timeout: Duration,
    pub(super) tries: usize,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience {
            timeout: Duration::from_secs(DNS_TIMEOUT_SECONDS),
            tries: DNS_TRIES,
        }
    }
}

impl Dns {
    pub(super) fn system() -> io::Result<Dns> {
        let here = [SocketAddr::from((Ipv4Addr::LOCALHOST, DNS_PORT))];
        let builder = match TokioResolver::builder_tokio() {
            Ok(builder) => builder,
            Err(NetError::Io(error)) if error.kind() != io::ErrorKind::PermissionDenied => {
                over(&here)
            }
            Err(error) => {
                return Err(io::Error::other(format!(
                    "cannot read /etc/resolv.conf: {error}"
                )));
            }
        };
        build(builder, ResolveHosts::Always, Patience::default())
    }

    pub(super) fn of(nameservers: &[SocketAddr], patience: Patience) -> io::Result<Dns> {
        if nameservers.is_empty() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "no nameserver is named",
            ));
        }
        build(over(nameservers), ResolveHosts::Never, patience)
    }

    pub(super) async fn ask(&self, name: &Name, kind: Kind) -> Result<Vec<Answer>, DnsError> {
        let record_type = match kind {
            Kind::A => RecordType::A,
            Kind::Aaaa => RecordType::AAAA,
            Kind::Ptr => RecordType::PTR,
            Kind::Txt => RecordType::TXT,
            Kind::Mx => RecordType::MX,
        };
        // Boxed: it is large, and the futures of ten thousand connections embed it.
        let lookup = Box::pin(self.resolver.lookup(name.clone(), record_type))
            .await
            .map_err(failure)?;
        // CNAMEs that led to the answer are in it.
        let wanted = lookup
            .answers()
            .iter()
            .filter(|record| record.record_type() == record_type);
        found(wanted.filter_map(|record| answer(&record.data)).collect())
    }
}

fn over(nameservers: &[SocketAddr]) -> ResolverBuilder<TokioRuntimeProvider> {
    let servers = nameservers.iter().map(|address| {
        let mut server = NameServerConfig::udp_and_tcp(address.ip());
        for connection in &mut server.connections {
            connection.port = address.port();
        }
        server
    });
    let config = ResolverConfig::from_name_servers(servers.collect());
    TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
}

fn build(
    mut builder: ResolverBuilder<TokioRuntimeProvider>,
    hosts: ResolveHosts,
    patience: Patience,
) -> io::Result<Dns> {
    let options = builder.options_mut();
    options.timeout = patience.timeout;
    // It counts what comes after the first.
    options.attempts = patience.tries.saturating_sub(1);
    options.use_hosts_file = hosts;
    options.cache_size = DNS_CACHE_ANSWERS_MAX;
    options.positive_max_ttl = Some(Duration::from_secs(DNS_POSITIVE_SECONDS_MAX));
    options.negative_max_ttl = Some(Duration::from_secs(DNS_NEGATIVE_SECONDS_MAX));
    let resolver = builder
        .build()
        .map_err(|error| io::Error::other(format!("cannot ask the DNS: {error}")))?;
    Ok(Dns { resolver })
}

fn answer(data: &RData) -> Option<Answer> {
    match data {
        RData::A(ip) => Some(Answer::Ip(IpAddr::V4(ip.0))),
        RData::AAAA(ip) => Some(Answer::Ip(IpAddr::V6(ip.0))),
        RData::PTR(name) => Some(Answer::Name(text(&name.0))),
        RData::TXT(strings) => {
            let bytes = strings.txt_data.concat();
            Some(Answer::Text(String::from_utf8_lossy(&bytes).into_owned()))
        }
        RData::MX(mx) => Some(Answer::Mx(Mx {
            preference: mx.preference,
            exchange: text(&mx.exchange),
        })),
        _ => None,
    }
}

/// No such name, or no such record of it (RFC 2308), is an answer. All else, and REFUSED with it,
/// may be otherwise later.
fn failure(error: NetError) -> DnsError {
    match error {
        NetError::Dns(ServerError::NoRecordsFound(_)) => DnsError::NotFound,
        NetError::Dns(ServerError::ResponseCode(code)) => DnsError::Temporary {
            detail: format!("the nameserver says {}", code.to_str()),
        },
        NetError::Timeout => DnsError::Temporary {
            detail: "timeout".to_owned(),
        },
        other => DnsError::Temporary {
            detail: other.to_string(),
        },
    }
}

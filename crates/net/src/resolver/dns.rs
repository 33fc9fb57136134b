//! Questions to nameservers: the nameserver pool of hickory-resolver with our patience and bounds,
//! aliases followed here (RFC 1034 section 3.6.2), and its many errors made three.
//!
//! Signatures are not checked here: with [`Dnssec::Trust`] the nameserver is asked for its verdict
//! (the AD bit, RFC 6840 section 5.7), which is as good as the way to it.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use hickory_resolver::config::{NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::xfer::{DnsHandle, RetryDnsHandle};
use hickory_resolver::net::{DnsError as ServerError, NetError};
use hickory_resolver::proto::op::{
    DnsRequest, DnsRequestOptions, DnsResponse, Message, Query, ResponseCode,
};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use hickory_resolver::system_conf::read_system_conf;
use hickory_resolver::{Hosts, NameServerPool, PoolContext, ResponseCache, TlsConfig, TtlConfig};

use super::outage::Silence;
use super::{Answer, Answered, DnsError, Dnssec, Kind, Mx, Outage, Tlsa, text};
use crate::limits::{
    DNS_ALIASES_MAX, DNS_CACHE_ANSWERS_MAX, DNS_NEGATIVE_SECONDS_MAX, DNS_POSITIVE_SECONDS_MAX,
    DNS_RECORDS_MAX, DNS_TIMEOUT_SECONDS, DNS_TRIES,
};

const DNS_PORT: u16 = 53;

/// What /etc/hosts says is believed this long.
const HOSTS_VALID_FOR: Duration = Duration::from_secs(60);

/// The DNS by way of some nameservers.
#[derive(Clone)]
pub(super) struct Dns {
    client: RetryDnsHandle<NameServerPool<TokioRuntimeProvider>>,
    cache: ResponseCache,
    options: ResolverOpts,
    hosts: Option<Arc<Hosts>>,
    nameservers: Vec<IpAddr>,
    dnssec: Dnssec,
    silence: Arc<Silence>,
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
        let (config, options) = match read_system_conf() {
            Ok(read) => read,
            Err(NetError::Io(error)) if error.kind() != io::ErrorKind::PermissionDenied => {
                (over(&here), ResolverOpts::default())
            }
            Err(error) => {
                return Err(io::Error::other(format!(
                    "cannot read /etc/resolv.conf: {error}"
                )));
            }
        };
        let hosts = Hosts::from_system().unwrap_or_default();
        build(config, options, Some(hosts), Patience::default())
    }

    pub(super) fn of(nameservers: &[SocketAddr], patience: Patience) -> io::Result<Dns> {
        if nameservers.is_empty() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "no nameserver is named",
            ));
        }
        build(over(nameservers), ResolverOpts::default(), None, patience)
    }

    /// The same nameservers, asked this way. What was learnt the other way is forgotten.
    pub(super) fn with_dnssec(&self, dnssec: Dnssec) -> Dns {
        Dns {
            cache: cache(),
            dnssec,
            ..self.clone()
        }
    }

    pub(super) fn is_local(&self) -> bool {
        self.nameservers.iter().all(IpAddr::is_loopback)
    }

    pub(super) fn observe(&self, observer: Box<dyn Fn(Outage) + Send + Sync>) {
        self.silence.observe(observer);
    }

    pub(super) fn outage(&self) -> Option<Duration> {
        self.silence.outage(Instant::now())
    }

    pub(super) async fn ask(
        &self,
        name: &Name,
        kind: Kind,
    ) -> Result<Answered<Vec<Answer>>, DnsError> {
        if let Some(known) = self.without_asking(name, kind)? {
            return Ok(known);
        }
        let mut asked = name.clone();
        let mut aliases = 0;
        let mut secure = true;
        let mut valid_for = Duration::MAX;
        loop {
            // Boxed: it is large, and the futures of ten thousand connections embed it.
            let message = Box::pin(self.message(&asked, kind)).await?;
            secure &= self.dnssec == Dnssec::Trust && message.metadata.authentic_data;
            let reached = follow(&message, &asked, kind, &mut aliases, &mut valid_for)?;
            let wanted = records(&message, &reached, kind.record_type());
            let (count, ttl) = wanted.fold((0, valid_for), |(count, ttl), record| {
                (count + 1, ttl.min(Duration::from_secs(record.ttl.into())))
            });
            if count > 0 {
                return Ok(Answered {
                    value: answers(&message, &reached, kind, count)?,
                    name: text(&reached),
                    secure,
                    valid_for: ttl,
                });
            }
            if message.metadata.response_code == ResponseCode::NXDomain {
                return Err(DnsError::NoSuchName);
            }
            // RFC 2308 section 2.2: with the SOA of its zone, the end of the chain was looked at.
            let is_complete = message
                .authorities
                .iter()
                .any(|record| record.record_type() == RecordType::SOA);
            if reached == asked || is_complete {
                return Err(DnsError::NoRecord);
            }
            asked = reached;
        }
    }

    /// What no nameserver is asked for: /etc/hosts, this machine itself, and names that never exist
    /// (RFC 6761 sections 6.1, 6.3 and 6.4; RFC 7686).
    fn without_asking(
        &self,
        name: &Name,
        kind: Kind,
    ) -> Result<Option<Answered<Vec<Answer>>>, DnsError> {
        let known = |value| Answered {
            value,
            name: text(name),
            secure: false,
            valid_for: HOSTS_VALID_FOR,
        };
        let query = Query::query(name.clone(), kind.record_type());
        let hosts = self.hosts.as_ref();
        if let Some(lookup) = hosts.and_then(|hosts| hosts.lookup_static_host(&query)) {
            let records = lookup.answers().iter();
            return Ok(Some(known(
                records.filter_map(|record| answer(&record.data)).collect(),
            )));
        }
        let labels = text(name);
        let last = labels.rsplit('.').next().unwrap_or(&labels);
        if matches!(last, "invalid" | "onion") {
            return Err(DnsError::NoSuchName);
        }
        if kind == Kind::Ptr
            && name
                .parse_arpa_name()
                .is_ok_and(|network| network.addr().is_loopback())
        {
            return Ok(Some(known(vec![Answer::Name("localhost".to_owned())])));
        }
        Ok(None)
    }

    /// One answer of a nameserver, or of the cache.
    async fn message(&self, name: &Name, kind: Kind) -> Result<Message, DnsError> {
        let query = Query::query(name.clone(), kind.record_type());
        if let Some(cached) = self.cache.get(&query, Instant::now()) {
            return cached.map_err(failure);
        }
        if let Some(outage) = self.outage() {
            let seconds = outage.as_secs();
            return Err(DnsError::temporary(format!(
                "no nameserver has answered for {seconds} s"
            )));
        }
        let mut waiting = Waiting {
            dns: self,
            since: Instant::now(),
            is_over: false,
        };
        let response = self.response(query.clone()).await;
        waiting.is_over = true;
        if is_from_a_nameserver(&response) {
            self.silence.answered(Instant::now());
        } else {
            self.unanswered();
        }
        self.cache.insert(query, response.clone(), Instant::now());
        response.map_err(failure)
    }

    /// What the nameservers answer.
    async fn response(&self, query: Query) -> Result<Message, NetError> {
        let mut options = DnsRequestOptions::default();
        options.use_edns = self.options.edns0 || self.dnssec == Dnssec::Trust;
        options.edns_payload_len = self.options.edns_payload_len;
        let (mut message, options) = DnsRequest::from_query(query, options).into_parts();
        // RFC 6840 section 5.7: without it, or the DO bit, no answer has it.
        message.metadata.authentic_data = self.dnssec == Dnssec::Trust;
        let mut responses = self.client.send(DnsRequest::new(message, options));
        let response = match responses.next().await {
            Some(Ok(response)) => ServerError::from_response(response).map_err(NetError::from),
            Some(Err(error)) => Err(error),
            None => Err(NetError::Timeout),
        };
        response.map(DnsResponse::into_message)
    }

    fn unanswered(&self) {
        if self.silence.unanswered() {
            self.probe();
        }
    }

    /// Asks until there is an answer, or nobody holds this resolver any more.
    fn probe(&self) {
        let prober = Dns {
            silence: Arc::default(),
            ..self.clone()
        };
        let silence = Arc::downgrade(&self.silence);
        // Without a runtime nothing can be asked any more.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        runtime.spawn(async move {
            loop {
                let query = Query::query(Name::root(), RecordType::NS);
                let response = prober.response(query).await;
                let Some(silence) = silence.upgrade() else {
                    return;
                };
                let is_answered = is_from_a_nameserver(&response);
                let Some(wait) = silence.probed(is_answered, Instant::now()) else {
                    return;
                };
                drop(silence);
                tokio::time::sleep(wait).await;
            }
        });
    }
}

/// A question under way. Who asks may not wait as long as we would: what was given up after the time for one try counts as
/// unanswered too.
struct Waiting<'d> {
    dns: &'d Dns,
    since: Instant,
    is_over: bool,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if !self.is_over && self.since.elapsed() >= self.dns.options.timeout {
            self.dns.unanswered();
        }
    }
}

/// Whether a nameserver said anything at all. A failure that it tells is its word on that name, and others may be well.
fn is_from_a_nameserver(response: &Result<Message, NetError>) -> bool {
    matches!(response, Ok(_) | Err(NetError::Dns(_)))
}

/// The end of the chain of CNAMEs that begins at `name`, as far as this answer has it.
fn follow(
    message: &Message,
    name: &Name,
    kind: Kind,
    aliases: &mut usize,
    valid_for: &mut Duration,
) -> Result<Name, DnsError> {
    let mut name = name.clone();
    if kind == Kind::Cname {
        return Ok(name);
    }
    loop {
        let alias = records(message, &name, RecordType::CNAME).next();
        let Some((alias, RData::CNAME(target))) = alias.map(|alias| (alias, &alias.data)) else {
            return Ok(name);
        };
        *aliases += 1;
        if *aliases > DNS_ALIASES_MAX {
            return Err(DnsError::temporary(format!(
                "more than {DNS_ALIASES_MAX} CNAMEs, or a loop of them"
            )));
        }
        *valid_for = (*valid_for).min(Duration::from_secs(alias.ttl.into()));
        name = target.0.clone();
    }
}

fn records<'m>(
    message: &'m Message,
    name: &'m Name,
    record_type: RecordType,
) -> impl Iterator<Item = &'m Record> {
    let answers = message.answers.iter();
    answers.filter(move |record| record.record_type() == record_type && record.name == *name)
}

/// What the records say. Of reverse names some are enough; of all else a part would mislead.
fn answers(
    message: &Message,
    name: &Name,
    kind: Kind,
    count: usize,
) -> Result<Vec<Answer>, DnsError> {
    if count > DNS_RECORDS_MAX && kind != Kind::Ptr {
        return Err(DnsError::temporary(format!(
            "{count} records, and {DNS_RECORDS_MAX} are looked at"
        )));
    }
    let wanted = records(message, name, kind.record_type()).take(DNS_RECORDS_MAX);
    Ok(wanted.filter_map(|record| answer(&record.data)).collect())
}

fn over(nameservers: &[SocketAddr]) -> ResolverConfig {
    let servers = nameservers.iter().map(|address| {
        let mut server = NameServerConfig::udp_and_tcp(address.ip());
        for connection in &mut server.connections {
            connection.port = address.port();
        }
        server
    });
    ResolverConfig::from_name_servers(servers.collect())
}

fn build(
    config: ResolverConfig,
    mut options: ResolverOpts,
    hosts: Option<Hosts>,
    patience: Patience,
) -> io::Result<Dns> {
    options.timeout = patience.timeout;
    // It counts what comes after the first.
    options.attempts = patience.tries.saturating_sub(1);
    let tls = TlsConfig::new()
        .map_err(|error| io::Error::other(format!("cannot ask the DNS: {error}")))?;
    let nameservers = config.name_servers.iter().map(|server| server.ip).collect();
    let pool = NameServerPool::from_config(
        config.name_servers,
        Arc::new(PoolContext::new(options.clone(), tls)),
        TokioRuntimeProvider::default(),
    );
    Ok(Dns {
        client: RetryDnsHandle::new(pool, options.attempts),
        cache: cache(),
        options,
        hosts: hosts.map(Arc::new),
        nameservers,
        dnssec: Dnssec::Off,
        silence: Arc::default(),
    })
}

fn cache() -> ResponseCache {
    let mut limits = ResolverOpts::default();
    limits.positive_max_ttl = Some(Duration::from_secs(DNS_POSITIVE_SECONDS_MAX));
    limits.negative_max_ttl = Some(Duration::from_secs(DNS_NEGATIVE_SECONDS_MAX));
    ResponseCache::new(DNS_CACHE_ANSWERS_MAX, TtlConfig::from_opts(&limits))
}

impl Kind {
    fn record_type(self) -> RecordType {
        match self {
            Kind::A => RecordType::A,
            Kind::Aaaa => RecordType::AAAA,
            Kind::Ptr => RecordType::PTR,
            Kind::Txt => RecordType::TXT,
            Kind::Mx => RecordType::MX,
            Kind::Tlsa => RecordType::TLSA,
            Kind::Cname => RecordType::CNAME,
        }
    }
}

fn answer(data: &RData) -> Option<Answer> {
    match data {
        RData::A(ip) => Some(Answer::Ip(IpAddr::V4(ip.0))),
        RData::AAAA(ip) => Some(Answer::Ip(IpAddr::V6(ip.0))),
        RData::PTR(name) => Some(Answer::Name(text(&name.0))),
        RData::CNAME(name) => Some(Answer::Name(text(&name.0))),
        RData::TXT(strings) => {
            let bytes = strings.txt_data.concat();
            Some(Answer::Text(String::from_utf8_lossy(&bytes).into_owned()))
        }
        RData::MX(mx) => Some(Answer::Mx(Mx {
            preference: mx.preference,
            exchange: text(&mx.exchange),
        })),
        RData::TLSA(tlsa) => Some(Answer::Tlsa(Tlsa {
            usage: tlsa.cert_usage.into(),
            selector: tlsa.selector.into(),
            matching: tlsa.matching.into(),
            data: tlsa.cert_data.clone(),
        })),
        _ => None,
    }
}

/// No such name, or no such record of it (RFC 2308), is an answer. All else, and REFUSED with it,
/// may be otherwise later: SERVFAIL above all, by which a nameserver tells that signatures are wrong
/// (RFC 4035 section 5.5).
fn failure(error: NetError) -> DnsError {
    match error {
        NetError::Dns(ServerError::NoRecordsFound(none)) => match none.response_code {
            ResponseCode::NXDomain => DnsError::NoSuchName,
            _ => DnsError::NoRecord,
        },
        NetError::Dns(ServerError::ResponseCode(code)) => {
            DnsError::temporary(format!("the nameserver says {}", code.to_str()))
        }
        NetError::Timeout => DnsError::temporary("timeout"),
        other => DnsError::temporary(other.to_string()),
    }
}

impl std::fmt::Debug for Dns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dns")
            .field("nameservers", &self.nameservers)
            .field("dnssec", &self.dnssec)
            .finish_non_exhaustive()
    }
}

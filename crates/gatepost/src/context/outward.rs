//! What a snapshot needs to reach others: the resolver, how servers are dialled, and who is told when they can't be.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use net::resolver::{Dnssec, Outage, Resolver};
use net::tls::{Connector, Roots};

use super::{ContextError, Services};
use crate::config::Config;
use crate::deliver::dial::Ways;
use crate::deliver::families::FamilyChange;
use crate::deliver::nexthops::{Dialling, HealthChange, Source};
use crate::deliver::security::TlsPolicies;
use crate::event::Event;
use crate::journal::Journal;

/// The resolver of this configuration, which tells of nameservers that fall silent.
pub(super) fn resolver(config: &Config, journal: &Journal) -> Result<Resolver, ContextError> {
    let resolver = resolver_of(config)?;
    let journal = journal.clone();
    resolver.observe(move |outage| {
        journal.emit(&match outage {
            Outage::Began => Event::DnsDown,
            Outage::Ended { after } => Event::DnsUp {
                down_seconds: after.as_secs_f64(),
            },
        });
    });
    Ok(resolver)
}

fn resolver_of(config: &Config) -> Result<Resolver, ContextError> {
    let made: io::Result<Resolver> = if config.dns.nameservers.is_empty() {
        Resolver::system()
    } else {
        Resolver::from_nameservers(&config.dns.nameservers)
    };
    made.map(|resolver| {
        let unasked = if resolver.is_local() {
            Dnssec::Trust
        } else {
            Dnssec::Off
        };
        resolver.with_dnssec(config.dns.dnssec.unwrap_or(unasked))
    })
    .map_err(|error| ContextError {
        what: "[dns]".to_owned(),
        detail: error.to_string(),
    })
}

/// The CAs whose certificates prove a server's name.
pub(super) fn roots(config: &Config) -> Result<Roots, ContextError> {
    Roots::load(config.tls_policy.ca_file.as_deref()).map_err(|error| ContextError {
        what: "certificates of CAs".to_owned(),
        detail: error.to_string(),
    })
}

/// Begins or ends the gathering of results of TLS, as the configuration says.
pub(super) fn switch_reports(config: &Config, services: &Services) -> Result<(), ContextError> {
    let of = |section: &str| {
        let what = section.to_owned();
        move |error: io::Error| ContextError {
            what,
            detail: error.to_string(),
        }
    };
    let switched = services.tls_reports.switch(config.tls_reports.enabled);
    switched.map_err(of("[tls_reports]"))?;
    let switched = services.dmarc_reports.switch(config.dmarc_reports.enabled);
    switched.map_err(of("[dmarc_reports]"))
}

/// How servers are dialled under this configuration.
pub(super) fn dialling(
    config: &Config,
    ways: Arc<Ways>,
    resolver: &Resolver,
    roots: &Roots,
    tls_policies: &Arc<TlsPolicies>,
) -> Dialling {
    let name = &config.node.name;
    let pools = config.pools.iter().map(|pool| {
        let name = pool.ehlo_name.as_ref().unwrap_or(name);
        (pool.name.clone(), source(name, &pool.bind))
    });
    Dialling {
        source: source(name, &[]),
        pools: pools.collect(),
        destinations: Arc::new(config.destinations.clone()),
        delivery: config.delivery,
        ways,
        resolver: resolver.clone(),
        opportunistic: Connector::opportunistic(),
        verified: roots.connector(),
        tls_policies: Arc::clone(tls_policies),
    }
}

fn source(ehlo_name: &str, bind: &[IpAddr]) -> Source {
    Source {
        ehlo_name: ehlo_name.to_owned(),
        bind: Arc::from(bind),
    }
}

/// Tells of nexthops that go down or come back.
pub(super) fn nexthop_observer(journal: Journal) -> Arc<dyn Fn(HealthChange) + Send + Sync> {
    Arc::new(move |change: HealthChange| {
        let nexthop: Arc<str> = Arc::from(change.nexthop.as_str());
        journal.emit(&match change.fault {
            Some(detail) => Event::NexthopDown { nexthop, detail },
            None => Event::NexthopUp {
                nexthop,
                down_seconds: change.down.as_secs_f64(),
            },
        });
    })
}

/// Tells of address families that stop or begin to work.
pub(super) fn family_observer(journal: Journal) -> Arc<dyn Fn(FamilyChange) + Send + Sync> {
    Arc::new(move |change: FamilyChange| {
        journal.emit(&match change.fault {
            Some(detail) => Event::FamilyDown {
                family: change.family,
                detail,
            },
            None => Event::FamilyUp {
                family: change.family,
                down_seconds: change.down.as_secs_f64(),
            },
        });
    })
}

//! The snapshot that sessions run on, and the services that outlive it.
//!
//! A `Context` is built from one configuration and never changes; a reload builds another one and swaps it in, so that running
//! sessions finish on theirs. What must survive a reload (connections to nexthops, counts, the journal) is in `Services`.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use net::network::NetworkSet;
use net::resolver::{Dnssec, Resolver};
use net::tls::{Connector, Roots};
use scan::engine::Armed;
use smtp::{Domain, ForwardPath, Mailbox};

use crate::config::{self, Config};
use crate::deliver::callouts::Callouts;
use crate::deliver::dial::Ways;
use crate::deliver::families::{Families, FamilyChange};
use crate::deliver::nexthops::{Dialling, HealthChange, Nexthops, Source};
use crate::deliver::plan::Plans;
use crate::deliver::security::TlsPolicies;
use crate::deliver::sts::StsPolicies;
use crate::deliver::tls_reports::TlsReports;
use crate::engines::{self, EngineSet};
use crate::event::Event;
use crate::journal::Journal;
use crate::lists::Lists;
use crate::policy::{self, Relay};
use crate::reference::References;
use crate::relay_table::RelayTable;
use crate::replies::Templates;
use crate::serve::admission::Admission;
use crate::serve::content::{ContentSettings, MemoryBudget};
use crate::serve::reverse_names::ReverseNames;

mod listener;

pub use listener::ListenerContext;
use listener::listeners;

/// All that a session needs to know, immutable.
pub struct Context {
    /// The configuration.
    pub config: Arc<Config>,
    /// Which route has a domain.
    pub table: RelayTable,
    /// Allow and block lists.
    pub lists: Lists,
    /// Networks whose clients may relay.
    pub trusted_networks: NetworkSet,
    /// Texts of refusals.
    pub templates: Arc<Templates>,
    /// What belongs to each route, by its index.
    pub routes: Vec<Arc<RouteContext>>,
    /// What belongs to each listener, in the order of the configuration.
    pub listeners: Vec<Arc<ListenerContext>>,
    /// The engines, by name.
    pub engines: EngineSet,
    /// DNS.
    pub resolver: Resolver,
    /// How servers must prove who they are.
    pub tls_policies: Arc<TlsPolicies>,
    /// Where lanes of the queue go.
    pub plans: Plans,
    /// How nexthops are dialled.
    pub dialling: Dialling,
    /// Where the content of messages is kept.
    pub content: ContentSettings,
    /// The node's name, as events and trace fields have it.
    pub node: Arc<str>,
    /// What outlives this snapshot.
    pub services: Arc<Services>,
}

/// What belongs to one route.
pub struct RouteContext {
    /// The route as configured.
    pub route: Arc<config::Route>,
    /// By what its verdicts are made.
    pub settings: Arc<policy::Settings>,
    /// The fingerprint of these settings, for decisions.
    pub fingerprint: Arc<str>,
    /// The engines that its messages are given to.
    pub engines: Vec<Armed>,
    /// Names for events.
    pub label: Arc<str>,
    /// Whose domains these are.
    pub customer: Option<Arc<str>>,
    /// The nexthops in one string: recipients that share it can share a transaction.
    pub nexthop: Arc<str>,
    /// The language of refusals.
    pub language: Arc<str>,
}

/// What outlives a reload.
pub struct Services {
    /// Where events go.
    pub journal: Journal,
    /// Makes references.
    pub references: References,
    /// Connections to nexthops.
    pub nexthops: Nexthops,
    /// MTA-STS policies of recipient domains.
    pub sts: Arc<StsPolicies>,
    /// Results of TLS, for reports.
    pub tls_reports: TlsReports,
    /// What is remembered of the ways to servers.
    pub ways: Arc<Ways>,
    /// What nexthops said about mailboxes.
    pub callouts: Callouts,
    /// Names of clients.
    pub reverse_names: ReverseNames,
    /// The memory that messages share.
    pub budget: MemoryBudget,
    admissions: Mutex<HashMap<String, Arc<Admission>>>,
}

/// Why no snapshot could be made of a configuration that reads well.
#[derive(Debug)]
pub struct ContextError {
    /// What it was about.
    pub what: String,
    /// What is wrong, and what to do.
    pub detail: String,
}

impl std::fmt::Display for ContextError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.what, self.detail)
    }
}

impl std::error::Error for ContextError {}

impl Services {
    /// The services of a node.
    ///
    /// # Errors
    /// A log can't be opened.
    pub fn new(config: &Config) -> io::Result<Arc<Services>> {
        let journal = Journal::open(&config.log)?;
        let data_dir = &config.node.data_dir;
        let (sts, damaged) = StsPolicies::open(data_dir.join("mta-sts"));
        for policy in damaged {
            journal.emit(&Event::StsPolicyDamaged {
                path: policy.path.display().to_string(),
                detail: policy.detail,
            });
        }
        let tls_reports = TlsReports::new(Some(data_dir.join("tls-reports")));
        Ok(Services::with(config, journal, sts, tls_reports))
    }

    /// The services of a command that takes no mail: nothing is written.
    ///
    /// # Errors
    /// No thread can be started.
    pub fn unwritten(config: &Config) -> io::Result<Arc<Services>> {
        let (sts, tls_reports) = (StsPolicies::unwritten(), TlsReports::new(None));
        Ok(Services::with(config, Journal::silent()?, sts, tls_reports))
    }

    fn with(
        config: &Config,
        journal: Journal,
        sts: StsPolicies,
        tls_reports: TlsReports,
    ) -> Arc<Services> {
        let number = config
            .node
            .number
            .unwrap_or_else(|| crate::reference::node_number(&config.node.name));
        Arc::new(Services {
            references: References::new(number),
            nexthops: Nexthops::new(nexthop_observer(journal.clone())),
            sts: Arc::new(sts),
            tls_reports,
            ways: Arc::new(Ways::new(Families::new(family_observer(journal.clone())))),
            callouts: Callouts::default(),
            reverse_names: ReverseNames::default(),
            budget: MemoryBudget::new(config.node.memory_max),
            admissions: Mutex::default(),
            journal,
        })
    }

    fn admission(&self, listener: &str) -> Arc<Admission> {
        let mut admissions = self
            .admissions
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        Arc::clone(admissions.entry(listener.to_owned()).or_default())
    }
}

impl Context {
    /// Makes the snapshot of `config`. Engines whose settings are as in `previous` are taken over with their connections.
    ///
    /// # Errors
    /// Every certificate, template or system setting that can't be used.
    pub fn new(
        config: Config,
        services: Arc<Services>,
        previous: Option<&Context>,
    ) -> Result<Context, Vec<ContextError>> {
        let mut errors = Vec::new();
        let resolver = resolver(&config).map_err(|error| errors.push(error)).ok();
        let roots = Roots::load(config.tls_policy.ca_file.as_deref())
            .map_err(|error| {
                errors.push(ContextError {
                    what: "certificates of CAs".to_owned(),
                    detail: error.to_string(),
                });
            })
            .ok();
        let listeners = listeners(&config, &services, &mut errors);
        if let Err(error) = services.tls_reports.switch(config.tls_reports.enabled) {
            errors.push(ContextError {
                what: "[tls_reports]".to_owned(),
                detail: error.to_string(),
            });
        }
        let (Some(resolver), Some(roots), true) = (resolver, roots, errors.is_empty()) else {
            return Err(errors);
        };
        let tls_policies = Arc::new(TlsPolicies::new(
            config.tls_policy.clone(),
            resolver.clone(),
            roots.clone(),
            Arc::clone(&services.sts),
        ));
        let engines = engines::arm(
            &config,
            previous.map(|context| &context.engines),
            &services.journal,
        );
        let config = Arc::new(config);
        Ok(Context {
            table: RelayTable::new(&config),
            lists: Lists::new(&config.allow, &config.block),
            trusted_networks: config.node.trusted_networks.iter().copied().collect(),
            templates: Arc::clone(&config.replies),
            routes: config
                .routes
                .iter()
                .map(|route| Arc::new(RouteContext::new(route, &engines)))
                .collect(),
            listeners,
            engines,
            dialling: dialling(&config, &services, &resolver, &roots, &tls_policies),
            tls_policies,
            plans: Plans::default(),
            resolver,
            content: ContentSettings {
                budget: services.budget.clone(),
                memory_message_max: config.node.memory_message_max,
                spool_dir: config.node.data_dir.join("spool"),
            },
            node: Arc::from(config.node.name.as_str()),
            services,
            config,
        })
    }

    /// The listener that is configured for this address.
    pub fn listener_at(&self, address: SocketAddr) -> Option<&Arc<ListenerContext>> {
        self.listeners
            .iter()
            .find(|listener| listener.settings.bind.contains(&address))
    }

    /// The route of a recipient domain, and whether we relay for it. A client that `may_relay`, since it proved who it is or is
    /// of a trusted network, may also have the route of all other domains; nobody else ever has.
    pub fn relay(
        &self,
        domain: Option<&Domain>,
        may_relay: bool,
    ) -> (Option<&Arc<RouteContext>>, Relay) {
        let Some(domain) = domain else {
            return (None, Relay::Denied);
        };
        if let Some(route) = self.table.route_for(domain) {
            return (self.route_context(route), Relay::Routed);
        }
        let rest = self.table.route_for_rest().filter(|_| may_relay);
        match rest.and_then(|route| self.route_context(route)) {
            Some(route) => (Some(route), Relay::Trusted),
            None => (None, Relay::Denied),
        }
    }

    /// The recipient that a forward-path means. RFC 5321 4.5.1: `<Postmaster>` without a domain is whoever looks after this
    /// node, and must be taken: if no route has that mailbox's domain, it goes to the postmaster of the first domain that
    /// has one.
    pub fn addressee(&self, forward_path: ForwardPath) -> ForwardPath {
        if forward_path.mailbox().is_some() {
            return forward_path;
        }
        let configured = &self.config.node.postmaster;
        if self.table.route_for(&configured.domain).is_some() {
            return ForwardPath::Mailbox(configured.clone());
        }
        let domains = self.config.routes.iter().flat_map(|route| &route.domains);
        domains
            .filter_map(|domain| format!("postmaster@{domain}").parse::<Mailbox>().ok())
            .find(|mailbox| self.table.route_for(&mailbox.domain).is_some())
            .map_or(forward_path, ForwardPath::Mailbox)
    }

    /// Takes up certificates that changed on disk. Reads files.
    pub fn reload_certificates(&self) {
        for listener in &self.listeners {
            let Some(certificates) = &listener.certificates else {
                continue;
            };
            let files = listener.settings.tls.certificates.iter();
            let files: Vec<String> = files
                .map(|files| files.certificate.display().to_string())
                .collect();
            let path = files.join(" ");
            match certificates.reload_if_changed() {
                Ok(false) => {}
                Ok(true) => self.services.journal.emit(&Event::CertificateReloaded {
                    path,
                    names: certificates.names(),
                }),
                Err(error) => self.services.journal.emit(&Event::CertificateFailed {
                    path,
                    detail: error.to_string(),
                }),
            }
        }
    }

    /// What belongs to `route`.
    pub fn route_context(&self, route: &config::Route) -> Option<&Arc<RouteContext>> {
        self.routes.get(route.index)
    }
}

impl RouteContext {
    /// Whether it has a nexthop that is talked to.
    pub fn dials(&self) -> bool {
        self.route.nexthops.iter().any(config::Nexthop::is_remote)
    }

    fn new(route: &Arc<config::Route>, engines: &EngineSet) -> RouteContext {
        let rules: BTreeMap<String, policy::EngineRule> = route
            .engines
            .iter()
            .map(|(name, rule)| (name.clone(), *rule))
            .collect();
        let settings = policy::Settings { engines: rules };
        let nexthops: Vec<String> = route.nexthops.iter().map(ToString::to_string).collect();
        RouteContext {
            fingerprint: Arc::from(settings.fingerprint()),
            engines: engines.enabled(&settings),
            settings: Arc::new(settings),
            label: Arc::from(route.origin.as_str()),
            customer: route.customer.as_deref().map(Arc::from),
            nexthop: Arc::from(format!(
                "{}{}",
                nexthops.join(" "),
                if route.cut_through {
                    ""
                } else {
                    " (no cut-through)"
                }
            )),
            language: Arc::from(route.language.as_str()),
            route: Arc::clone(route),
        }
    }
}

fn dialling(
    config: &Config,
    services: &Services,
    resolver: &Resolver,
    roots: &Roots,
    tls_policies: &Arc<TlsPolicies>,
) -> Dialling {
    Dialling {
        source: source(&config.node.name, &[]),
        pools: config
            .pools
            .iter()
            .map(|pool| {
                let name = pool.ehlo_name.as_ref().unwrap_or(&config.node.name);
                (pool.name.clone(), source(name, &pool.bind))
            })
            .collect(),
        delivery: config.delivery,
        ways: Arc::clone(&services.ways),
        resolver: resolver.clone(),
        opportunistic: Connector::opportunistic(),
        verified: roots.connector(),
        tls_policies: Arc::clone(tls_policies),
    }
}

fn resolver(config: &Config) -> Result<Resolver, ContextError> {
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

fn nexthop_observer(journal: Journal) -> Arc<dyn Fn(HealthChange) + Send + Sync> {
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

fn source(ehlo_name: &str, bind: &[IpAddr]) -> Source {
    Source {
        ehlo_name: ehlo_name.to_owned(),
        bind: Arc::from(bind),
    }
}

fn family_observer(journal: Journal) -> Arc<dyn Fn(FamilyChange) + Send + Sync> {
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

/// How often certificates are looked at, idle connections closed, and so on.
pub const HOUSEKEEPING_INTERVAL: Duration = Duration::from_secs(10);

//! The snapshot that sessions run on, and the services that outlive it.
//!
//! A `Context` is built from one configuration and never changes; a reload builds another one and swaps it in, so that running
//! sessions finish on theirs. What must survive a reload (connections to nexthops, counts, the journal) is in `Services`.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ::queue::{Queue, SubmitError};
use net::network::NetworkSet;
use net::resolver::Resolver;
use scan::engine::Armed;
use scan::reputation::record::RecordSettings;
use smtp::{Domain, ForwardPath, Mailbox};

use crate::config::{self, Config};
use crate::deliver::allowance::Allowance;
use crate::deliver::callouts::Callouts;
use crate::deliver::dial::Ways;
use crate::deliver::dmarc_reports::DmarcReports;
use crate::deliver::families::Families;
use crate::deliver::gathering::Gathering;
use crate::deliver::idle::Idle;
use crate::deliver::nexthops::{Dialling, Nexthops};
use crate::deliver::plan::Plans;
use crate::deliver::security::TlsPolicies;
use crate::deliver::signing::Signer;
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
use crate::senders::Senders;
use crate::serve::admission::Admission;
use crate::serve::content::{ContentSettings, MemoryBudget};
use crate::serve::reverse_names::ReverseNames;

mod listener;
mod outward;
mod queue;

pub use listener::ListenerContext;

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
    /// Networks whose clients hand on messages of others.
    pub trusted_forwarders: NetworkSet,
    /// Whether anybody judges senders by their past, so that there is something to learn it for.
    pub learns_of_senders: bool,
    /// Texts of refusals.
    pub templates: Arc<Templates>,
    /// What belongs to each route, by its index.
    pub routes: Vec<Arc<RouteContext>>,
    /// What belongs to domains that no route has, for messages of our own.
    pub anywhere: Arc<RouteContext>,
    /// What belongs to each listener, in the order of the configuration.
    pub listeners: Vec<Arc<ListenerContext>>,
    /// What signs messages of our own domains.
    pub signer: Arc<Signer>,
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
    /// What DMARC said, for reports.
    pub dmarc_reports: DmarcReports,
    /// What is remembered of the ways to servers.
    pub ways: Arc<Ways>,
    /// Messages that wait for their nexthops; none where a command takes no mail.
    queue: Option<Queue>,
    /// Connections that deliver from the queue and wait for the next message.
    pub idle: Idle,
    /// Parcels that wait for a report on more than one of them.
    pub gathering: Gathering,
    /// Reports that our postmaster may still get.
    pub allowance: Allowance,
    /// What is known of senders.
    pub senders: Senders,
    /// What nexthops said about mailboxes.
    pub callouts: Callouts,
    /// Names of clients.
    pub reverse_names: ReverseNames,
    /// The memory that messages share.
    pub budget: MemoryBudget,
    admissions: Mutex<HashMap<String, Arc<Admission>>>,
}

/// What services keep in the data directory.
struct Kept {
    sts: StsPolicies,
    tls_reports: TlsReports,
    dmarc_reports: DmarcReports,
    senders: Senders,
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
    /// A log or the queue can't be opened.
    pub fn new(config: &Config) -> io::Result<Arc<Services>> {
        let journal = Journal::open(&config.log)?;
        let queue = queue::open(config, &journal)?;
        let data_dir = &config.node.data_dir;
        let (sts, damaged) = StsPolicies::open(data_dir.join("mta-sts"));
        for policy in damaged {
            journal.emit(&Event::StsPolicyDamaged {
                path: policy.path.display().to_string(),
                detail: policy.detail,
            });
        }
        let kept = Kept {
            sts,
            tls_reports: TlsReports::new(Some(data_dir.join("tls-reports"))),
            dmarc_reports: DmarcReports::new(Some(data_dir.join("dmarc-reports"))),
            senders: senders(config, &journal)?,
        };
        Ok(Services::with(config, journal, Some(queue), kept))
    }

    /// The queue.
    ///
    /// # Errors
    /// This process is a command that has none.
    pub fn queue(&self) -> Result<&Queue, SubmitError> {
        self.queue.as_ref().ok_or(SubmitError::Closed)
    }

    /// The services of a command that takes no mail: nothing is written.
    ///
    /// # Errors
    /// No thread can be started.
    pub fn unwritten(config: &Config) -> io::Result<Arc<Services>> {
        let kept = Kept {
            sts: StsPolicies::unwritten(),
            tls_reports: TlsReports::new(None),
            dmarc_reports: DmarcReports::new(None),
            senders: Senders::unwritten(),
        };
        Ok(Services::with(config, Journal::silent()?, None, kept))
    }

    fn with(config: &Config, journal: Journal, queue: Option<Queue>, kept: Kept) -> Arc<Services> {
        let number = config
            .node
            .number
            .unwrap_or_else(|| crate::reference::node_number(&config.node.name));
        Arc::new(Services {
            references: References::new(number),
            nexthops: Nexthops::new(outward::nexthop_observer(journal.clone())),
            ways: Arc::new(Ways::new(Families::new(outward::family_observer(
                journal.clone(),
            )))),
            queue,
            idle: Idle::default(),
            gathering: Gathering::default(),
            allowance: Allowance::default(),
            sts: Arc::new(kept.sts),
            tls_reports: kept.tls_reports,
            dmarc_reports: kept.dmarc_reports,
            senders: kept.senders,
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
        let resolver = outward::resolver(&config, &services.journal)
            .map_err(|error| errors.push(error))
            .ok();
        let roots = outward::roots(&config)
            .map_err(|error| errors.push(error))
            .ok();
        let listeners = listener::listeners(&config, &services, &mut errors);
        if let Err(error) = outward::switch_reports(&config, &services) {
            errors.push(error);
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
            &resolver,
            &services.senders,
        );
        let config = Arc::new(config);
        Ok(Context {
            table: RelayTable::new(&config),
            lists: Lists::new(&config.allow, &config.block),
            trusted_networks: config.node.trusted_networks.iter().copied().collect(),
            learns_of_senders: learns_of_senders(&config),
            trusted_forwarders: config.auth.trusted_forwarders.iter().copied().collect(),
            signer: Arc::new(Signer::new(&config.dkim)),
            templates: Arc::clone(&config.replies),
            routes: RouteContext::all(&config, &engines),
            anywhere: Arc::new(RouteContext::new(
                &Arc::new(config::Route::to_anywhere()),
                &engines,
            )),
            listeners,
            engines,
            dialling: outward::dialling(
                &config,
                services.ways.clone(),
                &resolver,
                &roots,
                &tls_policies,
            ),
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

    fn all(config: &Config, engines: &EngineSet) -> Vec<Arc<RouteContext>> {
        let routes = config.routes.iter();
        routes
            .map(|route| Arc::new(RouteContext::new(route, engines)))
            .collect()
    }

    fn new(route: &Arc<config::Route>, engines: &EngineSet) -> RouteContext {
        let rules: BTreeMap<String, policy::EngineRule> = route
            .engines
            .iter()
            .map(|(name, rule)| (name.clone(), *rule))
            .collect();
        let settings = policy::Settings {
            engines: rules,
            dmarc: route.dmarc,
        };
        let nexthops: Vec<String> = route.nexthops.iter().map(ToString::to_string).collect();
        RouteContext {
            fingerprint: Arc::from(settings.fingerprint()),
            engines: engines.enabled(&settings),
            settings: Arc::new(settings),
            label: Arc::from(route.origin.as_str()),
            customer: route.customer.as_deref().map(Arc::from),
            nexthop: Arc::from(format!("{}{}", nexthops.join(" "), queue_label(route))),
            language: Arc::from(route.language.as_str()),
            route: Arc::clone(route),
        }
    }
}

/// What recipients of a route must share beyond the nexthop, where their message is queued: it has one lifetime.
fn queue_label(route: &config::Route) -> String {
    if route.cut_through {
        return String::new();
    }
    let (lifetime, warning) = (route.queueing.lifetime, route.queueing.delay_warning);
    format!(" (queued for {lifetime:?}, warning after {warning:?})")
}

/// What earlier runs knew of senders.
fn senders(config: &Config, journal: &Journal) -> io::Result<Senders> {
    let engine = config.engines.get(engines::REPUTATION);
    let settings = match engine.map(|engine| &engine.kind) {
        Some(config::EngineKind::Reputation(settings)) => settings.record,
        _ => RecordSettings::default(),
    };
    let (senders, damaged) = Senders::open(config.node.data_dir.join("reputation"), settings)?;
    for file in damaged {
        journal.emit(&Event::ReputationDamaged {
            path: file.path.display().to_string(),
            detail: file.detail,
        });
    }
    Ok(senders)
}

fn learns_of_senders(config: &Config) -> bool {
    let mut routes = config.routes.iter();
    routes.any(|route| {
        let rule = route.engines.get(engines::REPUTATION);
        rule.is_some_and(|rule| rule.enabled) || route.caution.greylist.is_some()
    })
}

/// How often certificates are looked at, idle connections closed, and so on.
pub const HOUSEKEEPING_INTERVAL: Duration = Duration::from_secs(10);

//! The snapshot that sessions run on, and the services that outlive it.
//!
//! A `Context` is built from one configuration and never changes; a reload builds another one and swaps it in, so that running
//! sessions finish on theirs. What must survive a reload (connections to nexthops, counts, the journal) is in `Services`.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use net::network::NetworkSet;
use net::resolver::Resolver;
use net::tls::{Acceptor, Certificates};
use scan::engine::Armed;
use smtp::{Domain, ForwardPath, Mailbox};

use crate::config::{self, Config};
use crate::deliver::callouts::Callouts;
use crate::deliver::dial::Ways;
use crate::deliver::families::Families;
use crate::deliver::nexthops::{Dialling, Nexthops};
use crate::deliver::plan::Plans;
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
use crate::serve::users::Users;

mod outward;

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

/// What belongs to one listener.
pub struct ListenerContext {
    /// The listener as configured.
    pub settings: Arc<config::Listener>,
    /// Its name, for events.
    pub name: Arc<str>,
    /// What its sessions offer.
    pub smtp: Arc<smtp::server::Settings>,
    /// Accepts TLS, if it has a certificate.
    pub acceptor: Option<Acceptor>,
    /// The certificates, which may change on disk.
    pub certificates: Option<Arc<Certificates>>,
    /// The connections it holds.
    pub admission: Arc<Admission>,
    /// Who may authenticate, if anybody.
    pub users: Option<Users>,
    /// Networks that must send a PROXY header.
    pub proxy_networks: NetworkSet,
    /// Networks that may use XCLIENT.
    pub xclient_networks: NetworkSet,
}

/// What outlives a reload.
pub struct Services {
    /// Where events go.
    pub journal: Journal,
    /// Makes references.
    pub references: References,
    /// Connections to nexthops.
    pub nexthops: Nexthops,
    /// What is remembered of the ways to servers.
    pub ways: Arc<Ways>,
    /// MTA-STS policies of recipient domains.
    pub sts: Arc<StsPolicies>,
    /// Results of TLS, for reports.
    pub tls_reports: TlsReports,
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
        let sts = outward::kept_policies(config, &journal);
        let tls_reports = TlsReports::new(Some(config.node.data_dir.join("tls-reports")));
        Ok(Services::with(config, journal, sts, tls_reports))
    }

    /// The services of a command that takes no mail: nothing is written.
    ///
    /// # Errors
    /// No thread can be started.
    pub fn unwritten(config: &Config) -> io::Result<Arc<Services>> {
        let (sts, tls_reports) = (StsPolicies::unwritten(), TlsReports::new(None));
        let journal = Journal::silent()?;
        Ok(Services::with(config, journal, sts, tls_reports))
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
            nexthops: Nexthops::new(outward::nexthop_observer(journal.clone())),
            ways: Arc::new(Ways::new(Families::new(outward::family_observer(
                journal.clone(),
            )))),
            sts: Arc::new(sts),
            tls_reports,
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
        let resolver = outward::resolver(&config)
            .map_err(|error| errors.push(error))
            .ok();
        let roots = outward::roots(&config)
            .map_err(|error| errors.push(error))
            .ok();
        if let Err(error) = outward::switch_reports(&config, &services) {
            errors.push(error);
        }
        let listeners = listeners(&config, &services, &mut errors);
        let (Some(resolver), Some(roots), true) = (resolver, roots, errors.is_empty()) else {
            return Err(errors);
        };
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
            dialling: outward::dialling(&config, &services, &resolver, roots),
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

fn listeners(
    config: &Config,
    services: &Services,
    errors: &mut Vec<ContextError>,
) -> Vec<Arc<ListenerContext>> {
    config
        .listeners
        .iter()
        .filter_map(|settings| match ListenerContext::new(settings, services) {
            Ok(listener) => Some(Arc::new(listener)),
            Err(error) => {
                errors.push(error);
                None
            }
        })
        .collect()
}

impl ListenerContext {
    /// The acceptor, if TLS comes with the connection.
    pub fn implicit_tls(&self) -> Option<&Acceptor> {
        self.acceptor
            .as_ref()
            .filter(|_| self.settings.tls.mode == config::TlsMode::Implicit)
    }

    fn new(
        settings: &Arc<config::Listener>,
        services: &Services,
    ) -> Result<ListenerContext, ContextError> {
        let certificates = match settings.tls.mode {
            config::TlsMode::Off => None,
            config::TlsMode::StartTls | config::TlsMode::Implicit => {
                let files: Vec<_> = settings
                    .tls
                    .certificates
                    .iter()
                    .map(|files| net::tls::CertificateFiles {
                        certificate: files.certificate.clone(),
                        key: files.key.clone(),
                    })
                    .collect();
                let loaded = Certificates::load(&files).map_err(|error| ContextError {
                    what: format!("listener {}", settings.name),
                    detail: error.to_string(),
                })?;
                Some(loaded)
            }
        };
        Ok(ListenerContext {
            name: Arc::from(settings.name.as_str()),
            smtp: Arc::new(session_settings(settings)),
            acceptor: certificates
                .as_ref()
                .map(|certificates| net::tls::acceptor(Arc::clone(certificates)))
                .transpose()
                .map_err(|error| ContextError {
                    what: format!("listener {}", settings.name),
                    detail: error.to_string(),
                })?,
            certificates,
            admission: services.admission(&settings.name),
            users: settings
                .auth
                .as_ref()
                .map(|auth| Users::load(&auth.users_file))
                .transpose()
                .map_err(|detail| ContextError {
                    what: format!("listener {}: users_file", settings.name),
                    detail,
                })?,
            proxy_networks: settings.proxy_networks.iter().copied().collect(),
            xclient_networks: settings.xclient_networks.iter().copied().collect(),
            settings: Arc::clone(settings),
        })
    }
}

/// What the sessions of a listener offer.
fn session_settings(listener: &config::Listener) -> smtp::server::Settings {
    smtp::server::Settings {
        hostname: listener.hostname.clone(),
        message_size_max: listener.message_size_max,
        header_bytes_max: usize::try_from(listener.header_size_max).unwrap_or(usize::MAX),
        recipients_max: listener.recipients_max,
        bad_commands_max: listener.bad_commands_max,
        transactions_max: listener.transactions_max,
        bare_newline: match listener.bare_newline {
            config::BareNewline::Refuse => smtp::server::BareNewline::Refuse,
            config::BareNewline::Normalise => smtp::server::BareNewline::Normalise,
        },
        starttls: listener.tls.mode == config::TlsMode::StartTls,
        pipelining: listener.pipelining,
        chunking: listener.chunking,
        smtputf8: listener.smtputf8,
        dsn: listener.dsn,
        prdr: listener.prdr,
        require_tls: listener.requiretls,
        auth: match &listener.auth {
            None => smtp::server::AuthOffer::Never,
            Some(auth) if auth.without_tls => smtp::server::AuthOffer::Always,
            Some(_) => smtp::server::AuthOffer::OverTls,
        },
    }
}

/// How often certificates are looked at, idle connections closed, and so on.
pub const HOUSEKEEPING_INTERVAL: Duration = Duration::from_secs(10);

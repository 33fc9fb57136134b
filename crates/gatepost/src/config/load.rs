//! From the text of the file to the configuration, or to all its errors.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::de::DeTable;

use super::domains::Domains;
use super::error::{ConfigError, Fault};
use super::reader::{Reader, Section};
use super::route::Surroundings;
use super::{
    Admin, Authentication, Classifier, Config, DailyReportSettings, DecisionLog, Delivery,
    Destinations, Dkim, Dns, Engine, EngineKind, Listener, Log, Loops, Nexthop, Node, Pool, Queue,
    Route, Scan, TlsPolicy, files, keys, replies, reports,
};
use crate::lists::ListSettings;
use crate::relay_table::RelayTable;
use crate::replies::Templates;

impl Config {
    /// Reads the configuration file at `path`, and the lists that it names.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn load(path: &Path) -> Result<Config, Vec<ConfigError>> {
        let shown = path.display().to_string();
        let unreadable = |fault: Fault| {
            let reader = Reader::new(&shown, "");
            reader.error(0..0, "", fault);
            reader.into_errors()
        };
        let bytes = files::read(path).map_err(unreadable)?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let valid = error.utf8_error().valid_up_to();
            let text = String::from_utf8_lossy(error.as_bytes());
            let reader = Reader::new(&shown, &text);
            reader.error(
                valid..valid,
                "",
                Fault::new("this is not UTF-8", "save the file as UTF-8"),
            );
            reader.into_errors()
        })?;
        Config::parse(&shown, &text)
    }

    /// Where the control socket of the node with this file is, also while the file is wrong: a reload must still find the
    /// running node to be told why it fails.
    pub fn control_socket(path: &Path) -> Option<PathBuf> {
        let text = String::from_utf8(files::read(path).ok()?).ok()?;
        let (document, _) = DeTable::parse_recoverable(&text);
        let text_of = |section: &str, key: &str| {
            let section = document.get_ref().get(section)?.get_ref().as_table()?;
            section.get(key)?.get_ref().as_str().map(PathBuf::from)
        };
        let socket = text_of("admin", "control").or_else(|| {
            text_of("node", "data_dir").map(|data_dir| data_dir.join("control.sock"))
        })?;
        Some(path.parent().unwrap_or(Path::new("")).join(socket))
    }

    /// Reads a configuration from `text`. `file_name` stands in errors, and relative paths start at its folder.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn parse(file_name: &str, text: &str) -> Result<Config, Vec<ConfigError>> {
        let reader = Reader::new(file_name, text);
        let (document, syntax_errors) = DeTable::parse_recoverable(text);
        for error in &syntax_errors {
            reader.syntax_error(error);
        }
        let config = keys::scope("").and_then(|scope| {
            let file = Section::open(&reader, scope, document.get_ref(), 0..0);
            read(&file)
        });
        match config {
            Some(config) if !reader.has_errors() => Ok(Config {
                file: Some(PathBuf::from(file_name)),
                ..config
            }),
            _ => Err(reader.into_errors()),
        }
    }

    /// What runs without a configuration: mail for the example domains goes into a maildir, loopback only.
    pub fn embedded(data_dir: &Path) -> Config {
        #[expect(
            clippy::expect_used,
            reason = "the text is a constant, which a test reads"
        )]
        let mut config = Config::parse("embedded", include_str!("embedded.toml"))
            .expect("the embedded configuration is valid");
        config.file = None;
        config.node.data_dir = data_dir.to_owned();
        config.log.decisions = DecisionLog::File(data_dir.join("decisions.jsonl"));
        config.admin.control = data_dir.join("control.sock");
        config.queue.folder = data_dir.join("queue");
        for engine in config.engines.values_mut() {
            if let EngineKind::Content(content) = &mut engine.kind {
                content.classifier = Classifier::load(&Classifier::default_file(data_dir));
            }
        }
        for route in &mut config.routes {
            Arc::make_mut(route).nexthops = vec![Nexthop::Maildir(data_dir.join("maildir"))];
        }
        config
    }
}

impl Route {
    /// The route of messages to domains that no route has, such as reports to those who sent: to their mail exchangers, with the
    /// default of every key. Nothing is taken from a client by it.
    pub fn to_anywhere() -> Route {
        #[expect(
            clippy::expect_used,
            reason = "the text is a constant, which a test reads"
        )]
        let config = Config::parse("built in", include_str!("anywhere.toml"))
            .expect("the built-in route is valid");
        #[expect(
            clippy::expect_used,
            reason = "a configuration without a route is an error"
        )]
        let route = config.routes.first().expect("it has a route");
        Route {
            index: usize::MAX,
            origin: "built in".to_owned(),
            ..Route::clone(route)
        }
    }
}

/// `None` if something is missing on which all else stands, which is noted.
fn read(file: &Section<'_, '_>) -> Option<Config> {
    let node_section = file.table("node");
    let node = node_section.as_ref().and_then(Node::read);
    let (name, data_dir) = match &node {
        Some(node) => (node.name.clone(), node.data_dir.clone()),
        None => Default::default(),
    };
    let log = file
        .table_or_empty("log")
        .map(|log| Log::read(&log, &data_dir));
    let admin = file
        .table_or_empty("admin")
        .map(|admin| Admin::read(&admin, &data_dir));
    let dns = file.table_or_empty("dns").map(|dns| Dns::read(&dns));
    let delivery = file
        .table_or_empty("delivery")
        .and_then(|delivery| Delivery::read(&delivery));
    let scan = file.table_or_empty("scan").map(|scan| Scan::read(&scan));
    let tls_policy = file.table_or_empty("tls_policy");
    let tls_policy = tls_policy.map(|section| TlsPolicy::read(&section));
    let daily = |name| DailyReportSettings::read(&file.table_or_empty(name)?, node.as_ref());
    let (tls_reports, dmarc_reports) = (daily("tls_reports"), daily("dmarc_reports"));
    let engines = file
        .table_or_empty("engine")
        .map(|engine| Engine::read_all(&engine, &data_dir));
    let engines = engines.unwrap_or_default();
    let auth = Authentication::read(file, node.as_ref());
    let replies = replies::read(file);
    let listeners = read_listeners(file, &name);
    let queue = file
        .table_or_empty("queue")
        .map(|queue| Queue::read(&queue, &data_dir));
    let reports = reports::reporter(file, node.as_ref());
    let pools = Pool::read_all(file);
    let (routes, domains) = read_routes(file, &engines, &replies, &pools);
    if let (Some(section), Some(node)) = (&node_section, &node) {
        refuse_open_relay(section, node, &routes);
    }
    let list = |name| {
        let list = file.table_or_empty(name);
        list.map(|list| ListSettings::read(&list))
    };
    let (allow, block) = (list("allow"), list("block"));
    Some(Config {
        file: None,
        node: node?,
        log: log?,
        admin: admin?,
        dns: dns?,
        delivery: delivery?,
        scan: scan?,
        tls_policy: tls_policy?,
        tls_reports: tls_reports?,
        dmarc_reports: dmarc_reports?,
        queue: queue?,
        reports: reports?,
        dkim: Dkim::read_all(file),
        loops: Loops::read(file)?,
        pools,
        destinations: Destinations::read(file),
        listeners,
        routes,
        domains: Arc::new(domains.into_map()),
        engines,
        auth: auth?,
        allow: allow?,
        block: block?,
        replies: Arc::new(replies),
    })
}

fn read_listeners(file: &Section<'_, '_>, node_name: &str) -> Vec<Arc<Listener>> {
    let sections = file.tables("listener");
    none_given(file, "listener");
    let mut names = HashMap::new();
    let mut binds: HashMap<SocketAddr, usize> = HashMap::new();
    let mut listeners = Vec::new();
    for section in sections {
        let line = section.reader.line(&section.span(""));
        let Some(listener) = Listener::read(&section, node_name) else {
            continue;
        };
        if let Some(first) = names.insert(listener.name.clone(), line) {
            let fault = Fault::new(
                format!(
                    "there is another listener named `{}`, at line {first}",
                    listener.name
                ),
                "give each listener a name of its own",
            );
            section.error("name", fault);
        }
        // Port 0 stands for any free port: such addresses never clash.
        for bind in listener.bind.iter().filter(|bind| bind.port() != 0) {
            if let Some(first) = binds.insert(*bind, line) {
                let fault = Fault::new(
                    format!(
                        "{bind} is bound twice; the first time by the listener at line {first}"
                    ),
                    "leave it with one listener",
                );
                section.error("bind", fault);
            }
        }
        listeners.push(Arc::new(listener));
    }
    listeners
}

fn read_routes(
    file: &Section<'_, '_>,
    engines: &std::collections::BTreeMap<String, Engine>,
    replies: &Templates,
    pools: &[Pool],
) -> (Vec<Arc<Route>>, Domains) {
    let sections = file.tables("route");
    none_given(file, "route");
    let mut domains = Domains::default();
    let mut around = Surroundings {
        engines,
        replies,
        domains: &mut domains,
        pools,
    };
    let routes = sections
        .iter()
        .enumerate()
        .filter_map(|(index, section)| Route::read(section, index, &mut around))
        .map(Arc::new)
        .collect();
    (routes, domains)
}

/// A route for all domains, and everybody trusted: that would be an open relay, which is used within the hour.
fn refuse_open_relay(section: &Section<'_, '_>, node: &Node, routes: &[Arc<Route>]) {
    let mut networks = node.trusted_networks.iter();
    let everybody = networks.any(|network| network.prefix_len() == 0);
    let rest = routes.iter().find(|route| {
        route
            .domains
            .iter()
            .any(|domain| domain == RelayTable::REST)
    });
    if let (true, Some(route)) = (everybody, rest) {
        let fault = Fault::new(
            format!(
                "every client is trusted, and the route at {} is for all domains: an open relay",
                route.origin
            ),
            "name the networks that are your own",
        );
        section.error("trusted_networks", fault);
    }
}

/// `listener = []` is given, yet none.
fn none_given(file: &Section<'_, '_>, key: &str) {
    if file.is_empty_list(key) {
        let fault = Fault::new(
            format!("there is no {key}"),
            format!("add a table `[[{key}]]`"),
        );
        file.error(key, fault);
    }
}

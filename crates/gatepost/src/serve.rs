//! The server: listeners, sessions, reload, and an orderly stop.
//!
//! A message is received in `connection`, passes `stages`, and is disposed of in `dispose`. What all sessions share is the
//! snapshot (`context`), which a reload swaps; a session finishes on the snapshot that it began with.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::config::{Config, ConfigError, Level, TlsMode};
use crate::context::{Context, HOUSEKEEPING_INTERVAL, Services};
use crate::deliver;
use crate::deliver::dispatch::Dispatch;
use crate::event::Event;

pub mod admin;
pub mod admission;
pub mod connection;
pub mod content;
pub mod conversation;
pub mod dispose;
pub mod listener;
pub mod refusals;
pub mod reverse_names;
mod signatures;
pub mod stages;
pub mod transaction;
pub mod users;

use connection::Stop;
use listener::Listener;

/// Connections that the system holds for us until we accept them.
const BACKLOG: u32 = 1024;
/// After the deadline of a stop, how long sessions may take to say 421.
const CUT_OFF_WAIT: Duration = Duration::from_secs(2);

/// Listening sockets that were handed to the process, by name.
pub type Activated = Vec<(String, std::net::TcpListener)>;

/// The snapshot in force; cheap to clone.
#[derive(Clone)]
pub struct Current {
    context: Arc<RwLock<Arc<Context>>>,
}

impl Current {
    /// Puts a first snapshot in force.
    pub fn new(context: Arc<Context>) -> Current {
        Current {
            context: Arc::new(RwLock::new(context)),
        }
    }

    /// The snapshot in force now.
    pub fn load(&self) -> Arc<Context> {
        Arc::clone(&self.context.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn swap(&self, context: Arc<Context>) {
        *self.context.write().unwrap_or_else(PoisonError::into_inner) = context;
    }
}

/// Counts the sessions of the server.
#[derive(Clone, Default)]
pub struct Sessions {
    open: Arc<AtomicU64>,
}

/// One open session; dropping it ends it.
pub struct OpenSession(Arc<AtomicU64>);

impl Sessions {
    fn enter(&self) -> OpenSession {
        self.open.fetch_add(1, Ordering::Relaxed);
        OpenSession(Arc::clone(&self.open))
    }

    /// Sessions that are open now.
    pub fn count(&self) -> u64 {
        self.open.load(Ordering::Relaxed)
    }
}

impl Drop for OpenSession {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A running server.
pub struct Server {
    /// The snapshot in force.
    pub current: Current,
    /// Its sessions.
    pub sessions: Sessions,
    stop: watch::Sender<Stop>,
    dispatch: Running,
    bound: Mutex<HashMap<SocketAddr, Bound>>,
    reloading: Mutex<()>,
    file: Option<PathBuf>,
    begun: Instant,
}

/// Delivery from the queue.
struct Running {
    stop: watch::Sender<Option<Duration>>,
    task: std::sync::Mutex<Option<JoinHandle<()>>>,
}

/// An address that is listened on.
struct Bound {
    retire: watch::Sender<bool>,
    /// The address that the system gave, which differs from the configured one for port 0.
    local: SocketAddr,
}

impl Server {
    /// Binds every listener of `config`, except where a socket in `activated` serves, and starts accepting.
    ///
    /// # Errors
    /// What can't be used or bound, each with what to do about it.
    pub async fn start(config: Config, activated: Activated) -> Result<Arc<Server>, Vec<String>> {
        let file = config.file.clone();
        if std::os::unix::net::UnixStream::connect(&config.admin.control).is_ok() {
            let socket = config.admin.control.display();
            return Err(vec![format!(
                "another gatepost with this data_dir is running ({socket} answers): stop it, or give this one its own [node] data_dir"
            )]);
        }
        prepare_data_dir(&config).map_err(|error| vec![error])?;
        let services = Services::new(&config).map_err(|error| {
            vec![format!(
                "decision log or queue: {error}; see [log] decisions, [queue] folder and [node] data_dir"
            )]
        })?;
        let context = Context::new(config, services, None)
            .map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>())?;
        let current = Current::new(Arc::new(context));
        let dispatch = Running::start(&current).map_err(|error| vec![error])?;
        let server = Arc::new(Server {
            dispatch,
            current: current.clone(),
            sessions: Sessions::default(),
            stop: watch::Sender::new(Stop::Running),
            bound: Mutex::default(),
            reloading: Mutex::default(),
            file,
            begun: Instant::now(),
        });
        let cx = current.load();
        let sockets = bind_missing(&cx, &HashMap::new(), activated).map_err(|error| vec![error])?;
        cx.services.journal.emit(&Event::Started {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            node: Arc::clone(&cx.node),
            node_number: cx.services.references.node(),
            pid: std::process::id(),
        });
        server.listen_on(sockets).await;
        Ok(server)
    }

    /// Reads the configuration again and puts it in force, or leaves everything as it is and says why.
    ///
    /// # Errors
    /// Every error, in words.
    pub async fn reload(&self) -> Result<(), Vec<String>> {
        let _one_at_a_time = self.reloading.lock().await;
        let begun = Instant::now();
        let old = self.current.load();
        // Whoever rotates logs asks for a reload, and is owed the new file whatever is in the configuration.
        old.services.journal.reopen();
        let result = self.try_reload(&old).await;
        match &result {
            Ok(cx) => cx.services.journal.emit(&Event::Reloaded {
                listeners: cx.listeners.len() as u64,
                routes: cx.routes.len() as u64,
                domains: cx.table.domains_len() as u64,
                milliseconds: conversation::milliseconds(begun),
            }),
            Err(errors) => old.services.journal.emit(&Event::ReloadFailed {
                errors: errors.clone(),
            }),
        }
        result.map(|_| ())
    }

    async fn try_reload(&self, old: &Arc<Context>) -> Result<Arc<Context>, Vec<String>> {
        let Some(file) = self.file.clone() else {
            let remedy = "there is no configuration file to read again: start with --config";
            return Err(vec![remedy.to_owned()]);
        };
        let previous = Arc::clone(old);
        // Files of a million domains and certificates are read: not on a thread that carries mail.
        let context = tokio::task::spawn_blocking(move || read_again(&file, &previous))
            .await
            .map_err(|error| {
                vec![format!(
                    "reading the configuration ended abnormally: {error}"
                )]
            })??;
        let context = Arc::new(context);
        let sockets = {
            let bound = self.bound.lock().await;
            bind_missing(&context, &bound, Activated::new()).map_err(|error| vec![error])?
        };
        // From here on nothing fails.
        self.current.swap(Arc::clone(&context));
        context.services.journal.set_level(context.config.log.level);
        context.services.callouts.clear();
        self.listen_on(sockets).await;
        self.bound.lock().await.retain(|address, bound| {
            let wanted = context.listener_at(*address).is_some();
            if !wanted {
                bound.retire.send_replace(true);
            }
            wanted
        });
        for key in restart_needed(&old.config, &context.config) {
            let line = format!("{key} has changed: the new value takes effect with the next start");
            context.services.journal.say(Level::Warn, &line);
        }
        Ok(context)
    }

    async fn listen_on(&self, sockets: Vec<(SocketAddr, TcpListener)>) {
        let cx = self.current.load();
        let mut bound = self.bound.lock().await;
        for (address, socket) in sockets {
            let local = socket.local_addr().unwrap_or(address);
            let retire = watch::Sender::new(false);
            let listener = Listener {
                socket,
                address,
                current: self.current.clone(),
                sessions: self.sessions.clone(),
            };
            tokio::spawn(listener.run(self.stop.subscribe(), retire.subscribe()));
            bound.insert(address, Bound { retire, local });
            if let Some(listener) = cx.listener_at(address) {
                cx.services.journal.emit(&Event::Listening {
                    listener: Arc::clone(&listener.name),
                    address: local,
                    implicit_tls: listener.settings.tls.mode == TlsMode::Implicit,
                });
            }
        }
    }

    /// The addresses that are listened on, as the system gave them.
    pub async fn addresses(&self) -> Vec<SocketAddr> {
        self.bound
            .lock()
            .await
            .values()
            .map(|bound| bound.local)
            .collect()
    }

    /// Looks after what ages: idle connections, certificates.
    pub async fn keep_house(self: Arc<Server>) {
        let mut interval = tokio::time::interval(HOUSEKEEPING_INTERVAL);
        let mut stop = self.stop.subscribe();
        loop {
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop == Stop::Now) => return,
                _ = interval.tick() => {}
            }
            let cx = self.current.load();
            cx.services.nexthops.tidy_up();
            cx.services.idle.tidy_up(cx.config.queue.idle);
            let reloaded = tokio::task::spawn_blocking(move || {
                cx.reload_certificates();
                if let Err(error) = cx.services.senders.tidy_up() {
                    tracing::error!(%error, "what is known of senders can't be written");
                }
            })
            .await;
            if let Err(error) = reloaded {
                tracing::error!(%error, "certificates can't be looked at");
            }
        }
    }

    /// Looks after what security towards other servers rests on: refreshes policies, writes results down, and sends the daily reports
    /// into the queue. Apart from other housekeeping, because web servers may take their time.
    pub async fn keep_tls(self: Arc<Server>) {
        let mut stop = self.stop.subscribe();
        let upkeep = deliver::tls_upkeep::run(|| self.current.load());
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop == Stop::Now) => {}
            () = upkeep => {}
        }
        let reports = self.current.load().services.tls_reports.clone();
        if let Ok(Err(error)) = tokio::task::spawn_blocking(move || reports.save()).await {
            tracing::error!(%error, "results of TLS can't be written");
        }
        let reports = self.current.load().services.dmarc_reports.clone();
        if let Ok(Err(error)) = tokio::task::spawn_blocking(move || reports.save()).await {
            tracing::error!(%error, "results of DMARC can't be written");
        }
    }

    /// Stops: accepts nothing new, lets transactions finish within the longest deadline of the listeners, then says 421.
    pub async fn stop(&self) {
        let cx = self.current.load();
        let deadline = cx
            .config
            .listeners
            .iter()
            .map(|listener| listener.stop_deadline)
            .max()
            .unwrap_or_default();
        cx.services.journal.emit(&Event::Stopping {
            sessions: self.sessions.count(),
            deadline_seconds: deadline.as_secs_f64(),
        });
        self.stop.send_replace(Stop::Finishing);
        self.dispatch.stop.send_replace(Some(deadline));
        self.wait_for_sessions(deadline).await;
        let sessions_cut = self.sessions.count();
        self.stop.send_replace(Stop::Now);
        self.wait_for_sessions(CUT_OFF_WAIT).await;
        self.dispatch.end(&cx).await;
        let services = Arc::clone(&cx.services);
        let saved = tokio::task::spawn_blocking(move || services.senders.save()).await;
        if let Ok(Err(error)) = saved {
            tracing::error!(%error, "what is known of senders can't be written");
        }
        cx.services.journal.emit(&Event::Stopped {
            sessions_cut,
            uptime_seconds: self.begun.elapsed().as_secs_f64(),
        });
        let journal = cx.services.journal.clone();
        // An Err would mean that the runtime is going down already.
        let _ = tokio::task::spawn_blocking(move || journal.close()).await;
    }

    async fn wait_for_sessions(&self, limit: Duration) {
        let deadline = Instant::now() + limit;
        while self.sessions.count() > 0 && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Running {
    /// Begins to deliver what waits.
    fn start(current: &Current) -> Result<Running, String> {
        let stop = watch::Sender::new(None);
        let cx = current.load();
        let queue = cx.services.queue().map_err(|_| "there is no queue")?;
        let dispatch = Dispatch::new(queue.clone(), current.clone(), stop.subscribe());
        Ok(Running {
            task: std::sync::Mutex::new(Some(tokio::spawn(dispatch.run()))),
            stop,
        })
    }

    /// Waits until transactions in progress are over, then closes the queue.
    async fn end(&self, cx: &Context) {
        let task = self
            .task
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(task) = task
            && let Err(error) = task.await
        {
            tracing::error!(%error, "delivery from the queue ended abnormally");
        }
        if let Ok(queue) = cx.services.queue() {
            queue.close().await;
        }
    }
}

/// The keys whose new values a running process can't take up.
fn restart_needed(old: &Config, new: &Config) -> Vec<&'static str> {
    let changed = [
        (old.admin != new.admin, "[admin]"),
        (old.queue != new.queue, "[queue]"),
        (old.log.decisions != new.log.decisions, "[log] decisions"),
        (
            old.node.memory_max != new.node.memory_max,
            "[node] memory_max",
        ),
        (old.node.number != new.node.number, "[node] number"),
        (old.node.threads != new.node.threads, "[node] threads"),
    ];
    changed
        .into_iter()
        .filter_map(|(changed, key)| changed.then_some(key))
        .collect()
}

/// The snapshot of the file as it is now.
fn read_again(file: &Path, previous: &Context) -> Result<Context, Vec<String>> {
    let words = |errors: Vec<ConfigError>| {
        errors
            .iter()
            .map(ConfigError::to_string)
            .collect::<Vec<_>>()
    };
    let config = Config::load(file).map_err(words)?;
    prepare_data_dir(&config).map_err(|error| vec![error])?;
    Context::new(config, Arc::clone(&previous.services), Some(previous))
        .map_err(|errors| errors.iter().map(ToString::to_string).collect())
}

/// Makes the folders that we write to. What is in them names people: owner and group may look.
fn prepare_data_dir(config: &Config) -> Result<(), String> {
    let dir = &config.node.data_dir;
    let mut folders = std::fs::DirBuilder::new();
    folders.recursive(true).mode(0o750);
    folders.create(dir.join("spool")).map_err(|error| {
        format!(
            "[node] data_dir {}: {error}; make it, or give another folder",
            dir.display()
        )
    })
}

/// Binds the addresses of the snapshot that are not in `bound` yet. Sockets handed over by systemd are taken first.
fn bind_missing(
    cx: &Context,
    bound: &HashMap<SocketAddr, Bound>,
    mut activated: Activated,
) -> Result<Vec<(SocketAddr, TcpListener)>, String> {
    let mut sockets = Vec::new();
    for listener in &cx.listeners {
        for address in listener
            .settings
            .bind
            .iter()
            .filter(|address| !bound.contains_key(address))
        {
            let handed_over = activated
                .iter()
                .position(|(_, socket)| socket.local_addr().ok() == Some(*address));
            let socket = match handed_over {
                Some(place) => net::socket::adopt(activated.swap_remove(place).1),
                None => net::socket::bind(*address, BACKLOG),
            };
            let socket = socket
                .map_err(|error| format!("listener {}: {}", listener.name, bind_remedy(&error)))?;
            sockets.push((*address, socket));
        }
    }
    Ok(sockets)
}

fn bind_remedy(error: &io::Error) -> String {
    let remedy = match error.kind() {
        io::ErrorKind::AddrInUse => "another program listens there; stop it or choose another port",
        io::ErrorKind::PermissionDenied => {
            "ports below 1024 need root, CAP_NET_BIND_SERVICE, or a socket handed over by systemd"
        }
        io::ErrorKind::AddrNotAvailable => "this machine does not have the address",
        _ => return error.to_string(),
    };
    format!("{error}; {remedy}")
}

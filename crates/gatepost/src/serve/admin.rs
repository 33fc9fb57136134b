//! HTTP beside the mail: metrics and health on the admin addresses, commands on a unix socket in the data folder.
//!
//! Whoever may open the socket (owner and group of the process) may command; nothing that changes anything is served over TCP.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use metrics_exporter_prometheus::PrometheusHandle;
use serde::{Deserialize, Serialize};
use tokio::net::{TcpListener, UnixListener};

use super::Server;
use crate::engines::EngineSet;
use crate::metrics;

pub mod queue;
pub mod senders;

/// What the handlers share.
#[derive(Clone)]
struct Shared {
    server: Arc<Server>,
    metrics: PrometheusHandle,
    turns: queue::Turns,
}

/// The answer to a reload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reload {
    /// The new configuration is in force.
    pub reloaded: bool,
    /// Why not: every error.
    pub errors: Vec<String>,
}

/// The state of a running node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeState {
    /// The version of the running process.
    pub version: String,
    /// The node's name.
    pub node: String,
    /// The process.
    pub pid: u32,
    /// Sessions open now.
    pub sessions: u64,
    /// Bytes of memory that messages in transit take.
    pub message_memory_bytes: u64,
    /// Nexthops that are down, with the reason.
    pub nexthops_down: Vec<Down>,
    /// Address families that lead nowhere, with the reason.
    pub families_down: Vec<Down>,
    /// For how long no nameserver has answered, in seconds; null if they do.
    #[serde(default)]
    pub dns_down_seconds: Option<u64>,
    /// Engines that are down, with the reason.
    pub engines_down: Vec<Down>,
    /// Lists in the DNS that are left out, with the reason.
    #[serde(default)]
    pub lists_left_out: Vec<Down>,
}

/// An engine, a nexthop or an address family that is down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Down {
    /// Its name in the configuration.
    pub name: String,
    /// Why it is down.
    pub reason: String,
}

/// Serves metrics and health on the admin addresses, and commands on the control socket.
///
/// # Errors
/// An address can't be bound, or the socket can't be made; in words with what to do.
pub async fn serve(server: Arc<Server>, metrics: PrometheusHandle) -> Result<(), String> {
    let cx = server.current.load();
    let shared = Shared {
        server,
        metrics,
        turns: queue::Turns::new(),
    };
    let admin = &cx.config.admin;
    for address in &admin.bind {
        let socket = TcpListener::bind(address)
            .await
            .map_err(|error| format!("[admin] bind {address}: {}", super::bind_remedy(&error)))?;
        let router = watching().with_state(shared.clone());
        tokio::spawn(async move { axum::serve(socket, router).await });
    }
    let control = control_socket(&admin.control).map_err(|error| {
        format!(
            "[admin] control {}: {error}; give a path in a folder that can be written",
            admin.control.display()
        )
    })?;
    let router = watching()
        .merge(commands())
        .merge(queue::commands())
        .merge(senders::commands())
        .with_state(shared);
    // Whoever asks is known by its credentials: what it does to the queue is recorded.
    let router = router.into_make_service_with_connect_info::<queue::Peer>();
    tokio::spawn(async move { axum::serve(control, router).await });
    Ok(())
}

/// The control socket, for owner and group alone. One left behind by a process that is gone is replaced.
fn control_socket(path: &Path) -> io::Result<UnixListener> {
    if std::os::unix::net::UnixStream::connect(path).is_ok() {
        return Err(io::Error::new(
            io::ErrorKind::AddrInUse,
            "another gatepost with this data_dir is running",
        ));
    }
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o660))?;
    Ok(listener)
}

fn watching() -> Router<Shared> {
    Router::new()
        .route("/metrics", get(read_metrics))
        .route("/health", get(health))
}

fn commands() -> Router<Shared> {
    Router::new()
        .route("/api/v1/reload", post(reload))
        .route("/api/v1/state", get(state))
}

async fn read_metrics(State(shared): State<Shared>) -> Response {
    metrics::read_gauges(&shared.server.current.load());
    (
        [(header::CONTENT_TYPE, "text/plain; version=0.0.4")],
        shared.metrics.render(),
    )
        .into_response()
}

/// For load balancers: 200 while mail is taken.
async fn health() -> &'static str {
    "ok\n"
}

async fn reload(State(shared): State<Shared>) -> (StatusCode, Json<Reload>) {
    match shared.server.reload().await {
        Ok(()) => (
            StatusCode::OK,
            Json(Reload {
                reloaded: true,
                errors: Vec::new(),
            }),
        ),
        Err(errors) => (
            StatusCode::UNPROCESSABLE_ENTITY,
            Json(Reload {
                reloaded: false,
                errors,
            }),
        ),
    }
}

async fn state(State(shared): State<Shared>) -> Json<NodeState> {
    let cx = shared.server.current.load();
    Json(NodeState {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        node: cx.node.to_string(),
        pid: std::process::id(),
        sessions: shared.server.sessions.count(),
        message_memory_bytes: cx.services.budget.bytes_used(),
        nexthops_down: cx
            .services
            .nexthops
            .down()
            .into_iter()
            .map(|(name, reason)| Down { name, reason })
            .collect(),
        families_down: cx
            .services
            .ways
            .families
            .down()
            .into_iter()
            .map(|(family, reason)| Down {
                name: family.to_string(),
                reason,
            })
            .collect(),
        dns_down_seconds: cx.resolver.outage().map(|outage| outage.as_secs()),
        engines_down: cx
            .engines
            .all()
            .filter_map(|armed| match armed.engine.health() {
                scan::engine::Health::Up => None,
                scan::engine::Health::Down(why) => {
                    let name = armed.engine.name().to_owned();
                    let reason = why.detail;
                    Some(Down { name, reason })
                }
            })
            .collect(),
        lists_left_out: lists_left_out(&cx.engines),
    })
}

fn lists_left_out(engines: &EngineSet) -> Vec<Down> {
    let lists = engines.lists().health().into_iter();
    let left_out = lists.filter_map(|(name, health)| {
        Some(Down {
            name: name.to_string(),
            reason: health.trouble()?,
        })
    });
    left_out.collect()
}

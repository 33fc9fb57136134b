//! The queue over HTTP: what waits and why, and what operators do about it. All of it is served on the control socket only:
//! addresses of senders and recipients are nobody's business who may not open it.
//!
//! Lists are lines of JSON (NDJSON) that are written as they are read; the last line says that the list is whole. The paths are
//! in `docs/queue.md`.

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Path, RawQuery, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use queue::{Actor, MessageId, Queue, Suspended};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Shared;
use crate::event::{Event, QueueAction, SuspensionKind};

mod acting;
mod destinations;
mod filter;
mod messages;
mod moving;
mod peer;
mod problem;
mod walk;

pub use acting::{ActRequest, Done, DoneResult, DoneSummary};
pub use destinations::{DESTINATIONS_MAX, Destinations, Lane, Site, Suspension};
pub use filter::{Filter, NAMES_MAX};
pub use messages::{Facts, QueuedMessage, QueuedRecipient, State as QueuedState};
pub use moving::{
    AbortAnswer, ExportOrder, ExportSummary, ImportOrder, ImportSummary, Left, Moving, Unread,
};
pub use peer::Peer;
pub use problem::Problem;
pub use walk::{Missing, Summary};

/// Bytes of a request.
const REQUEST_BYTES_MAX: usize = 64 << 10;
/// Parts of lists, and messages, that are read from the disk at one time.
const READ_AT_ONCE_MAX: usize = 8;
/// Lists that are open at one time, most of which wait for whoever reads them.
const LISTS_MAX: usize = 64;
/// Actions that are under way at one time.
const ACTIONS_MAX: usize = 8;
/// Bytes of the name of what is suspended.
const NAME_BYTES_MAX: usize = 512;
/// Sites and lanes that an answer has unless more are asked for.
const DESTINATIONS_USUAL: usize = 100;

/// The queue as a whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Overview {
    /// Messages with a recipient that waits.
    pub messages: u64,
    /// Recipients that wait.
    pub recipients: u64,
    /// Of these, those that an operator holds.
    pub held: u64,
    /// Of these, those whose time has come.
    pub due: u64,
    /// Connections that deliver now.
    pub connections: u64,
    /// Destinations that are remembered.
    pub sites: u64,
    /// What waits for the same thing.
    pub lanes: u64,
    /// Suspensions in force.
    pub suspensions: u64,
    /// Bytes of segments and journals; large contents are files of their own and not counted.
    pub bytes: u64,
    /// Bytes free on the disk of the queue.
    pub free_bytes: u64,
    /// Segments.
    pub segments: u64,
    /// Damaged records that were set aside since the start.
    pub damaged: u64,
    /// Why no message is accepted now; left out while they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refuses: Option<String>,
    /// How far the messages of earlier runs are read.
    pub recovery: RecoveryState,
}

/// How far the messages of earlier runs are read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoveryState {
    /// All are read.
    pub done: bool,
    /// Segments read.
    pub segments_read: u64,
    /// Segments found.
    pub segments: u64,
    /// Messages found that wait.
    pub messages: u64,
    /// Damaged records set aside.
    pub damaged: u64,
}

/// What is to be suspended or resumed: one of the three.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SuspendRequest {
    /// A recipient domain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// A customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
    /// A destination, by its whole name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// Why.
    pub reason: String,
    /// The name that the operator goes by, recorded beside that of the process that asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,
}

/// What was suspended or resumed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuspendAnswer {
    /// What the name is one of.
    pub kind: SuspensionKind,
    /// What, as the queue has it.
    pub name: String,
    /// Recipients that wait for it.
    pub waiting: u64,
}

/// Bounds how much is asked at one time: each kind apart, so that lists that nobody reads on keep no action from being done.
#[derive(Clone)]
pub(super) struct Turns {
    reads: Arc<Semaphore>,
    lists: Arc<Semaphore>,
    actions: Arc<Semaphore>,
}

impl Turns {
    pub(super) fn new() -> Turns {
        let turns = |count| Arc::new(Semaphore::new(count));
        Turns {
            reads: turns(READ_AT_ONCE_MAX),
            lists: turns(LISTS_MAX),
            actions: turns(ACTIONS_MAX),
        }
    }

    /// To read something from the disk, which takes a moment.
    async fn read(&self) -> Option<OwnedSemaphorePermit> {
        // Nobody closes it.
        Arc::clone(&self.reads).acquire_owned().await.ok()
    }

    fn list(&self) -> Result<OwnedSemaphorePermit, Problem> {
        taken(&self.lists, LISTS_MAX, "lists")
    }

    fn act(&self) -> Result<OwnedSemaphorePermit, Problem> {
        taken(&self.actions, ACTIONS_MAX, "actions")
    }
}

fn taken(turns: &Arc<Semaphore>, max: usize, of: &str) -> Result<OwnedSemaphorePermit, Problem> {
    Arc::clone(turns).try_acquire_owned().map_err(|_| {
        let error = format!("{max} {of} are under way already");
        Problem::busy(error, "wait for one of them, or end it")
    })
}

/// The paths.
pub(super) fn commands() -> Router<Shared> {
    let act = |action| {
        post(
            move |state: State<Shared>,
                  peer: ConnectInfo<Peer>,
                  body: Result<Bytes, BytesRejection>| {
                act(state, peer, action, body)
            },
        )
    };
    let mut router = Router::new()
        .route("/api/v1/queue", get(overview))
        .route("/api/v1/queue/messages", get(list))
        .route("/api/v1/queue/messages/{id}", get(message))
        .route("/api/v1/queue/messages/{id}/content", get(content))
        .route("/api/v1/queue/destinations", get(destinations))
        .route("/api/v1/queue/suspend", post(suspend))
        .route("/api/v1/queue/resume", post(resume))
        .route("/api/v1/queue/export", post(export))
        .route("/api/v1/queue/export/abort", post(abort_export))
        .route("/api/v1/queue/import", post(import));
    for action in QueueAction::ALL {
        router = router.route(&format!("/api/v1/queue/{}", action.word()), act(action));
    }
    router.layer(DefaultBodyLimit::max(REQUEST_BYTES_MAX))
}

async fn overview(State(shared): State<Shared>) -> Result<Json<Overview>, Problem> {
    let queue = queue_of(&shared)?;
    let (stats, recovery) = (queue.stats(), queue.recovery());
    Ok(Json(Overview {
        messages: stats.messages,
        recipients: stats.recipients,
        held: stats.held,
        due: stats.due,
        connections: stats.connections,
        sites: stats.sites,
        lanes: stats.lanes,
        suspensions: queue.suspensions().len() as u64,
        bytes: stats.bytes,
        free_bytes: stats.free_bytes,
        segments: stats.segments,
        damaged: stats.damaged,
        refuses: queue.room().err().map(|error| error.to_string()),
        recovery: RecoveryState {
            done: recovery.done,
            segments_read: recovery.segments_read,
            segments: recovery.segments,
            messages: recovery.messages,
            damaged: recovery.damaged,
        },
    }))
}

async fn list(
    State(shared): State<Shared>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let matcher = Filter::from_query(query.as_deref().unwrap_or_default())?.matcher()?;
    let walk = walk::Walk::new(queue_of(&shared)?, matcher);
    let open = shared.turns.list()?;
    Ok(walk::stream(walk, shared.turns, open))
}

async fn message(
    State(shared): State<Shared>,
    Path(id): Path<String>,
) -> Result<Json<QueuedMessage>, Problem> {
    let (queue, id) = (queue_of(&shared)?, message_id(&id)?);
    let _turn = shared.turns.read().await;
    let message = blocking(move || QueuedMessage::whole(&queue, id)).await?;
    message.map(Json).map_err(|error| absent(id, error))
}

async fn content(
    State(shared): State<Shared>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let (queue, id) = (queue_of(&shared)?, message_id(&id)?);
    let _turn = shared.turns.read().await;
    let read = move || queue.content(id)?.ok_or(queue::ReadError::Gone);
    let content = blocking(read).await?.map_err(|error| absent(id, error))?;
    Ok(([(header::CONTENT_TYPE, "message/rfc822")], content).into_response())
}

async fn destinations(
    State(shared): State<Shared>,
    RawQuery(query): RawQuery,
) -> Result<Json<Destinations>, Problem> {
    let mut limit = DESTINATIONS_USUAL;
    for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        let number = value.parse().ok().filter(|it| *it <= DESTINATIONS_MAX);
        limit = number.filter(|_| name == "limit").ok_or_else(|| {
            let error = format!(
                "`{}={}` can't be asked for",
                name.escape_debug(),
                value.escape_debug()
            );
            Problem::bad(
                error,
                format!("write limit=NUMBER, {DESTINATIONS_MAX} at most"),
            )
        })?;
    }
    let queue = queue_of(&shared)?;
    Ok(Json(
        blocking(move || Destinations::new(&queue, limit)).await?,
    ))
}

async fn act(
    State(shared): State<Shared>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    action: QueueAction,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let request: ActRequest = read(body)?;
    let matcher = request.filter.matcher()?;
    let by = peer.acting_as(request.operator.as_deref())?;
    let queue = queue_of(&shared)?;
    let cx = shared.server.current.load();
    let order = acting::Order::new(Arc::clone(&cx), queue.clone(), action, &request, by)?;
    Ok(order.stream(walk::Walk::new(queue, matcher), shared.turns.act()?))
}

async fn suspend(
    State(shared): State<Shared>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<SuspendAnswer>, Problem> {
    let request: SuspendRequest = read(body)?;
    let (kind, name, what) = suspended(&request)?;
    let queue = queue_of(&shared)?;
    let by = Actor {
        name: peer.acting_as(request.operator.as_deref())?,
        reason: request.reason.trim().to_owned(),
    };
    let answer = SuspendAnswer {
        kind,
        waiting: waiting(&queue, &what),
        name: name.clone(),
    };
    let actor = by.clone();
    let suspended = blocking(move || queue.suspend(what, &actor)).await?;
    suspended.map_err(|error| {
        let error = format!("nothing is suspended: {error}");
        Problem::fault(error, "look at the disk of the queue, then ask again")
    })?;
    shared
        .server
        .current
        .load()
        .services
        .journal
        .emit(&Event::DeliverySuspended {
            kind,
            name,
            by: by.name,
            reason: by.reason,
        });
    Ok(Json(answer))
}

async fn resume(
    State(shared): State<Shared>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<SuspendAnswer>, Problem> {
    let request: SuspendRequest = read(body)?;
    let (kind, name, what) = suspended(&request)?;
    let queue = queue_of(&shared)?;
    let by = peer.acting_as(request.operator.as_deref())?;
    let waiting = waiting(&queue, &what);
    let resumed = blocking(move || queue.resume(&what)).await?;
    let was = resumed.map_err(|error| {
        let error = format!("it stays suspended: {error}");
        Problem::fault(error, "look at the disk of the queue, then ask again")
    })?;
    if !was {
        let error = format!("{} {} is not suspended", kind.word(), name.escape_debug());
        return Err(Problem::missing(
            error,
            "`gatepost queue destinations` tells what is",
        ));
    }
    shared
        .server
        .current
        .load()
        .services
        .journal
        .emit(&Event::DeliveryResumed {
            kind,
            name: name.clone(),
            by,
            reason: request.reason.trim().to_owned(),
        });
    Ok(Json(SuspendAnswer {
        kind,
        name,
        waiting,
    }))
}

async fn export(
    State(shared): State<Shared>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let order: ExportOrder = read(body)?;
    let by = peer.acting_as(order.operator.as_deref())?;
    let queue = queue_of(&shared)?;
    moving::export(Arc::clone(&shared.server.current.load()), queue, order, by)
}

async fn abort_export(State(shared): State<Shared>) -> Result<Json<AbortAnswer>, Problem> {
    let queue = queue_of(&shared)?;
    blocking(move || moving::abort(&queue)).await?.map(Json)
}

async fn import(
    State(shared): State<Shared>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let order: ImportOrder = read(body)?;
    let by = peer.acting_as(order.operator.as_deref())?;
    let queue = queue_of(&shared)?;
    moving::import(Arc::clone(&shared.server.current.load()), queue, order, by)
}

/// What is asked to be suspended or resumed, in the form of the queue.
fn suspended(request: &SuspendRequest) -> Result<(SuspensionKind, String, Suspended), Problem> {
    acting::reason(&request.reason)?;
    let (kind, name) = match (&request.domain, &request.customer, &request.site) {
        (Some(domain), None, None) => (SuspensionKind::Domain, filter::domain(domain)?),
        (None, Some(customer), None) => (SuspensionKind::Customer, customer.clone()),
        (None, None, Some(site)) => (SuspensionKind::Site, site.clone()),
        _ => {
            return Err(Problem::bad(
                "one thing is suspended or resumed at a time",
                "name one domain, one customer or one site",
            ));
        }
    };
    if name.is_empty() || name.len() > NAME_BYTES_MAX || name.contains(char::is_control) {
        return Err(Problem::bad(
            format!(
                "`{}` can't be the name of a {}",
                name.escape_debug(),
                kind.word()
            ),
            "`gatepost queue destinations` names what there is",
        ));
    }
    let what = match kind {
        SuspensionKind::Domain => Suspended::Domain(name.clone()),
        SuspensionKind::Customer => Suspended::Customer(name.clone()),
        SuspensionKind::Site => Suspended::Site(name.clone()),
    };
    Ok((kind, name, what))
}

/// Recipients that wait for it.
fn waiting(queue: &Queue, what: &Suspended) -> u64 {
    let lanes = queue.lanes(usize::MAX).into_iter();
    let concerned = lanes.filter(|state| match what {
        Suspended::Domain(domain) => *state.lane.domain == **domain,
        Suspended::Customer(customer) => *state.lane.customer == **customer,
        Suspended::Site(site) => state.site.as_ref() == Some(site),
    });
    concerned.map(|state| state.waiting).sum()
}

fn queue_of(shared: &Shared) -> Result<Queue, Problem> {
    let cx = shared.server.current.load();
    Ok(cx.services.queue()?.clone())
}

fn message_id(text: &str) -> Result<MessageId, Problem> {
    text.parse().map_err(|_| {
        Problem::bad(
            format!("`{}` is not an id in the queue", text.escape_debug()),
            "write a number such as 4711: lists have it as `queue_id`",
        )
    })
}

fn absent(id: MessageId, error: queue::ReadError) -> Problem {
    match error {
        queue::ReadError::Gone => Problem::missing(
            format!("message {id} is not in the queue"),
            "the decision log tells what became of it: look there for `\"queue_id\":\"ID\"`",
        ),
        other => other.into(),
    }
}

fn read<T: DeserializeOwned>(body: Result<Bytes, BytesRejection>) -> Result<T, Problem> {
    let body = body.map_err(|_| {
        let error = format!("the request has more than {REQUEST_BYTES_MAX} bytes, or broke off");
        Problem::bad(error, "name fewer messages, or use a filter")
    })?;
    serde_json::from_slice(&body).map_err(|error| {
        Problem::bad(
            format!("the request can't be read: {error}"),
            "`docs/queue.md` tells what it looks like",
        )
    })
}

/// Reads the disk where that may block.
async fn blocking<T: Send + 'static>(
    read: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(read).await.map_err(|_| {
        Problem::fault(
            "the reading of the queue ended abnormally",
            "look at the log",
        )
    })
}

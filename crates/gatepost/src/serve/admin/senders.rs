//! What is known of senders, over the control socket: shown, and forgotten by operators, which is recorded.

use axum::Json;
use axum::Router;
use axum::extract::{ConnectInfo, State};
use axum::routing::post;
use scan::reputation::record::{Entry, Key};
use scan::reputation::seconds_now;
use serde::{Deserialize, Serialize};

use super::Shared;
use super::queue::{Peer, Problem};
use crate::event::Event;

/// Bytes of what is asked about.
const TEXT_BYTES_MAX: usize = 512;

/// Whom it is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AboutSender {
    /// An address, a network, a host name or a domain.
    pub sender: String,
    /// The name that the operator goes by, recorded beside that of the process that asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,
}

/// All that is known of a sender.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SenderState {
    /// What to do with a client of this address that connects, where the listener goes by that: `accept`, `tempfail` or
    /// `permfail`; left out for what is no address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
    /// Why, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// What is known, by what it is known of; empty if nothing is.
    pub known: Vec<KnownSender>,
}

/// What is known of one address, network, host name or domain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KnownSender {
    /// `address`, `network`, `helo`, `claimed-helo` (a host name that anybody may give) or `domain`.
    pub kind: String,
    /// Which one.
    pub sender: String,
    /// `good`, `neutral`, `unknown`, `suspect` or `bad`.
    pub class: String,
    /// Why, in words.
    pub reason: String,
    /// Messages that were taken; as all counts halved with each half-life.
    pub good: f32,
    /// Messages that were refused as spam or for a virus.
    pub bad: f32,
    /// Recipients that exist.
    pub known_recipients: f32,
    /// Recipients that do not.
    pub unknown_recipients: f32,
    /// Other refusals.
    pub refused: f32,
    /// Since when it is known, in seconds since 1970.
    pub first_seen: u32,
    /// When it was last heard of, in seconds since 1970.
    pub last_seen: u32,
    /// Until when it is called suspect or bad if nothing more comes from it, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<u32>,
}

/// What was forgotten.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forgotten {
    /// Of whom something was known, which is forgotten.
    pub forgotten: Vec<String>,
}

pub(super) fn commands() -> Router<Shared> {
    Router::new()
        .route("/api/v1/reputation/show", post(show))
        .route("/api/v1/reputation/forget", post(forget))
}

async fn show(
    State(shared): State<Shared>,
    Json(about): Json<AboutSender>,
) -> Result<Json<SenderState>, Problem> {
    let cx = shared.server.current.load();
    let record = &cx.services.senders.record;
    let now = seconds_now();
    let entries = keys(&about)?.into_iter();
    let known = entries.filter_map(|key| record.entry(&key, now)).map(known);
    let ip = about.sender.trim().parse().ok();
    let judgement = ip.map(|ip| record.client(ip, now));
    Ok(Json(SenderState {
        advice: judgement
            .as_ref()
            .map(|judgement| judgement.advice.word().to_owned()),
        why: judgement.map(|judgement| judgement.reason),
        known: known.collect(),
    }))
}

/// Of an address the network is left as it is, and of a host name the domain above it: they may be named by themselves.
async fn forget(
    State(shared): State<Shared>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Json(about): Json<AboutSender>,
) -> Result<Json<Forgotten>, Problem> {
    let cx = shared.server.current.load();
    let by = peer.acting_as(about.operator.as_deref())?;
    let mut keys = keys(&about)?;
    if keys.iter().any(|key| matches!(key, Key::Address(_))) {
        keys.retain(|key| matches!(key, Key::Address(_)));
    }
    let name = about.sender.trim().trim_end_matches('.').to_lowercase();
    keys.retain(|key| !matches!(key, Key::Domain(domain) if **domain != *name));
    let mut forgotten = Vec::new();
    for key in keys {
        if cx.services.senders.record.forget(&key) {
            let sender = key.to_string();
            cx.services.journal.emit(&Event::ReputationForgotten {
                sender: sender.clone(),
                by: by.clone(),
            });
            forgotten.push(sender);
        }
    }
    Ok(Json(Forgotten { forgotten }))
}

fn keys(about: &AboutSender) -> Result<Vec<Key>, Problem> {
    let text = about.sender.trim();
    let remedy = "write an address, a network (/24, of IPv6 /48), a host name or a domain";
    if text.len() > TEXT_BYTES_MAX {
        return Err(Problem::bad("this is too long".to_owned(), remedy));
    }
    Key::parse_any(text).map_err(|error| Problem::bad(error, remedy))
}

fn known(entry: Entry) -> KnownSender {
    KnownSender {
        kind: entry.key.kind().to_owned(),
        sender: entry.key.to_string(),
        class: entry.class.word().to_owned(),
        reason: entry.reason,
        good: entry.tally.good,
        bad: entry.tally.bad,
        known_recipients: entry.tally.known,
        unknown_recipients: entry.tally.unknown,
        refused: entry.tally.refused,
        first_seen: entry.first_seen,
        last_seen: entry.last_seen,
        until: entry.until,
    }
}

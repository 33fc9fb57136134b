//! Daily reports over HTTP: which ones wait, and their round at once. Served on the control socket only.

use std::time::Duration;

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};

use super::Shared;
use super::queue::Problem;
use crate::deliver::daily::{ReportOutcome, WaitingReport};
use crate::deliver::tls_upkeep;

/// How long whoever asks for a round waits for its end: less than the commands wait for an answer.
const WAIT_MAX: Duration = Duration::from_secs(45);

/// What became of a round.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Round {
    /// It is over; else it goes on, and events tell of it.
    pub is_over: bool,
    /// What became of each report.
    pub reports: Vec<ReportOutcome>,
}

pub(super) fn commands() -> Router<Shared> {
    Router::new()
        .route("/api/v1/reports", get(list))
        .route("/api/v1/reports/send", post(send))
}

async fn list(State(shared): State<Shared>) -> Json<Vec<WaitingReport>> {
    Json(tls_upkeep::waiting(&shared.server.current.load()))
}

async fn send(State(shared): State<Shared>) -> Result<Json<Round>, Problem> {
    let cx = shared.server.current.load();
    // A task of its own: a round that is cut off when whoever asked goes away would send some reports twice.
    let round = tokio::spawn(async move { tls_upkeep::report_now(&cx).await });
    match tokio::time::timeout(WAIT_MAX, round).await {
        Ok(Ok(reports)) => Ok(Json(Round {
            is_over: true,
            reports: reports?,
        })),
        Ok(Err(_)) => Err(Problem::fault(
            "the round of the reports broke off",
            "see the log of the node",
        )),
        Err(_) => Ok(Json(Round {
            is_over: false,
            reports: Vec::new(),
        })),
    }
}

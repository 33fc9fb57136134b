//! Whether each engine answers, and with which version.

use std::time::Instant;

use scan::engine::Armed;
use tokio::time::timeout;

use super::{CHECK_WAIT_MAX, Check, Checks, tell};

const REMEDY: &str = "is its daemon running, and is `address` where it listens? on_failure says what happens to mail meanwhile";

/// Asks the engine, past any back-off.
pub(super) async fn check(armed: Armed, checks: Checks) {
    let name = armed.engine.name();
    let begun = Instant::now();
    let check = match timeout(CHECK_WAIT_MAX, armed.engine.probe()).await {
        Ok(Ok(version)) => {
            let milliseconds = begun.elapsed().as_secs_f64() * 1000.0;
            Check::ok(
                "engine",
                format!("{name}: {version} ({milliseconds:.0} ms)"),
            )
        }
        Ok(Err(unavailable)) => {
            Check::failed("engine", format!("{name}: {}", unavailable.detail), REMEDY)
        }
        Err(_) => {
            let seconds = CHECK_WAIT_MAX.as_secs();
            Check::failed(
                "engine",
                format!("{name}: no answer within {seconds} s"),
                REMEDY,
            )
        }
    };
    tell(&checks, check);
}

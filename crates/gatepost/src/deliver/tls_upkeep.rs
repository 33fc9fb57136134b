//! What is done daily and in the background: policies of other servers refreshed, results of TLS and DMARC written down, reports
//! sent.
//!
//! Nothing of it is on the way of any message. What is refreshed and reported is decided in `sts`, `tls_reports` and
//! `dmarc_reports`.

use std::sync::Arc;
use std::time::Duration;

use queue::{Queue, SubmitError};
use tokio::time::Instant;

use super::dmarc_reports;
use super::sts::cache::unix_seconds;
use super::tls_reports::round::{Desk, Outgoing, begin_second, interval};
use crate::config::Level;
use crate::context::Context;

/// How often results are written to the disk: what a crash costs at most.
const SAVE_INTERVAL: Duration = Duration::from_secs(60);

/// Goes on until it is dropped. `snapshot` gives the snapshot in force.
pub async fn run(snapshot: impl Fn() -> Arc<Context>) {
    let begin_second = begin_second();
    let mut next_look = Instant::now() + interval();
    loop {
        tokio::time::sleep(SAVE_INTERVAL).await;
        let cx = snapshot();
        save(&cx).await;
        if Instant::now() < next_look {
            continue;
        }
        next_look = Instant::now() + interval();
        cx.dialling.tls_policies.refresh().await;
        if let Ok(queue) = cx.services.queue() {
            report(&cx, begin_second, queue).await;
            report_dmarc(&cx, begin_second, queue).await;
            save(&cx).await;
        }
    }
}

async fn save(cx: &Context) {
    let reports = cx.services.tls_reports.clone();
    let saved = tokio::task::spawn_blocking(move || reports.save()).await;
    if let Ok(Err(error)) = saved {
        let line = format!("results of TLS cannot be written, they wait in memory: {error}");
        cx.services.journal.say(Level::Warn, &line);
    }
    let reports = cx.services.dmarc_reports.clone();
    let saved = tokio::task::spawn_blocking(move || reports.save()).await;
    if let Ok(Err(error)) = saved {
        let line = format!("results of DMARC cannot be written, they wait in memory: {error}");
        cx.services.journal.say(Level::Warn, &line);
    }
}

async fn report(cx: &Context, begin_second: u64, queue: &Queue) {
    let desk = Desk {
        settings: &cx.config.tls_reports,
        node: &cx.config.node.name,
        resolver: &cx.resolver,
        https: cx.dialling.tls_policies.https(),
        journal: &cx.services.journal,
    };
    let post = async |outgoing| submit(cx, queue, outgoing).await;
    let round = cx.services.tls_reports.round(&desk, begin_second, post);
    // Boxed: it is large and rare.
    Box::pin(round).await;
}

async fn report_dmarc(cx: &Context, begin_second: u64, queue: &Queue) {
    let desk = dmarc_reports::round::Desk {
        settings: &cx.config.dmarc_reports,
        node: &cx.config.node.name,
        resolver: &cx.resolver,
        journal: &cx.services.journal,
    };
    let post = async |outgoing| submit(cx, queue, outgoing).await;
    let round = cx.services.dmarc_reports.round(&desk, begin_second, post);
    // Boxed: it is large and rare.
    Box::pin(round).await;
}

async fn submit(cx: &Context, queue: &Queue, outgoing: Outgoing) -> Result<(), String> {
    let now = unix_seconds();
    let reference = cx.services.references.next(now);
    let domain = outgoing.from_domain.clone();
    let submission = outgoing.into_submission(reference.to_string(), None);
    let signer = Arc::clone(&cx.signer);
    let signing = move || signer.signed(&domain, submission, now);
    let signed = tokio::task::spawn_blocking(signing).await;
    let signed = signed.map_err(|error| error.to_string())?;
    let submission = signed.map_err(|error| error.to_string())?;
    match queue.submit(submission).await {
        Ok(_) => Ok(()),
        Err(SubmitError::Full { .. }) => Err("the queue is full".to_owned()),
        Err(SubmitError::Fault(detail)) => Err(format!("the queue cannot write: {detail}")),
        Err(SubmitError::Closed) => Err("the node stops".to_owned()),
    }
}

#[cfg(test)]
mod tests;

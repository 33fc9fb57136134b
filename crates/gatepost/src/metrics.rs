//! Metrics for Prometheus: every one of them follows from an event or from a count that is read when asked.
//!
//! Names, labels and units are in one table, from which `docs/metrics.md` is made.

use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

use crate::context::Context;
use crate::decision::{Decision, Disposition};
use crate::event::Event;
use crate::policy::{Reason, Verdict};

/// What a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    Counter,
    Gauge,
    Histogram,
}

/// Every metric: name, sort, labels, meaning with unit.
const TABLE: &[(&str, Sort, &str, &str)] = &[
    (
        "gatepost_transactions_total",
        Sort::Counter,
        "listener, outcome",
        "Transactions that ended; outcome as in the human log",
    ),
    (
        "gatepost_recipients_total",
        Sort::Counter,
        "disposition",
        "Recipients by what became of the message for them",
    ),
    (
        "gatepost_refusals_total",
        Sort::Counter,
        "kind",
        "Recipients refused or deferred by a verdict of ours, by the type of its reason; a refusal at MAIL counts once",
    ),
    (
        "gatepost_message_bytes_total",
        Sort::Counter,
        "listener",
        "Bytes of messages received",
    ),
    (
        "gatepost_transaction_seconds",
        Sort::Histogram,
        "listener",
        "Seconds from MAIL to the end of the transaction",
    ),
    (
        "gatepost_scan_seconds",
        Sort::Histogram,
        "",
        "Seconds that the wave of engines took",
    ),
    (
        "gatepost_engine_seconds",
        Sort::Histogram,
        "engine",
        "Seconds that an engine took for a message",
    ),
    (
        "gatepost_engine_unavailable_total",
        Sort::Counter,
        "engine, cause",
        "Messages that an engine could not examine",
    ),
    (
        "gatepost_engine_up",
        Sort::Gauge,
        "engine",
        "1 while the engine answers, 0 while it is down",
    ),
    (
        "gatepost_nexthop_up",
        Sort::Gauge,
        "nexthop",
        "1 once a nexthop is back, 0 while it is down",
    ),
    (
        "gatepost_sessions_without_transaction_total",
        Sort::Counter,
        "listener, reason",
        "Sessions that ended without a transaction",
    ),
    (
        "gatepost_connections_refused_total",
        Sort::Counter,
        "listener, reason",
        "Connections refused before the banner",
    ),
    (
        "gatepost_connections",
        Sort::Gauge,
        "listener",
        "Connections held now",
    ),
    (
        "gatepost_message_memory_bytes",
        Sort::Gauge,
        "",
        "Memory that messages in transit take now, in bytes",
    ),
    (
        "gatepost_reloads_total",
        Sort::Counter,
        "result",
        "Reloads of the configuration: ok or failed",
    ),
];

/// Upper bounds of the histograms' buckets, in seconds.
const BUCKETS_SECONDS: &[f64] = &[
    0.001, 0.005, 0.02, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 120.0,
];

/// Installs the recorder of this process.
///
/// # Errors
/// There is one already.
pub fn install() -> Result<PrometheusHandle, BuildError> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), BUCKETS_SECONDS)?
        .install_recorder()?;
    for (name, sort, _, meaning) in TABLE {
        match sort {
            Sort::Counter => describe_counter!(*name, *meaning),
            Sort::Gauge => describe_gauge!(*name, *meaning),
            Sort::Histogram => describe_histogram!(*name, *meaning),
        }
    }
    Ok(handle)
}

/// Counts an event.
pub fn count(event: &Event) {
    match event {
        Event::Decided(decision) => decided(decision),
        Event::SessionEnded(session) => counter!(
            "gatepost_sessions_without_transaction_total",
            "listener" => session.listener.to_string(), "reason" => crate::journal::word(&session.reason)
        )
        .increment(1),
        Event::ConnectionRefused { listener, reason, .. } => counter!(
            "gatepost_connections_refused_total",
            "listener" => listener.to_string(), "reason" => crate::journal::word(reason)
        )
        .increment(1),
        Event::EngineDown { engine, .. } => gauge!("gatepost_engine_up", "engine" => engine.to_string()).set(0.0),
        Event::EngineUp { engine, .. } => gauge!("gatepost_engine_up", "engine" => engine.to_string()).set(1.0),
        Event::NexthopDown { nexthop, .. } => gauge!("gatepost_nexthop_up", "nexthop" => nexthop.to_string()).set(0.0),
        Event::NexthopUp { nexthop, .. } => gauge!("gatepost_nexthop_up", "nexthop" => nexthop.to_string()).set(1.0),
        Event::Reloaded { .. } => counter!("gatepost_reloads_total", "result" => "ok").increment(1),
        Event::ReloadFailed { .. } => counter!("gatepost_reloads_total", "result" => "failed").increment(1),
        _ => {}
    }
}

fn decided(decision: &Decision) {
    let listener = || decision.listener.to_string();
    counter!("gatepost_transactions_total", "listener" => listener(), "outcome" => decision.outcome()).increment(1);
    counter!("gatepost_message_bytes_total", "listener" => listener())
        .increment(decision.sizes.bytes);
    histogram!("gatepost_transaction_seconds", "listener" => listener())
        .record(f64::from(decision.timings.total) / 1000.0);
    for recipient in &decision.recipients {
        counter!("gatepost_recipients_total", "disposition" => disposition(recipient.disposition))
            .increment(1);
    }
    for reason in refusals(decision) {
        counter!("gatepost_refusals_total", "kind" => reason.kind.name()).increment(1);
    }
    if decision.findings.is_empty() {
        return;
    }
    histogram!("gatepost_scan_seconds").record(f64::from(decision.timings.scan) / 1000.0);
    for finding in &decision.findings {
        histogram!("gatepost_engine_seconds", "engine" => finding.engine.clone())
            .record(f64::from(finding.milliseconds) / 1000.0);
        if let Some(unavailable) = &finding.unavailable {
            counter!(
                "gatepost_engine_unavailable_total",
                "engine" => finding.engine.clone(), "cause" => crate::journal::word(&unavailable.cause)
            )
            .increment(1);
        }
    }
}

/// Why recipients were refused or deferred: one reason for each, and one for a transaction that never had any.
fn refusals(decision: &Decision) -> impl Iterator<Item = &Reason> {
    let of_mail = decision
        .verdict
        .as_ref()
        .filter(|_| decision.recipients.is_empty());
    let of_recipients = decision
        .recipients
        .iter()
        .filter_map(|recipient| recipient.verdict.as_ref());
    of_mail
        .into_iter()
        .chain(of_recipients)
        .filter_map(Verdict::reason)
}

fn disposition(disposition: Disposition) -> &'static str {
    match disposition {
        Disposition::Refused => "refused",
        Disposition::Deferred => "deferred",
        Disposition::Relayed => "relayed",
        Disposition::Delivered => "delivered",
        Disposition::Queued => "queued",
        Disposition::Abandoned => "abandoned",
    }
}

/// Reads the counts that are kept elsewhere, just before they are asked for.
pub fn read_gauges(cx: &Context) {
    for listener in &cx.listeners {
        #[expect(clippy::cast_precision_loss, reason = "connections are far below 2^52")]
        gauge!("gatepost_connections", "listener" => listener.name.to_string())
            .set(listener.admission.total() as f64);
    }
    #[expect(
        clippy::cast_precision_loss,
        reason = "bytes of memory are far below 2^52"
    )]
    gauge!("gatepost_message_memory_bytes").set(cx.services.budget.bytes_used() as f64);
}

/// `docs/metrics.md`.
pub fn reference_markdown() -> String {
    let mut text = String::from(
        "# Metrics\n\nServed in Prometheus' text format under `/metrics` on the addresses of `[admin] bind`.\n\
         Made from the table in `crates/gatepost/src/metrics.rs`; change it and run `cargo xtask docs`.\n\n\
         `gatepost_engine_up` and `gatepost_nexthop_up` appear with the first change: what never failed has none.\n\n| name | sort | labels | meaning |\n|---|---|---|---|\n",
    );
    for (name, sort, labels, meaning) in TABLE {
        let sort = match sort {
            Sort::Counter => "counter",
            Sort::Gauge => "gauge",
            Sort::Histogram => "histogram",
        };
        text.push_str(&format!("| `{name}` | {sort} | {labels} | {meaning} |\n"));
    }
    text
}

#[cfg(test)]
mod tests;

//! Metrics for Prometheus: every one of them follows from an event or from a count that is read when asked.
//!
//! Names, labels and units are in one table, from which `docs/metrics.md` is made.

use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

use queue::Queue;

use crate::context::Context;
use crate::decision::{Decision, Disposition};
use crate::event::{Delivery, DeliveryResult, Event};
use crate::policy::{Reason, Verdict};
use crate::senders::Senders;

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
        "gatepost_list_up",
        Sort::Gauge,
        "list",
        "1 once a list in the DNS is asked again, 0 while it is left out",
    ),
    (
        "gatepost_senders_known",
        Sort::Gauge,
        "",
        "Addresses, networks, host names and domains of which the record knows something",
    ),
    (
        "gatepost_senders_bytes",
        Sort::Gauge,
        "",
        "Memory that the record of senders takes, in bytes",
    ),
    (
        "gatepost_greylist_entries",
        Sort::Gauge,
        "",
        "Senders in the greylist",
    ),
    (
        "gatepost_nexthop_up",
        Sort::Gauge,
        "nexthop",
        "1 once a nexthop is back, 0 while it is down",
    ),
    (
        "gatepost_dns_up",
        Sort::Gauge,
        "",
        "1 while nameservers answer, 0 while none does",
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
        "gatepost_queue_messages",
        Sort::Gauge,
        "",
        "Messages in the queue",
    ),
    (
        "gatepost_queue_recipients",
        Sort::Gauge,
        "",
        "Recipients in the queue",
    ),
    (
        "gatepost_queue_due",
        Sort::Gauge,
        "",
        "Recipients in the queue whose time has come",
    ),
    (
        "gatepost_queue_held",
        Sort::Gauge,
        "",
        "Recipients in the queue that an operator holds",
    ),
    (
        "gatepost_queue_bytes",
        Sort::Gauge,
        "",
        "What the queue takes on its disk, in bytes",
    ),
    (
        "gatepost_queue_free_bytes",
        Sort::Gauge,
        "",
        "What is free on the disk of the queue, in bytes",
    ),
    (
        "gatepost_queue_accepts",
        Sort::Gauge,
        "",
        "0 while the disk of the queue is full or faulty, 1 once it is not",
    ),
    (
        "gatepost_queue_connections",
        Sort::Gauge,
        "",
        "Connections that deliver from the queue",
    ),
    (
        "gatepost_queue_sites_backing_off",
        Sort::Gauge,
        "",
        "Destinations that are left alone since nobody there could be reached",
    ),
    (
        "gatepost_queue_submits_total",
        Sort::Counter,
        "",
        "Messages accepted into the queue",
    ),
    (
        "gatepost_queue_syncs_total",
        Sort::Counter,
        "",
        "Syncs of the queue's files: many messages share one",
    ),
    (
        "gatepost_queue_damaged_total",
        Sort::Counter,
        "",
        "Damaged records of the queue that were set aside",
    ),
    (
        "gatepost_deliveries_total",
        Sort::Counter,
        "result",
        "Recipients of queued messages by what became of an attempt: delivered, delayed, failed, expired",
    ),
    (
        "gatepost_delivery_latency_seconds",
        Sort::Histogram,
        "",
        "From acceptance to delivery of a queued message, for each recipient, in seconds",
    ),
    (
        "gatepost_final_replies_lost_total",
        Sort::Counter,
        "",
        "Deliveries whose final reply was lost, so that the message may arrive twice",
    ),
    (
        "gatepost_queue_operations_total",
        Sort::Counter,
        "action",
        "What operators did to queued messages: retry, hold, release, remove, reroute",
    ),
    (
        "gatepost_queue_suspensions",
        Sort::Gauge,
        "",
        "Domains, customers and destinations whose deliveries an operator has suspended",
    ),
    (
        "gatepost_reports_total",
        Sort::Counter,
        "",
        "Reports on queued messages (RFC 3464)",
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
        Event::Delivery(delivery) => delivered(delivery),
        Event::ReportQueued { .. } => counter!("gatepost_reports_total").increment(1),
        Event::DiskFull { .. } | Event::DiskFault { .. } => gauge!("gatepost_queue_accepts").set(0.0),
        Event::DiskFree { .. } | Event::DiskWorks => gauge!("gatepost_queue_accepts").set(1.0),
        Event::QueueChanged(change) => {
            counter!("gatepost_queue_operations_total", "action" => change.action.word()).increment(1);
        }
        Event::QueueDamaged { .. } => counter!("gatepost_queue_damaged_total").increment(1),
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
        Event::ListLeftOut { list, .. } => gauge!("gatepost_list_up", "list" => list.to_string()).set(0.0),
        Event::ListBack { list } => gauge!("gatepost_list_up", "list" => list.to_string()).set(1.0),
        Event::NexthopDown { nexthop, .. } => gauge!("gatepost_nexthop_up", "nexthop" => nexthop.to_string()).set(0.0),
        Event::NexthopUp { nexthop, .. } => gauge!("gatepost_nexthop_up", "nexthop" => nexthop.to_string()).set(1.0),
        Event::Reloaded { .. } => counter!("gatepost_reloads_total", "result" => "ok").increment(1),
        Event::ReloadFailed { .. } => counter!("gatepost_reloads_total", "result" => "failed").increment(1),
        _ => {}
    }
}

fn delivered(delivery: &Delivery) {
    for recipient in &delivery.recipients {
        counter!("gatepost_deliveries_total", "result" => recipient.result.word()).increment(1);
        if recipient.result == DeliveryResult::Delivered {
            histogram!("gatepost_delivery_latency_seconds").record(delivery.age_seconds);
        }
    }
    if delivery.repeatable {
        counter!("gatepost_final_replies_lost_total").increment(1);
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
    let dns_up = if cx.resolver.outage().is_none() {
        1.0
    } else {
        0.0
    };
    gauge!("gatepost_dns_up").set(dns_up);
    read_senders(&cx.services.senders);
    if let Ok(queue) = cx.services.queue() {
        read_queue(queue);
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "what memory holds is far below 2^52"
)]
fn read_senders(senders: &Senders) {
    let usage = senders.record.usage();
    gauge!("gatepost_senders_known").set(usage.keys as f64);
    gauge!("gatepost_senders_bytes").set(usage.bytes as f64);
    gauge!("gatepost_greylist_entries").set(senders.greylist.len() as f64);
}

#[expect(
    clippy::cast_precision_loss,
    reason = "what a disk holds is far below 2^52"
)]
fn read_queue(queue: &Queue) {
    let stats = queue.stats();
    gauge!("gatepost_queue_messages").set(stats.messages as f64);
    gauge!("gatepost_queue_recipients").set(stats.recipients as f64);
    gauge!("gatepost_queue_due").set(stats.due as f64);
    gauge!("gatepost_queue_held").set(stats.held as f64);
    gauge!("gatepost_queue_bytes").set(stats.bytes as f64);
    gauge!("gatepost_queue_free_bytes").set(stats.free_bytes as f64);
    gauge!("gatepost_queue_connections").set(stats.connections as f64);
    let backed_off = queue
        .sites()
        .into_iter()
        .filter(|site| site.backed_off.is_some());
    gauge!("gatepost_queue_sites_backing_off").set(backed_off.count() as f64);
    gauge!("gatepost_queue_suspensions").set(queue.suspensions().len() as f64);
    counter!("gatepost_queue_submits_total").absolute(stats.submits);
    counter!("gatepost_queue_syncs_total").absolute(stats.syncs);
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

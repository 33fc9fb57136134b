//! What the start with a long queue took.

use anyhow::{Result, ensure};

use super::measure::Results;
use super::{DESTINATIONS, Plan};
use crate::bench::Options;
use crate::bench::figures::{self, Figure, Target, number};
use crate::bench::page;
use crate::bench::peers::Kind;
use crate::bench::publish::{self, Report};

/// A start with 1,000,000 messages may take so long, and one with fewer as much less.
const INDEXED_SECONDS_MAX: f64 = 10.0;
const INDEXED_MESSAGES: f64 = 1_000_000.0;

/// Prints everything, writes the page after a full run, and ends with JSON if asked; fails if a message is missing.
pub(super) fn publish(options: &Options, plan: &Plan, results: &Results) -> Result<()> {
    let figures = figures(plan, results);
    let noise = publish::noise(std::iter::once(results.noise));
    let mut text = publish::opening(
        "cargo xtask bench queue --part backlog",
        &[Kind::Gatepost.version()],
        &noise,
    );
    text.push_str(&format!(
        "{} messages of 4,096 bytes for {} destinations, of which half are dead: nine in ten of those refuse connections, one \
         lets them wait.\n\n",
        number(plan.queued as f64),
        number(DESTINATIONS as f64)
    ));
    text.push_str(&figures::table(&figures));
    let report = Report {
        bench: "backlog",
        page: page::QUEUE,
        text,
        figures,
        noise,
    };
    publish::publish(&report, options.is_quick, true, options.wants_json)?;
    let dead = plan.queued / 2;
    ensure!(
        results.left == dead,
        "{} messages are still queued, of {dead} for dead destinations",
        results.left
    );
    Ok(())
}

fn figures(plan: &Plan, results: &Results) -> Vec<Figure> {
    let mut figures = of_start(plan, results);
    figures.extend(of_deliveries(results));
    figures
}

fn figure(name: &str, title: &str, unit: &'static str, value: f64, target: Target) -> Figure {
    Figure {
        name: name.to_owned(),
        title: title.to_owned(),
        unit,
        value: Some(value),
        target,
    }
}

fn of_start(plan: &Plan, results: &Results) -> Vec<Figure> {
    let queued = plan.queued as f64;
    let mib = |kib: u64| kib as f64 / 1024.0;
    vec![
        figure(
            "indexed_seconds",
            "from start until all messages are indexed",
            "s",
            results.indexed.as_secs_f64(),
            Target::AtMost(INDEXED_SECONDS_MAX * queued / INDEXED_MESSAGES),
        ),
        figure(
            "first_accepted_seconds",
            "from start until the first new message is accepted",
            "s",
            results.first_accepted.as_secs_f64(),
            Target::None,
        ),
        figure(
            "indexed_rss_mib",
            "memory when all are indexed, deliveries under way",
            "MiB",
            mib(results.indexed_kib),
            Target::None,
        ),
        figure(
            "peak_rss_mib",
            "peak memory",
            "MiB",
            mib(results.peak_kib),
            Target::None,
        ),
    ]
}

/// To the living, while the dead are tried.
fn of_deliveries(results: &Results) -> Vec<Figure> {
    let delivered = results.delivered.as_secs_f64();
    vec![
        figure(
            "living_seconds",
            "from start until the living destinations have all their messages",
            "s",
            delivered,
            Target::None,
        ),
        figure(
            "living_messages_per_second",
            "throughput to the living destinations meanwhile",
            "messages/s",
            results.delivered_messages as f64 / delivered,
            Target::None,
        ),
        figure(
            "living_processor_seconds_per_1000",
            "processor time meanwhile, attempts at the dead included",
            "s per 1,000",
            results.processor_time.as_secs_f64() * 1000.0 / results.delivered_messages as f64,
            Target::None,
        ),
        figure(
            "fresh_accepted_messages_per_second",
            "new messages accepted while the dead are tried again, 10 sessions",
            "messages/s",
            results.fresh_accepted_per_second,
            Target::None,
        ),
        figure(
            "fresh_delivered_messages_per_second",
            "the same, end to end",
            "messages/s",
            results.fresh_delivered_per_second,
            Target::None,
        ),
        figure(
            "fresh_wait_p99_milliseconds",
            "their wait for 250, p99",
            "ms",
            results.fresh_wait_p99.as_secs_f64() * 1000.0,
            Target::None,
        ),
    ]
}

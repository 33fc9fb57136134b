//! `gatepost queue destinations` and `gatepost queue status`: the queue by where it goes, and as a whole.

use std::process::ExitCode;

use clap::Args;

use super::words::{counted, printable, size, span};
use crate::cli::socket::Node;
use crate::cli::{complain, say};
use crate::serve::admin::queue::{Destinations, Lane, Overview, Site};

/// How many are told.
#[derive(Debug, Args)]
pub(in crate::cli) struct DestinationsOptions {
    /// So many destinations and so many domains, those with the most recipients first
    #[arg(long, value_name = "NUMBER", default_value_t = 20)]
    limit: usize,
    /// One JSON object instead of text
    #[arg(long)]
    json: bool,
}

/// Tells where messages wait to go.
pub(super) fn run(node: &Node, options: &DestinationsOptions) -> Result<ExitCode, String> {
    let path = format!("/api/v1/queue/destinations?limit={}", options.limit);
    let known: Destinations = node.get(&path)?;
    if options.json {
        say(&serde_json::json!(known).to_string());
        return Ok(ExitCode::SUCCESS);
    }
    if known.sites.is_empty() && known.lanes.is_empty() {
        say("nothing waits");
    }
    if !known.sites.is_empty() {
        say(&format!(
            "{:>9}  {:>11}  {:<12}  DESTINATION",
            "WAITING", "CONNECTIONS", "STATE"
        ));
        known.sites.iter().for_each(tell_site);
        more(known.more_sites, "destination");
    }
    if !known.lanes.is_empty() {
        say(&format!(
            "\n{:>9}  {:>11}  {:<12}  DOMAIN",
            "WAITING", "DUE", "STATE"
        ));
        known.lanes.iter().for_each(tell_lane);
        more(known.more_lanes, "domain");
    }
    if !known.suspensions.is_empty() {
        say("\nsuspended");
    }
    for it in &known.suspensions {
        let reason = match it.reason.as_str() {
            "" => String::new(),
            reason => format!(": {}", printable(reason)),
        };
        say(&format!(
            "  {} {}, by {} {} ago{reason}",
            it.kind.word(),
            printable(&it.name),
            printable(&it.by),
            span(it.age_seconds)
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn more(count: u64, what: &str) {
    if count > 0 {
        say(&format!(
            "{:>9}  {}: --limit tells more",
            "...",
            counted(count, &format!("more {what}"))
        ));
    }
}

fn state(suspended: bool, left_alone_seconds: Option<u64>) -> String {
    match (suspended, left_alone_seconds) {
        (true, _) => "suspended".to_owned(),
        (false, Some(seconds)) => format!("waits {}", span(seconds)),
        (false, None) => "open".to_owned(),
    }
}

fn tell_site(site: &Site) {
    let connections = format!("{} of {}", site.connections, site.connections_max);
    say(&format!(
        "{:>9}  {connections:>11}  {:<12}  {}",
        site.waiting,
        state(site.suspended, site.left_alone_seconds),
        printable(&site.site)
    ));
    let nexthop = site
        .nexthop
        .as_deref()
        .map(|it| format!("{}:", printable(it)));
    let detail = site.detail.as_deref().map(printable);
    let words = [
        site.status.as_deref(),
        nexthop.as_deref(),
        detail.as_deref(),
    ];
    let words: Vec<&str> = words
        .into_iter()
        .flatten()
        .filter(|it| !it.is_empty())
        .collect();
    if !words.is_empty() {
        say(&format!("{:>38}  {}", "", words.join(" ")));
    }
}

fn tell_lane(lane: &Lane) {
    let customer = match lane.customer.as_str() {
        "" => String::new(),
        customer => format!(" (customer {})", printable(customer)),
    };
    let rerouted = lane
        .rerouted
        .as_deref()
        .map(|it| format!(" rerouted to {}", printable(it)));
    say(&format!(
        "{:>9}  {:>11}  {:<12}  {}{customer}{}",
        lane.waiting,
        lane.due,
        state(lane.suspended, lane.left_alone_seconds),
        printable(&lane.domain),
        rerouted.unwrap_or_default()
    ));
}

/// Tells how much waits.
pub(super) fn status(node: &Node, json: bool) -> Result<ExitCode, String> {
    let queue: Overview = node.get("/api/v1/queue")?;
    if json {
        say(&serde_json::json!(queue).to_string());
        return Ok(ExitCode::SUCCESS);
    }
    say(&format!(
        "{} to {} ({} due, {} held)",
        counted(queue.messages, "message"),
        counted(queue.recipients, "recipient"),
        queue.due,
        queue.held
    ));
    say(&format!(
        "{} to {} and {}; {}",
        counted(queue.connections, "connection"),
        counted(queue.sites, "destination"),
        counted(queue.lanes, "domain"),
        counted(queue.suspensions, "suspension")
    ));
    say(&format!(
        "{} in {}, {} free on its disk",
        size(queue.bytes),
        counted(queue.segments, "segment"),
        size(queue.free_bytes)
    ));
    let recovery = &queue.recovery;
    if !recovery.done {
        complain(&format!(
            "still reading after the start: {} of {} segments, {} so far",
            recovery.segments_read,
            recovery.segments,
            counted(recovery.messages, "message")
        ));
    }
    if queue.damaged > 0 {
        complain(&format!(
            "{} set aside since the start: look into corrupt/ in the folder of the queue",
            counted(queue.damaged, "damaged record")
        ));
    }
    if let Some(why) = &queue.refuses {
        complain(&format!("no message is accepted: {why}"));
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

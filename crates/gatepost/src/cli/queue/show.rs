//! `gatepost queue show`: all about single messages.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Args;

use super::list::{what_happened, written};
use super::words::{Line, printable, size, span, until, why_missing};
use crate::cli::socket::Node;
use crate::cli::{complain, say};
use crate::serve::admin::queue::{Filter, Missing, QueuedMessage, QueuedRecipient, Summary};

/// Bytes of header fields that are shown, or one piece more.
const HEADER_BYTES_MAX: usize = 1 << 20;

/// Which messages.
#[derive(Debug, Args)]
pub(in crate::cli) struct ShowOptions {
    /// Numbers in the queue, or references of transactions
    #[arg(value_name = "ID", required = true)]
    names: Vec<String>,
    /// The header fields too
    #[arg(long, conflicts_with_all = ["json", "content"])]
    header: bool,
    /// The message itself, as it is delivered: one only
    #[arg(long, conflicts_with = "json")]
    content: bool,
    /// One JSON object for each message, one to a line
    #[arg(long)]
    json: bool,
}

/// Shows them.
pub(super) fn run(node: &Node, options: &ShowOptions) -> Result<ExitCode, String> {
    let (ids, missing) = find(node, &options.names)?;
    if options.content {
        content(node, &ids)?;
    } else {
        for (at, id) in ids.iter().enumerate() {
            let message: QueuedMessage = node.get(&format!("/api/v1/queue/messages/{id}"))?;
            if options.json {
                say(&serde_json::json!(message).to_string());
                continue;
            }
            if at > 0 {
                say("");
            }
            tell(&message);
            if options.header {
                tell_header(node, id)?;
            }
        }
    }
    for missing in &missing {
        complain(&why_missing(missing));
    }
    Ok(match missing.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// The numbers of what is named, and what is not there.
fn find(node: &Node, names: &[String]) -> Result<(Vec<String>, Vec<Missing>), String> {
    let filter = Filter {
        id: Some(names.join(",")),
        ..Filter::default()
    };
    let (mut ids, mut missing) = (Vec::new(), Vec::new());
    let path = format!("/api/v1/queue/messages?{}", filter.to_query());
    node.lines(hyper::Method::GET, &path, None::<&()>, |line| {
        match Line::<QueuedMessage, Summary>::read(line)? {
            Line::Item(message) => ids.push(message.queue_id),
            Line::Missing(one) => missing.push(one),
            Line::Summary(_) => {}
        }
        Ok(())
    })?;
    Ok((ids, missing))
}

fn content(node: &Node, ids: &[String]) -> Result<(), String> {
    let id = match ids {
        [id] => id,
        [] => return Ok(()),
        _ => {
            return Err(format!(
                "--content is for one message, and these are {}: name one of {}",
                ids.len(),
                ids.join(", ")
            ));
        }
    };
    let mut out = std::io::stdout().lock();
    let mut failed = Ok(());
    node.get_bytes(&format!("/api/v1/queue/messages/{id}/content"), |bytes| {
        if failed.is_ok() {
            failed = written(out.write_all(bytes));
        }
    })?;
    failed?;
    written(out.flush())
}

/// The header fields, as they stand in the message, up to the empty line (RFC 5322 2.1).
fn tell_header(node: &Node, id: &str) -> Result<(), String> {
    let mut header = Vec::new();
    let mut is_whole = false;
    node.get_bytes(&format!("/api/v1/queue/messages/{id}/content"), |bytes| {
        if is_whole || header.len() >= HEADER_BYTES_MAX {
            return;
        }
        // The end may lie across two pieces.
        let from = header.len().saturating_sub(3);
        header.extend_from_slice(bytes);
        let end = header[from..].windows(4).position(|it| it == b"\r\n\r\n");
        if let Some(at) = end {
            header.truncate(from + at);
            is_whole = true;
        }
    })?;
    for line in String::from_utf8_lossy(&header).lines() {
        say(&format!("  | {}", printable(&line.replace('\t', "    "))));
    }
    Ok(())
}

fn tell(message: &QueuedMessage) {
    let customer = match message.customer.as_str() {
        "" => String::new(),
        customer => format!(", customer {}", printable(customer)),
    };
    say(&format!(
        "{}  {}  {}{customer}",
        message.queue_id, message.reference, message.origin
    ));
    say(&format!("  from     {}", printable(&message.reverse_path)));
    say(&format!(
        "  size     {} ({} bytes)",
        size(message.bytes),
        message.bytes
    ));
    say(&format!(
        "  arrived  {} ({} ago)",
        message.arrived,
        span(message.age_seconds)
    ));
    say(&format!(
        "  expires  {} ({})",
        message.expires,
        until(message.expires)
    ));
    for recipient in &message.recipients {
        tell_recipient(recipient);
    }
    if message.more_recipients > 0 {
        say(&format!(
            "  and {} more recipients",
            message.more_recipients
        ));
    }
}

fn tell_recipient(recipient: &QueuedRecipient) {
    let facts = &recipient.facts;
    say(&format!(
        "  to       {}: {}",
        printable(&recipient.forward_path),
        facts.state.word()
    ));
    if let Some(words) = what_happened(facts) {
        say(&format!("           {words}"));
    }
    if let Some(site) = &facts.site {
        say(&format!("           goes to {}", printable(site)));
    }
    if facts.suspended {
        say("           suspended: `gatepost queue destinations` tells by whom");
    } else if let Some(next) = facts.next_attempt {
        say(&format!(
            "           next attempt {} ({})",
            next,
            until(next)
        ));
    }
    if facts.delay_reported {
        say("           its delay was reported to the sender");
    }
    if let Some(rerouted) = &facts.rerouted {
        say(&format!("           rerouted to {}", printable(rerouted)));
    }
    if let Some(by) = &facts.by {
        let reason = facts
            .reason
            .as_deref()
            .map_or_else(String::new, |it| format!(": {}", printable(it)));
        say(&format!(
            "           last changed by {}{reason}",
            printable(by)
        ));
    }
}

//! `gatepost queue list`: a row for each message as the node reads it, however long the queue is.

use std::io::{BufWriter, IsTerminal as _, Write};
use std::process::ExitCode;

use clap::Args;
use hyper::Method;

use super::selection::Selection;
use super::words::{
    BROKEN_OFF, INCOMPLETE, Line, Progress, counted, printable, size, span, until, why_missing,
};
use crate::cli::complain;
use crate::cli::socket::Node;
use crate::serve::admin::queue::{Filter, Missing, QueuedMessage, QueuedState, Summary};

/// Which messages are listed, and how.
#[derive(Debug, Args)]
pub(in crate::cli) struct ListOptions {
    #[command(flatten)]
    selection: Selection,
    /// Tell only how many they are
    #[arg(long)]
    count: bool,
    /// One JSON object for each message, one to a line, then one with the counts
    #[arg(long)]
    json: bool,
}

/// A list, and the end of it.
pub(super) struct Listed {
    pub(super) summary: Summary,
    /// What was named and is not in the queue.
    pub(super) missing: Vec<Missing>,
}

/// Lists.
pub(super) fn run(node: &Node, options: &ListOptions) -> Result<ExitCode, String> {
    let filter = options.selection.filter();
    let mut out = BufWriter::new(std::io::stdout().lock());
    let listed = if options.count {
        count(node, &filter)?
    } else if options.json {
        copy(node, &filter, &mut out)?
    } else {
        table(node, &filter, &mut out)?
    };
    if options.count && options.json {
        written(writeln!(
            out,
            "{}",
            serde_json::json!({ "summary": listed.summary })
        ))?;
    } else if !options.json {
        written(writeln!(out, "{}", total(&listed.summary)))?;
    }
    written(out.flush())?;
    for missing in &listed.missing {
        complain(&why_missing(missing));
    }
    if !listed.summary.complete {
        complain(INCOMPLETE);
    }
    Ok(match listed.missing.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// `2 messages to 3 recipients, 12.5 KiB`.
pub(super) fn total(summary: &Summary) -> String {
    format!(
        "{} to {}, {}",
        counted(summary.messages, "message"),
        counted(summary.recipients, "recipient"),
        size(summary.bytes)
    )
}

/// Goes through the list without telling it.
pub(super) fn count(node: &Node, filter: &Filter) -> Result<Listed, String> {
    let progress = Progress::start("messages", None);
    let listed = each(node, filter, |_, _| {
        progress.one();
        Ok(())
    });
    progress.end();
    listed
}

fn copy(node: &Node, filter: &Filter, out: &mut impl Write) -> Result<Listed, String> {
    let mut end = None;
    let mut missing = Vec::new();
    node.lines(Method::GET, &path(filter), None::<&()>, |bytes| {
        match Line::<serde::de::IgnoredAny, Summary>::read(bytes)? {
            Line::Item(_) => {}
            Line::Missing(one) => missing.push(one),
            Line::Summary(summary) => end = Some(summary),
        }
        written(out.write_all(bytes).and_then(|()| out.write_all(b"\n")))
    })?;
    let summary = end.ok_or(BROKEN_OFF)?;
    Ok(Listed { summary, missing })
}

fn table(node: &Node, filter: &Filter, out: &mut impl Write) -> Result<Listed, String> {
    let is_watched = std::io::stdout().is_terminal();
    let mut is_first = true;
    each(node, filter, |message, _| {
        if std::mem::take(&mut is_first) {
            written(writeln!(
                out,
                "{:>8}  {:<14}  {:>6}  {:>10}  {:<9}  {:<9}  FROM -> TO",
                "ID", "REFERENCE", "AGE", "SIZE", "STATE", "NEXT"
            ))?;
        }
        written(row(&message, out))?;
        match is_watched {
            true => written(out.flush()),
            false => Ok(()),
        }
    })
}

/// Goes through the list, message by message.
fn each(
    node: &Node,
    filter: &Filter,
    mut message: impl FnMut(QueuedMessage, &[u8]) -> Result<(), String>,
) -> Result<Listed, String> {
    let mut end = None;
    let mut missing = Vec::new();
    node.lines(Method::GET, &path(filter), None::<&()>, |bytes| {
        match Line::<QueuedMessage, Summary>::read(bytes)? {
            Line::Item(item) => message(item, bytes)?,
            Line::Missing(one) => missing.push(one),
            Line::Summary(summary) => end = Some(summary),
        }
        Ok(())
    })?;
    let summary = end.ok_or(BROKEN_OFF)?;
    Ok(Listed { summary, missing })
}

fn path(filter: &Filter) -> String {
    format!("/api/v1/queue/messages?{}", filter.to_query())
}

/// Two lines: what it is, and what went wrong last.
fn row(message: &QueuedMessage, out: &mut impl Write) -> std::io::Result<()> {
    let shown = message.recipients.first();
    let others = (message.recipients.len() as u64).saturating_sub(1) + message.more_recipients;
    let first = shown.map_or_else(String::new, |recipient| printable(&recipient.forward_path));
    let others = if others > 0 {
        format!(" +{others}")
    } else {
        String::new()
    };
    let state = match shown {
        Some(recipient) if recipient.facts.active => "active",
        Some(recipient) if recipient.facts.suspended => "suspended",
        _ => message.state.word(),
    };
    let next = match shown.map(|recipient| &recipient.facts) {
        Some(facts) if facts.active => "-".to_owned(),
        Some(facts) if facts.suspended || facts.state == QueuedState::Held => "-".to_owned(),
        Some(facts) => facts.next_attempt.map_or_else(|| "now".to_owned(), until),
        None => "-".to_owned(),
    };
    writeln!(
        out,
        "{:>8}  {:<14}  {:>6}  {:>10}  {:<9}  {:<9}  {} -> {first}{others}",
        message.queue_id,
        message.reference,
        span(message.age_seconds),
        size(message.bytes),
        state,
        next,
        printable(&message.reverse_path),
    )?;
    let Some(facts) = shown.map(|recipient| &recipient.facts) else {
        return Ok(());
    };
    match what_happened(facts) {
        Some(words) => writeln!(out, "          {words}"),
        None => Ok(()),
    }
}

/// `4.4.1 mx.example.net: connection refused (3 attempts)`.
pub(super) fn what_happened(facts: &crate::serve::admin::queue::Facts) -> Option<String> {
    let reply = facts.reply.as_deref().map(printable);
    let status = facts.status.as_deref().filter(|status| {
        // A reply that says its status itself need not be told it twice.
        reply.as_deref().is_none_or(|reply| !reply.contains(status))
    });
    if status.is_none() && reply.is_none() {
        return None;
    }
    let nexthop = facts
        .nexthop
        .as_deref()
        .map(|nexthop| format!("{}:", printable(nexthop)));
    let attempts = match facts.attempts {
        0 => String::new(),
        attempts => format!("({})", counted(u64::from(attempts), "attempt")),
    };
    let words = [
        status.unwrap_or_default(),
        nexthop.as_deref().unwrap_or_default(),
    ];
    let words = words
        .into_iter()
        .chain([reply.as_deref().unwrap_or_default(), &attempts]);
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    Some(words.join(" "))
}

/// Whoever closes standard output has read enough.
pub(super) fn written(result: std::io::Result<()>) -> Result<(), String> {
    result.map_err(|error| format!("standard output: {error}"))
}

//! What the queue and delivery from it do, in words.

use std::fmt::Write as _;

use super::printable;
use crate::config::Level;
use crate::event::{Delivery, DeliveryResult, Event, QueueChange, QueueMoved};

/// Recipients that a line names.
const RECIPIENTS_MAX: usize = 10;

/// The event as a line; `None` for events of others.
pub(super) fn line(event: &Event) -> Option<(Level, String)> {
    if let Some(line) = of_messages(event).or_else(|| of_operators(event)) {
        return Some(line);
    }
    Some(match event {
        Event::DiskFull {
            bytes_free,
            bytes_reserved,
        } => (
            Level::Error,
            format!(
                "the disk of the queue is full: {bytes_free} bytes free, {bytes_reserved} are kept (queue.reserve); messages are deferred"
            ),
        ),
        Event::DiskFree { bytes_free } => (
            Level::Warn,
            format!("the disk of the queue has room again: {bytes_free} bytes free"),
        ),
        Event::DiskFault { what, detail } => (
            Level::Error,
            format!("the disk of the queue fails, {what}: {detail}; messages are deferred"),
        ),
        Event::DiskWorks => (
            Level::Warn,
            "the disk of the queue can be written again".to_owned(),
        ),
        Event::QueueDamaged {
            segment,
            offset,
            detail,
            kept_as,
        } => {
            let kept = kept_as.as_ref();
            let kept = kept.map_or("nowhere".to_owned(), |name| format!("corrupt/{name}"));
            (
                Level::Error,
                format!(
                    "queue segment {segment} is damaged at byte {offset} ({detail}): set aside in {kept}"
                ),
            )
        }
        Event::QueueRecovered {
            messages,
            recipients,
            damaged,
            milliseconds,
        } => (
            Level::Info,
            format!(
                "queue read: {messages} messages wait for {recipients} recipients, {damaged} damaged records, in {milliseconds:.0} ms"
            ),
        ),
        _ => return None,
    })
}

/// What becomes of messages and of reports on them; `None` for other events.
fn of_messages(event: &Event) -> Option<(Level, String)> {
    Some(match event {
        Event::Delivery(delivery) => (Level::Info, delivered(delivery)),
        Event::ReportQueued {
            reference,
            queue_id,
            about,
            forward_path,
        } => (
            Level::Info,
            format!(
                "{reference} report queued queue_id={queue_id} about={about} to=<{}>",
                printable(forward_path)
            ),
        ),
        Event::ReportWithheld {
            about,
            action,
            recipients,
            reason,
            to_postmaster,
        } => {
            let instead = match to_postmaster {
                true => "the postmaster",
                false => "nobody",
            };
            let named = recipients.iter().take(RECIPIENTS_MAX);
            let named: Vec<_> = named.map(|it| printable(it)).collect();
            (
                Level::Info,
                format!(
                    "{about} report on {action} goes to {instead} reason={reason} recipients={} to=<{}>",
                    recipients.len(),
                    named.join(">,<")
                ),
            )
        }
        Event::Unsigned {
            reference,
            domain,
            detail,
        } => (
            Level::Error,
            format!(
                "{reference} leaves without a DKIM signature of {domain}: {}",
                printable(detail)
            ),
        ),
        _ => return None,
    })
}

/// What operators do; `None` for other events.
fn of_operators(event: &Event) -> Option<(Level, String)> {
    let suspension = |what, kind: &str, name, by, reason: &str| {
        let (name, by) = (printable(name), printable(by));
        let line = format!("{what}: {kind} {name}, by {by}{}", because(reason));
        Some((Level::Warn, line))
    };
    match event {
        Event::QueueChanged(change) => Some((Level::Warn, changed(change))),
        Event::QueueExported(moved_out) => Some((Level::Warn, moved("exported to", moved_out))),
        Event::QueueImported(moved_in) => Some((Level::Warn, moved("imported from", moved_in))),
        Event::QueueExportEnded {
            file,
            finished,
            messages,
        } => {
            let fate = if *finished { "left the queue" } else { "go on" };
            let line = format!(
                "the export to {}, which an earlier run left, has ended: {messages} messages {fate}",
                printable(file)
            );
            Some((Level::Warn, line))
        }
        Event::DeliverySuspended {
            kind,
            name,
            by,
            reason,
        } => suspension("deliveries suspended", kind.word(), name, by, reason),
        Event::DeliveryResumed {
            kind,
            name,
            by,
            reason,
        } => suspension("deliveries go on", kind.word(), name, by, reason),
        _ => None,
    }
}

fn changed(change: &QueueChange) -> String {
    let mut line = format!(
        "{} {} queue_id={} from=<{}>",
        change.reference,
        change.action.word(),
        change.queue_id,
        printable(change.reverse_path.trim_matches(['<', '>'])),
    );
    // Writing to a String can't fail.
    for recipient in change.recipients.iter().take(RECIPIENTS_MAX) {
        let _ = write!(line, " to=<{}>", printable(recipient));
    }
    if change.recipients.len() > RECIPIENTS_MAX {
        let _ = write!(line, " recipients={}", change.recipients.len());
    }
    if let Some(nexthop) = &change.nexthop {
        let _ = write!(line, " nexthop={}", printable(nexthop));
    }
    let _ = write!(
        line,
        " by={}{}",
        printable(&change.by),
        because(&change.reason)
    );
    line
}

fn moved(what: &str, moved: &QueueMoved) -> String {
    let node = moved.node.as_deref().map_or_else(String::new, |node| {
        format!(", written by {}", printable(node))
    });
    let mut line = format!(
        "{} messages to {} recipients {what} {}{node}",
        moved.messages,
        moved.recipients,
        printable(&moved.file)
    );
    // Writing to a String can't fail.
    if moved.left_out > 0 {
        let _ = write!(line, "; {} stay in the queue", moved.left_out);
    }
    if moved.damaged > 0 {
        let _ = write!(line, "; damaged in {} places", moved.damaged);
    }
    let _ = write!(
        line,
        ", by {}{}",
        printable(&moved.by),
        because(&moved.reason)
    );
    line
}

fn because(reason: &str) -> String {
    match reason {
        "" => String::new(),
        reason => format!(" ({})", printable(reason)),
    }
}

fn delivered(delivery: &Delivery) -> String {
    let results = delivery.recipients.iter().map(|recipient| recipient.result);
    let mut line = format!(
        "{} {} queue_id={} from=<{}>",
        delivery.reference,
        outcome(results),
        delivery.queue_id,
        printable(delivery.reverse_path.trim_matches(['<', '>'])),
    );
    // Writing to a String can't fail.
    for recipient in delivery.recipients.iter().take(RECIPIENTS_MAX) {
        let _ = write!(line, " to=<{}>", printable(&recipient.forward_path));
    }
    if delivery.recipients.len() > RECIPIENTS_MAX {
        let _ = write!(line, " recipients={}", delivery.recipients.len());
    }
    if !delivery.nexthop.is_empty() {
        let _ = write!(line, " nexthop={}", printable(&delivery.nexthop));
    }
    if let Some(last) = delivery.recipients.last() {
        let _ = write!(
            line,
            " status={} reply=\"{}\"",
            last.status,
            printable(&last.reply)
        );
    }
    let _ = write!(
        line,
        " attempts={} age={:.1}s ms={:.1}",
        delivery.attempts, delivery.age_seconds, delivery.milliseconds
    );
    line
}

/// One word for all recipients.
fn outcome(mut results: impl Iterator<Item = DeliveryResult>) -> &'static str {
    let Some(first) = results.next() else {
        return "untried";
    };
    if results.all(|result| result == first) {
        first.word()
    } else {
        "mixed"
    }
}

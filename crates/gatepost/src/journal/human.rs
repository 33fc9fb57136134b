//! Events in words, one line each, for whoever reads the journal of the system.
//!
//! Under systemd a line begins with its priority (`<6>`) and has no time, since the journal adds its own. Ids come first;
//! neither content nor subject of a message is ever told.

use std::fmt::Write as _;
use std::sync::OnceLock;

use crate::config::Level;
use crate::decision::Decision;
use crate::event::{Event, SessionEnded, Time};
use crate::policy::Verdict;

mod queue;

/// The event as a line without time and level.
pub(super) fn line(event: &Event) -> (Level, String) {
    match event {
        Event::Decided(decision) => (Level::Info, decided(decision)),
        Event::SessionEnded(session) => (Level::Info, session_ended(session)),
        Event::ConnectionRefused {
            listener,
            client,
            reason,
            limit,
            detail,
            ..
        } => {
            let limit = limit.map_or(String::new(), |limit| format!(" limit={limit}"));
            let (ip, reason) = (client.ip, word(reason));
            let mut line = format!(
                "connection refused listener={listener} client={ip} reason={reason}{limit}"
            );
            if !detail.is_empty() {
                // Writing to a String can't fail.
                let _ = write!(line, " ({})", printable(detail));
            }
            (Level::Warn, line)
        }
        other => of_peers(other)
            .or_else(|| queue::line(other))
            .or_else(|| of_tls(other))
            .unwrap_or_else(|| of_process(other)),
    }
}

/// What engines and nexthops do; `None` for other events.
fn of_peers(event: &Event) -> Option<(Level, String)> {
    Some(match event {
        Event::EngineDown {
            engine,
            cause,
            detail,
        } => (
            Level::Error,
            format!("engine {engine} is down ({}): {detail}", word(cause)),
        ),
        Event::EngineUp {
            engine,
            down_seconds,
        } => (
            Level::Warn,
            format!("engine {engine} answers again after {down_seconds:.1} s"),
        ),
        Event::ListLeftOut { list, detail } => (
            Level::Error,
            format!("list {list} is left out: it {}", printable(detail)),
        ),
        Event::ListBack { list } => (Level::Warn, format!("list {list} is asked again")),
        Event::ReputationDamaged { path, detail } => (
            Level::Warn,
            format!("what was known of senders is damaged and set aside as {path}: {detail}"),
        ),
        Event::ReputationForgotten { sender, by } => (
            Level::Info,
            format!(
                "what is known of {} is forgotten, by {}",
                printable(sender),
                printable(by)
            ),
        ),
        Event::NexthopDown { nexthop, detail } => {
            (Level::Error, format!("nexthop {nexthop} is down: {detail}"))
        }
        Event::NexthopUp {
            nexthop,
            down_seconds,
        } => (
            Level::Warn,
            format!("nexthop {nexthop} is back after {down_seconds:.1} s"),
        ),
        Event::FamilyDown { family, detail } => (
            Level::Error,
            format!("{family} does not work, the other family goes first: {detail}"),
        ),
        Event::FamilyUp {
            family,
            down_seconds,
        } => (
            Level::Warn,
            format!("{family} works again after {down_seconds:.1} s"),
        ),
        Event::DnsDown => (
            Level::Error,
            "no nameserver answers: senders are not authenticated, lists not asked, names not found, until one does".to_owned(),
        ),
        Event::DnsUp { down_seconds } => (
            Level::Warn,
            format!("nameservers answer again after {down_seconds:.1} s"),
        ),
        _ => return None,
    })
}

/// What becomes of policies and reports on TLS; `None` for other events.
fn of_tls(event: &Event) -> Option<(Level, String)> {
    Some(match event {
        Event::StsPolicyDamaged { path, detail } => (
            Level::Warn,
            format!("kept MTA-STS policy {path} cannot be read, it will be fetched anew: {detail}"),
        ),
        Event::TlsReportSent {
            domain,
            to,
            successes,
            failures,
        } => (
            Level::Info,
            format!(
                "TLS report on {domain} sent to {}: {successes} sessions good, {failures} not",
                printable(to)
            ),
        ),
        Event::TlsReportFailed { domain, to, detail } => (
            Level::Warn,
            format!(
                "TLS report on {domain} not sent to {}: {}",
                printable(to),
                printable(detail)
            ),
        ),
        Event::DmarcReportSent {
            domain,
            to,
            messages,
        } => (
            Level::Info,
            format!(
                "DMARC report on {domain} queued for {}: {messages} messages",
                printable(to)
            ),
        ),
        Event::DmarcReportFailed { domain, to, detail } => (
            Level::Warn,
            format!(
                "DMARC report on {domain} not queued for {}: {}",
                printable(to),
                printable(detail)
            ),
        ),
        _ => return None,
    })
}

/// What the process does: configuration, certificates, start and stop.
fn of_process(event: &Event) -> (Level, String) {
    match event {
        Event::Reloaded {
            listeners,
            routes,
            domains,
            milliseconds,
        } => (
            Level::Info,
            format!(
                "configuration reloaded: {listeners} listeners, {routes} routes, {domains} domains, in {milliseconds:.0} ms"
            ),
        ),
        Event::ReloadFailed { errors } => {
            let errors = errors.join("; ").replace("\n  ", ", ");
            (
                Level::Error,
                format!("configuration not reloaded, the running one stays: {errors}"),
            )
        }
        Event::CertificateReloaded { path, names } => {
            let names = names.join(" ");
            (
                Level::Info,
                format!("certificate {path} reloaded for {names}"),
            )
        }
        Event::CertificateFailed { path, detail } => (
            Level::Error,
            format!("certificate {path} not reloaded, the old one stays: {detail}"),
        ),
        other => of_life(other),
    }
}

/// Start, stop, and what runs out.
fn of_life(event: &Event) -> (Level, String) {
    match event {
        Event::Started {
            version,
            node,
            node_number,
            pid,
        } => (
            Level::Info,
            format!("gatepost {version} started as {node} (node {node_number}, pid {pid})"),
        ),
        Event::Listening {
            listener,
            address,
            implicit_tls,
        } => {
            let tls = if *implicit_tls { " with TLS" } else { "" };
            (
                Level::Info,
                format!("listener {listener} accepts connections on {address}{tls}"),
            )
        }
        Event::Stopping {
            sessions,
            deadline_seconds,
        } => (
            Level::Info,
            format!("stopping: {sessions} sessions have {deadline_seconds:.0} s to finish"),
        ),
        Event::Stopped {
            sessions_cut,
            uptime_seconds,
        } => (
            Level::Info,
            format!("stopped after {uptime_seconds:.0} s, {sessions_cut} sessions cut off"),
        ),
        Event::MemoryExhausted { bytes, bytes_max } => (
            Level::Error,
            format!(
                "memory for messages is used up: {bytes} of {bytes_max} bytes (node.memory_max)"
            ),
        ),
        Event::LinesLost { lines } => (
            Level::Error,
            format!("{lines} lines of the decision log were lost"),
        ),
        // Told by `line`, `of_peers` and `of_process`.
        other => (Level::Debug, other.name().to_owned()),
    }
}

fn decided(decision: &Decision) -> String {
    let mut line = String::with_capacity(256);
    // Writing to a String can't fail.
    let _ = write!(
        line,
        "{} {} client={} ehlo={} from=<{}>",
        decision.reference,
        decision.outcome(),
        decision.client.ip,
        printable(&decision.ehlo),
        printable(decision.reverse_path.trim_matches(['<', '>'])),
    );
    for recipient in decision.recipients.iter().take(10) {
        let _ = write!(line, " to=<{}>", printable(&recipient.forward_path));
    }
    if decision.recipients.len() > 10 {
        let _ = write!(line, " recipients={}", decision.recipients.len());
    }
    if decision.sizes.bytes > 0 {
        let _ = write!(line, " bytes={}", decision.sizes.bytes);
    }
    // Without a verdict on the message, the last recipient that was refused says why there is none.
    let last = decision.recipients.last();
    let verdict = decision.verdict.as_ref().or_else(|| last?.verdict.as_ref());
    if let Some(reason) = verdict.and_then(Verdict::reason) {
        let _ = write!(line, " reason={}", reason.kind);
        if !reason.detail.is_empty() {
            let _ = write!(line, " ({})", printable(&reason.detail));
        }
    }
    let reply = decision.reply.as_ref().or_else(|| last?.reply.as_ref());
    if let Some(reply) = reply {
        let status = reply
            .status
            .as_ref()
            .map_or(String::new(), |status| format!("{status} "));
        let _ = write!(
            line,
            " reply=\"{} {status}{}\"",
            reply.code,
            printable(&reply.text)
        );
    }
    let _ = write!(line, " ms={:.1}", decision.timings.total);
    line
}

fn session_ended(session: &SessionEnded) -> String {
    let mut line = format!(
        "session ended listener={} client={} reason={} bad_commands={}",
        session.listener,
        session.client.ip,
        word(&session.reason),
        session.bad_commands
    );
    if !session.detail.is_empty() {
        let _ = write!(line, " ({})", printable(&session.detail));
    }
    line
}

/// The word that the JSON has for it.
pub(crate) fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value)
        .ok()
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_default()
}

fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() || c == '"' { '?' } else { c })
        .take(300)
        .collect()
}

/// Appends a line with its level and, outside systemd, its time.
pub(super) fn write(level: Level, line: &str, out: &mut Vec<u8>) {
    static SYSTEMD: OnceLock<bool> = OnceLock::new();
    // systemd sets it for services whose standard error is the journal.
    if *SYSTEMD.get_or_init(|| std::env::var_os("JOURNAL_STREAM").is_some()) {
        let priority = match level {
            Level::Error => 3,
            Level::Warn => 4,
            Level::Info => 6,
            Level::Debug | Level::Trace => 7,
        };
        out.extend_from_slice(format!("<{priority}>").as_bytes());
    } else {
        Time::now().write_to(out);
        let word = match level {
            Level::Error => " ERROR ",
            Level::Warn => " WARN  ",
            Level::Info => " INFO  ",
            Level::Debug => " DEBUG ",
            Level::Trace => " TRACE ",
        };
        out.extend_from_slice(word.as_bytes());
    }
    out.extend_from_slice(line.as_bytes());
    out.push(b'\n');
}

/// The line that follows lost ones.
pub(super) fn gap(lost: u64) -> String {
    let mut out = Vec::new();
    write(
        Level::Error,
        &format!("{lost} lines of this log were lost"),
        &mut out,
    );
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests;

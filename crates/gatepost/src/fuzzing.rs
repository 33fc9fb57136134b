//! The bodies of the fuzz targets, here so that the tests run them over the seed corpora in `fuzz/corpus` and over
//! mutations of them.
//!
//! Each takes any bytes and panics if something does not hold that must.

use std::io::{BufRead, BufReader};

use scan::message::Message;

use crate::config::{Config, ERRORS_MAX};
use crate::deliver::security::is_tls_optional;
use crate::deliver::sts::policy::Policy;
use crate::deliver::sts::record::policy_id;
use crate::deliver::tls_reports::record::{Destination, destinations};
use crate::mbox::{Messages, Stored};
use crate::reference::{Reference, References};
use crate::serve::admin::queue::Filter;
use crate::trace_fields::{Edited, hops, strip_own};

pub use crate::deliver::dmarc_reports::fuzzing::dmarc_report;
pub use crate::deliver::report::fuzzing::reports;
pub use crate::deliver::signing::fuzzing::canonical;

#[cfg(test)]
mod tests;

/// The text of a configuration: it is complete, or refused with errors that name a place in it and a remedy.
pub fn config(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    // Relative to a folder that is not there: nothing of this machine is read.
    match Config::parse("/nonexistent/any.toml", &text) {
        Ok(config) => assert!(!config.listeners.is_empty() && !config.routes.is_empty()),
        Err(errors) => {
            assert!(!errors.is_empty() && errors.len() <= ERRORS_MAX);
            for error in errors {
                assert!(error.line > 0 && error.column > 0, "{error}");
                assert!(!error.message.is_empty() && !error.remedy.is_empty());
            }
        }
    }
}

/// A file of messages: bounded, ended by line ends, and the same in whatever pieces it is read.
pub fn mbox(bytes: &[u8]) {
    let whole = stored(bytes, u64::MAX);
    assert_eq!(stored(BufReader::with_capacity(3, bytes), u64::MAX), whole);
    let bounded = stored(bytes, 100);
    assert_eq!(bounded.len(), whole.len());
    for (kept, all) in bounded.iter().zip(&whole) {
        assert!(all.bytes.is_empty() || all.bytes.ends_with(b"\n"));
        assert_eq!(all.bytes.len() as u64, all.bytes_total);
        assert_eq!(kept.bytes_total, all.bytes_total);
        let expected = if all.bytes_total <= 100 {
            all.bytes.as_slice()
        } else {
            b""
        };
        assert_eq!(kept.bytes, expected);
    }
    // LF may become CRLF, and each message gets a line end.
    let total: u64 = whole.iter().map(|stored| stored.bytes_total).sum();
    assert!(total <= (bytes.len() + whole.len()) as u64 * 2);
}

fn stored(reader: impl BufRead, bytes_max: u64) -> Vec<Stored> {
    // Reading from memory cannot fail.
    Messages::new(reader, bytes_max)
        .map_while(Result::ok)
        .collect()
}

/// The texts by which recipient domains tell their policies: the TXT records of MTA-STS and of TLS reports, one on each line, and
/// then the policy itself (RFC 8461, RFC 8460). What is read is bounded, and read back alike.
pub fn tls_policy(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let records: Vec<String> = text.lines().take(3).map(str::to_owned).collect();
    for records in records.chunks(1).chain([records.as_slice()]) {
        if let Some(id) = policy_id(records) {
            assert!((1..=32).contains(&id.len()));
        }
        for destination in destinations(records) {
            if let Destination::Https(resource) = destination {
                assert!(resource.path.starts_with('/') && resource.port > 0);
                assert!(!resource.host.is_empty());
            }
        }
    }
    if let Ok(policy) = text.parse::<Policy>() {
        assert_eq!(policy.lines.join("\r\n").parse(), Ok(policy.clone()));
        for mx in policy.mx.iter().filter(|mx| !mx.starts_with('*')) {
            assert!(policy.permits(mx));
        }
    }
    let _ = is_tls_optional(bytes);
}

/// The query of a list of the queue: it is read and written alike, or refused with what to do.
pub fn queue_filter(bytes: &[u8]) {
    let query = String::from_utf8_lossy(bytes);
    let refused = match Filter::from_query(&query) {
        Ok(filter) => {
            assert_eq!(Filter::from_query(&filter.to_query()), Ok(filter.clone()));
            filter.matcher().err()
        }
        Err(problem) => Some(problem),
    };
    if let Some(problem) = refused {
        assert!(!problem.error.is_empty());
        // What was sent is told in a form that no terminal obeys.
        assert!(!problem.error.contains(char::is_control));
    }
}

/// A reference: what is read is written alike, and a node that goes on behind it never issues it again.
pub fn reference(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let Ok(reference) = text.parse::<Reference>() else {
        return;
    };
    assert_eq!(reference.to_string().parse(), Ok(reference));
    let references = References::resume(reference.node(), reference);
    for now in [0, reference.unix_seconds(), u64::from(u32::MAX)] {
        let next = references.next(now);
        assert_ne!(next, reference);
        assert_eq!(next.node(), reference.node());
    }
}

/// The way of a message by its Received fields: one that this node adds counts, whatever stands below.
pub fn way(message: &[u8]) {
    let count = |bytes: Vec<u8>| hops(&Message::new(bytes.into()), "mx.example.net");
    let before = count(message.to_vec());
    assert!(before.own <= before.received && before.received <= message.len() / 9);
    let field = b"Received: from a (b [192.0.2.1])\r\n\tby mx.example.net (Gatepost) with ESMTP\r\n\tid K7QX-3M9D-2F;\r\n\tSun, 1 Mar 2026 12:00:00 +0000\r\n";
    let after = count([field, message].concat());
    // What begins with a blank goes on with our field.
    if !message.starts_with(b" ") && !message.starts_with(b"\t") {
        assert_eq!(
            (after.received, after.own),
            (before.received + 1, before.own + 1)
        );
    }
    let other = count([b"Received: by mx.example.org id K7QX-3M9D-2F\r\n", message].concat());
    assert!(other.own <= before.own && other.received >= before.received);
}

/// The edits on a message: in order, within it; nothing else is lost, and nothing of it passes for a field of ours.
pub fn trace_fields(message: &[u8]) {
    let removed = strip_own(message, "mx.example.net");
    let in_order = |pair: &[std::ops::Range<usize>]| pair[0].end < pair[1].start;
    assert!(removed.windows(2).all(in_order));
    let within =
        |range: &std::ops::Range<usize>| range.start < range.end && range.end <= message.len();
    assert!(removed.iter().all(within));
    let prepend = b"X-Gatepost-Verdict: accepted\r\n".to_vec();
    let edited = Edited { prepend, removed };
    let sent = edited.slices(message).collect::<Vec<_>>().concat();
    assert_eq!(sent.len(), edited.length(message.len()));
    let stripped = &sent[edited.prepend.len()..];
    let mut restored = stripped.to_vec();
    for range in &edited.removed {
        restored.splice(
            range.start..range.start,
            message[range.clone()].iter().copied(),
        );
    }
    assert_eq!(restored, message);
    // Of what goes out, ours is what was prepended, no more and no less.
    let ours = 0..edited.prepend.len();
    assert_eq!(
        strip_own(&sent, "mx.example.net"),
        std::slice::from_ref(&ours)
    );
    assert!(strip_own(stripped, "mx.example.net").is_empty());
}

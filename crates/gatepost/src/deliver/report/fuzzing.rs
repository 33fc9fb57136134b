//! The body of the fuzz target `report`: what others wrote goes into a report, and it is one all the same.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "what does not hold panics"
)]

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use queue::{Envelope, Origin, QueuedRecipient};
use smtp::{MailParameters, Notify, RcptParameters, Ret, ReversePath, Status};

use super::{Action, Concerned, ReportFacts, Reporter, Unproven, report};
use crate::config::Rate;

/// More than the header fields that come back, what servers said, and our own words can come to.
const BYTES_MAX: usize = 1 << 20;

/// A first line of what a server said, one of its name, one of an envelope id, and the message: the report has three parts, lines
/// that everybody takes, and an end.
pub fn reports(bytes: &[u8]) {
    let mut lines = bytes.splitn(4, |byte| *byte == b'\n');
    let mut text = || String::from_utf8_lossy(lines.next().unwrap_or_default()).into_owned();
    let (diagnostic, server, envelope_id) = (text(), text(), text());
    let content = lines.next().unwrap_or_default();
    let envelope = envelope(envelope_id, bytes.len());
    let nonce = BuildHasherDefault::<DefaultHasher>::default().hash_one(bytes);
    let concerned = [Concerned {
        index: 0,
        action: if bytes.len().is_multiple_of(3) {
            Action::Delayed
        } else {
            Action::Failed
        },
        status: Status::permanent(1, 1),
        diagnostic: &diagnostic,
        is_reply: bytes.len().is_multiple_of(2),
        remote_mta: Some(&server),
        last_attempt: Some(0),
        will_retry_until: Some(u64::MAX),
    }];
    let now = Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC);
    let facts = ReportFacts {
        reporter: &reporter(),
        language: ["en", "de", "fr", "es", "sv"][bytes.len() % 5],
        reference: "9A2B-4C6D-8E",
        nonce,
        left_out: 0,
        envelope: &envelope,
        content,
        proven: false,
        require_tls: false,
        now: &now,
        concerned: &concerned,
    };
    let submission = report(&facts).expect("a proven sender is told");
    holds(&submission.content.concat(), nonce, content.len());
}

fn holds(text: &[u8], nonce: u64, content_bytes: usize) {
    assert!(text.len() < BYTES_MAX + content_bytes);
    assert!(text.ends_with(b"\r\n") && !text.contains(&0));
    let delimiter = format!("--=_9A2B-4C6D-8E_{nonce:016x}");
    let (mut parts, mut is_over) = (0, false);
    for line in text
        .strip_suffix(b"\r\n")
        .unwrap_or_default()
        .split(|byte| *byte == b'\n')
    {
        assert!(!is_over, "something follows the end");
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        assert!(line.len() <= 998 && !line.contains(&b'\r'));
        if let Some(rest) = line.strip_prefix(delimiter.as_bytes()) {
            parts += usize::from(rest.is_empty());
            is_over = rest == b"--";
        }
    }
    assert!(parts == 3 && is_over);
    let crlf = memchr::memmem::find_iter(text, b"\r\n").count();
    assert_eq!(crlf, memchr::memchr_iter(b'\n', text).count());
}

fn reporter() -> Reporter {
    Reporter {
        name: "mx.example.net".to_owned(),
        from: "mailer-daemon@mx.example.net".parse().expect("a mailbox"),
        postmaster: "postmaster@example.net".parse().expect("a mailbox"),
        return_bytes_max: 65536,
        unproven: Unproven::Postmaster,
        postmaster_rate: Rate {
            messages: 1,
            per: std::time::Duration::from_secs(1),
        },
    }
}

fn envelope(envelope_id: String, seed: usize) -> Envelope {
    let reverse_path = match seed % 7 {
        0 => "zo\u{eb}@example.com",
        _ => "ann@example.com",
    };
    Envelope {
        reference: "K7QX-3M9D-2F".to_owned(),
        origin: Origin::Received,
        arrived: 0,
        customer: Arc::from(""),
        reverse_path: ReversePath::Mailbox(reverse_path.parse().expect("a mailbox")),
        mail: MailParameters {
            ret: seed.is_multiple_of(4).then_some(Ret::Full),
            envid: Some(envelope_id),
            ..MailParameters::default()
        },
        eight_bit: false,
        submitted: true,
        lifetime: 0,
        delay_warning: 0,
        recipients: vec![QueuedRecipient {
            forward_path: "bob@example.org"
                .parse()
                .map(smtp::ForwardPath::Mailbox)
                .expect("a mailbox"),
            parameters: RcptParameters {
                notify: Some(Notify {
                    success: true,
                    failure: true,
                    delay: true,
                }),
                orcpt: None,
            },
        }],
    }
}

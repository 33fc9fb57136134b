//! What the end-to-end tests are made of: the gateway's process, clients, sinks, messages. std threads and real programs only.

#![allow(dead_code, reason = "each test binary uses a part of it")]

#[path = "../../../scan/tests/support/daemons.rs"]
pub(crate) mod daemons;

#[path = "support/authority.rs"]
pub(crate) mod authority;
#[path = "support/certificates.rs"]
pub(crate) mod certificates;
#[path = "support/client.rs"]
pub(crate) mod client;
#[path = "support/dns.rs"]
pub(crate) mod dns;
#[path = "support/exim.rs"]
pub(crate) mod exim;
#[path = "support/gateway.rs"]
pub(crate) mod gateway;
#[path = "support/hostile_dns.rs"]
pub(crate) mod hostile_dns;
#[path = "support/loopback.rs"]
pub(crate) mod loopback;
#[path = "support/misbehaviour.rs"]
pub(crate) mod misbehaviour;
#[path = "support/names.rs"]
pub(crate) mod names;
#[path = "support/operator.rs"]
pub(crate) mod operator;
#[path = "support/policy_host.rs"]
pub(crate) mod policy_host;
#[path = "support/postfix.rs"]
pub(crate) mod postfix;
#[path = "support/programs.rs"]
pub(crate) mod programs;
#[path = "support/queued.rs"]
pub(crate) mod queued;
#[path = "support/reports.rs"]
pub(crate) mod reports;
#[path = "support/sink.rs"]
pub(crate) mod sink;

use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long anything may take that a test waits for: generous, since only a failure ever waits so long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(10);

/// Asks until there is an answer; `what` is what the test says if there never is.
pub(crate) fn await_some<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let since = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(since.elapsed() < PATIENCE, "waited in vain: {what}");
        sleep(POLL);
    }
}

/// The same with words that cost something to find.
pub(crate) fn await_some_or<T>(what: impl Fn() -> String, mut ask: impl FnMut() -> Option<T>) -> T {
    let since = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(since.elapsed() < PATIENCE, "waited in vain: {}", what());
        sleep(POLL);
    }
}

/// A small message; lines end with CRLF.
pub(crate) fn message(subject: &str) -> Vec<u8> {
    format!(
        "From: Ann <ann@example.net>\r\nTo: Bob <bob@example.com>\r\nSubject: {subject}\r\n\
         Date: Mon, 23 Nov 2026 10:00:00 +0000\r\nMessage-ID: <{}@example.net>\r\n\r\nHello Bob,\r\n\r\nas we said.\r\n",
        subject.replace(|c: char| !c.is_ascii_alphanumeric(), "-")
    )
    .into_bytes()
}

/// A message with an attachment, in base64.
pub(crate) fn message_with(name: &str, content_type: &str, content: &[u8]) -> Vec<u8> {
    let mut message = message("attachment");
    let at = message.windows(4).position(|w| w == b"\r\n\r\n").unwrap() + 2;
    message.truncate(at);
    message.extend_from_slice(
        format!(
            "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"b1\"\r\n\r\n--b1\r\nContent-Type: text/plain\r\n\r\n\
             See the file.\r\n--b1\r\nContent-Type: {content_type}; name=\"{name}\"\r\nContent-Transfer-Encoding: base64\r\n\
             Content-Disposition: attachment; filename=\"{name}\"\r\n\r\n{}--b1--\r\n",
            base64_lines(content)
        )
        .as_bytes(),
    );
    message
}

/// RFC 2045 6.8, in lines of 76.
pub(crate) fn base64_lines(bytes: &[u8]) -> String {
    let text = base64(bytes);
    let mut lines = String::new();
    for line in text.as_bytes().chunks(76) {
        lines.push_str(std::str::from_utf8(line).unwrap());
        lines.push_str("\r\n");
    }
    lines
}

/// RFC 4648 4.
pub(crate) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let word = group.iter().enumerate().fold(0_u32, |word, (i, byte)| {
            word | u32::from(*byte) << (16 - 8 * i)
        });
        for digit in 0..4 {
            let value = word >> (18 - 6 * digit) & 63;
            text.push(if digit > group.len() {
                '='
            } else {
                char::from(DIGITS[value as usize])
            });
        }
    }
    text
}

/// What stands before `message` in what the nexthop got: the rest must be the message, byte for byte.
#[track_caller]
pub(crate) fn head(content: &[u8], message: &[u8]) -> String {
    let at = content.len().saturating_sub(message.len());
    assert!(
        content[at..] == *message,
        "not the same message:\n{}\n--- sent:\n{}",
        client::lossy(content),
        client::lossy(message)
    );
    String::from_utf8(content[..at].to_vec()).unwrap()
}

/// An address where nobody listens: its IP address is used for nothing else, so that no other test gets the port meanwhile.
pub(crate) fn unused_address() -> std::net::SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.4:0").unwrap();
    listener.local_addr().unwrap()
}

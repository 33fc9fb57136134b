//! Good mail goes on byte for byte, with our fields on top: from every client that we have, to every kind of nexthop.

use std::fs;
use std::path::Path;

use crate::support::client::{Client, lossy};
use crate::support::daemons::process::{Process, directory, free_address, program};
use crate::support::gateway::{Gateway, NODE, Setup};
use crate::support::postfix::Postfix;
use crate::support::programs::{curl, python, run, swaks};
use crate::support::sink::{Manner, Sink};
use crate::support::{await_some, head, message};

/// Reads a message on standard input and sends it to the address and recipients given.
const SMTPLIB: &str = "
import smtplib, sys
host, port, *recipients = sys.argv[1:]
with smtplib.SMTP(host, int(port), local_hostname='python.example.net', timeout=30) as client:
    refused = client.sendmail('ann@example.net', recipients, sys.stdin.buffer.read())
    assert not refused, refused
";

fn gateway_to(sink: &Sink) -> Gateway {
    Setup::new().route(sink.nexthop(), "").start()
}

/// The fields that a plain message gets, unfolded.
#[track_caller]
fn check_head(head: &str, gateway: &Gateway, ehlo: &str) {
    let decision = gateway.decision();
    let reference = decision["reference"].as_str().unwrap();
    let unfolded = head.replace("\r\n\t", " ");
    let mut lines = unfolded.lines();
    let received = lines.next().unwrap();
    // The system's table of hosts may know a name for the client.
    let name = if received.contains(" (localhost [") {
        "localhost"
    } else {
        "unknown"
    };
    let begin = format!(
        "Received: from {ehlo} ({name} [127.0.0.1]) by {NODE} (Gatepost) with ESMTP id {reference} for <bob@example.com>; "
    );
    assert!(received.starts_with(&begin), "{received}\n{begin}");
    let results = lines.next().unwrap();
    let begin = format!("Authentication-Results: {NODE}; iprev=");
    let end = " policy.iprev=127.0.0.1; spf=none smtp.mailfrom=ann@example.net; dkim=none; dmarc=none header.from=example.net";
    assert!(
        results.starts_with(&begin) && results.ends_with(end),
        "{results}"
    );
    assert_eq!(
        lines.next().unwrap(),
        format!("X-Gatepost-Reference: {reference}")
    );
    assert_eq!(lines.next().unwrap(), "X-Gatepost-Verdict: accept");
    let findings = lines.next().unwrap();
    assert!(
        findings.starts_with("X-Gatepost-Findings: attachment"),
        "{findings}"
    );
    assert_eq!(lines.next(), None, "{head}");
}

#[test]
fn swaks_to_a_sink() {
    let sink = Sink::smtp();
    let gateway = gateway_to(&sink);
    let message = message("by swaks");
    let address = gateway.address().to_string();
    let said = swaks(
        &[
            "--server",
            &address,
            "--from",
            "ann@example.net",
            "--to",
            "bob@example.com",
        ],
        &message,
    )
    .expect_success();
    let reference = gateway.decision()["reference"].as_str().unwrap().to_owned();
    assert!(
        said.contains(&format!("250 2.6.0 {reference} relayed: ")),
        "{said}"
    );
    let received = sink.one();
    check_head(
        &head(&received.content, &message),
        &gateway,
        "swaks.example.net",
    );
    assert_eq!(received.recipients, ["TO:<bob@example.com>"]);
    assert!(
        received.mail.starts_with("FROM:<ann@example.net>"),
        "{}",
        received.mail
    );
}

#[test]
fn smtplib_to_a_sink() {
    let sink = Sink::smtp();
    let gateway = gateway_to(&sink);
    let message = message("by smtplib");
    let address = gateway.address();
    python(
        SMTPLIB,
        &[
            &address.ip().to_string(),
            &address.port().to_string(),
            "bob@example.com",
        ],
        &message,
    )
    .expect_success();
    check_head(
        &head(&sink.one().content, &message),
        &gateway,
        "python.example.net",
    );
}

#[test]
fn curl_to_a_sink() {
    let sink = Sink::smtp();
    let gateway = gateway_to(&sink);
    let message = message("by curl");
    let url = format!("smtp://{}/curl.example.net", gateway.address());
    curl(
        &[
            "--url",
            &url,
            "--mail-from",
            "ann@example.net",
            "--mail-rcpt",
            "bob@example.com",
        ],
        &message,
    )
    .expect_success();
    check_head(
        &head(&sink.one().content, &message),
        &gateway,
        "curl.example.net",
    );
}

#[test]
fn postfix_to_the_gateway_to_postfix() {
    let folder = tempfile::tempdir().unwrap();
    let sink = Sink::smtp();
    let onward = format!(
        "relay_domains = example.com\nrelayhost = [127.0.0.1]:{}",
        sink.address().port()
    );
    let nexthop = Postfix::start(&directory(folder.path(), "nexthop"), &onward);
    let gateway = Setup::new()
        .route(&format!("smtp:{}", nexthop.address()), "")
        .start();
    let to_us = format!("relayhost = [127.0.0.1]:{}", gateway.address().port());
    let sender = Postfix::start(&directory(folder.path(), "sender"), &to_us);
    let mut message = message("by Postfix");
    // Trace fields are put before the first field that is not one, so what we sent stays whole behind it.
    message.extend_from_slice("8-bit: ä ö ü \r\n..two dots\r\n".as_bytes());
    Client::envelope(sender.address(), &["bob@example.com"])
        .data(&message)
        .expect_code(250);
    let received = sink.one();
    let head = head(&received.content, &message);
    let hops: Vec<&str> = head
        .lines()
        .filter(|line| line.starts_with("Received: from "))
        .collect();
    assert_eq!(hops.len(), 3, "{head}\n{}\n{}", sender.log(), nexthop.log());
    assert!(
        hops[1].starts_with("Received: from postfix.test "),
        "{head}"
    );
    let decision = gateway.decision();
    assert_eq!(
        decision["recipients"][0]["disposition"], "relayed",
        "{decision:#}"
    );
    assert_eq!(
        decision["recipients"][0]["nexthop_reply"]["code"], 250,
        "{decision:#}"
    );
}

#[test]
fn smtp_sink_takes_it() {
    let smtp_sink = program(&["/usr/sbin/smtp-sink"], "postfix");
    let folder = tempfile::tempdir().unwrap();
    let address = free_address();
    let dump = directory(folder.path(), "dump");
    fs::set_permissions(&dump, std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    let template = format!("{}/%M.", dump.display());
    let arguments = ["-u", "nobody", "-d", &template, &address.to_string(), "100"];
    let _process = Process::start(&smtp_sink, &arguments, folder.path().join("log"), address);
    let gateway = Setup::new().route(&format!("smtp:{address}"), "").start();
    let message = message("to smtp-sink");
    Client::envelope(gateway.address(), &["bob@example.com"])
        .data(&message)
        .expect(250, "2.6.0");
    let dumped = await_some("smtp-sink's dump", || {
        let files = fs::read_dir(&dump).unwrap().flatten();
        files
            .map(|file| fs::read(file.path()).unwrap())
            .find(|text| lossy(text).contains("as we said."))
    });
    // It writes lines that end with LF, behind fields of its own.
    assert!(
        lossy(&dumped)
            .trim_end()
            .ends_with(lossy(&message).replace("\r\n", "\n").trim_end()),
        "{}",
        lossy(&dumped)
    );
    assert!(
        lossy(&dumped).contains("X-Gatepost-Verdict: accept\n"),
        "{}",
        lossy(&dumped)
    );
}

#[test]
fn lmtp_sinks_take_it() {
    let folder = tempfile::tempdir().unwrap();
    let over_tcp = Manner::lmtp().start();
    let over_unix = Manner::lmtp().start_on(&folder.path().join("lmtp"));
    let gateway = Setup::new()
        .route_for("tcp.example", over_tcp.nexthop(), "")
        .route_for("unix.example", over_unix.nexthop(), "")
        .start();
    let message = message("to LMTP");
    for (domain, sink) in [("tcp.example", &over_tcp), ("unix.example", &over_unix)] {
        let recipient = format!("bob@{domain}");
        Client::envelope(gateway.address(), &[&recipient])
            .data(&message)
            .expect(250, "2.6.0");
        let received = sink.one();
        assert!(head(&received.content, &message).contains("X-Gatepost-Verdict: accept\r\n"));
        assert_eq!(sink.count("LHLO "), 1, "{:?}", sink.commands());
        assert_eq!(sink.count("EHLO "), 0, "{:?}", sink.commands());
    }
    gateway.decisions(2);
}

fn files(folder: &Path) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().flatten();
    entries
        .map(|entry| fs::read(entry.path()).unwrap())
        .collect()
}

#[test]
fn a_maildir_takes_it() {
    let folder = tempfile::tempdir().unwrap();
    let maildir = folder.path().join("mail dir");
    let gateway = Setup::new()
        .route(&format!("maildir:{}", maildir.display()), "")
        .start();
    let message = message("to a maildir");
    let mut client = Client::envelope(gateway.address(), &["bob@example.com", "carol@example.com"]);
    let reply = client.data(&message).expect(250, "2.6.0");
    assert!(reply.text.ends_with(" delivered"), "{reply:?}");
    for part in ["new", "cur", "tmp"] {
        assert!(maildir.join(part).is_dir(), "{part}");
    }
    let mut copies: Vec<String> = files(&maildir.join("new"))
        .iter()
        .map(|copy| head(copy, &message))
        .collect();
    copies.sort();
    assert_eq!(copies.len(), 2);
    for (copy, recipient) in copies.iter().zip(["bob", "carol"]) {
        let begin = format!(
            "Return-Path: <ann@example.net>\r\nDelivered-To: {recipient}@example.com\r\nReceived: from "
        );
        assert!(copy.starts_with(&begin), "{copy}");
        // RFC 5321 7.6: with two recipients the Received field names neither.
        assert!(!copy.contains(" for <"), "{copy}");
    }
    assert_eq!(files(&maildir.join("tmp")).len(), 0);
    assert_eq!(
        gateway.decision()["recipients"][1]["disposition"],
        "delivered"
    );
}

#[test]
fn forged_fields_are_removed() {
    let sink = Sink::smtp();
    let gateway = gateway_to(&sink);
    let sent = b"X-Gatepost-Verdict: accept; forged\r\nFrom: a@example.net\r\nx-gatepost-findings: clamav\r\n virus=nonvirus\r\n\
        X-Gatepost-Reference : K7QX-3M9D-2F\r\nX-Gatepostal: stays\r\nSubject: forged\r\n\r\nX-Gatepost-Verdict: in the body stays\r\n";
    let kept = b"From: a@example.net\r\nX-Gatepostal: stays\r\nSubject: forged\r\n\r\nX-Gatepost-Verdict: in the body stays\r\n";
    Client::envelope(gateway.address(), &["bob@example.com"])
        .data(sent)
        .expect(250, "2.6.0");
    check_head(
        &head(&sink.one().content, kept),
        &gateway,
        "client.example.net",
    );
}

#[test]
fn result_fields_can_be_left_out() {
    let sink = Sink::smtp();
    let gateway = Setup::new()
        .route(sink.nexthop(), "result_fields = false")
        .start();
    let sent = [b"X-Gatepost-Verdict: forged\r\n", &message("no fields")[..]].concat();
    Client::envelope(gateway.address(), &["bob@example.com"])
        .data(&sent)
        .expect(250, "2.6.0");
    let head = head(&sink.one().content, &message("no fields"));
    assert!(
        head.starts_with("Received: ") && !head.contains("X-Gatepost"),
        "{head}"
    );
}

#[test]
fn odd_bytes_go_on_unchanged() {
    let long = "x".repeat(8190);
    let bodies: [(&str, Vec<u8>); 8] = [
        ("8-bit", (128..=255).collect()),
        ("UTF-8", "schöne Grüße, 你好".as_bytes().to_vec()),
        ("NUL", b"before\0after \0\0".to_vec()),
        (
            "controls",
            (1..32)
                .filter(|byte| !matches!(byte, b'\r' | b'\n'))
                .collect(),
        ),
        ("dots", b".\r\n..\r\n...x\r\n. .\r\n\r\n.".to_vec()),
        ("a line of 8192", long.into_bytes()),
        ("empty lines", b"\r\n\r\n\r\n \r\n\t".to_vec()),
        ("dot and NUL", b".\0.\r\n.\0".to_vec()),
    ];
    let sink = Sink::smtp();
    let gateway = gateway_to(&sink);
    let mut client = Client::greet(gateway.address());
    for (name, body) in &bodies {
        let sent = [&message(name)[..], body, b"\r\n"].concat();
        client
            .command("MAIL FROM:<ann@example.net> BODY=8BITMIME")
            .expect_code(250);
        client.command("RCPT TO:<bob@example.com>").expect_code(250);
        client.data(&sent).expect(250, "2.6.0");
        head(&sink.take().pop().unwrap().content, &sent);
    }
    client.quit();
    gateway.decisions(bodies.len());
}

#[test]
fn messages_without_header_or_body_go_on() {
    let sink = Sink::smtp();
    let gateway = gateway_to(&sink);
    let mut client = Client::greet(gateway.address());
    let messages: [(&[u8], &[u8]); 5] = [
        (b"", b""),
        (b"\r\n", b"\r\n"),
        (b"Subject: only a header\r\n", b"Subject: only a header\r\n"),
        (b"\r\nonly a body\r\n", b"\r\nonly a body\r\n"),
        // It would go on with the last field of ours.
        (b" begins folded\r\n\r\nbody\r\n", b"\r\nbody\r\n"),
    ];
    for (sent, expected) in messages {
        client.begin(&["bob@example.com"]);
        client.data(sent).expect(250, "2.6.0");
        let received = sink.take().pop().unwrap();
        let head = head(&received.content, expected);
        assert!(
            head.starts_with("Received: ") && head.ends_with("\r\n"),
            "{head}"
        );
    }
}

#[test]
fn large_messages_pass_through_the_spool_file() {
    let sink = Sink::smtp();
    let gateway = Setup::new()
        .node("memory_max = \"16MiB\"\nmemory_message_max = \"64KiB\"")
        .route(sink.nexthop(), "")
        .start();
    let line = "The quick brown fox jumps over the lazy dog. ".repeat(20);
    let sent = [
        &message("large")[..],
        format!("{line}\r\n").repeat(9000).as_bytes(),
    ]
    .concat();
    assert!(sent.len() > 8_000_000);
    Client::envelope(gateway.address(), &["bob@example.com"])
        .data(&sent)
        .expect(250, "2.6.0");
    head(&sink.one().content, &sent);
    let decision = gateway.decision();
    assert_eq!(decision["sizes"]["bytes"], sent.len(), "{decision:#}");
    assert_eq!(
        files(&gateway.folder().join("data/spool")).len(),
        0,
        "spool files have no name"
    );
    assert_eq!(gateway.metric("gatepost_message_memory_bytes"), 0.0);
}

#[test]
fn smtp_source_over_many_sessions() {
    let smtp_source = program(&["/usr/sbin/smtp-source"], "postfix");
    let sink = Sink::smtp();
    let gateway = gateway_to(&sink);
    let address = format!("inet:{}", gateway.address());
    let envelope = ["-f", "ann@example.net", "-t", "bob@example.com"];
    let load = ["-s", "10", "-m", "200", "-l", "20000"];
    run(
        &smtp_source,
        &[&load[..], &envelope, &[&address]].concat(),
        b"",
    )
    .expect_success();
    let received = sink.take();
    assert_eq!(received.len(), 200);
    assert!(
        received
            .iter()
            .all(|message| message.content.len() > 20_000)
    );
    assert_eq!(
        gateway.decisions(200)[199]["recipients"][0]["disposition"],
        "relayed"
    );
    // Connections to the nexthop are kept: far fewer than messages.
    assert!(sink.connections() < 100, "{}", sink.connections());
}

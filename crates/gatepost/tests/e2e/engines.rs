//! Verdicts by the real engines: clamd, spamd, rspamd, c-icap; the rule of two; and an engine that is away.

use serde_json::Value;

use crate::support::await_some_or;
use crate::support::client::{Client, Reply};
use crate::support::daemons::process::directory;
use crate::support::daemons::{CIcap, Clamd, EICAR, GTUBE, Rspamd, Spamd};
use crate::support::gateway::{Gateway, Setup};
use crate::support::sink::Sink;
use crate::support::{head, message, message_with, unused_address};

fn send(gateway: &Gateway, recipient: &str, message: &[u8]) -> Reply {
    Client::envelope(gateway.address(), &[recipient]).data(message)
}

fn last(gateway: &Gateway, reply: &Reply) -> Value {
    gateway.await_event("decided", |event| {
        reply.text.contains(event["reference"].as_str().unwrap())
    })
}

fn eicar() -> Vec<u8> {
    // The embedded engine would know it in the open: clamd's signature finds it anywhere.
    message_with(
        "report.bin",
        "application/octet-stream",
        format!("prefix {EICAR} suffix").as_bytes(),
    )
}

#[test]
fn clamd_finds_the_virus_and_its_absence_defers() {
    let folder = tempfile::tempdir().unwrap();
    let sink = Sink::smtp();
    let mut clamd = Clamd::start(&directory(folder.path(), "one"));
    let gateway = Setup::new()
        .route(sink.nexthop(), "")
        .route_for(
            "open.example",
            sink.nexthop(),
            "engines = { clamav = { on_failure = \"open\" } }",
        )
        .more(&format!(
            "[engine.clamav]\naddress = \"{}\"\n[engine.attachment]\nenabled = false\n[engine.auth]\nenabled = false",
            clamd.address()
        ))
        .start();
    let refused = send(&gateway, "bob@example.com", &eicar()).expect(550, "5.7.1");
    assert!(
        refused
            .text
            .contains("carries a virus (Eicar-Test-Signature"),
        "{refused:?}"
    );
    let decision = last(&gateway, &refused);
    assert_eq!(decision["findings"][0]["engine"], "clamav", "{decision:#}");
    assert_eq!(
        decision["findings"][0]["virus_name"],
        Clamd::EICAR_NAME,
        "{decision:#}"
    );
    send(&gateway, "bob@example.com", &message("clean")).expect(250, "2.6.0");
    let found = head(&sink.take()[0].content, &message("clean"));
    assert!(
        found.contains("X-Gatepost-Findings: clamav virus=unknown"),
        "{found}"
    );
    // Away: one route defers, the other goes on and notes it.
    clamd.stop();
    let deferred = send(&gateway, "bob@example.com", &message("later")).expect(451, "4.3.0");
    assert_eq!(
        last(&gateway, &deferred)["verdict"]["reason"]["kind"],
        "engine-unavailable"
    );
    gateway.await_event("engine-down", |event| event["engine"] == "clamav");
    send(&gateway, "bob@open.example", &message("open")).expect(250, "2.6.0");
    let noted = head(&sink.take()[0].content, &message("open"));
    assert!(
        noted.contains("X-Gatepost-Verdict: accept; unexamined clamav\r\n"),
        "{noted}"
    );
    assert!(
        gateway
            .metrics()
            .contains("gatepost_engine_up{engine=\"clamav\"} 0"),
        "{}",
        gateway.metrics()
    );
    // Back, on the same port.
    let _clamd = Clamd::start_at(&directory(folder.path(), "two"), clamd.address());
    let back = || {
        Some(send(&gateway, "bob@example.com", &message("back"))).filter(|reply| reply.code == 250)
    };
    await_some_or(|| format!("{:#?}", gateway.events("engine-up")), back);
    gateway.await_event("engine-up", |event| event["engine"] == "clamav");
    send(&gateway, "bob@example.com", &eicar()).expect(550, "5.7.1");
    assert_eq!(
        gateway.events("engine-down").len(),
        1,
        "told once, not for each message"
    );
}

#[test]
fn c_icap_finds_the_virus() {
    let folder = tempfile::tempdir().unwrap();
    let icap = CIcap::start(folder.path());
    let sink = Sink::smtp();
    let gateway = Setup::new()
        .route(sink.nexthop(), "")
        .more(&format!(
            "[engine.icap]\naddress = \"{}\"\nservice = \"{}\"\n[engine.attachment]\nenabled = false\n[engine.auth]\nenabled = false",
            icap.address(),
            CIcap::SERVICE
        ))
        .start();
    let refused = send(&gateway, "bob@example.com", &eicar()).expect(550, "5.7.1");
    let decision = last(&gateway, &refused);
    let findings = decision["findings"].as_array().unwrap();
    let is_icap = |finding: &Value| finding["engine"] == "icap";
    assert!(findings.iter().any(is_icap), "{decision:#}");
    assert_eq!(
        decision["verdict"]["reason"]["kind"], "virus",
        "{decision:#}"
    );
    send(&gateway, "bob@example.com", &message("clean")).expect(250, "2.6.0");
    head(&sink.one().content, &message("clean"));
}

#[test]
fn the_rule_of_two() {
    let folder = tempfile::tempdir().unwrap();
    let (spamd, rspamd) = (Spamd::start(folder.path()), Rspamd::start(folder.path()));
    let sink = Sink::smtp();
    let (low, high) = (
        "likely = -50.0, sure = 900.0",
        "likely = 800.0, sure = 900.0",
    );
    let engines = |sa: &str, rs: &str| {
        format!(
            "engines = {{ attachment = false, spamassassin = {{ {sa} }}, rspamd = {{ {rs} }} }}"
        )
    };
    let gateway = Setup::new()
        .route_for("neither.example", sink.nexthop(), &engines(high, high))
        .route_for("one.example", sink.nexthop(), &engines(low, high))
        .route_for("other.example", sink.nexthop(), &engines(high, low))
        .route_for("both.example", sink.nexthop(), &engines(low, low))
        .route_for("sure.example", sink.nexthop(), &engines("likely = -50.0, sure = -50.0", high))
        .route_for("usual.example", sink.nexthop(), "engines = { attachment = false }")
        .more(&format!(
            "[engine.spamassassin]\naddress = \"{}\"\ndeadline = \"60s\"\n[engine.rspamd]\naddress = \"{}\"\ndeadline = \"60s\"\n\
             [scan]\ndeadline = \"90s\"",
            spamd.address(),
            rspamd.address()
        ))
        .start();
    let text = message("the same for all");
    for (domain, code, note) in [
        ("neither.example", 250, "accept\r\n"),
        ("one.example", 250, "accept; likely-alone spamassassin\r\n"),
        ("other.example", 250, "accept; likely-alone rspamd\r\n"),
        ("both.example", 550, ""),
        ("sure.example", 550, ""),
    ] {
        let reply = send(&gateway, &format!("bob@{domain}"), &text).expect_code(code);
        let decision = last(&gateway, &reply);
        if code == 250 {
            let head = head(&sink.take()[0].content, &text);
            assert!(
                head.contains(&format!("X-Gatepost-Verdict: {note}")),
                "{domain}: {head}"
            );
        } else {
            assert_eq!(
                decision["verdict"]["reason"]["kind"], "spam",
                "{decision:#}"
            );
            let engines = decision["verdict"]["reason"]["engines"].as_array().unwrap();
            assert_eq!(
                engines.len(),
                if domain == "both.example" { 2 } else { 1 },
                "{decision:#}"
            );
            // The sender learns neither scores nor names of rules.
            assert!(
                !reply.text.contains("assassin") && !reply.text.contains("score"),
                "{reply:?}"
            );
        }
    }
    // Both know GTUBE by their own marks.
    let gtube = [&message("GTUBE")[..], GTUBE.as_bytes(), b"\r\n"].concat();
    send(&gateway, "bob@usual.example", &gtube).expect(550, "5.7.1");
    send(&gateway, "bob@usual.example", &text).expect(250, "2.6.0");
}

#[test]
fn an_engine_that_never_was_there() {
    let sink = Sink::smtp();
    let gateway = Setup::new()
        .route(sink.nexthop(), "")
        .more(&format!(
            "[engine.sophos]\naddress = \"{}\"\non_failure = \"open\"",
            unused_address()
        ))
        .start();
    let reply = send(&gateway, "bob@example.com", &message("open")).expect(250, "2.6.0");
    let decision = last(&gateway, &reply);
    let sophos = decision["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|finding| finding["engine"] == "sophos")
        .unwrap();
    assert_eq!(sophos["unavailable"]["cause"], "connect", "{decision:#}");
    assert_eq!(
        decision["verdict"]["notes"][0]["note"], "unexamined",
        "{decision:#}"
    );
    assert_eq!(
        gateway.metric("gatepost_engine_unavailable_total{engine=\"sophos\",cause=\"connect\"}"),
        1.0
    );
}

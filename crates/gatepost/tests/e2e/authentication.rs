//! Sender authentication with a real name server (unbound) and messages that somebody else's signer (dkimpy) has signed: what is
//! refused, what is only told, and what no DNS fault ever does.

use std::path::PathBuf;

use serde_json::Value;

use crate::dkim::key;
use crate::support::client::{Client, Reply};
use crate::support::dns::{Dns, Zones};
use crate::support::gateway::{Gateway, Setup};
use crate::support::head;
use crate::support::programs::python;
use crate::support::sink::Sink;

/// Signs a message (standard input) with the key in a file.
const SIGNER: &str = "
import dkim, sys
domain, key = sys.argv[1], open(sys.argv[2], 'rb').read()
message = sys.stdin.buffer.read()
headers = [b'from', b'to', b'subject', b'date', b'message-id']
signature = dkim.sign(message, b's1', domain.encode(), key, include_headers=headers)
sys.stdout.buffer.write(signature + message)
";

/// The world: a bank that asks for rejection, a shop that asks for quarantine, a list, and a zone that is broken.
struct World {
    dns: Dns,
    sink: Sink,
    key: PathBuf,
    _folder: tempfile::TempDir,
}

impl World {
    fn new() -> World {
        let folder = tempfile::tempdir().unwrap();
        let (key, record) = key(folder.path(), "rsa");
        let dns = Zones::new()
            .unsigned(
                "bank.test",
                &format!(
                    "@ TXT \"v=spf1 ip4:192.0.2.1 exp=why.bank.test -all\"\n\
                     why TXT \"%{{i}} is not ours\"\n\
                     _dmarc TXT \"v=DMARC1; p=reject; rua=mailto:reports@bank.test\"\n\
                     s1._domainkey TXT {}",
                    strings(&record)
                ),
            )
            .unsigned(
                "shop.test",
                "@ TXT \"v=spf1 ?all\"\n_dmarc TXT \"v=DMARC1; p=quarantine\"\n",
            )
            .unsigned("list.test", "@ TXT \"v=spf1 ip4:127.0.0.0/8 -all\"\n")
            .bogus(
                "broken.test",
                "@ A 192.0.2.1\n@ TXT \"v=spf1 -all\"\n_dmarc TXT \"v=DMARC1; p=reject\"\n",
            )
            .silent("silent.test")
            .start();
        World {
            dns,
            sink: Sink::smtp(),
            key,
            _folder: folder,
        }
    }

    fn gateway(&self, route: &str, tables: &str) -> Gateway {
        Setup::new()
            .nameserver(self.dns.address())
            .dns("timeout = \"1s\"")
            .more(tables)
            .route(self.sink.nexthop(), route)
            .start()
    }

    fn signed(&self, message: &[u8]) -> Vec<u8> {
        let key = self.key.display().to_string();
        let said = python(SIGNER, &["bank.test", &key], message).expect_success();
        said.into_bytes()
    }
}

/// As character strings of a zone file (RFC 1035 5.1): each of 255 bytes at most.
fn strings(text: &str) -> String {
    let parts = text.as_bytes().chunks(200);
    let parts = parts.map(|part| format!("\"{}\"", std::str::from_utf8(part).unwrap()));
    parts.collect::<Vec<_>>().join(" ")
}

fn message(from: &str, fields: &str) -> Vec<u8> {
    format!(
        "{fields}From: Ann <{from}>\r\nTo: Bob <bob@example.com>\r\nSubject: hello\r\n\
         Date: Mon, 23 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@bank.test>\r\n\r\nHello Bob.\r\n"
    )
    .into_bytes()
}

fn mail(gateway: &Gateway, reverse_path: &str) -> (Client, Reply) {
    let mut client = Client::greet(gateway.address());
    let reply = client.command(&format!("MAIL FROM:<{reverse_path}>"));
    (client, reply)
}

/// The reply to the data.
fn send(gateway: &Gateway, reverse_path: &str, message: &[u8]) -> Reply {
    let (mut client, reply) = mail(gateway, reverse_path);
    assert_eq!(reply.code, 250, "{reply:?}");
    assert_eq!(client.command("RCPT TO:<bob@example.com>").code, 250);
    client.data(message)
}

fn finding(decision: &Value) -> &Value {
    let findings = decision["findings"].as_array().unwrap();
    let auth = findings.iter().find(|finding| finding["engine"] == "auth");
    auth.unwrap_or_else(|| panic!("{decision:#}"))
}

#[test]
fn what_the_owner_asks_to_be_rejected_is_refused() {
    let world = World::new();
    let gateway = world.gateway("", "");
    let reply = send(&gateway, "ann@bank.test", &message("ann@bank.test", ""));
    let reply = reply.expect(550, "5.7.26");
    for words in [
        "DMARC",
        "bank.test: SPF fail for bank.test, no DKIM signature",
    ] {
        assert!(reply.text.contains(words), "{reply:?}");
    }
    let decision = gateway.decision();
    assert_eq!(
        decision["verdict"]["reason"]["kind"], "dmarc",
        "{decision:#}"
    );
    let finding = finding(&decision);
    assert_eq!(finding["policy"]["asked"], "reject", "{decision:#}");
    let facts = &finding["authentication"];
    assert_eq!(
        facts["spf_mail"]["explanation"], "127.0.0.1 is not ours",
        "{decision:#}"
    );
    assert_eq!(
        facts["dmarc"]["published"]["report_uris"][0],
        "mailto:reports@bank.test"
    );
    assert!(world.sink.received().is_empty());
}

#[test]
fn a_signed_message_passes_with_its_results_and_without_forged_ones() {
    let world = World::new();
    let gateway = world.gateway("", "");
    let signed = world.signed(&message("ann@bank.test", ""));
    let forged = b"Authentication-Results: mx.gatepost.test; dmarc=pass header.from=all.test\r\n";
    let others = b"Authentication-Results: elsewhere.test; none\r\n";
    let sent = [&forged[..], others, &signed].concat();
    send(&gateway, "bounce@list.test", &sent).expect_code(250);
    let received = world.sink.one();
    let head = head(&received.content, &[&others[..], &signed].concat());
    let results: Vec<&str> = head.split("Authentication-Results: ").skip(1).collect();
    assert_eq!(results.len(), 1, "{head}");
    let results = results[0].replace("\r\n\t", " ");
    for words in [
        " policy.iprev=127.0.0.1;",
        " spf=pass smtp.mailfrom=bounce@list.test;",
        " dkim=pass header.d=bank.test header.s=s1 header.a=rsa-sha256 header.b=",
        " dmarc=pass (p=reject) header.from=bank.test\r\n",
    ] {
        assert!(results.contains(words), "{words} in {results}");
    }
    // Changed by one character, it is nobody's any more.
    let changed = String::from_utf8(signed)
        .unwrap()
        .replace("Hello Bob", "Hello Rob");
    let reply = send(&gateway, "bounce@list.test", changed.as_bytes());
    let reply = reply.expect(550, "5.7.26");
    assert!(
        reply
            .text
            .contains("DKIM fail (bank.test: the body was changed)"),
        "{reply:?}"
    );
}

#[test]
fn quarantine_is_one_likely_voice_and_refuses_nothing_alone() {
    let world = World::new();
    let gateway = world.gateway("", "");
    send(&gateway, "ann@shop.test", &message("ann@shop.test", "")).expect_code(250);
    let decision = gateway.decision();
    let notes = &decision["verdict"]["notes"];
    assert_eq!(notes[0]["note"], "likely-alone", "{decision:#}");
    assert_eq!(notes[0]["engine"], "auth", "{decision:#}");
}

#[test]
fn a_route_may_only_note_it() {
    let world = World::new();
    let gateway = world.gateway("dmarc = \"note\"", "");
    send(&gateway, "ann@bank.test", &message("ann@bank.test", "")).expect_code(250);
    let decision = gateway.decision();
    assert_eq!(
        finding(&decision)["policy"]["asked"],
        "reject",
        "{decision:#}"
    );
    let content = String::from_utf8(world.sink.one().content).unwrap();
    assert!(
        content.contains("dmarc=fail (p=reject) header.from=bank.test"),
        "{content}"
    );
}

#[test]
fn the_text_is_in_the_language_of_the_route() {
    let world = World::new();
    let gateway = world.gateway("language = \"de\"", "");
    let reply = send(&gateway, "ann@bank.test", &message("ann@bank.test", ""));
    let reply = reply.expect(550, "5.7.26");
    assert!(
        reply
            .text
            .contains("Die Domain des Absenders ist nicht nachgewiesen"),
        "{reply:?}"
    );
}

#[test]
fn those_who_hand_on_messages_are_excused() {
    let world = World::new();
    let forwarders = "[auth]\ntrusted_forwarders = [\"127.0.0.0/8\"]\n";
    let lists = "[auth]\ntrusted_lists = [\"list.test\"]\n";
    let listed = message("ann@bank.test", "List-Id: Friends <friends.list.test>\r\n");
    for (tables, by) in [(forwarders, "forwarder"), (lists, "list")] {
        let gateway = world.gateway("", tables);
        send(&gateway, "bounce@list.test", &listed).expect_code(250);
        let decision = gateway.decision();
        let excuse = &finding(&decision)["policy"]["excused_by"];
        assert_eq!(excuse["by"], by, "{decision:#}");
    }
    // Not from the list's own server: the reverse-path of another domain proves nothing.
    let gateway = world.gateway("", lists);
    send(&gateway, "ann@shop.test", &listed).expect(550, "5.7.26");
}

#[test]
fn spf_refuses_at_mail_only_where_it_is_asked_to() {
    let world = World::new();
    let gateway = world.gateway("", "[auth]\nspf_fail_at_mail = true\n");
    let (_, reply) = mail(&gateway, "ann@bank.test");
    let reply = reply.expect(550, "5.7.23");
    assert!(
        reply
            .text
            .contains("bank.test, which says: 127.0.0.1 is not ours"),
        "{reply:?}"
    );
    let decision = gateway.decision();
    assert_eq!(
        decision["verdict"]["reason"]["kind"], "spf-fail",
        "{decision:#}"
    );
    for fine in [
        "ann@list.test",
        "ann@shop.test",
        "ann@nowhere.test",
        "ann@broken.test",
        "",
    ] {
        assert_eq!(mail(&gateway, fine).1.code, 250, "{fine}");
    }
    let gateway = world.gateway(
        "",
        "[auth]\nspf_fail_at_mail = true\ntrusted_forwarders = [\"127.0.0.1\"]\n",
    );
    assert_eq!(mail(&gateway, "ann@bank.test").1.code, 250);
}

/// The DNS does not tell, or its signatures are wrong: that is never a refusal.
#[test]
fn a_fault_of_the_dns_is_told_and_refuses_nothing() {
    let world = World::new();
    let gateway = world.gateway("", "");
    for domain in ["broken.test", "silent.test"] {
        let author = format!("ann@{domain}");
        send(&gateway, &author, &message(&author, "")).expect_code(250);
        let received = world.sink.take().remove(0);
        let content = String::from_utf8(received.content).unwrap();
        for words in [
            "spf=temperror (".to_owned(),
            "dmarc=temperror (".to_owned(),
            format!("header.from={domain}"),
        ] {
            assert!(content.contains(&words), "{words} in {content}");
        }
    }
}

/// What the owner of the domain is told tomorrow lies in the data directory, and survives the process.
#[test]
fn what_was_found_is_kept_for_the_report_of_the_day() {
    let world = World::new();
    let mut gateway = world.gateway("", "[dmarc_reports]\nenabled = true\n");
    let signed = world.signed(&message("ann@bank.test", ""));
    send(&gateway, "bounce@list.test", &signed).expect_code(250);
    for _ in 0..2 {
        let forged = message("ann@bank.test", "");
        send(&gateway, "ann@bank.test", &forged).expect(550, "5.7.26");
    }
    // The shop asks for no reports.
    send(&gateway, "ann@shop.test", &message("ann@shop.test", "")).expect_code(250);
    gateway.signal("TERM");
    assert!(gateway.await_end().success());
    let mut rows = Vec::new();
    for file in std::fs::read_dir(gateway.folder().join("data/dmarc-reports")).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        rows.extend(
            text.lines()
                .map(|line| serde_json::from_str::<Value>(line).unwrap()),
        );
    }
    rows.sort_by_key(|row| row["count"].as_u64());
    let seen: Vec<_> = rows
        .iter()
        .map(|row| {
            (
                row["count"].as_u64().unwrap(),
                row["row"]["disposition"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(seen, [(1, "pass"), (2, "reject")], "{rows:#?}");
    assert_eq!(rows[0]["row"]["envelope_from"], "list.test");
    assert_eq!(
        rows[0]["published"]["record"]["report_uris"][0],
        "mailto:reports@bank.test"
    );
}

/// Messages that begin their way here have nothing to prove.
#[test]
fn a_client_that_may_relay_is_not_judged() {
    let world = World::new();
    let gateway = Setup::new()
        .nameserver(world.dns.address())
        .node("trusted_networks = [\"127.0.0.0/8\"]")
        .more("[auth]\nspf_fail_at_mail = true\n")
        .route(world.sink.nexthop(), "")
        .start();
    send(&gateway, "ann@bank.test", &message("ann@bank.test", "")).expect_code(250);
    let content = String::from_utf8(world.sink.one().content).unwrap();
    assert!(!content.contains("Authentication-Results"), "{content}");
}

//! Reputation with a real name server (unbound) that serves lists, and clients whose addresses a PROXY header names: what is
//! refused and how its sender reads that, what lists never do, whom the record remembers, who is asked to come again.

use std::net::SocketAddr;

use serde_json::Value;

use crate::support::client::{Client, Reply};
use crate::support::daemons::GTUBE;
use crate::support::dns::{Dns, Zones};
use crate::support::gateway::{Gateway, Setup};
use crate::support::operator::out;
use crate::support::sink::Sink;
use crate::support::{await_some, message};

/// A listener that goes by the record, beside one that hears everybody.
const OPEN: &str =
    "[[listener]]\nname = \"open\"\nbind = [\"127.0.0.2:0\"]\nproxy_networks = [\"127.0.0.0/8\"]\n";

/// Two refused messages are enough to be called bad, ten are beyond doubt.
const STRICT: &str = "[engine.reputation]\nvolume_min = 2.0\n";

fn setup() -> Setup {
    Setup::new().listener("proxy_networks = [\"127.0.0.0/8\"]")
}

/// A list of this name and zone.
fn list(name: &str, zone: &str, weight: &str, about: &str) -> String {
    format!(
        "[[engine.reputation.lists]]\nname = \"{name}\"\nzone = \"{zone}\"\nweight = {weight}\nabout = [{about}]\n"
    )
}

/// A session whose client is said to have this address; the first reply is read.
fn dial(listener: SocketAddr, ip: &str) -> (Client, Reply) {
    let mut client = Client::dial(listener);
    let (family, here) = match ip.contains(':') {
        true => ("TCP6", "2001:db8:ffff::1"),
        false => ("TCP4", "198.51.100.1"),
    };
    client.send(format!("PROXY {family} {ip} {here} 4711 25\r\n").as_bytes());
    let reply = client.reply();
    (client, reply)
}

fn greet(listener: SocketAddr, ip: &str, helo: &str) -> Client {
    let (mut client, banner) = dial(listener, ip);
    banner.expect_code(220);
    client.command(&format!("EHLO {helo}")).expect_code(250);
    client
}

/// The reply to the data.
fn send(listener: SocketAddr, ip: &str, reverse_path: &str, content: &[u8]) -> Reply {
    let mut client = greet(listener, ip, "client.example.net");
    client
        .command(&format!("MAIL FROM:<{reverse_path}>"))
        .expect_code(250);
    client.command("RCPT TO:<bob@example.com>").expect_code(250);
    client.data(content)
}

fn spam() -> Vec<u8> {
    [&message("spam")[..], GTUBE.as_bytes(), b"\r\n"].concat()
}

/// Sends what the engine `attachment` refuses as spam by its own word.
fn send_spam(listener: SocketAddr, ip: &str, count: usize) {
    for _ in 0..count {
        send(listener, ip, "ann@example.net", &spam()).expect(550, "5.7.1");
    }
}

fn finding(decision: &Value) -> &Value {
    let findings = decision["findings"].as_array().unwrap();
    let found = findings
        .iter()
        .find(|finding| finding["engine"] == "reputation");
    found.unwrap_or_else(|| panic!("{decision:#}"))
}

/// `NAME: detail` of each symbol of lists.
fn symbols(decision: &Value) -> Vec<String> {
    let symbols = finding(decision)["symbols"].as_array();
    let text = |symbol: &Value, key: &str| symbol[key].as_str().unwrap_or_default().to_owned();
    let symbols = symbols.into_iter().flatten();
    symbols
        .map(|symbol| format!("{}: {}", text(symbol, "name"), text(symbol, "detail")))
        .filter(|symbol| symbol.starts_with("LIST_") || symbol.starts_with("SILENT_"))
        .collect()
}

fn lists() -> Dns {
    Zones::new()
        .unsigned(
            "bl.test",
            "2.0.0.127 A 127.0.0.2\n7.2.0.192 A 127.0.0.4\n8.2.0.192 A 127.0.0.4\n1.0.0.10 A 127.0.0.2\n\
             7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2 A 127.0.0.4\n",
        )
        .unsigned("more.test", "2.0.0.127 A 127.0.0.2\n7.2.0.192 A 127.0.0.2\n")
        .unsigned("trusted.test", "2.0.0.127 A 127.0.0.2\n8.2.0.192 A 127.0.5.3\n")
        .unsigned(
            "dbl.test",
            "test A 127.0.1.2\nhelo.example A 127.0.1.2\npath.example A 127.0.1.2\nauthor.example A 127.0.1.2\n\
             link.example A 127.0.1.2\n",
        )
        .start()
}

#[test]
fn a_listed_sender_reads_in_the_refusal_who_lists_it() {
    let (dns, sink) = (lists(), Sink::smtp());
    let gateway = setup()
        .nameserver(dns.address())
        .route(sink.nexthop(), "")
        .more(&list("zen", "bl.test", "9", "\"ip\""))
        .more(&list("more", "more.test", "6", "\"ip\""))
        .more(&list("trusted", "trusted.test", "-5", "\"ip\""))
        .start();
    let listed = |ip: &str| send(gateway.address(), ip, "ann@example.net", &message("hello"));
    let reply = listed("192.0.2.7").expect(550, "5.7.1");
    let words = "Listed as a source of spam: 192.0.2.7 (zen, more).";
    assert!(reply.text.contains(words), "{reply:?}");
    let decision = gateway.decision();
    assert_eq!(
        symbols(&decision),
        [
            "LIST_ZEN: ip 192.0.2.7: 127.0.0.4",
            "LIST_MORE: ip 192.0.2.7: 127.0.0.2"
        ]
    );
    // One list alone refuses nothing, and one of trusted senders speaks for them.
    listed("192.0.2.8").expect(250, "2.6.0");
    let decision = &gateway.decisions(2)[1];
    assert_eq!(finding(decision)["score"]["value"], 4.0, "{decision:#}");
    // Others are not listed, nor is anybody of our own networks, whatever the list says.
    for ip in ["192.0.2.9", "10.0.0.1", "2001:db8::8"] {
        listed(ip).expect(250, "2.6.0");
    }
    listed("2001:db8::7").expect(250, "2.6.0");
    let decisions = gateway.decisions(6);
    assert_eq!(symbols(&decisions[3]), Vec::<String>::new());
    assert_eq!(
        symbols(&decisions[5]),
        ["LIST_ZEN: ip 2001:db8::7: 127.0.0.4"]
    );
}

#[test]
fn names_of_client_sender_author_and_links_are_asked_about() {
    let (dns, sink) = (lists(), Sink::smtp());
    let about = "\"helo\", \"reverse-path\", \"from\", \"url\"";
    let gateway = setup()
        .nameserver(dns.address())
        .route(sink.nexthop(), "")
        .more(&list("dbl", "dbl.test", "1", about))
        .start();
    let content = String::from_utf8(message("links")).unwrap();
    let content = content
        .replace("ann@example.net>", "ann@news.author.example>")
        .replace(
            "as we said.",
            "see https://www.link.example/x and https://fine.example/",
        );
    let mut client = greet(gateway.address(), "192.0.2.7", "mx.helo.example");
    client
        .command("MAIL FROM:<ann@bounces.path.example>")
        .expect_code(250);
    client.command("RCPT TO:<bob@example.com>").expect_code(250);
    client.data(content.as_bytes()).expect(250, "2.6.0");
    let mut told = symbols(&gateway.decision());
    told.sort();
    assert_eq!(
        told,
        [
            "LIST_DBL: from author.example: 127.0.1.2",
            "LIST_DBL: helo helo.example: 127.0.1.2",
            "LIST_DBL: reverse-path path.example: 127.0.1.2",
            "LIST_DBL: url link.example: 127.0.1.2",
        ]
    );
}

#[test]
fn at_connect_lists_put_off_and_refuse_where_the_listener_says_so() {
    let (dns, sink) = (lists(), Sink::smtp());
    let gateway = setup()
        .nameserver(dns.address())
        .listener("reputation = \"refuse\"")
        .route(sink.nexthop(), "")
        .more(&list("zen", "bl.test", "9", "\"ip\""))
        .more(&list("more", "more.test", "6", "\"ip\""))
        .more("[allow]\nclient = [\"2001:db8::/48\"]")
        .start();
    let (_, banner) = dial(gateway.address(), "192.0.2.7");
    let banner = banner.expect(554, "5.7.1");
    let words = "on a list of sources of spam: 192.0.2.7 (zen, more).";
    assert!(banner.text.contains(words), "{banner:?}");
    let ended = gateway.await_event("session-ended", |event| {
        event["client"]["ip"] == "192.0.2.7"
    });
    assert_eq!(ended["detail"], "listed: 192.0.2.7 (zen, more): 15 points");
    let (_, banner) = dial(gateway.address(), "192.0.2.8");
    let banner = banner.expect(421, "4.7.1");
    assert!(
        banner.text.contains("192.0.2.8 (zen), so it has to wait"),
        "{banner:?}"
    );
    for heard in ["192.0.2.9", "2001:db8::7", "10.0.0.1"] {
        dial(gateway.address(), heard).1.expect_code(220);
    }
}

#[test]
fn a_list_that_is_dead_or_lies_is_left_out_and_shown() {
    let answers = |answer: &str| format!("* A {answer}\n");
    let dns = Zones::new()
        .silent("dead.test")
        .bogus(
            "broken.test",
            "2.0.0.127 A 127.0.0.2\n7.2.0.192 A 127.0.0.2\n",
        )
        .unsigned("quota.test", &answers("127.255.255.254"))
        .unsigned("parked.test", &answers("198.51.100.7"))
        .unsigned("all.test", &answers("127.0.0.2"))
        .unsigned(
            "late.test",
            "2.0.0.127 A 127.0.0.2\n7.2.0.192 A 127.255.255.255\n",
        )
        .unsigned(
            "codes.test",
            "2.0.0.127 A 127.0.0.2\n7.2.0.192 A 127.0.0.99\n",
        )
        .start();
    let sink = Sink::smtp();
    let names = ["dead", "broken", "quota", "parked", "all", "late", "codes"];
    let tables = names.map(|name| list(name, &format!("{name}.test"), "50", "\"ip\""));
    let gateway = setup()
        .nameserver(dns.address())
        .dns("timeout = \"1s\"")
        .route(sink.nexthop(), "")
        .more("[engine.reputation]\nlists_deadline = \"2s\"")
        .more(&tables.concat())
        .more("codes = [{ answers = \"127.0.0.2\" }]")
        .start();
    for _ in 0..4 {
        send(
            gateway.address(),
            "192.0.2.7",
            "ann@example.net",
            &message("hello"),
        )
        .expect(250, "2.6.0");
    }
    let left_out = |name: &str| gateway.await_event("list-left-out", |event| event["list"] == name);
    for (name, words) in [
        ("dead", "no answer in time"),
        ("broken", ""),
        ("quota", "127.255.255.254: it may not be asked"),
        ("parked", "198.51.100.7, which is outside 127.0.0.0/8"),
        ("all", "it lists everything"),
        ("late", "127.255.255.255: it may not be asked"),
    ] {
        let event = left_out(name);
        let detail = event["detail"].as_str().unwrap();
        assert!(detail.contains(words), "{name}: {detail}");
        assert_eq!(
            gateway.metric(&format!("gatepost_list_up{{list=\"{name}\"}}")),
            0.0
        );
    }
    assert_eq!(
        gateway.events("list-left-out").len(),
        6,
        "each is told once"
    );
    let decision = &gateway.decisions(4)[3];
    let silent = symbols(decision);
    assert_eq!(silent.len(), 6, "{silent:?}");
    assert!(silent.iter().all(|symbol| symbol.starts_with("SILENT_")));
    assert_eq!(finding(decision)["score"]["value"], 0.0, "{decision:#}");
    for command in ["state", "doctor"] {
        let said = out(&gateway.command(&[command]));
        for name in ["dead", "broken", "quota", "parked", "all"] {
            assert!(said.contains(name), "{name} in {command}:\n{said}");
        }
    }
}

#[test]
fn a_newcomer_passes_when_it_comes_again() {
    let dns = Zones::new()
        .unsigned("proven.test", "@ TXT \"v=spf1 ip4:192.0.2.0/24 -all\"\n")
        .start();
    let sink = Sink::smtp();
    let mut gateway = setup()
        .nameserver(dns.address())
        .route(sink.nexthop(), "greylist = true\ngreylist_delay = \"2s\"")
        .start();
    let send = |gateway: &Gateway, ip: &str, reverse_path: &str| {
        send(gateway.address(), ip, reverse_path, &message("hello"))
    };
    let reply = send(&gateway, "192.0.2.7", "ann@example.net").expect(451, "4.7.1");
    assert!(
        reply.text.contains("come again in some minutes"),
        "{reply:?}"
    );
    assert_eq!(gateway.decision()["verdict"]["reason"]["kind"], "greylist");
    // Whoever proves its domain is not asked at all.
    send(&gateway, "192.0.2.7", "ann@proven.test").expect(250, "2.6.0");
    // What is asked to wait is known over a restart, and passes then, from its neighbour too.
    gateway.restart();
    await_some("the newcomer is heard", || {
        (send(&gateway, "192.0.2.99", "ann@example.net").code == 250).then_some(())
    });
    send(&gateway, "192.0.2.7", "bob@example.net").expect(250, "2.6.0");
    // Another network is another newcomer, and so is another domain.
    send(&gateway, "198.51.100.7", "ann@example.net").expect(451, "4.7.1");
    send(&gateway, "203.0.113.7", "ann@other.example").expect(451, "4.7.1");
    assert!(sink.received().len() >= 3);
}

#[test]
fn a_sender_of_spam_is_put_off_until_it_is_forgotten() {
    let sink = Sink::smtp();
    let mut gateway = setup()
        .listener("reputation = \"refuse\"")
        .route(sink.nexthop(), "")
        .more(STRICT)
        .more(OPEN)
        .start();
    send_spam(gateway.address(), "192.0.2.7", 2);
    let (_, banner) = dial(gateway.address(), "192.0.2.7");
    let banner = banner.expect(421, "4.7.1");
    assert!(
        banner.text.contains("came from 192.0.2.7 lately"),
        "{banner:?}"
    );
    let ended = gateway.await_event("session-ended", |_| true);
    assert_eq!(
        ended["detail"],
        "reputation-defer: of 2 messages from 192.0.2.7 in the last days 2 were refused"
    );
    // Its neighbours are heard.
    dial(gateway.address(), "192.0.2.8").1.expect_code(220);
    let shown = out(&gateway.command(&["reputation", "show", "192.0.2.7"]));
    for words in [
        "192.0.2.7: bad (address)",
        "of 2 messages from 192.0.2.7 in the last days 2 were refused",
        "1.0 other refusals",
        "  bad until 2",
        "192.0.2.0/24: neutral (network)",
        "at connect: tempfail",
    ] {
        assert!(shown.contains(words), "{words} in:\n{shown}");
    }
    // It is remembered over a restart, and more of it elsewhere makes it worse.
    gateway.restart();
    dial(gateway.address(), "192.0.2.7").1.expect(421, "4.7.1");
    send_spam(gateway.listener("open"), "192.0.2.7", 8);
    let (_, banner) = dial(gateway.address(), "192.0.2.7");
    let banner = banner.expect(554, "5.7.1");
    assert!(
        banner
            .text
            .contains("Nearly everything that came from 192.0.2.7"),
        "{banner:?}"
    );
    let forgotten = gateway.command(&["reputation", "forget", "192.0.2.7", "--as", "jo"]);
    assert_eq!(out(&forgotten), "forgotten: 192.0.2.7\n");
    let event = gateway.await_event("reputation-forgotten", |_| true);
    assert_eq!(event["sender"], "192.0.2.7");
    assert!(event["by"].as_str().unwrap().contains("jo"), "{event}");
    gateway
        .command(&["reputation", "forget", "192.0.2.0/24"])
        .status
        .success()
        .then_some(())
        .unwrap();
    dial(gateway.address(), "192.0.2.7").1.expect_code(220);
}

#[test]
fn the_addresses_of_one_ipv6_client_are_one_sender() {
    let sink = Sink::smtp();
    let gateway = setup()
        .listener("reputation = \"defer\"")
        .route(sink.nexthop(), "")
        .more(STRICT)
        .start();
    for host in ["1", "2:3"] {
        send_spam(gateway.address(), &format!("2001:db8:1:2::{host}"), 1);
    }
    let (_, banner) = dial(gateway.address(), "2001:db8:1:2:ffff::9");
    let banner = banner.expect(421, "4.7.1");
    assert!(banner.text.contains("2001:db8:1:2::/64"), "{banner:?}");
    dial(gateway.address(), "2001:db8:1:3::1")
        .1
        .expect_code(220);
}

#[test]
fn whoever_tries_names_is_put_off() {
    let sink = Sink::smtp();
    let known = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(known.path(), "bob\n").unwrap();
    let keys = format!("recipients = \"file:{}\"", known.path().display());
    let gateway = setup()
        .listener("reputation = \"defer\"")
        .route(sink.nexthop(), &keys)
        .more(STRICT)
        .start();
    let attempt = |reverse_path: &str, ip: &str, names: usize| {
        let mut client = greet(gateway.address(), ip, "client.example.net");
        client
            .command(&format!("MAIL FROM:<{reverse_path}>"))
            .expect_code(250);
        for name in 0..names {
            let reply = client.command(&format!("RCPT TO:<nobody{name}@example.com>"));
            reply.expect(550, "5.1.1");
        }
        client.quit();
    };
    for _ in 0..4 {
        attempt("ann@example.net", "192.0.2.7", 3);
        // Bounces to names that somebody else made up are not the fault of the server that brings them.
        attempt("", "198.51.100.7", 3);
    }
    let (_, banner) = dial(gateway.address(), "192.0.2.7");
    banner.expect(421, "4.7.1");
    let ended = gateway.await_event("session-ended", |event| {
        event["client"]["ip"] == "192.0.2.7"
    });
    let detail = ended["detail"].as_str().unwrap();
    assert!(detail.contains("12 do not exist"), "{detail}");
    dial(gateway.address(), "198.51.100.7").1.expect_code(220);
}

#[test]
fn nothing_is_held_against_private_addresses() {
    let sink = Sink::smtp();
    let gateway = setup()
        .listener("reputation = \"refuse\"")
        .route(sink.nexthop(), "")
        .more(STRICT)
        .start();
    for ip in ["10.0.0.1", "127.0.0.9", "fd00::1", "100.64.0.1"] {
        send_spam(gateway.address(), ip, 4);
        dial(gateway.address(), ip).1.expect_code(220);
        let shown = out(&gateway.command(&["reputation", "show", ip]));
        assert!(shown.contains("private network"), "{shown}");
    }
}

#[test]
fn more_than_a_network_or_a_domain_may_send_has_to_wait() {
    let dns = Zones::new()
        .unsigned(
            "proven.test",
            "@ TXT \"v=spf1 +all\"\na TXT \"v=spf1 +all\"\nb TXT \"v=spf1 +all\"\n",
        )
        .start();
    let sink = Sink::smtp();
    let gateway = setup()
        .nameserver(dns.address())
        .listener("rate_per_network = \"3/1h\"")
        .route(sink.nexthop(), "rate_per_domain = \"2/1h\"")
        .start();
    let hello = message("hello");
    let from = |ip: &str, reverse_path: &str| send(gateway.address(), ip, reverse_path, &hello);
    // However many names there are below it, they are one domain.
    from("192.0.2.1", "ann@a.proven.test").expect(250, "2.6.0");
    from("198.51.100.1", "ann@b.proven.test").expect(250, "2.6.0");
    let reply = from("203.0.113.1", "ann@proven.test").expect(450, "4.7.1");
    assert!(reply.text.contains("came from proven.test"), "{reply:?}");
    // Whoever proves nothing is counted by its network.
    from("192.0.2.2", "ann@example.net").expect(250, "2.6.0");
    from("192.0.2.3", "ann@example.net").expect(250, "2.6.0");
    let mut client = greet(gateway.address(), "192.0.2.4", "client.example.net");
    let reply = client
        .command("MAIL FROM:<ann@example.net>")
        .expect(450, "4.7.1");
    assert!(reply.text.contains("came from 192.0.2.0/24"), "{reply:?}");
    from("198.51.100.2", "ann@example.net").expect(250, "2.6.0");
}

//! Nexthops that misbehave while the client waits (cut-through): the client gets a 4xx reply in bounded time, and the message
//! arrives once the nexthop behaves. Nexthops whose names the DNS does not tell, or lies about.

use serde_json::Value;

use crate::support::client::{Client, Reply};
use crate::support::dns::Zones;
use crate::support::gateway::{Gateway, Setup};
use crate::support::hostile_dns::HostileDns;
use crate::support::misbehaviour::{self, Case};
use crate::support::sink::{Manner, Sink};
use crate::support::{await_some_or, head, loopback, message};

/// Short times for everything that a nexthop may let us wait for; still long enough for a machine that is busy.
const QUICK: &str = "nexthop_timeouts = { connect = \"3s\", banner = \"3s\", command = \"3s\", data = \"3s\", block = \"3s\", end = \"3s\" }\n";

/// How much memory the gateway may have needed at most, with a dozen endless answers at once.
const MEMORY_KIB_MAX: u64 = 200 * 1024;

/// Hands in the message of a case; the first reply that is no success, or the last.
fn hand_in(gateway: &Gateway, case: &Case) -> Reply {
    let mut client = Client::greet(gateway.address());
    client
        .command("MAIL FROM:<ann@example.net>")
        .expect_code(250);
    let reply = client.command(&format!("RCPT TO:<{}>", case.recipient()));
    if reply.code != 250 {
        return reply;
    }
    client.data(&case.message())
}

fn run(cases: &[Case]) {
    let sinks: Vec<Sink> = cases.iter().map(Case::sink).collect();
    let mut setup = Setup::new();
    for (case, sink) in cases.iter().zip(&sinks) {
        setup = setup.route_for(&format!("{}.example", case.name), sink.nexthop(), QUICK);
    }
    let gateway = setup.start();
    std::thread::scope(|scope| {
        for (case, sink) in cases.iter().zip(&sinks) {
            let gateway = &gateway;
            scope.spawn(move || try_one(gateway, case, sink));
        }
    });
    let (_, at_most) = gateway.memory_kib();
    assert!(at_most < MEMORY_KIB_MAX, "{at_most} KiB");
}

/// The decision that a refusal belongs to; its status may be missing where the nexthop gave none.
fn decision(gateway: &Gateway, reply: &Reply) -> Value {
    let bracketed = |event: &Value| format!("[{}]", event["reference"].as_str().unwrap());
    gateway.await_event("decided", |event| reply.text.contains(&bracketed(event)))
}

fn try_one(gateway: &Gateway, case: &Case, sink: &Sink) {
    let reply = hand_in(gateway, case);
    assert_eq!(reply.code / 100, 4, "{}: {reply:?}", case.name);
    let decision = decision(gateway, &reply);
    assert_eq!(
        decision.to_string().contains("a repetition is possible"),
        case.may_repeat,
        "{}: {decision:#}",
        case.name
    );
    sink.behave();
    // It is left alone for a while.
    await_some_or(
        || format!("{}: {:#?}", case.name, gateway.events("decided").last()),
        || (hand_in(gateway, case).code == 250).then_some(()),
    );
    let taken = sink.taken();
    assert_eq!(taken.len(), 1, "{}: {taken:#?}", case.name);
    head(&taken[0].content, &case.message());
}

#[test]
fn silence() {
    run(&misbehaviour::silence());
}

#[test]
fn hang_ups() {
    run(&misbehaviour::hang_ups());
}

#[test]
fn requests_for_patience() {
    run(&misbehaviour::requests_for_patience());
}

#[test]
fn nonsense() {
    run(&misbehaviour::nonsense());
}

#[test]
fn a_dns_that_lies_about_a_nexthop_costs_little() {
    let hostile = HostileDns::start();
    let names = [
        "servfail",
        "refused",
        "truncated",
        "loop",
        "chain",
        "garbage",
        "counts",
        "pointer",
        "silent",
    ];
    let mut setup = Setup::new()
        .nameserver(hostile.address())
        .dns("timeout = \"2s\"");
    for name in names {
        setup = setup.route_for(
            &format!("{name}.example"),
            &format!("smtp:{name}.nexthop.example:25"),
            QUICK,
        );
    }
    let gateway = setup.start();
    std::thread::scope(|scope| {
        for name in names {
            let gateway = &gateway;
            scope.spawn(move || {
                let mut client = Client::greet(gateway.address());
                client
                    .command("MAIL FROM:<ann@example.net>")
                    .expect_code(250);
                let reply = client.command(&format!("RCPT TO:<bob@{name}.example>"));
                client.quit();
                // RFC 5321 4.5.4.1: what is not known now may be known later, so that nobody is refused.
                assert_eq!(reply.code, 451, "{name}: {reply:?}");
                let decision = decision(gateway, &reply);
                assert!(
                    decision.to_string().contains("resolving its name: DNS"),
                    "{decision:#}"
                );
            });
        }
    });
    let (_, at_most) = gateway.memory_kib();
    assert!(at_most < MEMORY_KIB_MAX, "{at_most} KiB");
}

#[test]
fn a_nexthop_by_name_is_reached_at_whichever_address_answers() {
    let sink = Manner::smtp().start_as_host();
    // Dead ones before and behind it, by way of an alias; and a family that has no address at all.
    let mut records = format!("pair IN CNAME hosts\nhosts IN A {}\n", sink.ip());
    for _ in 0..3 {
        records.push_str(&format!("hosts IN A {}\n", loopback::address()));
    }
    let dns = Zones::new()
        .unsigned("nexthop.example", &records)
        .bogus("bogus.example", &format!("@ IN A {}", sink.ip()))
        .start();
    let gateway = Setup::new()
        .nameserver(dns.address())
        .route("smtp:pair.nexthop.example:25", QUICK)
        .route_for("bogus.test", "smtp:bogus.example:25", QUICK)
        .start();
    // Their order is by chance.
    for number in 1..=8 {
        let mut client = Client::envelope(gateway.address(), &["bob@example.com"]);
        client.data(&message("by name")).expect(250, "2.6.0");
        client.quit();
        assert_eq!(sink.at_least(number).len(), number);
    }
    // What the resolver finds spoilt is no address.
    let mut client = Client::greet(gateway.address());
    client
        .command("MAIL FROM:<ann@example.net>")
        .expect_code(250);
    let reply = client.command("RCPT TO:<bob@bogus.test>").expect_code(451);
    client.quit();
    let decision = decision(&gateway, &reply);
    assert!(
        decision.to_string().contains("resolving its name: DNS"),
        "{decision:#}"
    );
}

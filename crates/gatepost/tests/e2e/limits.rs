//! The manners of the queue towards a destination: connections are reused and counted for the destination and not the domain,
//! rates hold, who asks for patience gets it, and who is dead delays nobody else.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::dns::Zones;
use crate::support::gateway::{Gateway, Setup};
use crate::support::sink::{Act, Manner, Sink};
use crate::support::{await_some_or, message, unused_address};

const QUEUED: &str = "cut_through = false\nretry_min = \"1s\"\nretry_max = \"2s\"\n";

/// Hands in so many messages for one recipient.
fn submit(gateway: &Gateway, recipient: &str, count: usize) {
    let mut client = crate::support::client::Client::greet(gateway.address());
    for number in 0..count {
        client.begin(&[recipient]);
        client
            .data(&message(&format!("number {number}")))
            .expect(250, "2.6.0");
    }
    client.quit();
}

#[test]
fn connections_are_used_again() {
    let sink = Sink::smtp();
    let keys = format!("{QUEUED}connections_max = 1");
    let gateway = Setup::new().route(sink.nexthop(), &keys).start();
    submit(&gateway, "bob@example.com", 30);
    sink.at_least(30);
    gateway.await_empty_queue();
    assert_eq!(sink.received().len(), 30);
    // The client hands them in one by one, so now and then there may be nothing to send for longer than a connection is kept.
    assert!(
        sink.connections() < 10,
        "{} connections",
        sink.connections()
    );
    assert_eq!(sink.connections_at_once(), 1);
    assert_eq!(sink.count("EHLO"), sink.connections());
}

#[test]
fn a_connection_takes_no_more_messages_than_it_may() {
    let sink = Sink::smtp();
    let keys = format!("{QUEUED}connections_max = 1\nmessages_per_connection = 4");
    let gateway = Setup::new().route(sink.nexthop(), &keys).start();
    submit(&gateway, "bob@example.com", 20);
    let received = sink.at_least(20);
    let last = received.iter().map(|it| it.connection).max().unwrap();
    for connection in 1..=last {
        let carried = received.iter().filter(|it| it.connection == connection);
        assert!(carried.count() <= 4, "{received:#?}");
    }
}

#[test]
fn a_destination_has_no_more_connections_than_it_may() {
    let sink = Manner::slow().start();
    let keys = format!("{QUEUED}connections_max = 3\nconnections_first = 3");
    let gateway = Setup::new().route(sink.nexthop(), &keys).start();
    submit(&gateway, "bob@example.com", 40);
    sink.at_least(40);
    gateway.await_empty_queue();
    assert_eq!(sink.connections_at_once(), 3);
}

#[test]
fn it_starts_slowly_and_gets_more() {
    let sink = Manner::slow().start();
    let keys = format!("{QUEUED}connections_max = 10\nconnections_first = 1");
    let gateway = Setup::new().route(sink.nexthop(), &keys).start();
    submit(&gateway, "bob@example.com", 60);
    sink.at_least(60);
    let received = sink.received();
    assert!(
        sink.connections_at_once() > 1,
        "{}",
        sink.connections_at_once()
    );
    assert_eq!(received.len(), 60);
    // While nothing had been delivered there was one.
    assert_eq!(received[0].connection, 1);
}

#[test]
fn domains_that_share_their_exchangers_share_the_limit() {
    let sink = Manner::slow().start_as_host();
    let mut records = format!("host IN A {}\n", sink.ip());
    for number in 0..10 {
        records.push_str(&format!("d{number} IN MX 10 host\n"));
    }
    let dns = Zones::new().unsigned("shared.example", &records).start();
    let keys = "retry_min = \"1s\"\nconnections_max = 2\nconnections_first = 2";
    let gateway = Setup::new()
        .nameserver(dns.address())
        .route_for("*.shared.example", "mx", keys)
        .start();
    for number in 0..30 {
        submit(&gateway, &format!("bob@d{}.shared.example", number % 10), 1);
    }
    sink.at_least(30);
    gateway.await_empty_queue();
    assert!(
        sink.connections_at_once() <= 2,
        "{}",
        sink.connections_at_once()
    );
    // A connection that carried messages of several domains was shared.
    let received = sink.received();
    let domain = |at: usize| {
        received[at].recipients[0]
            .split('@')
            .nth(1)
            .unwrap()
            .to_owned()
    };
    let is_shared = (0..received.len()).any(|one| {
        (0..received.len()).any(|other| {
            received[one].connection == received[other].connection && domain(one) != domain(other)
        })
    });
    assert!(is_shared, "{received:#?}");
}

#[test]
fn a_rate_holds() {
    let (limited, free) = (Sink::smtp(), Sink::smtp());
    let gateway = Setup::new()
        .route_for(
            "limited.example",
            limited.nexthop(),
            &format!("{QUEUED}rate = \"1/1h\""),
        )
        .route_for("free.example", free.nexthop(), QUEUED)
        .start();
    submit(&gateway, "bob@limited.example", 10);
    limited.at_least(1);
    // By the time these have passed, the others would have too.
    submit(&gateway, "bob@free.example", 30);
    free.at_least(30);
    assert_eq!(limited.received().len(), 1);
    await_some_or(
        || format!("{:?}", gateway.waiting()),
        || (gateway.waiting().messages == 9).then_some(()),
    );
}

#[test]
fn who_asks_for_patience_gets_it() {
    static REFUSED: AtomicUsize = AtomicUsize::new(0);
    let sink = Manner::smtp()
        .script(|line| {
            if line.starts_with("MAIL") && REFUSED.fetch_add(1, Ordering::Relaxed) < 3 {
                Act::SayAndClose("421 4.7.0 too many messages from you")
            } else {
                Act::Usual
            }
        })
        .start();
    let keys = format!("{QUEUED}connections_first = 4");
    let gateway = Setup::new().route(sink.nexthop(), &keys).start();
    submit(&gateway, "bob@example.com", 20);
    let delayed = gateway.attempt("bob@example.com", "delayed");
    assert_eq!(delayed.status, "4.7.0", "{delayed:#?}");
    sink.at_least(20);
    gateway.await_empty_queue();
    assert_eq!(sink.received().len(), 20);
}

#[test]
fn a_dead_destination_delays_nobody() {
    let good = Sink::smtp();
    let dead = Manner::smtp().script(|_| Act::Hang).start();
    let gateway = Setup::new()
        .more("[queue]\nconnections_max = 10")
        .route_for("dead.example", dead.nexthop(), QUEUED)
        .route_for(
            "gone.example",
            &format!("smtp:{}", unused_address()),
            &format!("{QUEUED}connections_max = 20"),
        )
        .route_for("good.example", good.nexthop(), QUEUED)
        .start();
    submit(&gateway, "bob@dead.example", 200);
    submit(&gateway, "bob@gone.example", 200);
    submit(&gateway, "bob@good.example", 20);
    good.at_least(20);
    await_some_or(
        || format!("{:?}", gateway.waiting()),
        || (gateway.waiting().messages == 400).then_some(()),
    );
    // Those that wait for the dead one are not tried one by one.
    assert!(
        dead.connections() <= 20,
        "{} connections",
        dead.connections()
    );
}

#[test]
fn recipients_of_one_message_go_together() {
    let sink = Sink::smtp();
    let gateway = Setup::new().route(sink.nexthop(), QUEUED).start();
    let recipients: Vec<String> = (0..50)
        .map(|number| format!("r{number}@example.com"))
        .collect();
    let recipients: Vec<&str> = recipients.iter().map(String::as_str).collect();
    gateway.submit(&recipients, &message("to fifty"));
    assert_eq!(sink.one().recipients.len(), 50);
}

#[test]
fn eight_bit_content_is_never_mangled() {
    let plain = Manner::smtp()
        .without("8BITMIME")
        .without("SMTPUTF8")
        .start();
    let reports = Sink::smtp();
    let gateway = Setup::new()
        .node("trusted_networks = [\"127.0.0.0/8\"]")
        .route(plain.nexthop(), QUEUED)
        .route_for("example.net", reports.nexthop(), QUEUED)
        .start();
    let mut client = crate::support::client::Client::greet(gateway.address());
    let content = [
        message("Gruesse").as_slice(),
        "Gr\u{fc}\u{df}e\r\n".as_bytes(),
    ]
    .concat();
    client
        .command("MAIL FROM:<ann@example.net> BODY=8BITMIME")
        .expect_code(250);
    client.command("RCPT TO:<bob@example.com>").expect_code(250);
    client.data(&content).expect(250, "2.6.0");
    let failed = gateway.attempt("bob@example.com", "failed");
    // RFC 3463 3.7: conversion required but not supported.
    assert_eq!(failed.status, "5.6.3", "{failed:#?}");
    client
        .command("MAIL FROM:<ann@example.net> SMTPUTF8")
        .expect_code(250);
    client
        .command("RCPT TO:<j\u{f6}rg@example.com>")
        .expect_code(250);
    client.data(&message("UTF-8")).expect(250, "2.6.0");
    client.quit();
    let failed = gateway.attempt("j\u{f6}rg@example.com", "failed");
    // RFC 6531 3.7.4.2, RFC 5248: non-ASCII addresses not permitted for that recipient.
    assert_eq!(failed.status, "5.6.7", "{failed:#?}");
    assert_eq!(plain.received(), []);
    reports.at_least(2);
    gateway.await_empty_queue();
}

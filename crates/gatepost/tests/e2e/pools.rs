//! `[[pool]]`: the addresses that connections come from and the name that they say, for queue and cut-through alike.

use std::net::IpAddr;

use crate::support::client::Client;
use crate::support::gateway::{Gateway, Setup};
use crate::support::sink::{Manner, Sink};
use crate::support::{loopback, message};

const QUEUED: &str = "cut_through = false\nretry_min = \"1s\"\nretry_max = \"2s\"\n";

/// Hands in a message that the route takes while the client waits, or into the queue.
fn hand_in(gateway: &Gateway, recipient: &str) {
    let mut client = Client::envelope(gateway.address(), &[recipient]);
    client.data(&message("from a pool")).expect_code(250);
    client.quit();
}

#[test]
fn connections_come_from_the_addresses_of_the_pool_and_say_its_name() {
    let (queued, direct, plain) = (Sink::smtp(), Sink::smtp(), Sink::smtp());
    let ours: [IpAddr; 2] = [loopback::address().into(), loopback::address().into()];
    let keys = "pool = \"bulk\"\nmessages_per_connection = 1\n";
    let gateway = Setup::new()
        .more(&format!(
            "[[pool]]\nname = \"bulk\"\nbind = [\"{}\", \"{}\"]\nehlo_name = \"bulk.gatepost.test\"",
            ours[0], ours[1]
        ))
        .route_for("queued.example", queued.nexthop(), &format!("{QUEUED}{keys}"))
        .route_for("direct.example", direct.nexthop(), keys)
        .route_for("plain.example", plain.nexthop(), QUEUED)
        .start();
    for _ in 0..40 {
        hand_in(&gateway, "bob@queued.example");
    }
    hand_in(&gateway, "bob@direct.example");
    hand_in(&gateway, "bob@plain.example");
    gateway.await_empty_queue();
    for (sink, messages) in [(&queued, 40), (&direct, 1)] {
        assert_eq!(sink.received().len(), messages);
        let peers = sink.peers();
        assert!(peers.iter().all(|ip| ours.contains(ip)), "{peers:?}");
        assert_eq!(sink.count("EHLO bulk.gatepost.test"), sink.connections());
    }
    // That one of two is never drawn in forty times is a chance of one in 2^39.
    let peers = queued.peers();
    assert!(ours.iter().all(|ip| peers.contains(ip)), "{peers:?}");
    // Who has no pool comes as the node itself.
    assert_eq!(plain.peers(), [IpAddr::from([127, 0, 0, 1])]);
    assert_eq!(plain.count("EHLO mx.gatepost.test"), 1);
}

#[test]
fn a_pool_of_the_other_family_has_no_way() {
    let sink = Sink::smtp();
    let gateway = Setup::new()
        .more("[[pool]]\nname = \"six\"\nbind = [\"::1\"]")
        .route(sink.nexthop(), &format!("{QUEUED}pool = \"six\""))
        .start();
    gateway.submit(&["bob@example.com"], &message("from nowhere"));
    let detail = gateway.unreachable(&sink.address().to_string());
    // RFC 3463 3.5: unable to route.
    assert!(
        detail.starts_with("4.4.4 ") && detail.contains("the pool has no"),
        "{detail}"
    );
    assert_eq!(sink.connections(), 0);
    // Whoever mends the pool need not send it again.
    gateway.edit("bind = [\"::1\"]", "bind = [\"127.0.0.1\"]");
    assert!(gateway.command(&["reload"]).status.success());
    sink.one();
}

#[test]
fn the_connections_of_a_pool_are_counted_over_all_destinations() {
    let (one, other) = (Manner::slow().start(), Manner::slow().start());
    let keys = format!("{QUEUED}pool = \"narrow\"\nconnections_first = 5\n");
    let gateway = Setup::new()
        .more("[[pool]]\nname = \"narrow\"\nconnections_max = 2")
        .route_for("one.example", one.nexthop(), &keys)
        .route_for("other.example", other.nexthop(), &keys)
        .start();
    for _ in 0..10 {
        hand_in(&gateway, "bob@one.example");
        hand_in(&gateway, "bob@other.example");
    }
    one.at_least(10);
    other.at_least(10);
    gateway.await_empty_queue();
    let at_once = one.connections_at_once().max(other.connections_at_once());
    assert!(at_once <= 2, "{at_once}");
}

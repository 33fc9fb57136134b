//! IPv4 and IPv6 in network namespaces: the gateway in one, servers in another, a cable between them. In each world every
//! message arrives; how long it takes is printed (`--nocapture`), not judged.
//!
//! It needs root and `ip` (iproute2). The namespaces belong to the test and go with it; nothing leaves them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test that can't go on fails"
)]

#[path = "e2e/support.rs"]
mod support;
#[path = "families/world.rs"]
mod world;

use std::fmt::Write as _;
use std::io::Read;
use std::time::Instant;

use serde_json::Value;
use support::client::Client;
use support::dns::{Dns, Zones};
use support::gateway::{Gateway, Setup};
use support::message;
use world::{HOSTS, Ipv6, PORT, SCENE, World};

/// A machine on which everything works.
#[test]
fn dual_stack() {
    World::new(Ipv6::Works).play("dual_stack");
}

/// An address, but no route to anywhere: the system says so before anything is sent.
#[test]
fn ipv6_without_a_route() {
    World::new(Ipv6::WithoutRoute).play("ipv4_is_used");
}

/// A router answers: no route to host.
#[test]
fn ipv6_refused_by_a_router() {
    World::new(Ipv6::Refused).play("ipv6_is_found_out");
}

/// Packets vanish.
#[test]
fn ipv6_blackhole() {
    World::new(Ipv6::Vanishes).play("ipv6_is_found_out");
}

/// IPv6 is switched off.
#[test]
fn ipv4_only() {
    World::new(Ipv6::Off).play("ipv4_is_used");
}

/// What happens inside of the gateway's namespace.
#[test]
#[ignore = "another test plays it inside of a namespace"]
fn scene() {
    let scene = std::env::var(SCENE).expect("started by another test");
    let (preference, is_ipv6) = match scene.as_str() {
        "dual_stack" => ("any", None),
        // Even who wants IPv6 first gets nothing worse than IPv4.
        "ipv4_is_used" | "ipv6_is_found_out" => ("ipv6", Some(false)),
        other => panic!("no such scene: {other}"),
    };
    let (gateway, _dns) = gateway(preference);
    let begun = Instant::now();
    let mut times = String::new();
    for host in HOSTS {
        let since = Instant::now();
        let mut client = Client::envelope(gateway.address(), &[&format!("bob@d{host}.example")]);
        client.data(&message("families")).expect_code(250);
        client.quit();
        write!(times, " {}", since.elapsed().as_millis()).unwrap();
    }
    let all = begun.elapsed().as_millis();
    eprintln!(
        "{scene}: ms to deliver each of {} messages:{times}; all {all}",
        HOSTS.count()
    );
    let dispositions: Vec<Value> = gateway
        .decisions(HOSTS.count())
        .iter()
        .map(|decision| decision["recipients"][0]["disposition"].clone())
        .collect();
    assert!(
        dispositions.iter().all(|one| one == "relayed"),
        "{dispositions:?}"
    );
    if scene == "ipv6_is_found_out" {
        gateway.await_event("family-down", |_| true);
    }
    let down = gateway.events("family-down");
    let state = gateway.command(&["state"]);
    let state = String::from_utf8_lossy(&state.stdout).into_owned();
    if scene == "ipv6_is_found_out" {
        assert_eq!(down.len(), 1, "told once: {down:?}");
        assert_eq!(down[0]["family"], "ipv6");
        assert!(state.contains("IPv6 does not work"), "{state}");
        let doctor = gateway.command(&["doctor"]);
        let doctor = String::from_utf8_lossy(&doctor.stdout).into_owned();
        assert!(doctor.contains("reaches no server over IPv6"), "{doctor}");
    } else {
        assert_eq!(down, [Value::Null; 0]);
        assert!(!state.contains("IPv6"), "{state}");
    }
    let families = world::families_seen();
    eprintln!("{scene}: {families:?}");
    match is_ipv6 {
        Some(false) => assert_eq!((families.ipv4, families.ipv6), (HOSTS.count(), 0)),
        _ => assert_eq!(families.ipv4 + families.ipv6, HOSTS.count()),
    }
}

/// The servers, inside of theirs: they greet, take everything, and note over which family they were reached.
#[test]
#[ignore = "another test starts it inside of a namespace"]
fn servers() {
    world::serve();
    // Until the other side goes.
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

fn gateway(preference: &str) -> (Gateway, Dns) {
    let mut zone = String::new();
    let mut setup = Setup::new().more(&format!(
        "[delivery]\naddress_preference = \"{preference}\""
    ));
    for host in HOSTS {
        writeln!(zone, "m{host} A {}", world::ipv4(host)).unwrap();
        writeln!(zone, "m{host} AAAA {}", world::ipv6(host)).unwrap();
        let nexthop = format!("smtp:m{host}.peer.test:{PORT}");
        setup = setup.route_for(&format!("d{host}.example"), &nexthop, "");
    }
    let dns = Zones::new().unsigned("peer.test", &zone).start();
    let gateway = setup.nameserver(dns.address()).start();
    (gateway, dns)
}

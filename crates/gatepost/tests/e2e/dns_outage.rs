//! Nameservers that fall silent: the first messages wait, all others do not, nothing is refused for it, and who operates the
//! gateway is told.

use crate::support::client::Client;
use crate::support::gateway::{Gateway, Setup};
use crate::support::hostile_dns::HostileDns;
use crate::support::sink::Sink;

/// A message whose sender takes many questions: each has names that were never asked for.
fn send(gateway: &Gateway, sink: &Sink, number: usize) -> String {
    let domain = format!("d{number}.example.org");
    let mut client = Client::greet(gateway.address());
    client
        .command(&format!("MAIL FROM:<ann@{domain}>"))
        .expect_code(250);
    client.command("RCPT TO:<bob@example.com>").expect_code(250);
    let message = format!("From: Ann <ann@{domain}>\r\nSubject: hello\r\n\r\nHello.\r\n");
    client.data(message.as_bytes()).expect_code(250);
    client.quit();
    String::from_utf8(sink.take().remove(0).content).unwrap()
}

#[test]
fn nameservers_that_say_nothing_are_remembered() {
    let dns = HostileDns::start();
    let sink = Sink::smtp();
    let gateway = Setup::new()
        .nameserver(dns.address())
        .route(sink.nexthop(), "")
        .start();
    assert!(send(&gateway, &sink, 0).contains("spf=none"));
    assert!((gateway.metric("gatepost_dns_up") - 1.0).abs() < f64::EPSILON);

    dns.fall_silent(true);
    assert!(send(&gateway, &sink, 1).contains("spf=temperror"));
    gateway.await_event("dns-down", |_| true);
    assert!(gateway.metric("gatepost_dns_up").abs() < f64::EPSILON);
    let state = gateway.command(&["state"]);
    let state = String::from_utf8(state.stdout).unwrap();
    assert!(state.contains("no nameserver has answered for"), "{state}");

    // Each of these would ask ten times and more; what comes is a probe now and then.
    let before = dns.questions();
    for number in 2..32 {
        let received = send(&gateway, &sink, number);
        assert!(received.contains("spf=temperror"), "{received}");
    }
    let asked = dns.questions() - before;
    assert!(asked < 30, "{asked} questions for 30 messages");

    dns.fall_silent(false);
    let up = gateway.await_event("dns-up", |_| true);
    assert!(up["down_seconds"].as_f64() > Some(0.0), "{up}");
    assert!(send(&gateway, &sink, 32).contains("spf=none"));
}

//! Delivery by MX (RFC 5321 5.1) as a real name server tells it: order, equal preferences, implicit and null MX, what does not
//! exist, aliases, loops, dead hosts, and a DNS that fails or lies.

use crate::support::dns::{Dns, Zones};
use crate::support::gateway::{Gateway, Setup};
use crate::support::hostile_dns::HostileDns;
use crate::support::reports::report;
use crate::support::sink::{Act, Manner, Sink, Step};
use crate::support::{PATIENCE, head, loopback, message, unused_address};

/// Everything below mx.example by MX; reports to ann@example.net over a route of their own.
fn gateway_with(nameserver: std::net::SocketAddr, reports: &Sink, keys: &str) -> Gateway {
    Setup::new()
        .node("trusted_networks = [\"127.0.0.0/8\"]")
        .nameserver(nameserver)
        .dns("timeout = \"2s\"")
        .route_for(
            "*.mx.example",
            "mx",
            &format!("retry_min = \"1s\"\nretry_max = \"2s\"\n{keys}"),
        )
        .route_for("example.net", reports.nexthop(), "cut_through = false")
        .start()
}

fn gateway(dns: &Dns, reports: &Sink) -> Gateway {
    gateway_with(dns.address(), reports, "")
}

fn host() -> Sink {
    Manner::smtp().start_as_host()
}

#[test]
fn the_preferred_host_is_taken() {
    let (first, second, reports) = (host(), host(), Sink::smtp());
    let records = format!(
        "order IN MX 20 b\norder IN MX 10 a\na IN A {}\nb IN A {}",
        first.ip(),
        second.ip()
    );
    let dns = Zones::new().unsigned("mx.example", &records).start();
    let gateway = gateway(&dns, &reports);
    for _ in 0..5 {
        gateway.submit(&["bob@order.mx.example"], &message("by preference"));
    }
    let received = first.at_least(5);
    head(&received[0].content, &message("by preference"));
    gateway.await_empty_queue();
    assert_eq!(second.connections(), 0);
    let attempt = gateway.attempt("bob@order.mx.example", "delivered");
    assert!(attempt.text.contains("a.mx.example"), "{attempt:#?}");
}

#[test]
fn hosts_of_equal_preference_share_the_load() {
    let (one, other, reports) = (host(), host(), Sink::smtp());
    let records = format!(
        "equal IN MX 10 a\nequal IN MX 10 b\na IN A {}\nb IN A {}",
        one.ip(),
        other.ip()
    );
    let dns = Zones::new().unsigned("mx.example", &records).start();
    let gateway = gateway_with(dns.address(), &reports, "messages_per_connection = 1");
    // That one of them gets none of forty is a chance of one in 2^39.
    for _ in 0..40 {
        gateway.submit(&["bob@equal.mx.example"], &message("to either"));
    }
    gateway.await_empty_queue();
    let (one, other) = (one.received().len(), other.received().len());
    assert_eq!(one + other, 40);
    assert!(one > 0 && other > 0, "{one} and {other}");
}

#[test]
fn a_host_that_is_down_is_passed_over() {
    let (good, refusing, reports) = (
        host(),
        Manner::smtp()
            .at(Step::Banner, Act::SayAndClose("421 4.3.2 not now"))
            .start_as_host(),
        Sink::smtp(),
    );
    // RFC 5321 5.1: a host that cannot be reached, one that has no address, and one that does not want to talk.
    let records = format!(
        "down IN MX 10 dead\ndown IN MX 20 nowhere\ndown IN MX 30 busy\ndown IN MX 40 good\ndead IN A {}\nbusy IN A {}\n\
         good IN A {}",
        loopback::address(),
        refusing.ip(),
        good.ip()
    );
    let dns = Zones::new().unsigned("mx.example", &records).start();
    let gateway = gateway(&dns, &reports);
    gateway.submit(&["bob@down.mx.example"], &message("at last"));
    head(&good.one().content, &message("at last"));
    let attempt = gateway.attempt("bob@down.mx.example", "delivered");
    assert!(attempt.text.contains("good.mx.example"), "{attempt:#?}");
    gateway.await_empty_queue();
}

#[test]
fn a_domain_without_mx_is_its_own_host() {
    let (host, reports) = (host(), Sink::smtp());
    let records = format!("implicit IN A {}", host.ip());
    let dns = Zones::new().unsigned("mx.example", &records).start();
    let gateway = gateway(&dns, &reports);
    gateway.submit(&["bob@implicit.mx.example"], &message("no MX"));
    head(&host.one().content, &message("no MX"));
}

#[test]
fn aliases_are_followed() {
    let (host, reports) = (host(), Sink::smtp());
    // RFC 5321 5.1 forbids the second and everybody delivers to it.
    let records = format!(
        "alias IN CNAME real\nreal IN MX 10 a\nto-alias IN MX 10 b\nb IN CNAME a\na IN A {}",
        host.ip()
    );
    let dns = Zones::new().unsigned("mx.example", &records).start();
    let gateway = gateway(&dns, &reports);
    gateway.submit(&["bob@alias.mx.example"], &message("alias"));
    gateway.submit(&["bob@to-alias.mx.example"], &message("MX to an alias"));
    let received = host.at_least(2);
    // RFC 5321 2.3.5: the recipient stays as it was given.
    let mut recipients: Vec<_> = received
        .iter()
        .flat_map(|it| it.recipients.clone())
        .collect();
    recipients.sort();
    assert_eq!(
        recipients,
        ["TO:<bob@alias.mx.example>", "TO:<bob@to-alias.mx.example>"]
    );
}

#[test]
fn what_can_never_be_delivered_is_reported_at_once() {
    let (backup, reports) = (host(), Sink::smtp());
    let own = "mx.gatepost.test.";
    let here = loopback::address();
    let records = format!(
        "null IN MX 0 .\nself IN MX 10 {own}\nself IN MX 20 backup\nbackup IN A {}\n\
         listens IN MX 10 here\nlistens IN MX 20 backup\nhere IN A {here}",
        backup.ip()
    );
    let dns = Zones::new().unsigned("mx.example", &records).start();
    let gateway = Setup::new()
        .node("trusted_networks = [\"127.0.0.0/8\"]")
        .nameserver(dns.address())
        .more(&format!(
            "[[listener]]\nname = \"here\"\nbind = [\"{here}:25\"]"
        ))
        .route_for("*", "mx", "")
        .route_for("example.net", reports.nexthop(), "cut_through = false")
        .start();
    for (name, status) in [
        // RFC 7505 4.2; RFC 3463 3.2 and 3.5.
        ("null", "5.1.10"),
        ("nowhere", "5.1.2"),
        // RFC 3463 3.5. Our own name has no address here.
        ("self", "5.4.6"),
        ("listens", "5.4.6"),
    ] {
        let recipient = format!("bob@{name}.mx.example");
        gateway.submit(&[&recipient], &message(name));
        let attempt = gateway.attempt(&recipient, "failed");
        assert_eq!(attempt.status, status, "{name}: {attempt:#?}");
        let received = reports.one();
        reports.take();
        assert!(received.mail.starts_with("FROM:<>"), "{}", received.mail);
        assert_eq!(received.recipients, ["TO:<ann@example.net>"]);
        let report = report(&received.content);
        let told = &report["recipients"][0];
        assert_eq!(told["action"], "failed", "{report:#}");
        assert_eq!(told["status"], status, "{report:#}");
        assert_eq!(
            told["final-recipient"],
            format!("rfc822; {recipient}"),
            "{report:#}"
        );
    }
    // A backup behind ourselves in the list would send it back to us (RFC 5321 5.1).
    assert_eq!(backup.connections(), 0);
    gateway.await_empty_queue();
}

#[test]
fn what_was_taken_for_a_route_that_is_gone_waits_for_it() {
    // One domain exists inside only, the other has public servers: its messages must neither bounce nor go there.
    let (public, reports) = (host(), Sink::smtp());
    let records = format!("outside IN MX 10 a\na IN A {}", public.ip());
    let dns = Zones::new().unsigned("mx.example", &records).start();
    let away = format!("smtp:{}", unused_address());
    let gateway = Setup::new()
        .nameserver(dns.address())
        .route_for(
            "*.mx.example",
            &away,
            "cut_through = false\nretry_min = \"1s\"\nretry_max = \"1s\"",
        )
        .route_for("example.net", reports.nexthop(), "cut_through = false")
        .start();
    for name in ["inside", "outside"] {
        gateway.submit(&[&format!("bob@{name}.mx.example")], &message(name));
        gateway.unreachable(&away);
    }
    gateway.edit("*.mx.example", "another.example");
    assert!(gateway.command(&["reload"]).status.success());
    for name in ["inside", "outside"] {
        let attempt = gateway.attempt(&format!("bob@{name}.mx.example"), "delayed");
        assert_eq!(attempt.status, "4.4.4", "{attempt:#?}");
        assert!(
            attempt.text.contains("no route has this domain"),
            "{attempt:#?}"
        );
    }
    assert_eq!(gateway.waiting().recipients, 2);
    assert_eq!(public.connections(), 0);
    assert_eq!(reports.received(), []);
}

#[test]
fn what_one_host_lacks_fails_only_once_all_were_asked() {
    let small = || {
        Manner::smtp()
            .without("SIZE")
            .offers("SIZE 100")
            .start_as_host()
    };
    let (first, backup, reports) = (small(), small(), Sink::smtp());
    // Nobody listens there.
    let away = loopback::address();
    let records = format!(
        "waits IN MX 10 first\nwaits IN MX 20 away\nfails IN MX 10 first\nfails IN MX 20 backup\n\
         first IN A {}\nbackup IN A {}\naway IN A {away}",
        first.ip(),
        backup.ip()
    );
    let dns = Zones::new().unsigned("mx.example", &records).start();
    let gateway = gateway(&dns, &reports);
    gateway.submit(&["bob@waits.mx.example"], &message("too large for one"));
    let attempt = gateway.attempt("bob@waits.mx.example", "delayed");
    assert_eq!(attempt.status, "4.4.1", "{attempt:#?}");
    assert!(attempt.text.contains("away.mx.example"), "{attempt:#?}");
    assert_eq!(reports.received(), []);
    gateway.submit(&["bob@fails.mx.example"], &message("too large for both"));
    let attempt = gateway.attempt("bob@fails.mx.example", "failed");
    assert_eq!(attempt.status, "5.3.4", "{attempt:#?}");
    assert!(backup.connections() > 0);
}

#[test]
fn hosts_before_ourselves_in_the_list_are_used() {
    let (primary, behind, reports) = (host(), host(), Sink::smtp());
    let records = format!(
        "ours IN MX 10 primary\nours IN MX 20 mx.gatepost.test.\nours IN MX 30 behind\nprimary IN A {}\nbehind IN A {}",
        primary.ip(),
        behind.ip()
    );
    let dns = Zones::new().unsigned("mx.example", &records).start();
    let gateway = gateway(&dns, &reports);
    gateway.submit(&["bob@ours.mx.example"], &message("as a backup"));
    head(&primary.one().content, &message("as a backup"));
    assert_eq!(behind.connections(), 0);
}

#[test]
fn what_the_dns_does_not_tell_is_waited_for() {
    let (host, reports) = (host(), Sink::smtp());
    let dns = Zones::new()
        .bogus(
            "bogus.mx.example",
            &format!("@ IN MX 10 a\na IN A {}", host.ip()),
        )
        .silent("silent.mx.example")
        .unsigned(
            "mx.example",
            "half IN MX 10 a.bogus.mx.example.\nhalf IN MX 20 b.silent.mx.example.",
        )
        .start();
    let gateway = gateway(&dns, &reports);
    for name in ["bogus", "silent", "half"] {
        let recipient = format!("bob@{name}.mx.example");
        gateway.submit(&[&recipient], &message(name));
    }
    for name in ["bogus", "silent", "half"] {
        let detail = gateway.unreachable(&format!("{name}.mx.example"));
        assert!(detail.starts_with("4.4.3 "), "{name}: {detail}");
    }
    assert_eq!(host.connections(), 0);
    assert_eq!(reports.received(), []);
}

#[test]
fn a_dns_that_lies_costs_little() {
    let (hostile, reports) = (HostileDns::start(), Sink::smtp());
    let gateway = gateway_with(hostile.address(), &reports, "");
    let names = [
        "servfail",
        "refused",
        "truncated",
        "oversized",
        "many",
        "loop",
        "chain",
        "garbage",
        "counts",
        "pointer",
        "silent",
    ];
    for name in names {
        gateway.submit(&[&format!("bob@{name}.mx.example")], &message(name));
    }
    let since = std::time::Instant::now();
    for name in names {
        let recipient = format!("bob@{name}.mx.example");
        // Hundreds of hosts of which none exists: whether that is known for certain or the bound on hosts was reached
        // first, nobody is asked 500 times, and the message does not vanish.
        let domain = format!("{name}.mx.example");
        let status = crate::support::await_some_or(
            || format!("{recipient}: nothing in {:#?}", gateway.log()),
            || {
                let mut attempts = gateway.attempts().into_iter();
                let failed = attempts.find(|it| it.recipient == recipient);
                let mut down = gateway.events("nexthop-down").into_iter();
                let waits = down.find(|it| it["nexthop"].as_str().unwrap().contains(&domain));
                let told = |event: serde_json::Value| {
                    let detail = event["detail"].as_str().unwrap().to_owned();
                    detail.split(' ').next().unwrap().to_owned()
                };
                failed.map(|it| it.status).or(waits.map(told))
            },
        );
        let wanted: &[&str] = match name {
            "many" | "oversized" => &["4.4.3", "4.4.4", "5.4.4", "4.4.1", "5.1.2"],
            // RFC 2181 10.1 and RFC 1034 3.6.2: aliases without an end name nothing.
            "loop" | "chain" => &["4.4.3", "5.4.4", "5.1.2", "4.4.6"],
            _ => &["4.4.3"],
        };
        assert!(wanted.contains(&status.as_str()), "{name}: {status}");
    }
    assert!(since.elapsed() < PATIENCE, "{:?}", since.elapsed());
    let (_, at_most) = gateway.memory_kib();
    assert!(at_most < 200 * 1024, "{at_most} KiB");
}

#[test]
fn nobody_s_domain_leads_to_the_loopback() {
    let (inside, reports) = (host(), Sink::smtp());
    let records = format!("hostile IN MX 10 inside\ninside IN A {}", inside.ip());
    let dns = Zones::new().unsigned("mx.example", &records).start();
    let gateway = Setup::new()
        .node("trusted_networks = [\"127.0.0.0/8\"]")
        .nameserver(dns.address())
        .more("[delivery]\nloopback = false")
        .route_for("*", "mx", "")
        // What the configuration names may be anywhere.
        .route_for("example.net", reports.nexthop(), "")
        .start();
    gateway.submit(&["bob@hostile.mx.example"], &message("to the inside"));
    let attempt = gateway.attempt("bob@hostile.mx.example", "failed");
    assert_eq!(attempt.status, "5.4.6", "{attempt:#?}");
    let report = report(&reports.one().content);
    let text = report["text"].as_str().unwrap();
    let words: Vec<&str> = text.split_whitespace().collect();
    assert!(
        words.join(" ").contains("leads back to this node"),
        "{text}"
    );
    assert_eq!(inside.connections(), 0);
}

#[test]
fn an_address_literal_is_its_own_host() {
    let (host, reports) = (host(), Sink::smtp());
    let dns = Zones::new().start();
    let gateway = Setup::new()
        .node("trusted_networks = [\"127.0.0.0/8\"]")
        .nameserver(dns.address())
        .route_for("*", "mx", "retry_min = \"1s\"")
        .route_for("example.net", reports.nexthop(), "")
        .start();
    let recipient = format!("bob@[{}]", host.ip());
    gateway.submit(&[&recipient], &message("to an address"));
    assert_eq!(host.one().recipients, [format!("TO:<{recipient}>")]);
}

//! Domains in zone texts: which servers they have, and which are left when this node is one of them.

use proptest::prelude::*;

use super::*;

/// A node with one name and one address.
struct Us(&'static str, &'static str);

impl Ourselves for Us {
    fn is_name(&self, host: &str) -> bool {
        self.0 == host
    }

    fn is_address(&self, ip: IpAddr, port: u16) -> bool {
        port == 25 && self.1.parse() == Ok(ip)
    }

    fn follows_loopback(&self) -> bool {
        self.0 == FOLLOWS_LOOPBACK
    }
}

const FOLLOWS_LOOPBACK: &str = "loopback.gate.example";
const NOBODY: Us = Us("mx.gate.example", "192.0.2.99");

async fn found(zone: &str, domain: &str) -> Result<Found, NotFound> {
    let resolver = Resolver::zone(zone).unwrap();
    find(&resolver, domain, 25, &NOBODY).await
}

async fn names(zone: &str, domain: &str) -> Result<Vec<String>, NotFound> {
    let hosts = found(zone, domain).await?.hosts;
    Ok(hosts
        .iter()
        .map(|host| format!("{} {}", host.preference, host.place.name))
        .collect())
}

fn undeliverable(why: Undeliverable) -> Result<Vec<String>, NotFound> {
    Err(NotFound::Undeliverable(why))
}

fn without_host(detail: &str) -> Result<Vec<String>, NotFound> {
    undeliverable(Undeliverable::NoHost(detail.to_owned()))
}

#[tokio::test]
async fn exchangers_come_by_preference_and_only_those_with_an_address() {
    let zone = "
        example.com MX 20 b.example.net
        example.com MX 10 a.example.net
        example.com MX 30 gone.example.net
        example.com MX 40 192.0.2.7
        example.com MX 50 alias.example.net
        a.example.net A 192.0.2.1
        a.example.net AAAA 2001:db8::1
        b.example.net AAAA 2001:db8::2
        alias.example.net CNAME b.example.net
    ";
    let found = found(zone, "example.com").await.unwrap();
    let shown: Vec<_> = found
        .hosts
        .iter()
        .map(|host| {
            let place = &host.place;
            (
                host.preference,
                &*place.name,
                &*place.canonical,
                place.ips.len(),
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            (10, "a.example.net", "a.example.net", 2),
            (20, "b.example.net", "b.example.net", 1),
            // RFC 5321 5.1 forbids an alias there; it is common, and harmless.
            (50, "alias.example.net", "b.example.net", 1),
        ]
    );
    assert!(found.hosts.iter().all(|host| host.from_mx && !host.secure));
}

#[tokio::test]
async fn a_domain_without_exchangers_is_its_own() {
    let zone = "
        example.com A 192.0.2.1
        www.example.com CNAME example.com
        empty.example TXT nothing
        down.example SERVFAIL
        broken.example MX 10 down.example
        broken.example A 192.0.2.3
        nowhere.example MX 10 gone.example.com
        nowhere.example A 192.0.2.4
    ";
    assert_eq!(
        names(zone, "example.com").await,
        Ok(vec!["0 example.com".to_owned()])
    );
    assert!(!found(zone, "example.com").await.unwrap().hosts[0].from_mx);
    assert_eq!(
        names(zone, "www.example.com").await,
        Ok(vec!["0 www.example.com".to_owned()])
    );
    assert_eq!(
        names(zone, "empty.example").await,
        without_host("empty.example has neither mail exchangers nor an address")
    );
    assert_eq!(
        names(zone, "gone.example").await,
        undeliverable(Undeliverable::NoSuchDomain)
    );
    // RFC 5321 5.1: where there are MX records, or may be, the domain's own address is not one.
    for (domain, detail) in [
        (
            "down.example",
            "DNS gives no answer: the nameserver says Server Failure",
        ),
        (
            "broken.example",
            "down.example: DNS gives no answer: the nameserver says Server Failure",
        ),
    ] {
        let expected = Err(NotFound::Dns(detail.to_owned()));
        assert_eq!(names(zone, domain).await, expected, "{domain}");
    }
    assert_eq!(
        names(zone, "nowhere.example").await,
        without_host("none of the mail exchangers of nowhere.example has an address")
    );
}

#[tokio::test]
async fn addresses_that_no_server_has_are_left_out() {
    let zone = "
        example.com MX 10 odd.example
        example.com MX 20 mapped.example
        odd.example A 0.0.0.0
        odd.example A 255.255.255.255
        odd.example A 224.0.0.1
        odd.example AAAA ::
        odd.example AAAA ::ffff:0.0.0.0
        odd.example AAAA ff02::1
        mapped.example AAAA ::ffff:192.0.2.1
        mapped.example A 192.0.2.1
    ";
    let found = found(zone, "example.com").await.unwrap();
    assert_eq!(found.hosts.len(), 1);
    let expected: IpAddr = "192.0.2.1".parse().unwrap();
    assert_eq!(found.hosts[0].place.ips, [expected]);
    assert_eq!(
        names("odd.example A 0.0.0.0", "odd.example").await,
        without_host("odd.example has neither mail exchangers nor an address")
    );
    for domain in ["[0.0.0.0]", "[IPv6:::]", "[224.0.0.1]"] {
        let expected = without_host(&format!("{domain} is no address that messages can go to"));
        assert_eq!(names("", domain).await, expected);
    }
}

#[tokio::test]
async fn nobody_s_domain_leads_to_the_loopback() {
    let zone = "
        hostile.example MX 10 here.example
        hostile.example MX 20 mapped.example
        here.example A 127.0.0.1
        here.example A 127.255.255.254
        here.example AAAA ::1
        mapped.example AAAA ::ffff:127.0.0.1
        mixed.example MX 10 here.example
        mixed.example MX 20 both.example
        mixed.example MX 30 inside.example
        both.example A 127.0.0.53
        both.example A 192.0.2.1
        inside.example A 10.0.0.1
        inside.example AAAA fd00::1
        later.example MX 10 here.example
        later.example MX 20 down.example
        down.example SERVFAIL
    ";
    for (domain, first) in [
        ("hostile.example", "here.example"),
        ("here.example", "here.example"),
        ("[127.0.0.1]", "[127.0.0.1]"),
        ("[IPv6:::1]", "[IPv6:::1]"),
        ("[IPv6:::ffff:127.0.0.1]", "[IPv6:::ffff:127.0.0.1]"),
    ] {
        let detail = format!("{first} has a loopback address, which leads back to this node");
        assert_eq!(
            names(zone, domain).await,
            undeliverable(Undeliverable::Loop(detail))
        );
    }
    let mixed = found(zone, "mixed.example").await.unwrap();
    let ips: Vec<_> = mixed.hosts.iter().map(|host| &host.place.ips).collect();
    let parsed = |texts: &[&str]| -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    };
    assert_eq!(
        ips,
        [&parsed(&["192.0.2.1"]), &parsed(&["10.0.0.1", "fd00::1"])]
    );
    // The exchanger that is not told now may be another one.
    assert!(matches!(
        names(zone, "later.example").await,
        Err(NotFound::Dns(_))
    ));
    let resolver = Resolver::zone(zone).unwrap();
    let us = Us(FOLLOWS_LOOPBACK, "192.0.2.99");
    let hosts = find(&resolver, "hostile.example", 25, &us)
        .await
        .unwrap()
        .hosts;
    assert_eq!(hosts.len(), 2);
}

#[tokio::test]
async fn an_exchanger_that_is_not_told_may_come_before_ourselves() {
    let zone = "
        backup.example MX 10 down.example
        backup.example MX 20 us.example
        down.example SERVFAIL
        us.example A 192.0.2.99
    ";
    assert!(matches!(
        names(zone, "backup.example").await,
        Err(NotFound::Dns(_))
    ));
}

#[tokio::test]
async fn a_null_mx_takes_nothing() {
    let zone = "
        quiet.example MX 0 .
        quiet.example A 192.0.2.1
        odd.example MX 0 .
        odd.example MX 10 a.example
        a.example A 192.0.2.1
    ";
    assert_eq!(
        names(zone, "quiet.example").await,
        undeliverable(Undeliverable::NullMx)
    );
    // RFC 7505 3: with others beside it, it means nothing.
    assert_eq!(
        names(zone, "odd.example").await,
        Ok(vec!["10 a.example".to_owned()])
    );
}

#[tokio::test]
async fn an_address_literal_is_an_address() {
    for (domain, ip) in [
        ("[192.0.2.1]", "192.0.2.1"),
        ("[IPv6:2001:db8::1]", "2001:db8::1"),
        ("[ipv6:2001:db8::1]", "2001:db8::1"),
    ] {
        let found = found("", domain).await.unwrap();
        assert_eq!(found.hosts[0].place.ips, [ip.parse::<IpAddr>().unwrap()]);
    }
    for domain in [
        "[]",
        "[2001:db8::1]",
        "[IPv6:192.0.2.1]",
        "[x-tag:1]",
        "[",
        "[é]",
    ] {
        let expected = without_host(&format!("{domain} is no address that messages can go to"));
        assert_eq!(names("", domain).await, expected);
    }
}

#[tokio::test]
async fn one_exchanger_that_is_not_told_does_no_harm() {
    let zone = "
        example.com MX 10 down.example
        example.com MX 20 up.example
        down.example SERVFAIL
        up.example A 192.0.2.1
    ";
    let found = found(zone, "example.com").await.unwrap();
    assert_eq!(found.hosts.len(), 1);
    assert_eq!(found.valid_for, Duration::ZERO);
}

#[tokio::test]
async fn very_many_exchangers_and_addresses_are_cut_off() {
    let mut zone = String::new();
    for host in 0..100 {
        zone.push_str(&format!("example.com MX {host} mx{host}.example\n"));
        for last in 0..10 {
            zone.push_str(&format!("mx{host}.example A 198.51.100.{last}\n"));
        }
    }
    let found = found(&zone, "example.com").await.unwrap();
    let addresses: usize = found.hosts.iter().map(|host| host.place.ips.len()).sum();
    assert_eq!(addresses, ADDRESSES_MAX);
    assert!(found.hosts.len() <= HOSTS_MAX);
    assert_eq!(found.hosts[0].preference, 0);
}

#[tokio::test]
async fn security_is_that_of_the_records_which_led_there() {
    let zone = "
        signed.example SECURE
        signed.example MX 10 mx.plain.example
        signed.example MX 20 mx.signed.example
        mx.plain.example A 192.0.2.1
        mx.signed.example A 192.0.2.2
    ";
    let found = found(zone, "signed.example").await.unwrap();
    let secure: Vec<_> = found
        .hosts
        .iter()
        .map(|host| (host.secure, host.place.secure))
        .collect();
    assert_eq!(secure, [(true, false), (true, true)]);
}

#[tokio::test]
async fn we_are_known_by_name_and_by_address() {
    let zone = "
        backup.example MX 10 primary.example
        backup.example MX 20 mx.gate.example
        backup.example MX 30 third.example
        ours.example MX 10 elsewhere.example
        ours.example MX 10 primary.example
        itself.example A 192.0.2.99
        primary.example A 192.0.2.1
        mx.gate.example A 192.0.2.9
        third.example A 192.0.2.3
        elsewhere.example A 192.0.2.99
        nameless.example MX 10 mx.gate.example.
        nameless.example MX 20 third.example
    ";
    assert_eq!(
        names(zone, "backup.example").await,
        Ok(vec!["10 primary.example".to_owned()])
    );
    for (domain, name) in [
        ("ours.example", "elsewhere.example"),
        ("itself.example", "itself.example"),
        ("nameless.example", "mx.gate.example"),
    ] {
        let detail =
            format!("{name} is this node itself, which has no other nexthop for the domain");
        assert_eq!(
            names(zone, domain).await,
            undeliverable(Undeliverable::Loop(detail)),
            "{domain}"
        );
    }
    // Our name needs no address.
    let zone_without = zone.replace("mx.gate.example A 192.0.2.9\n", "");
    for (domain, zone) in [
        ("nameless.example", zone_without.clone()),
        (
            "backup.example",
            zone_without.replace("primary.example A 192.0.2.1\n", ""),
        ),
    ] {
        let detail =
            "mx.gate.example is this node itself, which has no other nexthop for the domain";
        assert_eq!(
            names(&zone, domain).await,
            undeliverable(Undeliverable::Loop(detail.to_owned())),
            "{domain}"
        );
    }
    // On another port it is somebody else.
    let resolver = Resolver::zone(zone).unwrap();
    assert!(
        find(&resolver, "itself.example", 2525, &NOBODY)
            .await
            .is_ok()
    );
}

proptest! {
    #[test]
    fn only_better_ones_are_left_beside_ourselves(
        preferences in proptest::collection::vec(0..5_u16, 1..15),
        ours in proptest::option::of(0..15_usize),
    ) {
        let hosts: Vec<MxHost> = preferences.iter().enumerate().map(|(at, preference)| {
            let name: Arc<str> = if Some(at) == ours { Arc::from("mx.gate.example") } else { Arc::from(format!("mx{at}.example")) };
            MxHost {
                preference: *preference,
                place: Place {
                    canonical: Arc::clone(&name),
                    name,
                    ips: vec!["192.0.2.1".parse().unwrap()],
                    secure: false,
                    valid_for: Duration::ZERO,
                },
                from_mx: true,
                secure: false,
            }
        }).collect();
        let own = ours.and_then(|at| preferences.get(at)).copied();
        let expected: Vec<MxHost> = hosts
            .iter()
            .filter(|host| own.is_none_or(|own| host.preference < own))
            .cloned()
            .collect();
        match without_ourselves(hosts, 25, &NOBODY) {
            Ok(left) => prop_assert_eq!(left, expected),
            Err(_) => prop_assert!(expected.is_empty()),
        }
    }
}

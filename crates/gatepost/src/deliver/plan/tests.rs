//! Plans from small configurations and zone texts: which servers, which site, and what is kept.

use std::collections::HashSet;

use net::resolver::Resolver;
use proptest::prelude::*;

use super::*;
use crate::context::Services;

const ZONE: &str = "
    one.example MX 10 a.mail.example
    one.example MX 10 b.mail.example
    one.example MX 20 c.mail.example
    two.example MX 5 c.mail.example
    two.example MX 0 b.mail.example
    two.example MX 0 a.mail.example
    fewer.example MX 10 a.mail.example
    quiet.example MX 0 .
    loop.example MX 0 mx.gate.example
    removed.example MX 0 mx.gate.example
    down.example SERVFAIL
    a.mail.example A 192.0.2.1
    b.mail.example A 192.0.2.2
    c.mail.example A 192.0.2.3
    mx.gate.example A 192.0.2.4
    odd.example A 192.0.2.5
";

const ROUTES: &str = r#"
[[route]]
domains = ["one.example", "two.example", "fewer.example", "quiet.example", "loop.example", "down.example", "gone.example"]
nexthop = ["mx"]
[[route]]
domains = ["strict.example"]
nexthop = ["mx:2525"]
nexthop_tls = "require"
pool = "bulk"
[[route]]
domains = ["fixed.example"]
nexthop = ["smtp:a.mail.example:25", "smtp:down.example:25", "smtp:b.mail.example:2525"]
[[route]]
domains = ["random.example"]
nexthop = ["lmtp:192.0.2.1:24", "lmtp:192.0.2.2:24", "lmtp:unix:/run/lmtp"]
nexthop_order = "random"
[[route]]
domains = ["box.example"]
nexthop = ["maildir:/var/mail/box"]
[[route]]
domains = ["lost.example"]
nexthop = ["smtp:down.example:25"]
"#;

fn context(zone: &str) -> Context {
    let text = format!(
        "[node]\nname = \"mx.gate.example\"\n[[listener]]\nname = \"in\"\nbind = [\"127.0.0.1:2525\"]\n[[pool]]\nname = \"bulk\"\nbind = [\"192.0.2.8\"]\nehlo_name = \"bulk.gate.example\"\n{ROUTES}"
    );
    let config = Config::parse("gatepost.toml", &text).unwrap();
    let services = Services::unwritten(&config).unwrap();
    let mut cx = Context::new(config, services, None).unwrap();
    cx.resolver = Resolver::zone(zone).unwrap();
    cx
}

fn lane(domain: &str) -> LaneKey {
    LaneKey {
        customer: Arc::from(""),
        domain: Arc::from(domain),
        nexthop: None,
    }
}

async fn planned(cx: &Context, domain: &str) -> Plan {
    plan(cx, &lane(domain)).await.unwrap()
}

fn names(plan: &Plan) -> Vec<&str> {
    plan.hosts.iter().map(|host| &*host.name).collect()
}

fn labels(plan: &Plan) -> Vec<&str> {
    plan.hosts.iter().map(|host| &*host.label).collect()
}

#[tokio::test]
async fn exchangers_are_in_order_with_chance_among_equals() {
    let cx = context(ZONE);
    let mut firsts = HashSet::new();
    for _ in 0..100 {
        let plan = planned(&cx, "one.example").await;
        assert_eq!(names(&plan)[2], "c.mail.example");
        firsts.insert(plan.hosts[0].name.clone());
    }
    assert_eq!(firsts.len(), 2);
}

#[tokio::test]
async fn domains_on_one_group_of_exchangers_share_a_site() {
    let cx = context(ZONE);
    let site = planned(&cx, "one.example").await.site;
    assert_eq!(&*site, "mx a.mail.example,b.mail.example,c.mail.example:25");
    assert_eq!(planned(&cx, "two.example").await.site, site);
    assert_ne!(planned(&cx, "fewer.example").await.site, site);
}

#[tokio::test]
async fn what_must_not_be_shared_makes_another_site() {
    let zone = ZONE.replace(
        "odd.example A",
        "strict.example MX 10 a.mail.example\nodd.example A",
    );
    let cx = context(&zone);
    let plan = planned(&cx, "strict.example").await;
    assert_eq!(&*plan.site, "mx a.mail.example:2525 tls=require pool=bulk");
    assert_eq!(labels(&plan), ["mx a.mail.example:2525"]);
}

#[tokio::test]
async fn configured_servers_are_tried_as_the_route_says() {
    let cx = context(ZONE);
    // The one that the DNS does not tell is left out.
    for _ in 0..20 {
        let plan = planned(&cx, "fixed.example").await;
        assert_eq!(
            labels(&plan),
            ["smtp:a.mail.example:25", "smtp:b.mail.example:2525"]
        );
    }
    let mut firsts = HashSet::new();
    for _ in 0..100 {
        let plan = planned(&cx, "random.example").await;
        assert_eq!(plan.hosts.len(), 3);
        assert!(
            plan.hosts
                .iter()
                .all(|host| host.protocol == Protocol::Lmtp)
        );
        firsts.insert(plan.hosts[0].label.clone());
    }
    assert_eq!(firsts.len(), 3);
    let plan = planned(&cx, "box.example").await;
    assert_eq!(plan.maildir, Some("/var/mail/box".into()));
    assert_eq!(plan.hosts, []);
}

#[tokio::test]
async fn an_operator_can_choose_another_nexthop() {
    let cx = context(ZONE);
    let chosen = |nexthop: &str| LaneKey {
        nexthop: Some(Arc::from(nexthop)),
        ..lane("one.example")
    };
    let elsewhere = plan(&cx, &chosen("smtp:192.0.2.9:25 smtp:192.0.2.10:25"))
        .await
        .unwrap();
    assert_eq!(
        labels(&elsewhere),
        ["smtp:192.0.2.9:25", "smtp:192.0.2.10:25"]
    );
    assert_eq!(&*elsewhere.site, "smtp:192.0.2.9:25 smtp:192.0.2.10:25");
    let maildir = plan(&cx, &chosen("maildir:/srv/held")).await.unwrap();
    assert_eq!(maildir.maildir, Some("/srv/held".into()));
    for wrong in ["smtp", "maildir:held", "mx:0"] {
        let none = plan(&cx, &chosen(wrong)).await;
        assert!(matches!(none, Err(NoPlan::Transient(_))), "{wrong}");
    }
    assert_eq!(names(&planned(&cx, "one.example").await).len(), 3);
}

#[tokio::test]
async fn what_is_vain_fails_and_what_is_not_known_waits() {
    let cx = context(ZONE);
    for (domain, status, words) in [
        (
            "quiet.example",
            "5.1.10",
            "the domain takes no messages (null MX)",
        ),
        ("gone.example", "5.1.2", "the domain does not exist"),
        (
            "loop.example",
            "5.4.6",
            "mx.gate.example is this node itself, which has no other nexthop for the domain",
        ),
    ] {
        match plan(&cx, &lane(domain)).await {
            Err(NoPlan::Permanent { status: told, text }) => {
                assert_eq!((told.to_string().as_str(), text.as_str()), (status, words));
            }
            _ => panic!("{domain} is not vain"),
        }
    }
    for (domain, status) in [
        ("down.example", "4.4.3"),
        ("lost.example", "4.4.3"),
        // The route was taken out of the configuration: that is mended there, and bounces nothing.
        ("removed.example", "4.4.4"),
    ] {
        match plan(&cx, &lane(domain)).await {
            Err(NoPlan::Transient(fault)) => assert_eq!(fault.status().to_string(), status),
            _ => panic!("{domain} can't be known"),
        }
    }
}

#[tokio::test]
async fn reports_go_to_the_exchangers_of_domains_that_no_route_has() {
    let cx = context(&ZONE.replace(
        "odd.example A",
        "sender.example MX 10 a.mail.example\nodd.example A",
    ));
    let plan = planned(&cx, "sender.example").await;
    assert_eq!(labels(&plan), ["mx a.mail.example:25"]);
    assert_eq!(&*plan.route.label, "built in");
}

#[tokio::test(start_paused = true)]
async fn what_the_dns_said_is_kept_for_its_time() {
    let mut cx = context("one.example 300 MX 10 a.mail.example\na.mail.example A 192.0.2.1");
    assert_eq!(planned(&cx, "one.example").await.hosts.len(), 1);
    assert!(plan(&cx, &lane("gone.example")).await.is_err());
    cx.resolver = Resolver::zone(
        "one.example 30 MX 10 a.mail.example\none.example MX 20 b.mail.example\n\
         a.mail.example A 192.0.2.1\nb.mail.example A 192.0.2.2\ngone.example A 192.0.2.3",
    )
    .unwrap();
    tokio::time::advance(Duration::from_secs(59)).await;
    assert!(plan(&cx, &lane("gone.example")).await.is_err());
    tokio::time::advance(Duration::from_secs(2)).await;
    assert!(plan(&cx, &lane("gone.example")).await.is_ok());
    assert_eq!(planned(&cx, "one.example").await.hosts.len(), 1);
    tokio::time::advance(Duration::from_secs(240)).await;
    assert_eq!(planned(&cx, "one.example").await.hosts.len(), 2);
}

#[tokio::test]
async fn a_pool_has_a_name_and_addresses_of_its_own() {
    use crate::deliver::nexthops::Server;

    let zone = ZONE.replace(
        "odd.example A",
        "strict.example MX 10 a.mail.example\nodd.example A",
    );
    let cx = context(&zone);
    for (domain, name, bind) in [
        (
            "strict.example",
            "bulk.gate.example",
            ["192.0.2.8"].as_slice(),
        ),
        ("one.example", "mx.gate.example", &[]),
    ] {
        let plan = planned(&cx, domain).await;
        let host = &plan.hosts[0];
        let server = Server {
            label: &host.label,
            name: &host.name,
            protocol: host.protocol,
        };
        let route = &plan.route.route;
        let manner = cx.dialling.manner(route, server, route.nexthop_tls);
        let shown: Vec<String> = manner.bind.iter().map(ToString::to_string).collect();
        assert_eq!(
            (manner.ehlo_name.as_str(), shown),
            (name, bind.iter().map(ToString::to_string).collect())
        );
    }
}

proptest! {
    #[test]
    fn preferences_are_never_inverted_and_nobody_is_lost(preferences in proptest::collection::vec(0..4_u16, 0..20)) {
        let hosts: Vec<Host> = preferences.iter().zip(1_u16..).map(|(preference, number)| {
            let name: Arc<str> = Arc::from(format!("mx{number}.example"));
            let place = mx::Place {
                canonical: Arc::clone(&name),
                name,
                ips: vec![IpAddr::from([192, 0, 2, 1])],
                secure: false,
                valid_for: Duration::ZERO,
            };
            exchanger(MxHost { preference: *preference, place, from_mx: true, secure: false }, 25)
        }).collect();
        for order in [Order::Preference, Order::Random] {
            let drawn = drawn(&hosts, order);
            let mut names: Vec<_> = drawn.iter().map(|host| &host.name).collect();
            let mut given: Vec<_> = hosts.iter().map(|host| &host.name).collect();
            names.sort();
            given.sort();
            prop_assert_eq!(names, given);
            prop_assert!(order == Order::Random || drawn.is_sorted_by_key(|host| host.preference));
        }
    }
}

//! Limits from small configurations: what a destination says comes before the route, and rates add up.

use net::resolver::Resolver;
use queue::LaneKey;

use super::*;
use crate::config::NexthopTls;
use crate::context::Services;
use crate::deliver::plan::plan;

const CONFIG: &str = r#"
[node]
name = "mx.gate.example"
[[listener]]
name = "in"
bind = ["127.0.0.1:2525"]
[[pool]]
name = "bulk"
connections_max = 7
[[destination]]
match = ["*.big.example", "other.example"]
connections_max = 3
messages_per_connection = 5
rate = "10/1m"
tls = "require"
[[route]]
domains = ["one.example", "two.example", "other.example"]
nexthop = ["mx"]
pool = "bulk"
rate = "100/1h"
connections_max = 20
connections_first = 8
messages_per_connection = 50
retry_min = "30s"
retry_max = "1h"
"#;

async fn planned(domain: &str) -> (Context, Plan) {
    planned_by(CONFIG, domain).await
}

async fn planned_by(config: &str, domain: &str) -> (Context, Plan) {
    let config = Config::parse("gatepost.toml", config).unwrap();
    let services = Services::unwritten(&config).unwrap();
    let mut cx = Context::new(config, services, None).unwrap();
    let zone = "one.example MX 10 mx.big.example\ntwo.example MX 10 mx.small.example\n\
                other.example MX 10 mx.small.example\nmx.big.example A 192.0.2.1\nmx.small.example A 192.0.2.2";
    cx.resolver = Resolver::zone(zone).unwrap();
    let lane = LaneKey {
        customer: Arc::from(""),
        domain: Arc::from(domain),
        nexthop: None,
    };
    let plan = plan(&cx, &lane).await.unwrap();
    (cx, plan)
}

fn keys(limits: &Limits) -> Vec<&str> {
    limits.quotas.iter().map(|quota| &*quota.key).collect()
}

#[tokio::test]
async fn a_destination_holds_by_domain_and_by_server() {
    for domain in ["one.example", "other.example"] {
        let (cx, plan) = planned(domain).await;
        assert_eq!(plan.tls, NexthopTls::Require, "{domain}");
        assert!(plan.site.contains(" tls=require"), "{}", plan.site);
        let limits = limits(&cx, &plan);
        assert_eq!(limits.site.connections_max, 3);
        // No more at first than there may ever be.
        assert_eq!(limits.site.connections_first, 3);
        assert_eq!(limits.site.parcels_per_connection_max, 5);
        let keys = keys(&limits);
        assert_eq!(keys.len(), 3);
        assert_eq!(keys[1..], ["pool:bulk", "destination:*.big.example"]);
    }
}

#[tokio::test]
async fn elsewhere_the_route_and_its_pool_count() {
    let (cx, plan) = planned("two.example").await;
    assert_eq!(plan.tls, NexthopTls::Opportunistic);
    let limits = limits(&cx, &plan);
    assert_eq!(limits.site.connections_max, 20);
    assert_eq!(limits.site.connections_first, 8);
    assert_eq!(limits.site.parcels_per_connection_max, 50);
    assert_eq!(limits.site.back_off.min.as_secs(), 30);
    assert_eq!(limits.site.back_off.max.as_secs(), 3600);
    assert_eq!(keys(&limits).len(), 2);
    let pool = &limits.quotas[1];
    assert_eq!((pool.connections_max, pool.rate), (Some(7), None));
    let rate = limits.quotas[0].rate.unwrap();
    assert_eq!((rate.messages, rate.per.as_secs()), (100, 3600));
}

/// What a route has used of its rate is known under the same name where lines of the file have moved.
#[tokio::test]
async fn the_rate_of_a_route_outlives_a_reload() {
    let moved = CONFIG.replace("[[route]]", "# bulk only\n\n[[route]]");
    let mut names = Vec::new();
    for config in [CONFIG, &moved] {
        let (cx, plan) = planned_by(config, "two.example").await;
        names.push((*limits(&cx, &plan).quotas[0].key).to_owned());
    }
    assert_eq!(names, ["route:one.example"; 2]);
}

#[tokio::test]
async fn a_lane_without_a_plan_waits_as_its_route_says() {
    let (cx, _) = planned("two.example").await;
    let lane = |domain: &str| LaneKey {
        customer: Arc::from(""),
        domain: Arc::from(domain),
        nexthop: None,
    };
    let waits = |domain| back_off(&crate::deliver::plan::route(&cx, &lane(domain)).route);
    assert_eq!(waits("one.example").min.as_secs(), 30);
    // No route has it: it goes to wherever its MX records lead, with the defaults.
    assert_eq!(waits("elsewhere.example"), BackOff::default());
}

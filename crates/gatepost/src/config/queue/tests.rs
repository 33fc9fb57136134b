use super::*;
use crate::config::Config;

const REST: &str =
    "[node]\nname = \"mx.example.net\"\n[[listener]]\nname = \"in\"\nbind = [\"127.0.0.1:0\"]\n";

fn parse(text: &str) -> Config {
    Config::parse("test.toml", &format!("{REST}{text}")).unwrap()
}

#[test]
fn rates() {
    let some = |messages, seconds| {
        Some(Rate {
            messages,
            per: Duration::from_secs(seconds),
        })
    };
    for (text, expected) in [
        ("100/1m", some(100, 60)),
        ("1/24h", some(1, 86_400)),
        ("5 / 1h30m", some(5, 5400)),
        ("0/1m", None),
        ("10", None),
        ("10/0s", None),
        ("10/25h", None),
        ("-1/1m", None),
        ("4294967296/1m", None),
    ] {
        assert_eq!(rate(text).ok(), expected, "{text}");
    }
}

#[test]
fn what_a_route_does_not_say() {
    let config =
        parse("[[route]]\ndomains = [\"example.com\"]\nnexthop = [\"smtp:127.0.0.1:25\"]\n");
    let queueing = &config.routes[0].queueing;
    assert_eq!(queueing.lifetime, Duration::from_secs(5 * 86_400));
    assert_eq!(queueing.delay_warning, Duration::from_secs(4 * 3600));
    assert_eq!(queueing.retry_min, Duration::from_secs(300));
    assert_eq!(queueing.retry_max, Duration::from_secs(3600));
    assert_eq!(
        (queueing.connections_max, queueing.connections_first),
        (20, 5)
    );
    assert_eq!(queueing.messages_per_connection, 100);
    assert_eq!((&queueing.pool, queueing.rate), (&None, None));
    assert_eq!(config.queue.folder, Path::new("/var/lib/gatepost/queue"));
    assert_eq!(config.queue.gather, Duration::from_millis(10));
    assert!(config.pools.is_empty() && config.destinations.is_empty());
}

#[test]
fn few_connections_need_no_other_beginning() {
    let text = "[[route]]\ndomains = [\"example.com\"]\nnexthop = [\"smtp:127.0.0.1:25\"]\nconnections_max = 2\n";
    assert_eq!(parse(text).routes[0].queueing.connections_first, 2);
}

#[test]
fn destinations_match_domains_and_hosts() {
    let config = parse(
        "[[destination]]\nmatch = [\"Example.org\", \"*.mx.example.net\", \"[192.0.2.1]\"]\nrate = \"10/1s\"\n\
         [[route]]\ndomains = [\"example.com\"]\nnexthop = [\"smtp:127.0.0.1:25\"]\n",
    );
    let covers = |name: &str| config.destinations.covering([name]).is_some();
    for name in [
        "example.org",
        "EXAMPLE.ORG.",
        "a.mx.example.net",
        "b.a.mx.example.net",
        "[192.0.2.1]",
    ] {
        assert!(covers(name), "{name}");
    }
    for name in [
        "mx.example.net",
        "a.example.org",
        "example.com",
        "",
        "[192.0.2.2]",
    ] {
        assert!(!covers(name), "{name}");
    }
}

#[test]
fn of_several_destinations_the_first_in_the_file_counts() {
    let config = parse(
        "[[destination]]\nmatch = [\"*.example.net\"]\n[[destination]]\nmatch = [\"mx.example.net\", \"example.org\"]\n\
         [[destination]]\nmatch = [\"*.mx.example.net\", \"example.org\", \"only.example\"]\n\
         [[route]]\ndomains = [\"example.com\"]\nnexthop = [\"smtp:127.0.0.1:25\"]\n",
    );
    let first = |names: &[&str]| {
        let found = config.destinations.covering(names.iter().copied());
        found.map(|destination| destination.name.as_str())
    };
    // Neither the more exact entry nor the name that is asked for first, but the place in the file.
    assert_eq!(first(&["mx.example.net"]), Some("*.example.net"));
    assert_eq!(first(&["a.mx.example.net"]), Some("*.example.net"));
    assert_eq!(
        first(&["only.example", "example.org"]),
        Some("mx.example.net")
    );
    assert_eq!(
        first(&["only.example", "x.example.net"]),
        Some("*.example.net")
    );
    assert_eq!(
        first(&["example.com", "only.example"]),
        Some("*.mx.example.net")
    );
    assert_eq!(first(&["example.com", "example.net"]), None);
    assert_eq!(first(&[]), None);
}

use proptest::prelude::*;

use super::*;

fn key(text: &str) -> Vec<String> {
    let keys = Key::parse_any(text).unwrap();
    keys.iter()
        .map(|key| format!("{} {key}", key.kind()))
        .collect()
}

#[test]
fn a_sender_has_a_key_for_each_thing_that_is_known_of_it() {
    let domains = ["Example.ORG", "example.org", "news.example"].map(str::to_owned);
    let sender = Sender {
        ip: "::ffff:192.0.2.7".parse().unwrap(),
        helo: "MX1.example.net.",
        helo_is_proven: true,
        domains: &domains,
    };
    let keys: Vec<String> = Key::all(&sender).iter().map(Key::to_string).collect();
    assert_eq!(
        keys,
        [
            "192.0.2.7",
            "192.0.2.0/24",
            "the host mx1.example.net",
            "example.org",
            "news.example"
        ]
    );
    let sender = Sender {
        ip: "2001:db8:1:2:3::4".parse().unwrap(),
        helo: "[192.0.2.7]",
        helo_is_proven: false,
        domains: &[],
    };
    let keys: Vec<String> = Key::all(&sender).iter().map(Key::to_string).collect();
    assert_eq!(keys, ["2001:db8:1:2::/64", "2001:db8:1::/48"]);
}

#[test]
fn the_domains_of_a_message_are_bounded() {
    let domains: Vec<String> = (0..100).map(|n| format!("d{n}.example")).collect();
    let sender = Sender {
        ip: "192.0.2.7".parse().unwrap(),
        helo: "localhost",
        helo_is_proven: false,
        domains: &domains,
    };
    assert_eq!(Key::all(&sender).len(), 2 + DOMAINS_MAX);
}

#[test]
fn operators_write_addresses_networks_and_names() {
    assert_eq!(
        key("192.0.2.7"),
        ["address 192.0.2.7", "network 192.0.2.0/24"]
    );
    assert_eq!(key("192.0.2.0/24"), ["network 192.0.2.0/24"]);
    assert_eq!(key("2001:db8::/48"), ["network 2001:db8::/48"]);
    assert_eq!(key("2001:db8::/64"), ["address 2001:db8::/64"]);
    assert_eq!(
        key("Example.org"),
        [
            "domain example.org",
            "helo the host example.org",
            "claimed-helo hosts that call themselves example.org"
        ]
    );
    for wrong in [
        "",
        "nobody",
        "192.0.2.0/25",
        "192.0.2.1/24",
        "a b.example",
        "..",
        "[::1]",
    ] {
        assert!(Key::parse_any(wrong).is_err(), "{wrong}");
    }
}

proptest! {
    #[test]
    fn a_name_is_its_own_name(text: String) {
        if let Some(name) = name_of(&text) {
            prop_assert_eq!(name_of(&name), Some(name.clone()));
            prop_assert!(name.len() <= NAME_BYTES_MAX);
        }
    }

    #[test]
    fn an_address_is_in_its_network(bits: u128, is_v4: bool) {
        let ip = if is_v4 {
            #[expect(clippy::cast_possible_truncation)]
            IpAddr::V4((bits as u32).into())
        } else {
            IpAddr::V6(bits.into())
        };
        let (Key::Address(address), Key::Network(network)) = (Key::address(ip), Key::network(ip)) else {
            panic!("other keys");
        };
        prop_assert_eq!(Key::network(address), Key::Network(network));
        prop_assert_eq!(Key::address(address), Key::Address(address));
        prop_assert_eq!(Key::network(network), Key::Network(network));
    }
}

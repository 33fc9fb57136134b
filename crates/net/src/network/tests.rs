//! Counting keys, and sets of networks against the plain question to each network.

use super::*;
use proptest::prelude::*;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn net(text: &str) -> IpNet {
    parse(text).unwrap()
}

#[test]
fn clients_are_counted_by_network() {
    assert_eq!(of(ip("192.0.2.77")).to_string(), "192.0.2.0/24");
    assert_eq!(of(ip("::ffff:192.0.2.77")).to_string(), "192.0.2.0/24");
    assert_eq!(of(ip("2001:db8:1:2:3::4")).to_string(), "2001:db8:1::/48");
}

#[test]
fn the_most_specific_network_is_named() {
    let set: NetworkSet = ["10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "2001:db8::/32"]
        .map(net)
        .into_iter()
        .collect();
    assert_eq!(set.len(), 4);
    assert_eq!(set.find(ip("10.1.2.3")), Some(net("10.1.2.3/32")));
    assert_eq!(set.find(ip("10.1.2.4")), Some(net("10.1.0.0/16")));
    assert_eq!(set.find(ip("::ffff:10.2.0.1")), Some(net("10.0.0.0/8")));
    assert_eq!(set.find(ip("2001:db8:ffff::1")), Some(net("2001:db8::/32")));
    assert!(!set.contains(ip("11.0.0.1")));
    assert!(!set.contains(ip("2001:db9::1")));
}

#[test]
fn everything_and_nothing() {
    let nothing = NetworkSet::default();
    assert!(nothing.is_empty());
    assert!(!nothing.contains(ip("192.0.2.1")));
    let everything: NetworkSet = ["0.0.0.0/0", "::/0"].map(net).into_iter().collect();
    assert!(everything.contains(ip("255.255.255.255")));
    assert!(everything.contains(ip("::")));
    assert!(everything.contains(ip("ffff::1")));
    let ipv6_only: NetworkSet = [net("::/0")].into_iter().collect();
    assert!(
        !ipv6_only.contains(ip("::ffff:192.0.2.1")),
        "a mapped address is an IPv4 address"
    );
}

#[test]
fn mapped_networks_are_ipv4_networks() {
    assert_eq!(net("::ffff:192.0.2.0/120"), net("192.0.2.0/24"));
    assert_eq!(net("::ffff:192.0.2.1"), net("192.0.2.1/32"));
    assert_eq!(net("::ffff:0:0/96"), net("0.0.0.0/0"));
}

#[test]
fn errors_say_what_to_write() {
    let error = parse("192.0.2.1/24").unwrap_err().to_string();
    assert_eq!(
        error,
        "\"192.0.2.1/24\" has address bits beyond its prefix length: write 192.0.2.0/24"
    );
    for wrong in [
        "",
        "192.0.2.0/33",
        "192.0.2/24",
        "2001:db8::/129",
        "mx.example.net",
        "192.0.2.0/",
        "/8",
        "1.2.3.4 ",
    ] {
        assert!(
            parse(wrong)
                .unwrap_err()
                .to_string()
                .contains("is no network"),
            "{wrong:?}"
        );
    }
}

#[test]
fn the_same_network_twice_is_one() {
    let set: NetworkSet = ["192.0.2.0/24", "::ffff:192.0.2.0/120"]
        .map(net)
        .into_iter()
        .collect();
    assert_eq!(set.len(), 1);
}

#[test]
fn a_long_block_list_costs_one_look_up_per_prefix_length() {
    let set: NetworkSet = (0..100_000_u32)
        .map(|i| ipv4_network(Ipv4Addr::from_bits(i << 8), 20 + (i % 5) as u8))
        .collect();
    assert_eq!(set.ipv4.len(), 5);
    assert!(set.contains(ip("1.134.159.1")));
    assert!(!set.contains(ip("203.0.113.1")));
}

proptest! {
    #[test]
    fn the_set_agrees_with_asking_each_network(
        networks in proptest::collection::vec((any::<u32>(), 0u8..=32), 0..20),
        others in proptest::collection::vec((any::<u128>(), 0u8..=128), 0..20),
        ipv4 in any::<u32>(),
        ipv6 in any::<u128>(),
    ) {
        let networks: Vec<IpNet> = networks.iter().map(|(bits, length)| ipv4_network(Ipv4Addr::from_bits(*bits), *length))
            .chain(others.iter().map(|(bits, length)| fold(ipv6_network(Ipv6Addr::from_bits(*bits), *length))))
            .collect();
        let set: NetworkSet = networks.iter().copied().collect();
        let mut probes = vec![IpAddr::V4(Ipv4Addr::from_bits(ipv4)), IpAddr::V6(Ipv6Addr::from_bits(ipv6)).to_canonical()];
        probes.extend(networks.iter().map(|network| network.addr().to_canonical()));
        for probe in probes {
            let best = networks.iter().filter(|network| network.contains(&probe)).max_by_key(|network| network.prefix_len());
            prop_assert_eq!(set.find(probe), best.copied());
        }
    }

    #[test]
    fn parsing_never_panics_and_round_trips(text in "\\PC{0,40}", bits in any::<u128>(), length in 0u8..=128) {
        let _ = parse(&text);
        let network = fold(ipv6_network(Ipv6Addr::from_bits(bits), length));
        prop_assert_eq!(parse(&network.to_string()), Ok(network));
    }
}

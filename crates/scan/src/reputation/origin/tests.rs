use super::*;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn a_translated_address_is_the_one_it_stands_for() {
    for (given, expected) in [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("64:ff9b::c000:207", "192.0.2.7"),
        ("64:ff9b:1::c000:207", "64:ff9b:1::c000:207"),
        ("2001:db8::c000:207", "2001:db8::c000:207"),
    ] {
        assert_eq!(origin(ip(given)), ip(expected), "{given}");
    }
}

#[test]
fn addresses_of_private_networks_are_nobodys() {
    for private in [
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "169.254.1.1",
        "0.0.0.0",
        "0.1.2.3",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fd00::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",
    ] {
        assert!(!is_public(ip(private)), "{private}");
    }
    for public in [
        "192.0.2.7",
        "100.63.0.1",
        "100.128.0.1",
        "172.32.0.1",
        "2001:db8::1",
        "64:ff9b::c000:207",
    ] {
        assert!(is_public(ip(public)), "{public}");
    }
}

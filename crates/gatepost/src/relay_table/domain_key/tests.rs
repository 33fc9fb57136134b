//! The many ways to write one domain.

use proptest::prelude::*;

use super::*;

#[test]
fn the_same_domain_has_the_same_key() {
    let cases = [
        ("example.org", "example.org"),
        ("EXAMPLE.Org", "example.org"),
        ("example.org.", "example.org"),
        ("Bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("Bu\u{308}cher.example", "xn--bcher-kva.example"),
        ("bücher。example", "xn--bcher-kva.example"),
        ("bücher.example。", "xn--bcher-kva.example"),
        ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
        ("straße.example", "xn--strae-oqa.example"),
        ("_dmarc.example.org", "_dmarc.example.org"),
        ("[192.0.2.1]", "[192.0.2.1]"),
        ("[IPv6:2001:DB8:0:0::1]", "[ipv6:2001:db8::1]"),
        ("[ipv6:2001:db8::1]", "[ipv6:2001:db8::1]"),
    ];
    for (domain, key) in cases {
        assert_eq!(domain_key(domain).as_deref(), Some(key), "{domain}");
    }
}

#[test]
fn what_is_no_domain_has_none() {
    let long_label = format!("{}.example", "a".repeat(64));
    let long_name = format!("{}example", "a.".repeat(130));
    let huge = "ä".repeat(100_000);
    for domain in [
        "",
        ".",
        "..",
        ".example",
        "a..b",
        "example.org..",
        "a b",
        "a@b",
        "*.example",
        "[192.0.2.1",
        "[192.0.2]",
        "[2001:db8::1]",
        "[IPv6:192.0.2.1]",
        "[x]",
        "[]",
        "a\0b",
        "\u{fffd}",
        &long_label,
        &long_name,
        &huge,
    ] {
        assert_eq!(domain_key(domain), None, "{domain:.40}");
    }
}

proptest! {
    #[test]
    fn keys_are_stable_and_small(text in "\\PC{0,80}") {
        if let Some(key) = domain_key(&text) {
            prop_assert!(key.is_ascii() && key.len() <= DOMAIN_BYTES_MAX);
            let again = domain_key(&key);
            prop_assert_eq!(again.as_deref(), Some(&*key));
        }
    }
}

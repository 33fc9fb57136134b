//! What the suite of the RFC (`tests/spf_suite.rs`) does not have.

use proptest::prelude::*;

use super::macros::{MacroString, Place, Values};
use super::*;

/// RFC 7208 section 7.4.
#[test]
fn the_macros_of_the_rfc_come_out() {
    let values = |ip: &str| Values {
        local_part: "strong-bad",
        sender_domain: "email.example.com",
        domain: "email.example.com",
        ip: ip.parse().unwrap(),
        helo: "mx.example.org",
        validated_name: "mx.example.org",
        receiver: "unknown",
        unix_seconds: 7,
    };
    let cases = [
        ("%{s}", "strong-bad@email.example.com"),
        ("%{o}", "email.example.com"),
        ("%{d4}", "email.example.com"),
        ("%{d2}", "example.com"),
        ("%{d1}", "com"),
        ("%{dr}", "com.example.email"),
        ("%{d2r}", "example.email"),
        ("%{l-}", "strong.bad"),
        ("%{lr}", "strong-bad"),
        ("%{lr-}", "bad.strong"),
        ("%{l1r-}", "strong"),
        (
            "%{ir}.%{v}._spf.%{d2}",
            "3.2.0.192.in-addr._spf.example.com",
        ),
        (
            "%{lr-}.lp.%{ir}.%{v}._spf.%{d2}",
            "bad.strong.lp.3.2.0.192.in-addr._spf.example.com",
        ),
        ("%%%_%-%{t}%{r}", "% %207unknown"),
        ("%{S}", "strong-bad%40email.example.com"),
    ];
    for (text, wanted) in cases {
        let parsed = MacroString::parse(text, Place::Explanation).unwrap();
        assert_eq!(parsed.expand(&values("192.0.2.3"), 1_000), wanted, "{text}");
    }
    let parsed = MacroString::parse("%{ir}.%{v}", Place::Domain).unwrap();
    assert_eq!(
        parsed.expand(&values("2001:db8::cb01"), 1_000),
        "1.0.B.C.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.B.D.0.1.0.0.2.ip6"
    );
    // Labels on the left go, and a text is cut on a border of characters.
    let long = MacroString::parse(&"%{d}.".repeat(30), Place::Domain).unwrap();
    assert!(long.name(&values("192.0.2.3")).len() <= 253);
    assert_eq!(
        MacroString::parse("%{l}", Place::Domain).unwrap().expand(
            &Values {
                local_part: "äöü",
                ..values("::1")
            },
            3
        ),
        "ä"
    );
}

#[tokio::test]
async fn a_record_that_includes_itself_ends() {
    let resolver = Resolver::zone("loop.example TXT \"v=spf1 include:loop.example -all\"").unwrap();
    let question = Question {
        ip: "192.0.2.1".parse().unwrap(),
        domain: "loop.example",
        local_part: "a",
        sender_domain: "loop.example",
        helo: "mx",
        receiver: "us",
        unix_seconds: 0,
    };
    let outcome = check(&resolver, &question).await;
    assert_eq!(outcome.result, SpfResult::Permerror);
    assert_eq!(
        outcome.problem.as_deref(),
        Some("more than 10 terms that ask the DNS")
    );
}

proptest! {
    #[test]
    fn any_record_has_an_outcome(terms in prop::collection::vec(prop::sample::select(&[
        "v=spf1", " ", "a", "mx", "ptr", "all", "-", "~", "?", "+", ":", "/", "//", "24", "64", "032", "ip4:192.0.2.0",
        "ip6:2001:db8::", "include:", "exists:", "redirect=", "exp=", "example.com", ".", "%{", "i", "d", "r", "s", "}",
        "%%", "%", "_spf.", "x=", "0", "é", "p", "1",
    ]), 0..16)) {
        fuzz(&format!("v=spf1 {}", terms.concat()));
    }
}

use std::hash::{BuildHasher, RandomState};

use proptest::prelude::*;

use super::*;

fn reverse(text: &str) -> Result<String, PathError> {
    let (path, rest) = ReversePath::parse_prefix(text)?;
    Ok(format!("{}|{rest}", path.to_wire()))
}

fn forward(text: &str) -> Result<String, PathError> {
    let (path, rest) = ForwardPath::parse_prefix(text)?;
    Ok(format!("{}|{rest}", path.to_wire()))
}

#[test]
fn paths_of_rfc_5321() {
    for (text, expected) in [
        ("<>", "<>|"),
        ("<> SIZE=1", "<>| SIZE=1"),
        ("<a@b.example>", "<a@b.example>|"),
        (
            "<a@b.example> BODY=8BITMIME",
            "<a@b.example>| BODY=8BITMIME",
        ),
        ("<a@[127.0.0.1]>", "<a@[127.0.0.1]>|"),
        ("<a@[IPv6:::1]>", "<a@[IPv6:::1]>|"),
        ("<a@[ipv6:2001:DB8::1]>", "<a@[IPv6:2001:db8::1]>|"),
        ("<a@[x-tag:any!thing]>", "<a@[x-tag:any!thing]>|"),
        ("<\"a b\"@example.com>", "<\"a b\"@example.com>|"),
        ("<\"a\\\"b\"@example.com>", "<\"a\\\"b\"@example.com>|"),
        ("<\"a>b@c\"@example.com>", "<\"a>b@c\"@example.com>|"),
        ("<\"plain\"@example.com>", "<plain@example.com>|"),
        ("<\"pl\\ain\"@example.com>", "<plain@example.com>|"),
        ("<\"\"@example.com>", "<\"\"@example.com>|"),
        ("<@one.example,@two.example:a@b.example>", "<a@b.example>|"),
        ("<o'hara+x/y=z@b.example>", "<o'hara+x/y=z@b.example>|"),
        ("<a@under_score.example>", "<a@under_score.example>|"),
        ("<a@localhost>", "<a@localhost>|"),
        ("<pelé@exämple.com>", "<pelé@exämple.com>|"),
        ("<postmaster@example.com>", "<postmaster@example.com>|"),
    ] {
        assert_eq!(reverse(text).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn the_postmaster_needs_no_domain() {
    assert_eq!(forward("<Postmaster>").as_deref(), Ok("<Postmaster>|"));
    assert_eq!(forward("<pOSTMASTER> X").as_deref(), Ok("<Postmaster>| X"));
    assert_eq!(forward("<Postmaster2>"), Err(PathError::DomainMissing));
    assert_eq!(reverse("<Postmaster>"), Err(PathError::DomainMissing));
    assert_eq!(forward("<>"), Err(PathError::LocalPart));
    assert_eq!("POSTMASTER".parse(), Ok(ForwardPath::Postmaster));
    assert_eq!("".parse(), Ok(ReversePath::Null));
}

#[test]
fn what_is_no_path() {
    use PathError::{Brackets, Domain, DomainMissing, LocalPart, TooLong};
    for (text, error) in [
        ("", Brackets),
        ("a@b.example", Brackets),
        ("<a@b.example", Brackets),
        ("<a>", DomainMissing),
        ("<a@>", DomainMissing),
        ("<@b.example>", Domain),
        ("<@b.example:>", LocalPart),
        ("<@b.example:@c.example:a@d.example>", LocalPart),
        ("<a..b@c.example>", LocalPart),
        ("<.a@c.example>", LocalPart),
        ("<a.@c.example>", LocalPart),
        ("<a b@c.example>", LocalPart),
        ("<a@b@c.example>", Domain),
        ("<\"a@c.example>", LocalPart),
        ("<\"a\"b@c.example>", LocalPart),
        ("<\"a\tb\"@c.example>", LocalPart),
        ("<a@b..example>", Domain),
        ("<a@.example>", Domain),
        ("<a@b.example.>", Domain),
        ("<a@-b.example>", Domain),
        ("<a@b-.example>", Domain),
        ("<a@b c.example>", Domain),
        ("<a@[127.0.0.256]>", Domain),
        ("<a@[127.0.0.1>", Domain),
        ("<a@[::1]>", Domain),
        ("<a@[IPv6:1]>", Domain),
        ("<a@[]>", Domain),
        ("<a@[tag:]>", Domain),
        ("<a@b.example,c@d.example>", Domain),
        ("<a@b\u{3002}example>", Domain),
    ] {
        assert_eq!(reverse(text), Err(error), "{text}");
    }
    let long = format!("<{}@b.example>", "a".repeat(257));
    assert_eq!(reverse(&long), Err(TooLong));
    let quoted = format!("<\"{}\"@b.example>", "a".repeat(257));
    assert_eq!(reverse(&quoted), Err(TooLong));
    let name = vec!["a".repeat(63); 4].join(".");
    assert_eq!(reverse(&format!("<a@{name}.b>")), Err(TooLong));
    assert!(reverse(&format!("<a@{name}>")).is_ok());
    assert_eq!(reverse(&format!("<a@{}.b>", "a".repeat(64))), Err(Domain));
    let route = "@b.example,".repeat(60);
    assert_eq!(
        reverse(&format!("<{route}@c.example:a@d.example>")),
        Err(TooLong)
    );
}

#[test]
fn domains_are_alike_whatever_their_case_and_form() {
    let hasher = RandomState::new();
    for (one, other) in [
        ("a@EXAMPLE.com", "a@example.COM"),
        ("a@\u{212a}elvin.example", "a@kelvin.example"),
        ("a@bücher.example", "a@xn--bcher-kva.example"),
        ("a@BÜCHER.example", "a@XN--BCHER-KVA.example"),
        ("a@[IPv6:2001:DB8:0::1]", "a@[IPV6:2001:db8::1]"),
    ] {
        let (one, other): (Mailbox, Mailbox) = (one.parse().unwrap(), other.parse().unwrap());
        assert_eq!(one, other);
        assert_eq!(hasher.hash_one(&one), hasher.hash_one(&other));
    }
    let upper: Mailbox = "A@example.com".parse().unwrap();
    let lower: Mailbox = "a@example.com".parse().unwrap();
    assert_ne!(upper, lower, "the local-part belongs to its host");
}

#[test]
fn punycode_of_rfc_3492() {
    for (label, encoded) in [
        ("bücher", "bcher-kva"),
        ("ü", "tda"),
        ("他们为什么不说中文", "ihqwcrb4cv8a8dqg056pqjye"),
        (
            "почемужеонинеговорятпорусски",
            "b1abfaaepdrnnbgefbadotcwatmq2g4l",
        ),
        ("3年b組金八先生", "3b-ww4c5e180e575a65lsy2b"),
        ("ليهمابتكلموشعربي؟", "egbpdaj6bu4bxfgehfvwxn"),
    ] {
        assert_eq!(punycode::encode(label), encoded);
    }
}

#[test]
fn local_parts_are_checked() {
    assert_eq!(LocalPart::new("a\nb"), Err(PathError::LocalPart));
    assert_eq!(LocalPart::new("a".repeat(257)), Err(PathError::TooLong));
    let spaced = LocalPart::new("a b").unwrap();
    assert!(spaced.needs_quoting());
    assert_eq!(spaced.to_string(), "\"a b\"");
}

proptest! {
    #[test]
    fn what_is_displayed_is_read_back(local_part in "\\PC{0,40}", domain in "([a-z0-9é]{1,8}\\.){0,3}[a-z]{2,6}") {
        let mailbox = Mailbox { local_part: LocalPart::new(local_part).unwrap(), domain: domain.parse().unwrap() };
        prop_assert_eq!(mailbox.to_string().parse(), Ok(mailbox.clone()));
        let wire = format!("<{mailbox}> X");
        prop_assert_eq!(ForwardPath::parse_prefix(&wire), Ok((ForwardPath::Mailbox(mailbox), " X")));
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[<>@\"\\\\.\\[\\]:,a-zé \\x00-\\x1f]{0,60}") {
        if let Ok((path, rest)) = ReversePath::parse_prefix(&text) {
            prop_assert!(text.ends_with(rest));
            let wire = path.to_wire();
            prop_assert_eq!(ReversePath::parse_prefix(&wire), Ok((path, "")));
            prop_assert!(!wire.chars().any(char::is_control));
        }
    }
}

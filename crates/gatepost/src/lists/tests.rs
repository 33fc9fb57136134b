//! What each kind of entry matches, and which entry wins.

use ipnet::IpNet;

use super::*;

fn patterns(entries: &[&str]) -> Vec<MailboxPattern> {
    entries.iter().map(|entry| entry.parse().unwrap()).collect()
}

fn networks(entries: &[&str]) -> Vec<IpNet> {
    entries.iter().map(|entry| entry.parse().unwrap()).collect()
}

fn found(list: List, field: ListField, entry: &str) -> Option<ListMatch> {
    let entry = entry.to_owned();
    Some(ListMatch { list, field, entry })
}

#[test]
fn patterns_are_read_in_every_form() {
    let domain = |domain: &str| MailboxPattern::Domain(domain.to_owned());
    let below = |domain: &str| MailboxPattern::Below(domain.to_owned());
    for (entry, expected) in [
        ("example.org", domain("example.org")),
        ("@Example.ORG", domain("example.org")),
        ("@bücher.example", domain("xn--bcher-kva.example")),
        ("[192.0.2.1]", domain("[192.0.2.1]")),
        ("*.example.org", below("example.org")),
        ("@*.example.org", below("example.org")),
        ("<>", MailboxPattern::Null),
        (
            "Anna@Example.org",
            MailboxPattern::Address {
                local_part: "anna".into(),
                domain: "example.org".into(),
            },
        ),
        (
            "\"a@b\"@example.org",
            MailboxPattern::Address {
                local_part: "a@b".into(),
                domain: "example.org".into(),
            },
        ),
    ] {
        assert_eq!(entry.parse(), Ok(expected), "{entry}");
    }
    for entry in [
        "",
        "@",
        "*",
        "*.",
        "a b",
        "anna@",
        "a@b c",
        "*.[192.0.2.1]",
        "**.example.org",
        "a@*.example.org",
    ] {
        assert!(entry.parse::<MailboxPattern>().is_err(), "{entry}");
    }
}

#[test]
fn clients_match_the_longest_network() {
    let block = ListSettings {
        client: networks(&[
            "192.0.2.0/24",
            "192.0.2.7/32",
            "2001:db8::/32",
            "2001:db8:1::/48",
            "0.0.0.0/1",
        ]),
        ..ListSettings::default()
    };
    let lists = Lists::new(&ListSettings::default(), &block);
    for (ip, entry) in [
        ("192.0.2.7", Some("192.0.2.7")),
        ("192.0.2.8", Some("192.0.2.0/24")),
        ("::ffff:192.0.2.8", Some("192.0.2.0/24")),
        ("192.0.3.1", None),
        ("10.0.0.1", Some("0.0.0.0/1")),
        ("2001:db8:1::1", Some("2001:db8:1::/48")),
        ("2001:db8:2::1", Some("2001:db8::/32")),
        ("2001:db9::1", None),
        ("::1", None),
    ] {
        let expected = entry.and_then(|entry| found(List::Block, ListField::Client, entry));
        assert_eq!(lists.client(ip.parse().unwrap()), expected, "{ip}");
    }
}

/// Every kind of entry on either list or both, against every kind of mailbox.
#[test]
fn mailboxes_match_the_most_specific_and_allow_wins() {
    let entries = ["anna@a.example", "a.example", "*.example"];
    let mailboxes = [
        "Anna@A.Example",
        "bert@a.example",
        "anna@b.example",
        "anna@example",
        "anna@a.test",
    ];
    let covers = |entry: &str, mailbox: &str| match entry {
        "anna@a.example" => mailbox == "Anna@A.Example",
        "a.example" => mailbox.to_lowercase().ends_with("@a.example"),
        _ => mailbox.to_lowercase().ends_with(".example"),
    };
    for choice in 0..4_usize.pow(3) {
        let on = |bit: usize| {
            let chosen = (0..3)
                .filter(|at| (choice >> (2 * at)) & bit != 0)
                .map(|at| entries[at]);
            chosen.collect::<Vec<_>>()
        };
        let (allow, block) = (on(1), on(2));
        let settings = |entries: &[&str]| ListSettings {
            reverse_path: patterns(entries),
            from: patterns(entries),
            recipient: patterns(entries),
            client: Vec::new(),
        };
        let lists = Lists::new(&settings(&allow), &settings(&block));
        for mailbox in mailboxes {
            let first = |entries: &[&str]| {
                let mut entries = entries.iter();
                entries
                    .find(|entry| covers(entry, mailbox))
                    .map(ToString::to_string)
            };
            let expected = |field| {
                first(&allow)
                    .and_then(|entry| found(List::Allow, field, &entry))
                    .or_else(|| first(&block).and_then(|entry| found(List::Block, field, &entry)))
            };
            let mailbox: Mailbox = mailbox.parse().unwrap();
            assert_eq!(
                lists.from(&mailbox),
                expected(ListField::From),
                "{mailbox} {allow:?} {block:?}"
            );
            assert_eq!(
                lists.reverse_path(&ReversePath::Mailbox(mailbox.clone())),
                expected(ListField::ReversePath)
            );
            assert_eq!(lists.recipient(&mailbox), expected(ListField::Recipient));
        }
    }
}

#[test]
fn kinds_are_kept_apart_and_odd_paths_match_nothing() {
    let block = ListSettings {
        reverse_path: patterns(&["example.org"]),
        ..ListSettings::default()
    };
    let lists = Lists::new(&ListSettings::default(), &block);
    let mailbox: Mailbox = "anna@example.org".parse().unwrap();
    assert_eq!(lists.from(&mailbox), None);
    assert_eq!(lists.recipient(&mailbox), None);
    assert_eq!(lists.reverse_path(&ReversePath::Null), None);
    assert_eq!(
        lists.reverse_path(&ReversePath::Mailbox(mailbox)),
        found(List::Block, ListField::ReversePath, "example.org")
    );
    let allow = ListSettings {
        reverse_path: patterns(&["<>"]),
        ..ListSettings::default()
    };
    let lists = Lists::new(&allow, &block);
    assert_eq!(
        lists.reverse_path(&ReversePath::Null),
        found(List::Allow, ListField::ReversePath, "<>")
    );
}

#[test]
fn a_quoted_local_part_does_not_pass_for_another() {
    let allow = ListSettings {
        from: patterns(&["anna@example.org", "\"a b\"@example.org"]),
        ..ListSettings::default()
    };
    let lists = Lists::new(&allow, &ListSettings::default());
    let from = |mailbox: &str| lists.from(&mailbox.parse().unwrap());
    assert_eq!(from("\"anna@example.org\"@evil.example"), None);
    assert_eq!(
        from("\"anna\"@example.org"),
        found(List::Allow, ListField::From, "anna@example.org")
    );
    assert_eq!(
        from("\"A B\"@example.org"),
        found(List::Allow, ListField::From, "\"a b\"@example.org")
    );
}

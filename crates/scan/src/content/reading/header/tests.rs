use bytes::Bytes;
use proptest::prelude::*;

use super::{FIELDS_MAX, HeaderFacts};
use crate::content::reading::fold::FoldFacts;
use crate::message::Message;

fn header(text: &str) -> HeaderFacts {
    let message = Message::new(Bytes::from(format!(
        "{}\r\n\r\nbody",
        text.replace('\n', "\r\n")
    )));
    HeaderFacts::of(&message, &mut FoldFacts::default())
}

#[test]
fn a_plain_letter_has_nothing_odd() {
    let facts = header(
        "Received: from a.example by b.example; Tue, 1 Jul 2003 10:52:37 +0200
Date: Tue, 1 Jul 2003 10:52:07 +0200
From: =?utf-8?q?J=C3=BCrgen_Roe?= <Roe@Mail.Example.COM>
To: ann@example.org, Bob <bob@example.net>
Message-ID: <1234.5678@mail.example.com>
X-Mailer: Thing 1.0
Subject: hello",
    );
    let from = facts.from.first().expect("From");
    assert_eq!(from.name.as_deref(), Some("Jürgen Roe"));
    assert_eq!(from.address.as_deref(), Some("roe@mail.example.com"));
    assert_eq!(from.registrable.as_deref(), Some("example.com"));
    assert_eq!(from.local_part(), Some("roe"));
    assert_eq!(facts.to.len(), 2);
    assert_eq!(facts.message_id_domain.as_deref(), Some("mail.example.com"));
    assert!(!facts.is_message_id_malformed && !facts.is_date_malformed);
    assert_eq!(facts.date_skew(None), Some(-30));
    assert_eq!(facts.zone_minutes, Some(120));
    assert_eq!(facts.mailer.as_deref(), Some("Thing 1.0"));
    assert_eq!((facts.received, facts.repeated), (1, 0));
    assert_eq!(
        (facts.name_address.as_deref(), facts.name_brand),
        (None, None)
    );
    assert!(!facts.is_bulk());
}

#[test]
fn names_that_claim_another_address() {
    for (from, claimed) in [
        (
            "\"service@bank.com\" <x@evil.example>",
            Some("service@bank.com"),
        ),
        (
            "\"Bank (service@bank.com)\" <x@evil.example>",
            Some("service@bank.com"),
        ),
        ("\"X@Evil.example\" <x@evil.example>", None),
        ("\"y@www.evil.example\" <x@evil.example>", None),
        ("\"me@home\" <x@evil.example>", None),
        ("x@evil.example", None),
    ] {
        let facts = header(&format!("From: {from}"));
        assert_eq!(facts.name_address.as_deref(), claimed, "{from}");
    }
}

#[test]
fn names_that_claim_a_company() {
    for (from, brand) in [
        ("PayPal Service <x@evil.example>", Some("paypal")),
        ("\"P\u{430}yPal\" <x@evil.example>", Some("paypal")),
        ("PayPal <service@paypal.de>", None),
        ("Office 365 <x@microsoft.com>", None),
        (
            "Bank of America Alerts <x@evil.example>",
            Some("bank of america"),
        ),
        ("Amazonia Tours <x@evil.example>", None),
        ("Ann Apple <ann@evil.example>", None),
    ] {
        assert_eq!(header(&format!("From: {from}")).name_brand, brand, "{from}");
    }
}

#[test]
fn identifiers_and_dates_that_are_none() {
    for id in ["", "abc", "<abc>", "<@b>", "<a@>", "<a b@c>"] {
        assert!(
            header(&format!("Message-ID: {id}")).is_message_id_malformed,
            "{id}"
        );
    }
    for date in ["", "yesterday", "Tue, 99 Foo 2003"] {
        let facts = header(&format!("Date: {date}"));
        assert!(facts.is_date_malformed && facts.date.is_none(), "{date}");
    }
}

#[test]
fn fields_are_counted_and_compared() {
    let one = header("From: a@example.org\nSubject: x\nSubject: y\nReceived: z");
    let other = header("Received: q\nReceived: r\nFrom: b@example.org\nSubject: x\nsubject: q");
    assert_eq!(one.repeated, 1);
    assert_eq!(one.order, other.order);
    assert_ne!(one.order, header("Subject: x\nFrom: a@example.org").order);
    assert_eq!(one.values("subject").collect::<Vec<_>>(), ["x", "y"]);
}

#[test]
fn fields_are_bounded() {
    let many = header(&"A: b\n".repeat(3 * FIELDS_MAX));
    assert_eq!(many.fields.len(), FIELDS_MAX);
}

proptest! {
    #[test]
    fn any_header_is_read(text in "((From|To|Date|Message-ID|Received|Subject|Sender): [ -~é\u{200b}]{0,40}\n){0,6}") {
        let facts = header(&text);
        prop_assert!(facts.fields.len() <= 6);
    }
}

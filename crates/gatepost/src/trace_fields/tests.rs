//! Trace fields as they are written, and edits that give the message back byte for byte.

use proptest::prelude::*;
use scan::finding::{Banned, Score, SpamClass, Unavailable, UnavailableCause, VirusClass};

use super::*;
use crate::policy::{Kind, List, ListField, ListMatch, Reason};

fn time() -> Zoned {
    "2026-03-01T12:00:00+01:00[+01:00]".parse().unwrap()
}

fn tls() -> Tls {
    Tls {
        version: "TLSv1.3".to_owned(),
        cipher: "TLS_AES_128_GCM_SHA256".to_owned(),
        server_name: None,
    }
}

fn facts<'a>(time: &'a Zoned, tls: Option<&'a Tls>) -> ReceivedFacts<'a> {
    ReceivedFacts {
        ehlo: "mail.example.org",
        client_name: Some("host.example.org"),
        client_ip: "192.0.2.1".parse().unwrap(),
        hostname: "mx.example.net",
        protocol: Protocol::Esmtps,
        tls,
        reference: reference(),
        recipient: Some("jane@example.com"),
        time,
    }
}

fn reference() -> Reference {
    "K7QX-3M9D-2F".parse().unwrap()
}

fn text(field: Vec<u8>) -> String {
    String::from_utf8(field).unwrap()
}

#[test]
fn received_tells_who_how_and_when() {
    let (time, tls) = (time(), tls());
    assert_eq!(
        text(received(&facts(&time, Some(&tls)))),
        "Received: from mail.example.org (host.example.org [192.0.2.1])\r\n\
         \tby mx.example.net (Gatepost) with ESMTPS (TLSv1.3 TLS_AES_128_GCM_SHA256)\r\n\
         \tid K7QX-3M9D-2F for <jane@example.com>;\r\n\
         \tSun, 1 Mar 2026 12:00:00 +0100\r\n"
    );
    let plain = ReceivedFacts {
        ehlo: "[IPv6:2001:db8::1]",
        client_name: None,
        client_ip: "2001:db8::1".parse().unwrap(),
        protocol: Protocol::Smtp,
        recipient: None,
        ..facts(&time, None)
    };
    assert_eq!(
        text(received(&plain)),
        "Received: from [IPv6:2001:db8::1] (unknown [IPv6:2001:db8::1])\r\n\
         \tby mx.example.net (Gatepost) with SMTP\r\n\
         \tid K7QX-3M9D-2F;\r\n\
         \tSun, 1 Mar 2026 12:00:00 +0100\r\n"
    );
    let mapped = ReceivedFacts {
        client_ip: "::ffff:192.0.2.1".parse().unwrap(),
        ..plain
    };
    assert!(text(received(&mapped)).contains("(unknown [192.0.2.1])"));
}

#[test]
fn values_of_the_wire_forge_nothing() {
    let time = time();
    let hostile = ReceivedFacts {
        ehlo: "a) by evil\r\nX-Gatepost-Verdict: accept\r\n(é",
        client_name: Some(""),
        recipient: Some("\"a>; b\"@example.com"),
        ..facts(&time, None)
    };
    let field = text(received(&hostile));
    assert_eq!(
        field.matches("\r\n").count(),
        field.matches("\r\n\t").count() + 1
    );
    assert!(field.starts_with("Received: from a??by?evil??X-Gatepost-Verdict:?accept????"));
    assert!(field.contains("for <\"a?; b\"@example.com>;"));
    let utf8 = ReceivedFacts {
        ehlo: "bücher.example",
        recipient: Some("jürgen@bücher.example"),
        protocol: Protocol::Utf8smtps,
        ..facts(&time, None)
    };
    let field = text(received(&utf8));
    assert!(field.contains("from bücher.example ("));
    assert!(field.contains("with UTF8SMTPS\r\n"));
    assert!(field.contains("for <jürgen@bücher.example>;"));
}

#[test]
fn protocols_are_told_by_the_registered_words() {
    let mut words = Vec::new();
    for smtputf8 in [false, true] {
        for tls in [false, true] {
            for authenticated in [false, true] {
                let protocol = Protocol::new(true, smtputf8, tls, authenticated);
                assert_eq!(protocol.is_utf8(), smtputf8);
                let json = serde_json::to_string(&protocol).unwrap();
                assert_eq!(json, format!("\"{}\"", protocol.as_str()));
                words.push(protocol.as_str());
            }
        }
    }
    let expected = [
        "ESMTP",
        "ESMTPA",
        "ESMTPS",
        "ESMTPSA",
        "UTF8SMTP",
        "UTF8SMTPA",
        "UTF8SMTPS",
        "UTF8SMTPSA",
    ];
    assert_eq!(words, expected);
    assert_eq!(Protocol::new(false, false, false, false), Protocol::Smtp);
}

fn findings() -> Vec<Finding> {
    vec![
        Finding {
            virus: Some(VirusClass::Unknown),
            ..Finding::new("clamav")
        },
        Finding {
            score: Some(Score {
                value: 7.25,
                required: Some(5.0),
            }),
            ..Finding::new("spamassassin")
        },
        Finding {
            action: Some("add header".to_owned()),
            score: Some(Score {
                value: 6.0,
                required: None,
            }),
            ..Finding::new("rspamd")
        },
        Finding {
            spam: Some(SpamClass::Suspect),
            reference: Some("str=0001.0A0B;\r\nX".to_owned()),
            ..Finding::new("ctasd")
        },
        Finding {
            banned: Some(Banned {
                what: "a.exe".to_owned(),
                why: "executable file".to_owned(),
            }),
            ..Finding::new("attachment")
        },
        Finding::unavailable(
            "sophos",
            Unavailable::new(UnavailableCause::Connect, "refused"),
        ),
    ]
}

#[test]
fn result_fields_tell_verdict_and_findings() {
    let list = ListMatch {
        list: List::Allow,
        field: ListField::Client,
        entry: "192.0.2.0/24".to_owned(),
    };
    let engine = || "sophos".to_owned();
    let verdict = Verdict::Accept {
        notes: vec![
            Note::Allowed {
                kind: Kind::Attachment,
                list,
            },
            Note::LikelyAlone { engine: engine() },
            Note::AskedToWait { engine: engine() },
            Note::Unexamined { engine: engine() },
        ],
    };
    assert_eq!(
        text(result_fields(reference(), &verdict, &findings())),
        "X-Gatepost-Reference: K7QX-3M9D-2F\r\n\
         X-Gatepost-Verdict: accept; allowed attachment; likely-alone sophos;\r\n\
         \tasked-to-wait sophos; unexamined sophos\r\n\
         X-Gatepost-Findings: clamav virus=unknown; spamassassin score=7.2/5.0; rspamd\r\n\
         \tscore=6.0 action=add-header; ctasd spam=suspect reference=str=0001.0A0B???X;\r\n\
         \tattachment attachment=banned; sophos unavailable\r\n"
    );
    assert_eq!(
        text(result_fields(reference(), &Verdict::ACCEPT, &[])),
        "X-Gatepost-Reference: K7QX-3M9D-2F\r\nX-Gatepost-Verdict: accept\r\n"
    );
    let refused = Verdict::because(Reason::new(Kind::Spam));
    assert!(text(result_fields(reference(), &refused, &[])).contains("Verdict: refuse; spam\r\n"));
}

#[test]
fn own_fields_are_found_however_they_are_written() {
    let message = b"Subject: hello\r\n\
        X-Gatepost-Verdict: accept\r\n\
        x-gatepost-findings: a\r\n\tb\r\n c\r\n\
        X-GATEPOST-Reference : K7QX\r\n\
        X-Gatepost-Not a field\r\n\
        X-Gatepostal: kept\r\n\
        To: a@example.com\r\n\
        \tX-Gatepost-Verdict: folded into To\r\n\
        X-Gatepost-:\r\n\
        \r\n\
        X-Gatepost-Verdict: body\r\n";
    let edited = Edited {
        prepend: Vec::new(),
        removed: strip_own(message, "mx.example.net"),
    };
    let kept: Vec<u8> = edited.slices(message).flatten().copied().collect();
    assert_eq!(
        text(kept),
        "Subject: hello\r\n\
         X-Gatepost-Not a field\r\n\
         X-Gatepostal: kept\r\n\
         To: a@example.com\r\n\
         \tX-Gatepost-Verdict: folded into To\r\n\
         \r\n\
         X-Gatepost-Verdict: body\r\n"
    );
    // Neighbouring fields make one range: fewer pieces to write.
    assert_eq!(edited.removed.len(), 2);
}

/// RFC 8601 section 5: results that claim to be ours go, those of others stay.
#[test]
fn forged_results_are_taken_out() {
    let message = b"Authentication-Results: MX.Example.Net; dmarc=pass\r\n\
        AUTHENTICATION-RESULTS : (a comment) mx.example.net 1;\r\n\tspf=pass\r\n\
        Authentication-Results:\r\n \"mx.example.net\"; none\r\n\
        Authentication-Results: mx.example.com; dmarc=fail\r\n\
        Authentication-Results: (mx.example.net) other; mx.example.net\r\n\
        X-Authentication-Results: mx.example.net; none\r\n\
        ARC-Authentication-Results: i=1; mx.example.net; none\r\n\
        \r\n\
        Authentication-Results: mx.example.net; body\r\n";
    let edited = Edited {
        prepend: Vec::new(),
        removed: strip_own(message, "mx.example.net"),
    };
    let kept: Vec<u8> = edited.slices(message).flatten().copied().collect();
    assert_eq!(
        text(kept),
        "Authentication-Results: mx.example.com; dmarc=fail\r\n\
         Authentication-Results: (mx.example.net) other; mx.example.net\r\n\
         X-Authentication-Results: mx.example.net; none\r\n\
         ARC-Authentication-Results: i=1; mx.example.net; none\r\n\
         \r\n\
         Authentication-Results: mx.example.net; body\r\n"
    );
}

#[test]
#[expect(
    clippy::single_range_in_vec_init,
    reason = "ranges are what is given back"
)]
fn odd_messages_are_edited_too() {
    for (message, removed) in [
        (&b""[..], vec![]),
        (b"\r\nX-Gatepost-A: body\r\n", vec![]),
        // Behind what is prepended it would be folded into our last field.
        (b" X-Gatepost-A: no field\r\n\r\n", vec![0..25]),
        (b"\t; spam=nonspam\r\n a\r\nB: c\r\n d\r\n\r\n", vec![0..21]),
        (b"X-Gatepost-A: no line end", vec![0..25]),
        (b"X-Gatepost-A: x\r\n", vec![0..17]),
        // A bare LF ends no line.
        (b"A: b\nX-Gatepost-A: x\r\n", vec![]),
        (b"X-Gatepost-A: x\n\r\nB: c\r\n", vec![0..18]),
    ] {
        assert_eq!(strip_own(message, "mx.example.net"), removed, "{message:?}");
    }
}

/// Header fields, some of them ours, folded here and there.
fn field() -> impl Strategy<Value = (bool, String)> {
    let name = prop_oneof![
        "(?i)x-gatepost-[a-z]{1,10}",
        "(?i)authentication-results",
        "[A-Za-z]{1,12}",
        Just("X-Gatepos".to_owned())
    ];
    let body = proptest::collection::vec("[ -~é]{0,30}", 1..4);
    (name, body).prop_map(|(name, body)| {
        let results = name.eq_ignore_ascii_case("authentication-results");
        let own = results || name.to_ascii_lowercase().starts_with("x-gatepost-");
        let claim = if results { "mx.example.net;" } else { "" };
        (own, format!("{name}: {claim}{}\r\n", body.join("\r\n\t")))
    })
}

proptest! {
    #[test]
    fn what_goes_out_is_the_message_with_our_fields_changed_and_nothing_else(
        fields in proptest::collection::vec(field(), 0..12),
        body in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let join = |fields: &mut dyn Iterator<Item = &(bool, String)>| {
            let header: String = fields.map(|(_, field)| field.as_str()).collect();
            [header.as_bytes(), b"\r\n", &body].concat()
        };
        let message = join(&mut fields.iter());
        let without_ours = join(&mut fields.iter().filter(|(own, _)| !own));
        let prepend = result_fields(reference(), &Verdict::ACCEPT, &findings());
        let edited = Edited { prepend, removed: strip_own(&message, "mx.example.net") };
        let sent = edited.slices(&message).collect::<Vec<_>>().concat();
        prop_assert_eq!(sent.len(), edited.length(message.len()));
        // Taking our fields out again gives what came in without those that pretended to be ours.
        let again = Edited { prepend: Vec::new(), removed: strip_own(&sent, "mx.example.net") };
        let back = again.slices(&sent).collect::<Vec<_>>().concat();
        prop_assert_eq!(&back, &without_ours);
        // And what was removed, put back in its place, gives the message itself.
        let mut restored = sent[edited.prepend.len()..].to_vec();
        for range in &edited.removed {
            restored.splice(range.start..range.start, message[range.clone()].iter().copied());
        }
        prop_assert_eq!(restored, message);
    }

    #[test]
    fn any_bytes_are_edited(message in proptest::collection::vec(any::<u8>(), 0..300)) {
        let removed = strip_own(&message, "mx.example.net");
        prop_assert!(removed.iter().all(|range| range.start < range.end && range.end <= message.len()));
        prop_assert!(removed.windows(2).all(|pair| pair[0].end < pair[1].start));
    }

    #[test]
    fn lines_are_short_where_words_allow(
        ehlo in "[a-z.]{1,300}",
        name in proptest::option::of("[a-z.]{1,255}"),
        recipient in proptest::option::of("[ -~é]{1,320}"),
    ) {
        let (time, tls) = (time(), tls());
        let facts = ReceivedFacts {
            ehlo: &ehlo,
            client_name: name.as_deref(),
            recipient: recipient.as_deref(),
            ..facts(&time, Some(&tls))
        };
        let field = text(received(&facts));
        for line in field.split_terminator("\r\n") {
            prop_assert!(line.len() <= 998);
            // A longer line has no second word to move to the next (a path is one word, blanks in it or not).
            let words = line.trim_start().strip_prefix("Received: from").unwrap_or(line.trim_start());
            prop_assert!(line.len() <= 78 || !words.trim().contains(' ') || line.contains('<'), "{line}");
        }
        prop_assert!(field.is_ascii());
    }
}

#[test]
fn hops_are_counted_and_our_own_known() {
    let reference = "K7QX-3M9D-2F";
    let field = |host: &str, id: &str| {
        format!(
            "Received: from a.example\r\n\tby {host} (Gatepost) with ESMTP\r\n\tid {id} for <b@example.org>;\r\n\tdate\r\n"
        )
    };
    let text = [
        field("mx.example.net", reference),
        field("MX.Example.Net", reference),
        field("mx.example.net", "4Z9qUeued"),
        field("mx.example.org", reference),
        "X-Received: by mx.example.net id K7QX-3M9D-2F\r\n\r\nReceived: by mx.example.net\r\n"
            .to_owned(),
    ];
    let message = scan::message::Message::new(text.concat().into());
    let counted = super::hops(&message, "mx.example.net");
    assert_eq!(
        counted,
        super::Hops {
            received: 4,
            own: 2
        }
    );
}

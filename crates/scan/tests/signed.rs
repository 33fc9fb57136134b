//! Messages that a signer of our own signs in every form, as they are and mutated, and what each must come to: DKIM (RFC 6376,
//! RFC 8301, RFC 8463) and ARC (RFC 8617). The suite beside it (`src/auth/tests.rs`) has messages of another implementation.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

#[path = "signed/chains.rs"]
mod chains;
#[path = "signed/signer.rs"]
mod signer;

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use net::network::NetworkSet;
use net::resolver::Resolver;
use scan::auth::facts::{Authentication, DkimResult, DmarcResult};
use scan::auth::{Auth, AuthSettings};
use scan::engine::Engine;
use scan::finding::Finding;
use scan::message::Message;
use scan::specimen::Specimen;
use signer::{Key, Recipe};
use smtp::ReversePath;

use DkimResult::{Fail, Neutral, Pass, Permerror, Policy, Temperror};

const NAMES: &str = "from:to:subject:date:message-id";
const MESSAGE: &str = "From: Ann <ann@one.example>\r\nTo: bob@two.example,\r\n\tcarol@two.example\r\nSubject:  A  message\r\n\
    Date: Mon, 23 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@one.example>\r\nX-Free: unsigned\r\n\r\n\
    First  line\r\n\tSecond line \r\n\r\nLast line\r\n\r\n";
/// An RSA key of 512 bits.
const SHORT: &str = "MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAN3oIcNLvfxyLZ/qFnYYzi0k2PWT0EdQaOntBx9GmtguDVIUlBsI7Yd+e3ndZcJTXAGtH2OJHr4WtxlUb0i1tgUCAwEAAQ==";

fn recipe(key: &Key) -> Recipe<'_> {
    Recipe {
        key,
        form: "relaxed/relaxed",
        selector: match key {
            Key::Rsa(_) => "rsa",
            Key::Ed25519(_) => "ed",
        },
        names: NAMES,
        hashed: None,
        tags: "",
    }
}

/// As character strings of 200 bytes, since one has 255 at most.
fn record(selector: &str, text: &str) -> String {
    let parts: Vec<String> = text
        .as_bytes()
        .chunks(200)
        .map(|part| format!("\"{}\"", String::from_utf8_lossy(part)))
        .collect();
    format!(
        "{selector}._domainkey.one.example TXT {}\n",
        parts.join(" ")
    )
}

fn zone() -> String {
    let (rsa, ed) = (Key::rsa().public(), Key::ed25519().public());
    [
        record("rsa", &format!("v=DKIM1; {rsa}")),
        record("ed", &format!("v=DKIM1; {ed}")),
        record("bare", &rsa),
        record("strict", &format!("v=DKIM1; t=s; {rsa}")),
        record("test", &format!("v=DKIM1; t=y; {rsa}")),
        record("noted", &format!("v=DKIM1; n=a note; x_new=1; g=*; {rsa}")),
        record("revoked", "v=DKIM1; k=rsa; p="),
        record("short", &format!("v=DKIM1; k=rsa; p={SHORT}")),
        record(
            "wrongkind",
            &format!("v=DKIM1; {}", rsa.replace("k=rsa", "k=ed25519")),
        ),
        record(
            "otherkind",
            &format!("v=DKIM1; {}", ed.replace("k=ed25519", "k=rsa")),
        ),
        record(
            "unknown",
            &format!("v=DKIM1; {}", rsa.replace("k=rsa", "k=dilithium")),
        ),
        record("late", &format!("{rsa}; v=DKIM1")),
        record("tls", &format!("v=DKIM1; s=tlsrpt; {rsa}")),
        record("sha1", &format!("v=DKIM1; h=sha1; {rsa}")),
        record("two", "v=spf1 -all"),
        record("two", &format!("v=DKIM1; {rsa}")),
        "away._domainkey.one.example SERVFAIL\n".to_owned(),
        "_dmarc.one.example TXT \"v=DMARC1; p=reject\"\n".to_owned(),
    ]
    .concat()
}

fn facts(message: &str) -> Authentication {
    let facts = finding(message).authentication.unwrap();
    Authentication::clone(&facts)
}

fn finding(message: &str) -> Finding {
    let engine = Auth::new(AuthSettings {
        name: "auth".to_owned(),
        resolver: Resolver::zone(&zone()).unwrap(),
        trusted_sealers: Vec::new(),
        trusted_forwarders: NetworkSet::default(),
        trusted_lists: Vec::new(),
    });
    let specimen = Specimen {
        reference: "TEST-REFE-1".to_owned(),
        message: Message::new(Bytes::copy_from_slice(message.as_bytes())),
        client_ip: "203.0.113.9".parse().unwrap(),
        client_name: None,
        helo: "mx.other.example".to_owned(),
        reverse_path: ReversePath::Null,
        recipients: Vec::new(),
        authenticated_as: None,
        authentication: Arc::default(),
        hostname: "mx.gateway.example".to_owned(),
        received: Vec::new(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    runtime
        .block_on(engine.examine(Arc::new(specimen)))
        .unwrap()
}

#[track_caller]
fn assert_signature(message: &str, wanted: DkimResult, why: &str, what: &str) {
    let found = facts(message).dkim;
    let [fact] = found.as_slice() else {
        panic!("{what}: {found:?}");
    };
    let problem = fact.problem.as_deref().unwrap_or_default();
    assert!(
        fact.result == wanted && problem.contains(why) && (wanted == Pass) == problem.is_empty(),
        "{what}: {fact:?}, not {wanted:?} for {why:?}\n{message}"
    );
}

fn replaced(message: &str, old: &str, new: &str) -> String {
    assert!(message.contains(old), "{old:?} is not in {message}");
    message.replacen(old, new, 1)
}

/// What part of a message a change is in, and whether its relaxed form hides it.
#[derive(Clone, Copy, PartialEq)]
enum Change {
    Nothing,
    Field { hidden: bool },
    Body { hidden: bool },
    Both,
}

/// Every form with both algorithms; a change shows where it should, and nowhere else.
#[test]
fn every_form_shows_what_it_should() {
    use Change::{Body, Both, Field, Nothing};
    let changes = [
        ("X-Free: unsigned", "X-Free: other", Nothing),
        ("X-Free: unsigned\r\n", "", Nothing),
        ("From: Ann", "Received: from here\r\nFrom: Ann", Nothing),
        ("Last line\r\n\r\n", "Last line\r\n", Nothing),
        ("Last line\r\n\r\n", "Last line\r\n\r\n\r\n\r\n", Nothing),
        // Another order of fields of different names is no change.
        (
            "Date: Mon, 23 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@one.example>",
            "Message-ID: <1@one.example>\r\nDate: Mon, 23 Nov 2026 10:00:00 +0000",
            Nothing,
        ),
        (
            "Subject:  A  message",
            "subject: A message",
            Field { hidden: true },
        ),
        (
            "Subject:  A  message",
            "Subject:  A\r\n  message",
            Field { hidden: true },
        ),
        (
            "Subject:  A  message",
            "Subject:  A  message  ",
            Field { hidden: true },
        ),
        (
            "To: bob@two.example,\r\n\tcarol",
            "To: bob@two.example, carol",
            Field { hidden: true },
        ),
        (
            "Subject:  A  message",
            "Subject:  Amessage",
            Field { hidden: false },
        ),
        (
            "Subject:  A  message",
            "Subject:  A  Message",
            Field { hidden: false },
        ),
        (
            "ann@one.example>\r\n",
            "eve@one.example>\r\n",
            Field { hidden: false },
        ),
        (
            "Message-ID: <1@one.example>\r\n",
            "",
            Field { hidden: false },
        ),
        // Another field of a signed name below is the one that counts (RFC 6376 section 5.4.2).
        (
            "X-Free: unsigned",
            "Subject: another",
            Field { hidden: false },
        ),
        ("First  line", "First line", Body { hidden: true }),
        ("Second line \r\n", "Second line\r\n", Body { hidden: true }),
        ("\tSecond", " Second", Body { hidden: true }),
        ("\tSecond", "Second", Body { hidden: false }),
        ("Last line", "Last  Line", Body { hidden: false }),
        ("line \r\n\r\nLast", "line \r\nLast", Body { hidden: false }),
        (
            "Last line\r\n\r\n",
            "Last line\r\n\r\nBuy now\r\n",
            Body { hidden: false },
        ),
        (
            "Message-ID: <1@one.example>\r\nX-Free: unsigned\r\n\r\nFirst",
            "X-Free: unsigned\r\n\r\nSecond",
            Both,
        ),
    ];
    for key in [Key::rsa(), Key::ed25519()] {
        for form in [
            "simple/simple",
            "simple/relaxed",
            "relaxed/simple",
            "relaxed/relaxed",
        ] {
            let signed = Recipe {
                form,
                ..recipe(&key)
            }
            .sign(MESSAGE);
            assert_signature(&signed, Pass, "", form);
            let (header, body) = form.split_once('/').unwrap();
            for (old, new, change) in changes {
                // A relaxed empty line at the end that has a blank is as one without.
                let (wanted, why) = match change {
                    Nothing => (Pass, ""),
                    Field { hidden: true } if header == "relaxed" => (Pass, ""),
                    Body { hidden: true } if body == "relaxed" => (Pass, ""),
                    Field { .. } => (Fail, "does not fit the header fields"),
                    Body { .. } | Both => (Fail, "the body was changed"),
                };
                let what = format!("{form}: {old:?} to {new:?}");
                assert_signature(&replaced(&signed, old, new), wanted, why, &what);
            }
        }
    }
}

/// Header sections and bodies that have next to nothing.
#[test]
fn empty_messages_are_signed_too() {
    let key = Key::ed25519();
    for form in ["simple/simple", "relaxed/relaxed"] {
        for body in ["", "\r\n", "\r\n\r\n"] {
            let message = format!("From: ann@one.example\r\n\r\n{body}");
            let signed = Recipe {
                form,
                names: "from",
                ..recipe(&key)
            }
            .sign(&message);
            assert_signature(&signed, Pass, "", &format!("{form} {body:?}"));
            assert_signature(&format!("{signed}x"), Fail, "the body was changed", form);
        }
    }
}

#[test]
fn what_a_signature_says_of_itself_counts() {
    let key = Key::rsa();
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let (past, future) = (now - 3600, now + 3600);
    let whole = "First line\r\n Second line\r\n\r\nLast line\r\n".len();
    let cases = [
        (NAMES, None, "l=WHOLE;".to_owned(), Pass, ""),
        (
            NAMES,
            Some(10),
            "l=10;".to_owned(),
            Policy,
            "bytes of the body are not signed (l=)",
        ),
        (
            NAMES,
            Some(0),
            "l=0;".to_owned(),
            Policy,
            "bytes of the body are not signed (l=)",
        ),
        (
            NAMES,
            None,
            "l=9999;".to_owned(),
            Fail,
            "the body is shorter",
        ),
        (
            NAMES,
            None,
            "l=-1;".to_owned(),
            Neutral,
            "the tag l= is no number",
        ),
        (NAMES, None, format!("t={past};"), Pass, ""),
        // RFC 6376 section 3.5 allows to ignore such a signature, which clocks that go wrong would make of many.
        (NAMES, None, format!("t={future};"), Pass, ""),
        (NAMES, None, format!("x={future};"), Pass, ""),
        (NAMES, None, format!("t={past}; x={future};"), Pass, ""),
        (NAMES, None, format!("x={past};"), Neutral, "it has expired"),
        (
            NAMES,
            None,
            format!("t={future}; x={past};"),
            Permerror,
            "it expires before it was made",
        ),
        (
            NAMES,
            None,
            "x=tomorrow;".to_owned(),
            Neutral,
            "the tag x= is no number",
        ),
        (NAMES, None, "i=@one.example;".to_owned(), Pass, ""),
        (NAMES, None, "i=ann@mail.one.example;".to_owned(), Pass, ""),
        (
            NAMES,
            None,
            "i=ann@badone.example;".to_owned(),
            Permerror,
            "its identity (i=)",
        ),
        (NAMES, None, "q=dns/txt;".to_owned(), Pass, ""),
        (NAMES, None, "z=From:x|To:y; x_new=1;".to_owned(), Pass, ""),
        ("From : TO:subject", None, String::new(), Pass, ""),
        (
            "to:subject:date",
            None,
            String::new(),
            Permerror,
            "does not sign the field From",
        ),
        // The signature's own name there means another one (RFC 6376 section 3.7).
        ("from:dkim-signature", None, String::new(), Pass, ""),
        // More than there are: that none can be added.
        (
            "from:from:to:to:cc:subject:subject",
            None,
            String::new(),
            Pass,
            "",
        ),
    ];
    for (names, hashed, tags, wanted, why) in cases {
        let tags = tags.replace("WHOLE", &whole.to_string());
        let signed = Recipe {
            names,
            hashed,
            tags: &tags,
            ..recipe(&key)
        }
        .sign(MESSAGE);
        assert_signature(&signed, wanted, why, &format!("{names} {tags}"));
    }
    // What is appended behind l= is never as good as signed (RFC 6376 section 8.2).
    let tags = format!("l={whole};");
    let signed = Recipe {
        tags: &tags,
        ..recipe(&key)
    }
    .sign(MESSAGE);
    assert_signature(
        &format!("{signed}Buy now\r\n"),
        Policy,
        "are not signed (l=)",
        "appended",
    );
}

#[test]
fn what_is_published_counts() {
    let (rsa, ed) = (Key::rsa(), Key::ed25519());
    let cases = [
        (&rsa, "bare", "", Pass, ""),
        (&rsa, "test", "", Pass, ""),
        (&rsa, "noted", "", Pass, ""),
        (&rsa, "two", "", Pass, ""),
        (&rsa, "RSA", "", Pass, ""),
        (&rsa, "strict", "i=ann@one.example;", Pass, ""),
        (
            &rsa,
            "strict",
            "i=ann@mail.one.example;",
            Permerror,
            "not for domains below",
        ),
        (&rsa, "revoked", "", Permerror, "the key is revoked"),
        (&rsa, "short", "", Policy, "the key has 512 bits"),
        (&rsa, "wrongkind", "", Permerror, "no Ed25519 key"),
        (&ed, "otherkind", "", Permerror, "no RSA key"),
        (
            &ed,
            "rsa",
            "",
            Permerror,
            "of another kind than the signature",
        ),
        (&rsa, "unknown", "", Permerror, "of an unknown kind"),
        (&rsa, "late", "", Permerror, "of another version"),
        (&rsa, "tls", "", Permerror, "not for e-mail"),
        (&rsa, "sha1", "", Permerror, "not for SHA-256"),
        (&rsa, "none", "", Permerror, "there is no key at"),
        (&rsa, "away", "", Temperror, "away._domainkey.one.example"),
        (&rsa, "not a name", "", Permerror, "no domain name"),
    ];
    for (key, selector, tags, wanted, why) in cases {
        let signed = Recipe {
            selector,
            tags,
            ..recipe(key)
        }
        .sign(MESSAGE);
        assert_signature(&signed, wanted, why, selector);
    }
}

/// Whoever adds an author must not have the word of whoever signed for another one (RFC 6376 section 8.15).
#[test]
fn a_second_author_is_not_authenticated_by_the_signature_of_the_first() {
    let key = Key::rsa();
    let added = "From: Eve <eve@bank.example>\r\n";
    let signed = recipe(&key).sign(MESSAGE);
    assert_eq!(facts(&signed).dmarc.unwrap().result, DmarcResult::Pass);
    let names = "from:from:to:subject";
    let oversigned = Recipe {
        names,
        ..recipe(&key)
    }
    .sign(MESSAGE);
    assert_signature(&oversigned, Pass, "", "oversigned");
    // Above, the signature does not see it; below, it takes it for the one that was signed.
    assert_signature(&format!("{added}{signed}"), Pass, "", "above");
    assert_signature(
        &format!("{added}{oversigned}"),
        Fail,
        "header fields",
        "oversigned",
    );
    let below = replaced(&signed, "X-Free: unsigned\r\n", added);
    assert_signature(&below, Fail, "header fields", "below");
    for forged in [format!("{added}{signed}"), below] {
        let facts = facts(&forged);
        // Of two authors the one that fares worse counts.
        assert_ne!(facts.dmarc.unwrap().result, DmarcResult::Pass, "{forged}");
    }
}

#[test]
fn one_good_signature_of_several_is_enough() {
    let (rsa, ed) = (Key::rsa(), Key::ed25519());
    let good = recipe(&ed).sign(MESSAGE);
    let revoked = Recipe {
        selector: "revoked",
        ..recipe(&rsa)
    };
    let other = Recipe {
        selector: "none",
        ..recipe(&rsa)
    };
    let message = revoked.sign(&other.sign(&good));
    let message = replaced(&message, "v=1; d=one.example;", "v=1; v=2; d=one.example;");
    let found = facts(&message);
    let results: Vec<DkimResult> = found.dkim.iter().map(|fact| fact.result).collect();
    assert_eq!(results, [Neutral, Permerror, Pass]);
    assert_eq!(
        found.authenticated_domains().collect::<Vec<_>>(),
        ["one.example"]
    );
    assert_eq!(found.dmarc.unwrap().result, DmarcResult::Pass);
    // Both algorithms, as RFC 8463 section 3 has it for the time in which not all know the new one.
    let both = recipe(&rsa).sign(&good);
    assert!(facts(&both).dkim.iter().all(|fact| fact.result == Pass));
}

/// Of fifty, ten are looked at from the top: a good one is found there, and not where nobody looks.
#[test]
fn of_fifty_signatures_the_first_count() {
    let (rsa, ed) = (Key::rsa(), Key::ed25519());
    let bad = Recipe {
        selector: "none",
        ..recipe(&rsa)
    }
    .sign(MESSAGE);
    let (bad, _) = bad.split_at(bad.len() - MESSAGE.len());
    let good = recipe(&ed).sign(MESSAGE);
    let (good, _) = good.split_at(good.len() - MESSAGE.len());
    for (place, is_found) in [
        (0, true),
        (4, true),
        (5, false),
        (44, false),
        (45, true),
        (49, true),
    ] {
        let message = format!(
            "{}{good}{}{MESSAGE}",
            bad.repeat(place),
            bad.repeat(49 - place)
        );
        let found = facts(&message);
        assert_eq!((found.dkim.len(), found.dkim_skipped), (10, 40));
        let passes = found.dkim.iter().any(|fact| fact.result == Pass);
        assert_eq!(passes, is_found, "{place}");
        let wanted = if is_found {
            DmarcResult::Pass
        } else {
            DmarcResult::Fail
        };
        assert_eq!(found.dmarc.unwrap().result, wanted, "{place}");
        if !is_found {
            let reason = finding(&message).reason;
            let words =
                "of 50 DKIM signatures only 10 were looked at, the uppermost and the lowermost";
            assert!(reason.contains(words), "{reason}");
        }
    }
}

use proptest::prelude::*;

use super::*;
use crate::double::{Act, Double, MESSAGE, assert_survives, examine, say, specimen};
use crate::finding::{Score, Symbol};

const GOOD: &str =
    "SPAMD/1.1 0 EX_OK\r\nContent-length: 15\r\nSpam: True ; 15.1 / 5.0\r\n\r\nGTUBE,NO_RELAYS";

fn spamassassin(daemon: DaemonSettings) -> Spamassassin {
    Spamassassin::new(SpamassassinSettings::new(daemon))
}

fn dialog(reply: &str) -> Vec<Act> {
    vec![Act::Await(b"body\r\n"), say(reply)]
}

fn symbol(name: &str, score: Option<f32>, detail: Option<&str>) -> Symbol {
    Symbol {
        name: name.to_owned(),
        score,
        detail: detail.map(str::to_owned),
    }
}

#[test]
fn the_status_line_is_read() {
    let cause = |line: &str| {
        reply::parse_status(line.as_bytes())
            .err()
            .map(|why| why.cause)
    };
    assert_eq!(cause("SPAMD/1.1 0 EX_OK"), None);
    assert_eq!(
        cause("SPAMD/1.0 76 Bad header line"),
        Some(UnavailableCause::Refused)
    );
    assert_eq!(cause("SPAMD/1.1"), Some(UnavailableCause::Protocol));
    assert_eq!(cause("HTTP/1.1 0 OK"), Some(UnavailableCause::Protocol));
    assert_eq!(cause(""), Some(UnavailableCause::Protocol));
}

#[test]
fn symbols_are_read() {
    let rating = reply::parse(
        b"spam : False ; -0.1 / 6.5\r\n\r\n",
        b"A_B,\r\n C,1X,d",
        SpamassassinReport::Symbols,
    );
    let expected = Rating {
        score: Score {
            value: -0.1,
            required: Some(6.5),
        },
        symbols: ["A_B", "C", "d"]
            .map(|name| symbol(name, None, None))
            .into(),
    };
    assert_eq!(rating, Ok(expected));
}

#[test]
fn reports_are_read() {
    let report = b"Spam detection software\r\n\r\n pts rule name              description\r\n---- ---------------------- ----\r\n\
        1000 GTUBE                  BODY: Generic Test\r\n                            [and more]\r\n-0.0 NO_RELAYS  \r\n";
    let rating = reply::parse(
        b"Spam: True ; 1000.0 / 5.0\r\n\r\n",
        report,
        SpamassassinReport::Report,
    )
    .unwrap();
    assert_eq!(
        rating.symbols,
        [
            symbol("GTUBE", Some(1000.0), Some("BODY: Generic Test")),
            symbol("NO_RELAYS", Some(-0.0), None)
        ]
    );
}

#[test]
fn ratings_that_make_no_sense_are_refused() {
    for head in [
        "",
        "Spam: True",
        "Spam: True ; 5",
        "Spam: True ; x / 5",
        "Spam: Maybe ; 1 / 5",
        "Spam: True ; nan / 5",
        "Spam: True ; 1 / inf",
    ] {
        let rating = reply::parse(head.as_bytes(), b"", SpamassassinReport::Symbols);
        assert_eq!(
            rating.unwrap_err().cause,
            UnavailableCause::Protocol,
            "{head:?}"
        );
    }
}

proptest! {
    #[test]
    fn any_reply_is_survived(head in proptest::collection::vec(any::<u8>(), 0..200), body in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = reply::parse_status(&head);
        let _ = reply::content_length(&head);
        let _ = reply::parse(&head, &body, SpamassassinReport::Symbols);
        let _ = reply::parse(b"Spam: True ; 1 / 5", &body, SpamassassinReport::Report);
    }

    #[test]
    fn symbols_are_bounded(body in "([A-Z_]{1,400}[, ]){0,300}", report in "----\n([0-9.]{1,4} [A-Z_]{1,400} [a-z ]{0,300}\n){0,150}") {
        for (body, kind) in [(body, SpamassassinReport::Symbols), (report, SpamassassinReport::Report)] {
            let rating = reply::parse(b"Spam: True ; 1 / 5", body.as_bytes(), kind).unwrap();
            prop_assert!(rating.symbols.len() <= limits::SYMBOLS_MAX);
            for symbol in rating.symbols {
                prop_assert!(symbol.name.len() <= limits::NAME_BYTES_MAX);
                prop_assert!(symbol.detail.is_none_or(|detail| detail.len() <= limits::DETAIL_BYTES_MAX));
            }
        }
    }
}

#[tokio::test]
async fn the_message_goes_with_our_received_field_on_top() {
    let double = Double::start(vec![dialog(GOOD)]).await;
    let engine = Spamassassin::new(SpamassassinSettings {
        user: Some("bob\r\nX: y".to_owned()),
        report: SpamassassinReport::Report,
        ..SpamassassinSettings::new(double.settings())
    });
    examine(&engine).await.unwrap();
    let content = format!("Received: from mail.example.net\r\n{MESSAGE}");
    let length = content.len();
    let request =
        format!("REPORT SPAMC/1.5\r\nContent-length: {length}\r\nUser: bob X: y\r\n\r\n{content}");
    assert_eq!(double.heard(), [request]);
}

#[tokio::test]
async fn the_score_and_the_symbols_are_reported() {
    let double = Double::start(vec![dialog(GOOD)]).await;
    let engine = spamassassin(double.settings());
    for _ in 0..2 {
        let finding = examine(&engine).await.unwrap();
        assert_eq!(
            finding.reason,
            "SpamAssassin score 15.1 of 5.0 (GTUBE, NO_RELAYS)"
        );
        assert_eq!(finding.symbols.len(), 2);
        assert_eq!(finding.spam, None);
    }
    assert_eq!(double.heard().len(), 2);
}

#[tokio::test]
async fn without_a_length_the_reply_ends_with_the_connection() {
    let double = Double::start(vec![dialog(
        "SPAMD/1.1 0 EX_OK\r\nSpam: False ; 0.0 / 5.0\r\n\r\nA,B\r\n",
    )])
    .await;
    let finding = examine(&spamassassin(double.settings())).await.unwrap();
    assert_eq!(finding.reason, "SpamAssassin score 0.0 of 5.0 (A, B)");
}

#[tokio::test]
async fn a_refusal_is_no_outage() {
    let double = Double::start(vec![dialog("SPAMD/1.0 74 EX_IOERR\r\n")]).await;
    let engine = spamassassin(double.settings());
    for _ in 0..5 {
        let why = examine(&engine).await.unwrap_err();
        assert_eq!(
            (why.cause, why.detail.as_str()),
            (UnavailableCause::Refused, "spamd: SPAMD/1.0 74 EX_IOERR")
        );
    }
    assert_eq!(engine.health(), Health::Up);
}

#[tokio::test]
async fn a_large_message_is_not_examined() {
    let double = Double::start(vec![vec![Act::Hang]]).await;
    let finding = spamassassin(double.settings())
        .examine(specimen(vec![b'a'; 600 * 1024]))
        .await
        .unwrap();
    assert_eq!(finding.spam, Some(SpamClass::Unknown));
    assert!(
        finding.reason.starts_with("not examined"),
        "{}",
        finding.reason
    );
}

#[tokio::test]
async fn the_probe_pings() {
    let script = vec![
        Act::Await(b"PING SPAMC/1.5\r\n\r\n"),
        say("SPAMD/1.5 0 PONG\r\n"),
    ];
    let double = Double::start(vec![script, vec![say("pong\r\n")]]).await;
    let engine = spamassassin(double.settings());
    assert_eq!(engine.probe().await.unwrap(), "SPAMD/1.5 0 PONG");
    assert_eq!(
        engine.probe().await.unwrap_err().cause,
        UnavailableCause::Protocol
    );
}

#[tokio::test]
async fn misbehaviour_is_survived() {
    assert_survives(spamassassin, &dialog(GOOD)).await;
}

use proptest::prelude::*;

use super::*;
use crate::double::{Act, Double, MESSAGE, assert_survives, examine, say, specimen};
use crate::finding::{SpamClass, VirusClass};

fn ctasd(daemon: DaemonSettings) -> Ctasd {
    Ctasd::new(CtasdSettings { daemon })
}

fn dialog(status: &str, content: &str) -> Vec<Act> {
    let length = content.len();
    vec![
        Act::Await(b"body\r\n"),
        say(format!(
            "HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{content}"
        )),
    ]
}

const GOOD: &str = "X-CTCH-PVer: 0000001\r\nX-CTCH-Spam: Confirmed\r\nX-CTCH-VOD: Unknown\r\nX-CTCH-Flags: 0\r\n\
    X-CTCH-RefID: str=0001.0A0B0201.5A0C,ss=4,fgs=0\r\nX-CTCH-Score: 100.0\r\n";

#[test]
fn every_class_is_read_in_every_spelling() {
    let spam = [
        ("NonSpam", SpamClass::Nonspam),
        ("Unknown", SpamClass::Unknown),
        ("Suspect", SpamClass::Suspect),
        ("Suspected", SpamClass::Suspect),
        ("ValidBulk", SpamClass::ValidBulk),
        ("Valid-bulk", SpamClass::ValidBulk),
        ("BULK", SpamClass::Bulk),
        ("confirmed", SpamClass::Confirmed),
    ];
    for (word, class) in spam {
        let finding = reply::parse("ctasd", format!("x-ctch-spam:{word}\n").as_bytes()).unwrap();
        assert_eq!((finding.spam, finding.virus), (Some(class), None));
    }
    let virus = [
        ("NonVirus", VirusClass::Nonvirus),
        ("Unknown", VirusClass::Unknown),
        ("Medium", VirusClass::Medium),
        ("High", VirusClass::High),
        ("Virus", VirusClass::Virus),
    ];
    for (word, class) in virus {
        let finding = reply::parse("ctasd", format!("X-CTCH-VOD: {word}\r\n").as_bytes()).unwrap();
        assert_eq!((finding.spam, finding.virus), (None, Some(class)));
        assert!(finding.reason.starts_with("RPD: "));
    }
}

#[test]
fn a_reply_is_read() {
    let finding = reply::parse("ctasd", GOOD.as_bytes()).unwrap();
    assert_eq!(
        finding.reference.as_deref(),
        Some("str=0001.0A0B0201.5A0C,ss=4,fgs=0")
    );
    assert_eq!(finding.score.unwrap().value, 100.0);
    assert_eq!(finding.reason, "RPD: confirmed spam");
    assert_eq!(finding.symbols, []);
}

#[test]
fn replies_that_make_no_sense_are_refused() {
    let cause = |text: &str| reply::parse("ctasd", text.as_bytes()).unwrap_err().cause;
    assert_eq!(
        cause("X-CTCH-Spam: Unknown\r\nX-CTCH-Error: 104 licence\r\n"),
        UnavailableCause::Refused
    );
    for text in [
        "",
        "X-CTCH-RefID: x\r\n",
        "X-CTCH-Spam: Maybe\r\n",
        "X-CTCH-Spam:\r\n",
        "X-CTCH-VOD: 7\r\n",
        "Spam: Bulk\r\n",
    ] {
        assert_eq!(cause(text), UnavailableCause::Protocol, "{text:?}");
    }
    assert!(
        reply::parse(
            "ctasd",
            b"X-CTCH-Spam: Unknown\r\nX-CTCH-Error: 0\r\nX-CTCH-Score: x\r\n"
        )
        .is_ok()
    );
}

proptest! {
    #[test]
    fn any_reply_is_survived_and_bounded(name in "(Spam|VOD|RefID|Flags|Score|Error)", bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let text = [b"X-CTCH-Spam: Bulk\nX-CTCH-", name.as_bytes(), b": ", &bytes].concat();
        if let Ok(finding) = reply::parse("ctasd", &text) {
            prop_assert!(finding.reference.is_none_or(|reference| reference.len() <= limits::NAME_BYTES_MAX));
            prop_assert!(finding.symbols.len() <= limits::SYMBOLS_MAX);
        }
        let _ = reply::parse("ctasd", &bytes);
    }
}

#[tokio::test]
async fn the_envelope_goes_before_the_message() {
    let double = Double::start(vec![dialog("200 OK", GOOD)]).await;
    let engine = ctasd(double.settings());
    let finding = examine(&engine).await.unwrap();
    assert_eq!(finding.spam, Some(SpamClass::Confirmed));
    let content = format!(
        "X-CTCH-PVer: 0000001\r\nX-CTCH-SenderIP: 192.0.2.25\r\nX-CTCH-MailFrom: ann@example.net\r\nX-CTCH-RcptCount: 2\r\n\r\n{MESSAGE}"
    );
    let host = &engine.pool.settings().address;
    let request = format!(
        "POST /ctasd/ClassifyMessage_Inline HTTP/1.1\r\ncontent-type: application/octet-stream\r\nhost: {host}\r\n\
         content-length: {}\r\n\r\n{content}",
        content.len()
    );
    assert_eq!(double.heard(), [request]);
}

#[test]
fn lines_cannot_be_forged() {
    let mut specimen = Arc::into_inner(specimen(MESSAGE)).unwrap();
    specimen.authenticated_as = Some("ann\r\nX-CTCH-SenderIP: 127.0.0.1".to_owned());
    let lines = envelope(&specimen);
    assert!(
        lines.contains("\r\nX-CTCH-SenderID: ann X-CTCH-SenderIP: 127.0.0.1\r\n"),
        "{lines}"
    );
}

#[tokio::test]
async fn an_error_status_is_a_refusal() {
    let double = Double::start(vec![dialog("503 Busy", "busy")]).await;
    let why = examine(&ctasd(double.settings())).await.unwrap_err();
    assert_eq!(
        (why.cause, why.detail.as_str()),
        (UnavailableCause::Refused, "ctasd answered HTTP 503: busy")
    );
}

#[tokio::test]
async fn the_probe_wants_http() {
    let script = vec![
        Act::Await(b"\r\n\r\n"),
        say("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
    ];
    let double = Double::start(vec![script, vec![say("220 mx ESMTP\r\n")]]).await;
    let engine = ctasd(double.settings());
    assert!(
        engine
            .probe()
            .await
            .unwrap()
            .ends_with("speaks HTTP (status 404)")
    );
    engine.probe().await.unwrap_err();
}

#[tokio::test]
async fn misbehaviour_is_survived() {
    assert_survives(ctasd, &dialog("200 OK", GOOD)).await;
}

use proptest::prelude::*;

use super::*;
use crate::double::{Act, Double, MESSAGE, assert_survives, examine, say, specimen};

fn rspamd(daemon: DaemonSettings) -> Rspamd {
    Rspamd::new(RspamdSettings {
        daemon,
        password: None,
    })
}

fn http(status: &str, content: &str) -> Act {
    let length = content.len();
    say(format!(
        "HTTP/1.1 {status}\r\nServer: rspamd/3.4\r\nContent-Length: {length}\r\nContent-Type: application/json\r\n\r\n{content}"
    ))
}

fn dialog(status: &str, content: &str) -> Vec<Act> {
    vec![Act::Await(b"body\r\n"), http(status, content)]
}

const GOOD: &str = r#"{"is_skipped":false,"score":17.5,"required_score":15.0,"action":"reject","symbols":{
    "R_DKIM_ALLOW":{"name":"R_DKIM_ALLOW","score":-0.2,"options":["example.net:s=1"]},
    "BAD":{"score":12.5,"options":["a","b\r\nc",3]},"WORSE":{"score":5.2}},"messages":{},"message-id":"x"}"#;

#[test]
fn a_reply_is_read() {
    let finding = reply::parse("rspamd", GOOD.as_bytes()).unwrap();
    assert_eq!(
        finding.reason,
        "rspamd score 17.5 of 15.0, reject (BAD, WORSE)"
    );
    assert_eq!(finding.action.as_deref(), Some("reject"));
    assert_eq!(finding.score.unwrap().required, Some(15.0));
    let symbols: Vec<(&str, Option<f32>, Option<&str>)> = finding
        .symbols
        .iter()
        .map(|symbol| (symbol.name.as_str(), symbol.score, symbol.detail.as_deref()))
        .collect();
    assert_eq!(
        symbols,
        [
            ("BAD", Some(12.5), Some("a, b c")),
            ("WORSE", Some(5.2), None),
            ("R_DKIM_ALLOW", Some(-0.2), Some("example.net:s=1"))
        ]
    );
}

#[test]
fn a_skipped_message_has_no_score_but_a_forced_verdict_counts() {
    let skipped = reply::parse(
        "rspamd",
        br#"{"is_skipped":true,"score":0,"action":"no action"}"#,
    )
    .unwrap();
    assert_eq!((skipped.score, skipped.action), (None, None));
    let forced = reply::parse(
        "rspamd",
        br#"{"is_skipped":true,"score":0,"action":"reject"}"#,
    )
    .unwrap();
    assert_eq!(forced.action.as_deref(), Some("reject"));
}

#[test]
fn replies_that_make_no_sense_are_refused() {
    let cause = |text: &str| reply::parse("rspamd", text.as_bytes()).unwrap_err().cause;
    assert_eq!(
        cause(r#"{"error":"no such file"}"#),
        UnavailableCause::Refused
    );
    for text in [
        "",
        "[]",
        "{}",
        r#"{"score":1}"#,
        r#"{"score":"x","action":"reject"}"#,
        r#"{"score":1e999,"action":"reject"}"#,
    ] {
        assert_eq!(cause(text), UnavailableCause::Protocol, "{text}");
    }
    assert_eq!(cause(&"[".repeat(100_000)), UnavailableCause::Protocol);
    let quoted = format!(r#"{{"score":"{}"}}"#, "x".repeat(100_000));
    let why = reply::parse("rspamd", quoted.as_bytes()).unwrap_err();
    assert!(
        why.detail.len() <= 2 * limits::DETAIL_BYTES_MAX + 50,
        "{why:?}"
    );
}

proptest! {
    #[test]
    fn any_reply_is_survived(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = reply::parse("rspamd", &bytes);
    }

    #[test]
    fn what_is_read_is_bounded_and_finite(scores in proptest::collection::vec(any::<f64>().prop_filter("finite", |f| f.is_finite()), 0..200), name in "[A-Z]{1,600}") {
        let symbols: serde_json::Map<String, serde_json::Value> = scores.iter().enumerate()
            .map(|(index, score)| (format!("{name}{index}"), serde_json::json!({"score": score, "options": [name, name]})))
            .collect();
        let score = scores.first().copied().unwrap_or(1.0);
        let text = serde_json::json!({"score": score, "action": name, "symbols": symbols}).to_string();
        let finding = reply::parse("rspamd", text.as_bytes()).unwrap();
        prop_assert!(finding.symbols.len() <= limits::SYMBOLS_MAX);
        prop_assert!(finding.score.unwrap().value.is_finite());
        for symbol in finding.symbols {
            prop_assert!(symbol.name.len() <= limits::NAME_BYTES_MAX && symbol.score.unwrap().is_finite());
            prop_assert!(symbol.detail.unwrap().len() <= limits::DETAIL_BYTES_MAX);
        }
    }
}

#[tokio::test]
async fn the_envelope_goes_in_header_fields() {
    let good = dialog("200 OK", GOOD);
    let double = Double::start(vec![[good.clone(), good].concat()]).await;
    let engine = Rspamd::new(RspamdSettings {
        password: Some("secret".to_owned()),
        daemon: double.settings(),
    });
    examine(&engine).await.unwrap();
    let host = engine.pool.settings().address.to_string();
    let content = format!("Received: from mail.example.net\r\n{MESSAGE}");
    let request = format!(
        "POST /checkv2 HTTP/1.1\r\nip: 192.0.2.25\r\nhelo: mail.example.net\r\nfrom: <ann@example.net>\r\nqueue-id: K7QX-3M9D-2F\r\n\
         mta-name: mx.example.com\r\nhostname: mail.example.net\r\nrcpt: <bob@example.com>\r\nrcpt: <carol@example.com>\r\n\
         password: secret\r\nhost: {host}\r\ncontent-length: {}\r\n\r\n{content}",
        content.len()
    );
    assert_eq!(double.heard(), std::slice::from_ref(&request));
    examine(&engine).await.unwrap();
    assert_eq!(
        double.heard(),
        [format!("{request}{request}")],
        "the connection is kept"
    );
}

#[test]
fn recipients_beyond_the_limit_are_left_out_and_fields_cannot_be_forged() {
    let mut specimen = Arc::into_inner(specimen(MESSAGE)).unwrap();
    specimen.helo = "a\r\nPassword: x".to_owned();
    specimen.recipients = vec![specimen.recipients[0].clone(); 10_000];
    let fields = fields(&specimen);
    assert!(!fields.contains_key("helo"));
    let bytes: usize = fields
        .get_all("rcpt")
        .iter()
        .map(|value| value.len() + "rcpt: \r\n".len())
        .sum();
    assert!(bytes <= limits::RECIPIENT_FIELDS_BYTES_MAX);
    assert!(bytes > limits::RECIPIENT_FIELDS_BYTES_MAX - 100);
}

#[tokio::test]
async fn an_error_status_is_a_refusal() {
    let double = Double::start(vec![dialog("403 Forbidden", "{\"error\":\"denied\"}")]).await;
    let why = examine(&rspamd(double.settings())).await.unwrap_err();
    assert_eq!(why.cause, UnavailableCause::Refused);
    assert!(
        why.detail.starts_with("rspamd answered HTTP 403"),
        "{}",
        why.detail
    );
}

#[tokio::test]
async fn the_probe_pings() {
    let script = vec![Act::Await(b"\r\n\r\n"), http("200 OK", "pong\r\n")];
    let double = Double::start(vec![script]).await;
    assert_eq!(
        rspamd(double.settings()).probe().await.unwrap(),
        "rspamd/3.4: pong"
    );
    assert!(double.heard()[0].starts_with("GET /ping HTTP/1.1\r\n"));
}

#[tokio::test]
async fn misbehaviour_is_survived() {
    assert_survives(rspamd, &dialog("200 OK", GOOD)).await;
}

#[test]
fn the_password_is_not_shown() {
    let daemon = DaemonSettings::new("rspamd", "127.0.0.1:11333".parse().unwrap());
    let password = Some("hunter2".to_owned());
    assert!(!format!("{:?}", RspamdSettings { daemon, password }).contains("hunter2"));
}

use proptest::prelude::*;

use super::*;
use crate::double::{Act, Double, MESSAGE, assert_survives, examine, say};

fn icap(daemon: DaemonSettings) -> Icap {
    Icap::new(IcapSettings {
        daemon,
        service: "/avscan".to_owned(),
    })
}

const OPTIONS: &str = "ICAP/1.0 200 OK\r\nMethods: RESPMOD, REQMOD\r\nService: Scanner 1.0\r\nISTag: \"x\"\r\nOptions-TTL: 3600\r\n\
    Preview: 1024\r\nAllow: 204\r\nEncapsulated: null-body=0\r\n\r\n";
const CLEAN: &str = "ICAP/1.0 204 Unmodified\r\nConnection: keep-alive\r\nISTag: \"x\"\r\n\r\n";
const FOUND: &str = "ICAP/1.0 200 OK\r\nX-Infection-Found: Type=0; Resolution=2; Threat=Eicar;\r\n\
    Encapsulated: res-hdr=0, res-body=30\r\n\r\nHTTP/1.0 403 Forbidden\r\n\r\n";

fn options(reply: &str) -> Vec<Act> {
    vec![Act::Await(b"null-body=0\r\n\r\n"), say(reply)]
}

fn respmod(reply: &str) -> Vec<Act> {
    vec![Act::Await(b"\r\n0\r\n\r\n"), say(reply)]
}

fn head(text: &str, protocol: &str) -> Head {
    Head::parse(text.as_bytes(), protocol).unwrap()
}

/// What an ICAP header section, and an HTTP one if not empty, say of a message of 100 bytes.
fn outcome_of(icap: &str, http: &str) -> Result<Outcome, UnavailableCause> {
    let icap = head(&format!("ICAP/1.0 {icap}"), "ICAP/");
    let http = (!http.is_empty()).then(|| head(&format!("HTTP/1.1 {http}"), "HTTP/"));
    reply::outcome(&icap, http.as_ref(), 100).map_err(|why| why.cause)
}

#[test]
fn outcomes_are_read() {
    let found = |name: &str| Ok(Outcome::Found(name.to_owned()));
    let violations = "200 OK\r\nX-Violations-Found: 1\r\n\tmail.eml\r\n\tW32.A\r\n\t0\r\n\t2";
    assert_eq!(outcome_of("204 No Content", ""), Ok(Outcome::Clean));
    assert_eq!(
        outcome_of(
            "200 OK\r\nX-Infection-Found: Type=0; Resolution=2; Threat=A B;",
            ""
        ),
        found("A B")
    );
    assert_eq!(
        outcome_of("200 OK\r\nX-Infection-Found: Type=0", ""),
        found("an infection")
    );
    assert_eq!(
        outcome_of("200 OK\r\nx-virus-id: EICAR", "200 OK"),
        found("EICAR")
    );
    assert_eq!(outcome_of(violations, "403 Forbidden"), found("W32.A"));
    assert_eq!(
        outcome_of("200 OK", "200 OK\r\nX-Virus-ID: Inner"),
        found("Inner")
    );
    assert_eq!(
        outcome_of(
            "200 OK\r\nX-Violations-Found: 0",
            "200 OK\r\nContent-Length: 100"
        ),
        Ok(Outcome::Clean)
    );
    assert_eq!(outcome_of("200 OK", "200 OK"), Ok(Outcome::Clean));
    assert!(matches!(
        outcome_of("200 OK", "200 OK\r\nContent-Length: 7"),
        Ok(Outcome::Blocked(_))
    ));
    assert!(matches!(
        outcome_of("200 OK", "403 Forbidden"),
        Ok(Outcome::Blocked(_))
    ));
    assert_eq!(outcome_of("200 OK", ""), Err(UnavailableCause::Protocol));
    assert_eq!(
        outcome_of("404 Not Found", ""),
        Err(UnavailableCause::Refused)
    );
    assert_eq!(
        outcome_of("503 Overloaded", ""),
        Err(UnavailableCause::Refused)
    );
}

#[test]
fn options_are_read() {
    let read = |text: &str| {
        ServiceOptions::of(&head(text, "ICAP/")).map(|options| (options.service, options.seconds))
    };
    assert_eq!(read(OPTIONS), Ok(("Scanner 1.0".to_owned(), 3600)));
    assert_eq!(
        read("ICAP/1.0 200 OK\r\nMethods: RESPMOD\r\nOptions-TTL: 60"),
        Ok(("an ICAP service".to_owned(), 60))
    );
    assert_eq!(
        read("ICAP/1.0 200 OK\r\nMethods: RESPMOD\r\nOptions-TTL: 99999999"),
        Ok(("an ICAP service".to_owned(), 3600))
    );
    assert_eq!(
        read("ICAP/1.0 200 OK\r\nMethods: REQMOD")
            .unwrap_err()
            .cause,
        UnavailableCause::Refused
    );
    assert_eq!(
        read("ICAP/1.0 404 Service not found").unwrap_err().cause,
        UnavailableCause::Refused
    );
}

#[test]
fn header_sections_of_another_protocol_are_refused() {
    for text in [
        "",
        "ICAP/1.0",
        "ICAP/1.0 20 OK",
        "ICAP/1.0 2000 OK",
        "ICAP/1.0 abc OK",
        "HTTP/1.1 200 OK",
        "\u{fffd}",
    ] {
        assert_eq!(
            Head::parse(text.as_bytes(), "ICAP/").unwrap_err().cause,
            UnavailableCause::Protocol,
            "{text:?}"
        );
    }
}

proptest! {
    #[test]
    fn any_reply_is_survived(bytes in proptest::collection::vec(any::<u8>(), 0..400), name in "(X-Infection-Found|X-Virus-ID|X-Violations-Found|Methods|Encapsulated)") {
        let _ = Head::parse(&bytes, "ICAP/");
        let text = [b"ICAP/1.0 200 OK\r\n", name.as_bytes(), b": ", &bytes].concat();
        let head = Head::parse(&text, "ICAP/").unwrap();
        let _ = ServiceOptions::of(&head);
        let _ = (head.keeps_connection(), head.encapsulates("res-hdr"));
        if let Ok(Outcome::Found(name)) = reply::outcome(&head, Some(&head), 1) {
            prop_assert!(!name.is_empty() && name.len() <= limits::NAME_BYTES_MAX);
        }
    }
}

#[tokio::test]
async fn options_are_asked_for_once_and_the_connection_is_kept() {
    let script = [
        options(OPTIONS),
        respmod(CLEAN),
        respmod(CLEAN),
        respmod(FOUND),
    ]
    .concat();
    let double = Double::start(vec![script, respmod(CLEAN)]).await;
    let engine = icap(double.settings());
    for _ in 0..2 {
        let clean = examine(&engine).await.unwrap();
        assert_eq!(
            (clean.virus, clean.reason.as_str()),
            (
                Some(VirusClass::Unknown),
                "ICAP service avscan found nothing"
            )
        );
    }
    let infected = examine(&engine).await.unwrap();
    assert_eq!(infected.virus, Some(VirusClass::Virus));
    assert_eq!(infected.reason, "ICAP service avscan found Eicar");
    examine(&engine).await.unwrap();
    let heard = double.heard();
    assert_eq!(heard.len(), 2, "after a finding the connection is given up");
    assert_eq!(heard[0].matches("OPTIONS ").count(), 1);
    assert_eq!(heard[1], request(&engine));
}

/// The only request that is right for [`MESSAGE`]: the offsets are those of the encapsulated parts.
fn request(engine: &Icap) -> String {
    let host = &engine.pool.settings().address;
    let http_request = "GET /K7QX-3M9D-2F.eml HTTP/1.1\r\nHost: gatepost\r\n\r\n";
    let http_response = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: message/rfc822\r\nContent-Length: {}\r\n\r\n",
        MESSAGE.len()
    );
    let (response_at, body_at) = (http_request.len(), http_request.len() + http_response.len());
    format!(
        "RESPMOD icap://{host}/avscan ICAP/1.0\r\nHost: {host}\r\nUser-Agent: Gatepost\r\nAllow: 204\r\nX-Client-IP: 192.0.2.25\r\n\
         Encapsulated: req-hdr=0, res-hdr={response_at}, res-body={body_at}\r\n\r\n{http_request}{http_response}{:x}\r\n{MESSAGE}\r\n0\r\n\r\n",
        MESSAGE.len()
    )
}

#[tokio::test]
async fn a_service_that_closes_after_options_is_asked_again() {
    let closing = OPTIONS.replace("Allow: 204", "Connection: close");
    let double = Double::start(vec![options(&closing), respmod(CLEAN)]).await;
    examine(&icap(double.settings())).await.unwrap();
    assert_eq!(double.heard().len(), 2);
}

#[tokio::test]
async fn a_service_that_is_not_there_refuses() {
    let double = Double::start(vec![options("ICAP/1.0 404 Service not found\r\n\r\n")]).await;
    let why = examine(&icap(double.settings())).await.unwrap_err();
    assert_eq!(
        why.detail,
        "the ICAP service answered ICAP/1.0 404 Service not found"
    );
}

#[tokio::test]
async fn content_that_is_replaced_without_a_word_is_suspected() {
    let blocked = "ICAP/1.0 200 OK\r\nEncapsulated: res-hdr=0, res-body=30\r\n\r\nHTTP/1.0 403 Forbidden\r\n\r\n";
    let double = Double::start(vec![[options(OPTIONS), respmod(blocked)].concat()]).await;
    let finding = examine(&icap(double.settings())).await.unwrap();
    assert_eq!(
        (finding.virus, finding.virus_name),
        (Some(VirusClass::High), None)
    );
    assert_eq!(
        finding.reason,
        "ICAP service avscan blocked the message (HTTP status 403)"
    );
}

#[tokio::test]
async fn the_probe_asks_for_options() {
    let double = Double::start(vec![options(OPTIONS)]).await;
    assert_eq!(
        icap(double.settings()).probe().await.unwrap(),
        "Scanner 1.0"
    );
}

#[tokio::test]
async fn misbehaviour_is_survived() {
    assert_survives(icap, &[options(OPTIONS), respmod(CLEAN)].concat()).await;
    assert_survives(icap, &[options(OPTIONS), respmod(FOUND)].concat()).await;
}

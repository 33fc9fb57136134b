use bytes::Bytes;
use net::resolver::Resolver;

use super::lists::List;
use super::record::{Lesson, RecordSettings};
use super::*;
use crate::auth::facts::SpfFact;
use crate::message::Message;

const ZONE: &str = "
2.0.0.127.bl.example A 127.0.0.2
7.2.0.192.bl.example A 127.0.0.4
test.dbl.example A 127.0.1.2
evil.example.dbl.example A 127.0.1.2
";

fn list(zone: &str, asked_about: &[Subject]) -> List {
    List {
        name: zone.replace('.', "-"),
        zone: zone.to_owned(),
        asked_about: asked_about.to_vec(),
        codes: Vec::new(),
        weight: 4.0,
        test_point: None,
    }
}

fn engine(lists: Vec<List>) -> Reputation {
    Reputation::new(ReputationSettings {
        name: "reputation".to_owned(),
        record: Arc::new(Record::new(RecordSettings::default())),
        lists: Lists::new(lists, Resolver::zone(ZONE).unwrap(), None),
        lists_deadline: Duration::from_secs(3),
        deadline: Duration::from_secs(30),
    })
}

fn specimen(ip: &str, spf: Option<&str>) -> Arc<Specimen> {
    let text = "From: <a@news.example>\r\n\r\nsee http://www.evil.example/x\r\n";
    let specimen = Specimen {
        reference: "K7QX-3M9D-2F".to_owned(),
        message: Message::new(Bytes::from(text)),
        client_ip: ip.parse().unwrap(),
        client_name: Some("mx.example.org".to_owned()),
        helo: "MX.example.org".to_owned(),
        reverse_path: ReversePath::Mailbox("bounces@example.org".parse().unwrap()),
        recipients: Vec::new(),
        authenticated_as: None,
        hostname: "mx.example.net".to_owned(),
        received: Vec::new(),
        authentication: Arc::default(),
    };
    let spf_mail = spf.map(|domain| SpfFact {
        result: SpfResult::Pass,
        domain: domain.to_owned(),
        term: None,
        explanation: None,
        problem: None,
    });
    let facts = Authentication {
        spf_mail,
        ..Authentication::default()
    };
    specimen.authentication.set(Arc::new(facts)).unwrap();
    Arc::new(specimen)
}

fn told(finding: &Finding) -> Vec<String> {
    let symbols = finding.symbols.iter();
    symbols
        .map(|symbol| format!("{} {}", symbol.name, symbol.score.unwrap_or_default()))
        .collect()
}

#[tokio::test]
async fn lists_give_points_and_symbols() {
    let engine = engine(vec![
        list("bl.example", &[Subject::Ip]),
        list("dbl.example", &[Subject::From, Subject::Url]),
    ]);
    let finding = engine.examine(specimen("192.0.2.7", None)).await.unwrap();
    assert_eq!(told(&finding), ["LIST_BL_EXAMPLE 4", "LIST_DBL_EXAMPLE 4"]);
    let score = finding.score.unwrap();
    assert_eq!((score.value, score.required), (8.0, Some(5.0)));
    assert_eq!(finding.spam, Some(SpamClass::Bulk));
    assert_eq!(
        finding.reason,
        "nothing is known of 192.0.2.7; 192.0.2.7 is listed by bl-example; evil.example is listed by dbl-example"
    );
    assert_eq!(
        listed(&finding).unwrap(),
        "192.0.2.7 (bl-example), evil.example (dbl-example)"
    );
    let other = engine.examine(specimen("192.0.2.8", None)).await.unwrap();
    assert_eq!(other.spam, Some(SpamClass::Suspect));
    assert_eq!(
        engine.probe().await.unwrap(),
        "its own record of senders, 2 lists"
    );
}

#[tokio::test]
async fn the_record_gives_points_and_symbols() {
    let engine = engine(Vec::new());
    let unknown = engine.examine(specimen("192.0.2.7", None)).await.unwrap();
    assert_eq!(
        (told(&unknown), unknown.spam),
        (vec![], Some(SpamClass::Unknown))
    );
    let domains = ["example.org".to_owned()];
    let sender = Sender {
        ip: "192.0.2.7".parse().unwrap(),
        helo: "mx.example.org",
        helo_is_proven: true,
        domains: &domains,
    };
    for _ in 0..12 {
        engine
            .settings
            .record
            .learn(&sender, Lesson::Bad(1.0), seconds_now());
    }
    let finding = engine
        .examine(specimen("192.0.2.7", Some("example.org")))
        .await
        .unwrap();
    assert_eq!(
        told(&finding),
        [
            "ADDRESS_BAD 6",
            "NETWORK_NEUTRAL 0",
            "HELO_BAD 3",
            "DOMAIN_BAD 6"
        ]
    );
    assert_eq!(finding.score.unwrap().value, 8.0);
    assert!(
        finding.reason.contains("12 were refused"),
        "{}",
        finding.reason
    );
}

#[tokio::test]
async fn a_list_that_is_left_out_is_told() {
    let engine = engine(vec![list("none.example", &[Subject::Ip])]);
    let caveat = engine.probe().await.unwrap();
    assert!(caveat.contains("does not list its test point"), "{caveat}");
    let mut wrong = list("bl.example", &[Subject::Ip]);
    wrong.codes = vec![lists::Code {
        answers: "127.0.0.2".parse().unwrap(),
        weight: None,
        meaning: "quota".to_owned(),
        is_refusal: true,
    }];
    let engine = self::engine(vec![wrong]);
    let finding = engine.examine(specimen("192.0.2.8", None)).await.unwrap();
    assert_eq!(told(&finding), ["SILENT_BL_EXAMPLE 0"]);
    let error = engine.probe().await.unwrap_err();
    assert!(
        error.detail.contains("list bl-example answers"),
        "{error:?}"
    );
}

#[test]
fn a_helo_name_is_proven_by_dns_or_spf() {
    let facts = |result, domain: &str| Authentication {
        spf_helo: Some(SpfFact {
            result,
            domain: domain.to_owned(),
            term: None,
            explanation: None,
            problem: None,
        }),
        ..Authentication::default()
    };
    let is = |name, facts: &Authentication| helo_is_proven("mx.example.org", name, Some(facts));
    let none = Authentication::default();
    assert!(is(Some("MX.example.org"), &none));
    assert!(!is(Some("other.example.org"), &none));
    assert!(!is(None, &none));
    assert!(is(None, &facts(SpfResult::Pass, "mx.example.org")));
    assert!(!is(None, &facts(SpfResult::Fail, "mx.example.org")));
    assert!(!is(None, &facts(SpfResult::Pass, "example.org")));
}

#[test]
fn domains_are_told_by_what_was_registered() {
    let spf = |domain: &str| SpfFact {
        result: SpfResult::Pass,
        domain: domain.to_owned(),
        term: None,
        explanation: None,
        problem: None,
    };
    let facts = |domain| Authentication {
        spf_mail: Some(spf(domain)),
        ..Authentication::default()
    };
    for (proven, expected) in [
        ("mail.example.co.uk", vec!["example.co.uk"]),
        ("example.org", vec!["example.org"]),
        ("co.uk", vec![]),
    ] {
        assert_eq!(domains(Some(&facts(proven))), expected, "{proven}");
    }
    assert!(domains(None).is_empty());
}

use proptest::prelude::*;

use super::*;
use crate::double::{Act, Double, MESSAGE, assert_survives, examine, say};
use reply::Failure;

fn sophos(daemon: DaemonSettings) -> Sophos {
    Sophos::new(SophosSettings { daemon })
}

fn greeting() -> Vec<Act> {
    vec![
        say("OK SSSP/1.0\r\n"),
        Act::Await(b"SSSP/1.0\n"),
        say("ACC 4E8C5A3B/1\r\n"),
    ]
}

fn scan(reply: &str) -> Vec<Act> {
    vec![
        Act::Await(b"body\r\n"),
        say(format!("ACC 4E8C5A3B/2\r\n{reply}")),
    ]
}

fn dialog(reply: &str) -> Vec<Act> {
    [greeting(), scan(reply)].concat()
}

const CLEAN: &str = "DONE OK 0000 The function call succeeded\r\n\r\n";
const FOUND: &str = "EVENT FILE mail\r\nVIRUS EICAR-AV-Test mail/eicar.com\r\nVIRUS EICAR-AV-Test mail/2\r\nVIRUS Mal/Other mail/3\r\n\
    OK 0203 mail\r\nDONE OK 0203 Virus found during virus scan\r\n\r\n";
const ENCRYPTED: &str =
    "FAIL 0212 mail/a.zip\r\nFAIL 0212 mail/b.zip\r\nDONE FAIL 0212 Encrypted\r\n\r\n";

#[test]
fn lines_are_read() {
    let failure = |code: &str, text: &str| Failure {
        code: code.to_owned(),
        text: text.to_owned(),
    };
    let table = [
        ("", Line::End),
        ("ACC 1/2", Line::Accepted),
        ("REJ 4", Line::Rejected("4".to_owned())),
        (
            "VIRUS EICAR-AV-Test a/b",
            Line::Virus("EICAR-AV-Test".to_owned()),
        ),
        ("VIRUS", Line::Virus("unnamed".to_owned())),
        ("FAIL 0212 a.zip", Line::Failed(failure("0212", "a.zip"))),
        ("DONE OK 0203 Virus found", Line::DoneOk("0203".to_owned())),
        (
            "DONE FAIL 0210 Corrupt",
            Line::DoneFailed(failure("0210", "Corrupt")),
        ),
        ("TYPE 50", Line::Other),
        ("\u{fffd}", Line::Other),
    ];
    for (line, expected) in table {
        assert_eq!(reply::parse_line(line.as_bytes()), expected, "{line:?}");
    }
}

proptest! {
    #[test]
    fn any_line_is_survived(verb in "(VIRUS|FAIL|DONE|DONE OK|REJ|ACC|)", bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = reply::parse_line(&[verb.as_bytes(), b" ", &bytes].concat());
        let _ = reply::parse_line(&bytes);
    }

    #[test]
    fn a_scan_is_bounded(names in proptest::collection::vec("[A-Z]{1,400}", 0..300)) {
        let mut scan = Scan::default();
        for name in &names {
            scan.add(reply::parse_line(format!("VIRUS {name} x").as_bytes()));
            scan.add(reply::parse_line(format!("FAIL {name} x").as_bytes()));
        }
        let finding = finding("sophos", scan);
        prop_assert!(finding.symbols.len() <= limits::SYMBOLS_MAX);
        prop_assert!(finding.symbols.iter().all(|symbol| symbol.name.len() <= limits::NAME_BYTES_MAX + 5));
    }
}

#[tokio::test]
async fn one_session_examines_many_messages() {
    let script = [
        greeting(),
        scan(CLEAN),
        scan(FOUND),
        scan(ENCRYPTED),
        scan(CLEAN),
    ]
    .concat();
    let double = Double::start(vec![script]).await;
    let engine = sophos(double.settings());
    let clean = examine(&engine).await.unwrap();
    assert_eq!(
        (clean.virus, clean.reason.as_str()),
        (Some(VirusClass::Unknown), "Sophos found nothing")
    );
    let infected = examine(&engine).await.unwrap();
    assert_eq!(infected.virus, Some(VirusClass::Virus));
    assert_eq!(infected.virus_name.as_deref(), Some("EICAR-AV-Test"));
    assert_eq!(infected.reason, "Sophos found EICAR-AV-Test");
    assert_eq!(
        infected
            .symbols
            .iter()
            .map(|symbol| symbol.name.as_str())
            .collect::<Vec<_>>(),
        ["Mal/Other"]
    );
    let encrypted = examine(&engine).await.unwrap();
    assert_eq!(encrypted.virus, Some(VirusClass::Unknown));
    assert_eq!(
        encrypted
            .symbols
            .iter()
            .map(|symbol| symbol.name.as_str())
            .collect::<Vec<_>>(),
        ["ENCRYPTED"]
    );
    examine(&engine).await.unwrap();
    let one = format!("SCANDATA {}\n{MESSAGE}", MESSAGE.len());
    assert_eq!(double.heard(), [format!("SSSP/1.0\n{one}{one}{one}{one}")]);
}

#[tokio::test]
async fn a_virus_without_a_name_is_one() {
    let double = Double::start(vec![dialog("DONE OK 0203 Virus found\r\n\r\n")]).await;
    assert_eq!(
        examine(&sophos(double.settings())).await.unwrap().virus,
        Some(VirusClass::Virus)
    );
}

#[tokio::test]
async fn lines_may_end_in_a_bare_line_feed_and_an_early_acceptance_in_an_empty_line() {
    let script = [
        greeting(),
        vec![
            Act::Await(b"body\r\n"),
            say("ACC 1/2\n\nVIRUS A b\nDONE OK 0203 x\n\n"),
        ],
    ]
    .concat();
    let double = Double::start(vec![script]).await;
    assert_eq!(
        examine(&sophos(double.settings()))
            .await
            .unwrap()
            .virus_name
            .as_deref(),
        Some("A")
    );
}

#[tokio::test]
async fn rejections_and_failures_are_told_apart() {
    for (reply, cause) in [
        ("REJ 1\r\n\r\n", UnavailableCause::Protocol),
        ("REJ 4\r\n\r\n", UnavailableCause::TooLarge),
        ("REJ 9\r\n\r\n", UnavailableCause::Refused),
        (
            "DONE FAIL 021A No licence\r\n\r\n",
            UnavailableCause::Refused,
        ),
    ] {
        let double = Double::start(vec![dialog(reply)]).await;
        assert_eq!(
            examine(&sophos(double.settings())).await.unwrap_err().cause,
            cause,
            "{reply:?}"
        );
    }
}

#[tokio::test]
async fn after_a_rejection_the_session_is_not_used_again() {
    let double = Double::start(vec![
        [dialog("REJ 4\r\n\r\n"), scan(CLEAN)].concat(),
        dialog(CLEAN),
    ])
    .await;
    let engine = sophos(double.settings());
    examine(&engine).await.unwrap_err();
    examine(&engine).await.unwrap();
    assert_eq!(double.heard().len(), 2);
}

#[tokio::test]
async fn a_greeting_of_another_protocol_or_a_rejected_session_is_no_daemon() {
    for script in [
        vec![say("220 hello\r\n")],
        vec![
            say("OK SSSP/1.0\r\n"),
            Act::Await(b"SSSP/1.0\n"),
            say("REJ 1\r\n"),
        ],
    ] {
        let double = Double::start(vec![script]).await;
        let engine = sophos(double.settings());
        assert_eq!(
            examine(&engine).await.unwrap_err().cause,
            UnavailableCause::Protocol
        );
        assert_eq!(
            examine(&engine).await.unwrap_err().cause,
            UnavailableCause::BackOff
        );
    }
}

#[tokio::test]
async fn the_probe_tells_the_greeting() {
    let double = Double::start(vec![[greeting(), vec![Act::Await(b"BYE\n")]].concat()]).await;
    assert_eq!(
        sophos(double.settings()).probe().await.unwrap(),
        "OK SSSP/1.0"
    );
}

#[tokio::test]
async fn misbehaviour_is_survived() {
    assert_survives(sophos, &dialog(FOUND)).await;
}

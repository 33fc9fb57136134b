use proptest::prelude::*;

use super::*;
use crate::double::{Act, Double, MESSAGE, assert_survives, examine, say, specimen};

const END: &[u8] = b"body\r\n\0\0\0\0";

fn clamav(daemon: DaemonSettings) -> Clamav {
    Clamav::new(ClamavSettings { daemon })
}

fn dialog(reply: &str) -> [Act; 2] {
    [Act::Await(END), say(reply)]
}

#[test]
fn replies_are_read() {
    let found = |name: &str| Scanned::Found(name.to_owned());
    let table = [
        ("1: stream: OK", Some((Some(1), Scanned::Clean))),
        ("stream: OK", Some((None, Scanned::Clean))),
        (
            "12: stream: Eicar-Test-Signature FOUND",
            Some((Some(12), found("Eicar-Test-Signature"))),
        ),
        (
            "1: stream: A: B(c:1) FOUND\n",
            Some((Some(1), found("A: B(c:1)"))),
        ),
        (
            "1: INSTREAM size limit exceeded. ERROR",
            Some((Some(1), Scanned::TooLarge)),
        ),
        (
            "INSTREAM size limit exceeded. ERROR\n",
            Some((None, Scanned::TooLarge)),
        ),
        (
            "1: Can't allocate memory ERROR",
            Some((Some(1), Scanned::Error("Can't allocate memory".to_owned()))),
        ),
        ("1: stream:  FOUND", None),
        ("1: stream: ", None),
        ("1: PONG", None),
        ("", None),
        (": stream: OK", None),
        ("x: stream: OK", None),
    ];
    for (reply, expected) in table {
        assert_eq!(parse(reply.as_bytes()).ok(), expected, "{reply:?}");
    }
}

proptest! {
    #[test]
    fn any_reply_is_survived(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = parse(&bytes);
    }

    #[test]
    fn names_are_bounded(name in "[A-Za-z0-9.:() -]{1,2000}") {
        if let Ok((_, Scanned::Found(found))) = parse(format!("1: stream: {name} FOUND").as_bytes()) {
            prop_assert!(!found.is_empty() && found.len() <= limits::NAME_BYTES_MAX);
        }
    }
}

#[tokio::test]
async fn one_session_examines_many_messages() {
    let script = [
        &dialog("1: stream: OK\0")[..],
        &dialog("2: stream: Eicar-Test-Signature FOUND\0"),
        &dialog("3: stream: Heuristics.Phishing.Email.SpoofedDomain FOUND\0"),
    ];
    let double = Double::start(vec![script.concat()]).await;
    let engine = clamav(double.settings());
    let clean = examine(&engine).await.unwrap();
    assert_eq!(
        (clean.virus, clean.reason.as_str()),
        (Some(VirusClass::Unknown), "clamd found nothing")
    );
    let infected = examine(&engine).await.unwrap();
    assert_eq!(infected.virus, Some(VirusClass::Virus));
    assert_eq!(infected.reason, "clamd found Eicar-Test-Signature");
    let suspected = examine(&engine).await.unwrap();
    assert_eq!(suspected.virus, Some(VirusClass::High));
    let length = char::from(u8::try_from(MESSAGE.len()).unwrap());
    let one = format!("zINSTREAM\0\0\0\0{length}{MESSAGE}\0\0\0\0");
    assert_eq!(double.heard(), [format!("zIDSESSION\0{one}{one}{one}")]);
}

#[tokio::test]
async fn a_reply_to_another_command_is_not_believed() {
    for reply in ["7: stream: OK\0", "stream: OK\0"] {
        let double = Double::start(vec![dialog(reply).to_vec()]).await;
        let why = examine(&clamav(double.settings())).await.unwrap_err();
        assert_eq!(why.cause, UnavailableCause::Protocol);
    }
}

#[tokio::test]
async fn errors_and_limits_are_told_apart() {
    for (reply, cause) in [
        (
            "1: INSTREAM size limit exceeded. ERROR\0",
            UnavailableCause::TooLarge,
        ),
        (
            "1: Error writing to temporary file. ERROR\0",
            UnavailableCause::Refused,
        ),
    ] {
        let double = Double::start(vec![dialog(reply).to_vec()]).await;
        assert_eq!(
            examine(&clamav(double.settings())).await.unwrap_err().cause,
            cause
        );
    }
}

#[tokio::test]
async fn the_answer_in_the_middle_of_the_message_is_heard() {
    let script = vec![
        Act::Take(100_000),
        say("1: INSTREAM size limit exceeded. ERROR\0"),
    ];
    let large = vec![0; 40 * 1024 * 1024];
    let awaiting_nothing = vec![say("1: INSTREAM size limit exceeded. ERROR\0")];
    for script in [script, awaiting_nothing] {
        let double = Double::start(vec![script]).await;
        let why = clamav(double.settings())
            .examine(specimen(large.clone()))
            .await
            .unwrap_err();
        assert!(
            matches!(
                why.cause,
                UnavailableCause::TooLarge | UnavailableCause::Connect
            ),
            "{why:?}"
        );
    }
}

#[tokio::test]
async fn a_message_above_our_own_limit_is_not_sent() {
    let double = Double::start(vec![vec![Act::Hang]]).await;
    let mut daemon = double.settings();
    daemon.message_size_max = 10;
    let why = examine(&clamav(daemon)).await.unwrap_err();
    assert_eq!(why.cause, UnavailableCause::TooLarge);
    assert_eq!(double.heard(), Vec::<String>::new());
}

#[tokio::test]
async fn the_probe_tells_the_version() {
    let script = vec![
        Act::Await(b"zVERSION\0"),
        say("1: ClamAV 1.4.6/27500/Mon\0"),
    ];
    let double = Double::start(vec![script, vec![say("what?\0")]]).await;
    let engine = clamav(double.settings());
    assert_eq!(engine.probe().await.unwrap(), "ClamAV 1.4.6/27500/Mon");
    assert_eq!(
        engine.probe().await.unwrap_err().cause,
        UnavailableCause::Protocol
    );
}

#[tokio::test]
async fn misbehaviour_is_survived() {
    assert_survives(clamav, &dialog("1: stream: OK\0")).await;
    assert_survives(clamav, &dialog("1: stream: Eicar-Test-Signature FOUND\0")).await;
}

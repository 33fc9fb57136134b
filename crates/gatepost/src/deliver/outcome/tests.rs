use std::sync::Arc;

use smtp::client::Unsupported;

use super::super::fault::Cause;
use super::*;

const PAUSE: Duration = Duration::from_secs(300);

fn at(others_accepted: bool) -> Circumstances<'static> {
    Circumstances {
        nexthop: "mx a.example.net:25",
        pause: PAUSE,
        others_accepted,
    }
}

fn reply(text: &str) -> Reply {
    let (code, text) = text.split_at(3);
    let text = text.trim();
    let (status, words) = match text.split_once(' ') {
        Some((status, words)) if status.parse::<Status>().is_ok() => (status.parse().ok(), words),
        _ => (None, text),
    };
    Reply::new(code.parse().unwrap(), status, words)
}

/// The outcome in one word, with its status.
fn shown(fate: Fate) -> String {
    let (prefix, outcome) = match fate {
        Fate::Settled(outcome) => ("", outcome),
        Fate::Elsewhere(outcome) => ("elsewhere or ", outcome),
    };
    let word = match outcome {
        RecipientOutcome::Delivered { .. } => "delivered".to_owned(),
        RecipientOutcome::Failed { status, .. } => format!("failed {status}"),
        RecipientOutcome::Delayed {
            status,
            retry_after,
            ..
        } => {
            assert_eq!(retry_after, PAUSE);
            format!("delayed {status}")
        }
        RecipientOutcome::Untried => "untried".to_owned(),
    };
    format!("{prefix}{word}")
}

#[test]
fn replies() {
    for (step, text, others, expected) in [
        (Step::Final, "250 2.0.0 ok", false, "delivered"),
        (Step::Final, "354 go on", false, "delayed 4.0.0"),
        (Step::Final, "451 4.7.1 later", false, "delayed 4.7.1"),
        (Step::Final, "550 5.7.1 spam", false, "failed 5.7.1"),
        (Step::Final, "554 no", false, "failed 5.0.0"),
        (
            Step::Final,
            "550 4.7.1 at odds with itself",
            false,
            "failed 5.0.0",
        ),
        (Step::Final, "552 5.2.2 full", false, "failed 5.2.2"),
        (Step::Rcpt, "550 5.1.1 unknown", true, "failed 5.1.1"),
        (Step::Rcpt, "450 4.2.0 greylisted", true, "delayed 4.2.0"),
        (Step::Rcpt, "452 4.5.3 too many", true, "untried"),
        (Step::Rcpt, "452 too many", true, "untried"),
        (Step::Rcpt, "452 4.5.3 too many", false, "delayed 4.5.3"),
        (Step::Rcpt, "452 4.2.2 mailbox full", true, "delayed 4.2.2"),
        (Step::Rcpt, "552 too many", true, "untried"),
        (Step::Rcpt, "552 too many", false, "delayed 4.0.0"),
        (Step::Rcpt, "552 5.2.2 mailbox full", true, "failed 5.2.2"),
        (Step::Rcpt, "250 ok", false, "delayed 4.0.0"),
        (Step::Mail, "550 5.7.1 go away", false, "failed 5.7.1"),
        (Step::Mail, "451 busy", false, "delayed 4.0.0"),
        (
            Step::Data,
            "554 5.5.1 no valid recipients",
            false,
            "failed 5.5.1",
        ),
        (Step::Data, "250 what", false, "delayed 4.0.0"),
    ] {
        let actual = shown(fate(Answered::Reply(step, reply(text)), at(others)));
        assert_eq!(actual, expected, "{step:?} {text} {others}");
    }
}

#[test]
fn only_a_message_that_was_not_sent_goes_elsewhere_at_once() {
    let lost =
        |step, cause| Answered::Lost(Arc::new(Fault::new("mx a.example.net:25", step, cause)));
    for (answered, expected) in [
        (
            lost(Step::Mail, Cause::Closed),
            "elsewhere or delayed 4.4.2",
        ),
        (
            lost(Step::Content, Cause::Timeout(180)),
            "elsewhere or delayed 4.4.2",
        ),
        (lost(Step::Final, Cause::Closed), "delayed 4.4.2"),
        (lost(Step::Final, Cause::Timeout(600)), "delayed 4.4.2"),
        (
            Answered::Unsupported(Unsupported::SmtpUtf8),
            "elsewhere or failed 5.6.7",
        ),
        (
            Answered::Unsupported(Unsupported::EightBitMime),
            "elsewhere or failed 5.6.3",
        ),
        (
            Answered::Unsupported(Unsupported::Size { max: 10 }),
            "elsewhere or failed 5.3.4",
        ),
        (Answered::Unnamed, "untried"),
    ] {
        assert_eq!(
            shown(fate(answered.clone(), at(false))),
            expected,
            "{answered:?}"
        );
    }
}

#[test]
fn a_lost_reply_tells_of_the_repetition() {
    let fault = Fault::new("n", Step::Final, Cause::Closed);
    let Fate::Settled(RecipientOutcome::Delayed { diagnostic, .. }) =
        fate(Answered::Lost(Arc::new(fault)), at(false))
    else {
        panic!("it is delayed");
    };
    assert!(
        diagnostic.contains("a repetition is possible"),
        "{diagnostic}"
    );
}

#[test]
fn pauses_grow_to_their_bound() {
    let config = crate::config::Config::embedded(std::path::Path::new("/nowhere"));
    let queueing = &config.routes[0].queueing;
    for (attempts, seconds) in [
        (0, 300.0),
        (1, 600.0),
        (3, 2400.0),
        (4, 3600.0),
        (u32::MAX, 3600.0),
    ] {
        for _ in 0..50 {
            let pause = pause(queueing, attempts).as_secs_f64();
            assert!(
                (seconds * 0.8..=seconds * 1.2).contains(&pause),
                "{attempts}: {pause}"
            );
        }
    }
}

#[test]
fn a_server_that_can_never_have_the_message_fails_it() {
    let shown_of = |cause| {
        let fault = Fault::new("mx a.example.net:25", Step::Tls, cause);
        shown(fate(Answered::Lost(Arc::new(fault)), at(false)))
    };
    // RFC 8689 4.2.1.
    let vain = Cause::RequireTls("the route has no TLS".to_owned());
    assert_eq!(shown_of(vain), "elsewhere or failed 5.7.30");
    assert_eq!(shown_of(Cause::NoStartTls), "elsewhere or delayed 4.7.5");
}

//! Nexthops that misbehave while the queue delivers to them, each in its way and at each step: the attempt is counted with the
//! right status, the recipient waits, and has the message once the nexthop behaves. Nothing is lost, and nothing comes twice
//! but where a final reply was lost, which the event says.

use crate::support::client::Client;
use crate::support::gateway::Setup;
use crate::support::misbehaviour::{self, Case};
use crate::support::queued::{Attempt, Waiting};
use crate::support::sink::{Act, Manner, Sink, Step};
use crate::support::{PATIENCE, await_some_or, head, message, unused_address};

/// Short times for everything that a nexthop may let us wait for; still long enough for a machine that is busy.
const QUICK: &str = "cut_through = false\nretry_min = \"1s\"\nretry_max = \"2s\"\n\
     nexthop_timeouts = { connect = \"3s\", banner = \"3s\", command = \"3s\", data = \"3s\", block = \"3s\", end = \"3s\" }\n";

/// How much memory the gateway may have needed at most, with a dozen endless answers at once.
const MEMORY_KIB_MAX: u64 = 200 * 1024;

/// Runs cases side by side on one gateway.
fn run(cases: &[Case]) {
    let sinks: Vec<Sink> = cases.iter().map(Case::sink).collect();
    let mut setup = Setup::new();
    for (case, sink) in cases.iter().zip(&sinks) {
        setup = setup.route_for(&format!("{}.example", case.name), sink.nexthop(), QUICK);
    }
    let gateway = setup.start();
    let mut client = Client::greet(gateway.address());
    for case in cases {
        client.begin(&[&case.recipient()]);
        client.data(&case.message()).expect(250, "2.6.0");
    }
    client.quit();
    for (case, sink) in cases.iter().zip(&sinks) {
        let greeting = match case.step {
            Step::Banner => Some("waiting for its banner: "),
            Step::Ehlo => Some("EHLO: "),
            _ => None,
        };
        if let Some(words) = greeting {
            // Nobody there: no message was tried, all wait.
            let detail = gateway.unreachable(&sink.address().to_string());
            assert!(
                detail.starts_with(&format!("{} ", case.status)) && detail.contains(words),
                "{}: {detail}",
                case.name
            );
        } else {
            check(case, &gateway.attempt(&case.recipient(), "delayed"));
        }
        sink.behave();
    }
    for (case, sink) in cases.iter().zip(&sinks) {
        gateway.attempt(&case.recipient(), "delivered");
        let taken = sink.taken();
        assert_eq!(taken.len(), 1, "{}: {taken:#?}", case.name);
        head(&taken[0].content, &case.message());
        let whole = sink.received().len();
        assert!(
            whole == 1 || case.step == Step::Final,
            "{}: {whole} copies",
            case.name
        );
    }
    gateway.await_empty_queue();
    let (_, at_most) = gateway.memory_kib();
    assert!(at_most < MEMORY_KIB_MAX, "{at_most} KiB");
}

fn check(case: &Case, attempt: &Attempt) {
    assert_eq!(attempt.status, case.status, "{}: {attempt:#?}", case.name);
    assert_eq!(
        attempt.text.contains("a repetition is possible"),
        case.may_repeat,
        "{}: {attempt:#?}",
        case.name
    );
}

#[test]
fn nexthops_that_fall_silent() {
    run(&misbehaviour::silence());
}

#[test]
fn nexthops_that_hang_up() {
    run(&misbehaviour::hang_ups());
}

#[test]
fn nexthops_that_ask_for_patience() {
    run(&misbehaviour::requests_for_patience());
}

#[test]
fn nexthops_that_talk_nonsense() {
    run(&misbehaviour::nonsense());
}

#[test]
fn a_nexthop_that_says_yes_to_everything_has_taken_nothing() {
    // It says 250 to DATA too, and would read the message as commands.
    let sink = Manner::smtp()
        .script(|moment| match moment {
            "connect" => Act::Say("220 yes"),
            _ => Act::Say("250 yes"),
        })
        .start();
    let gateway = Setup::new().route(sink.nexthop(), QUICK).start();
    gateway.submit(&["bob@example.com"], &message("yes"));
    let attempt = gateway.attempt("bob@example.com", "delayed");
    assert_eq!(attempt.status, "4.5.0", "{attempt:#?}");
    assert!(
        !sink
            .commands()
            .iter()
            .any(|line| line.starts_with("Subject")),
        "{:?}",
        sink.commands()
    );
    sink.behave();
    gateway.attempt("bob@example.com", "delivered");
    assert_eq!(sink.received().len(), 1);
}

#[test]
fn a_final_reply_before_the_message_counts_for_nothing() {
    let sink = Manner::smtp()
        .script(|moment| match moment {
            "DATA" => Act::Bytes(b"354 go on\r\n250 2.0.0 taken before it came\r\n".to_vec()),
            "content" => Act::Close,
            _ => Act::Usual,
        })
        .start();
    let gateway = Setup::new().route(sink.nexthop(), QUICK).start();
    let large = [message("early"), b"0123456789\r\n".repeat(200_000)].concat();
    gateway.submit(&["bob@example.com"], &large);
    let attempt = gateway.attempt("bob@example.com", "delayed");
    assert!(
        ["4.4.2", "4.5.0"].contains(&attempt.status.as_str()),
        "{attempt:#?}"
    );
    sink.behave();
    gateway.attempt("bob@example.com", "delivered");
    head(&sink.one().content, &large);
}

#[test]
fn a_refusal_in_the_midst_of_the_content_is_the_answer() {
    // The server does not read on: with a reset, or with a connection that only stands still.
    let large = [message("too large"), b"0123456789\r\n".repeat(1_300_000)].concat();
    let closes = Act::SayAndClose("552 5.3.4 larger than we take");
    for (keys, act) in [
        (QUICK.to_owned(), closes.clone()),
        (
            QUICK.to_owned(),
            Act::SayAndStall("552 5.3.4 larger than we take"),
        ),
        (QUICK.replace("cut_through = false", ""), closes),
    ] {
        let queues = keys.contains("cut_through");
        let sink = Manner::smtp().at(Step::Content, act.clone()).start();
        let gateway = Setup::new().route(sink.nexthop(), &keys).start();
        if queues {
            gateway.submit(&["bob@example.com"], &large);
            let failed = gateway.attempt("bob@example.com", "failed");
            assert_eq!(failed.status, "5.3.4", "{act:?}: {failed:#?}");
            assert!(failed.text.contains("larger than we take"), "{failed:#?}");
        } else {
            let mut client = Client::envelope(gateway.address(), &["bob@example.com"]);
            client.data(&large).expect(552, "5.3.4");
            client.quit();
        }
        assert_eq!(sink.count("DATA"), 1, "{act:?}");
    }
}

#[test]
fn a_request_for_patience_in_the_midst_of_the_content_is_one() {
    let large = [message("busy"), b"0123456789\r\n".repeat(1_300_000)].concat();
    for reply in ["421 4.3.2 closing", "452 4.3.1 no space"] {
        let act = Act::SayAndClose(reply);
        let sink = Manner::smtp().at(Step::Content, act).start();
        let gateway = Setup::new().route(sink.nexthop(), QUICK).start();
        gateway.submit(&["bob@example.com"], &large);
        let delayed = gateway.attempt("bob@example.com", "delayed");
        assert!(reply.contains(&delayed.status), "{delayed:#?}");
        sink.behave();
        gateway.attempt("bob@example.com", "delivered");
        assert_eq!(sink.received().len(), 1);
    }
}

#[test]
fn a_nexthop_that_answers_just_in_time_does_not_hold_us() {
    // Each answer comes within its own time: twenty of them would take 20 s and more.
    let sink = Manner::smtp()
        .without("PIPELINING")
        .script(|moment| {
            if moment.starts_with("RCPT") {
                std::thread::sleep(std::time::Duration::from_secs(1));
            }
            Act::Usual
        })
        .start();
    let keys = QUICK.replace("connect =", "envelope = \"4s\", connect =");
    let gateway = Setup::new().route(sink.nexthop(), &keys).start();
    let recipients: Vec<String> = (0..20).map(|it| format!("r{it}@example.com")).collect();
    let recipients: Vec<&str> = recipients.iter().map(String::as_str).collect();
    gateway.submit(&recipients, &message("tar"));
    let attempt = gateway.attempt("r0@example.com", "delayed");
    assert_eq!(attempt.status, "4.4.2", "{attempt:#?}");
    assert!(
        attempt.text.contains("no answer within 4 s"),
        "{attempt:#?}"
    );
    assert!(sink.count("RCPT") < 10, "{:?}", sink.commands());
    assert_eq!(sink.count("DATA"), 0);
    sink.behave();
    gateway.attempt("r0@example.com", "delivered");
    gateway.await_empty_queue();
    assert_eq!(sink.taken().len(), 1);
}

#[test]
fn a_nexthop_that_takes_the_content_drop_by_drop_does_not_hold_us() {
    // A unix socket, whose buffers are small: each block is taken within its time, only all together are too slow.
    let large = [message("drops"), b"0123456789\r\n".repeat(500_000)].concat();
    let folder = tempfile::tempdir().unwrap();
    let sink = Manner::lmtp()
        .at(Step::Content, Act::Sip)
        .start_on(&folder.path().join("lmtp"));
    let keys = QUICK.replace("connect =", "bytes_per_second_min = \"256KiB\", connect =");
    let gateway = Setup::new().route(sink.nexthop(), &keys).start();
    gateway.submit(&["bob@example.com"], &large);
    let attempt = gateway.attempt("bob@example.com", "delayed");
    assert_eq!(attempt.status, "4.4.2", "{attempt:#?}");
    let told = |words| attempt.text.contains(words);
    assert!(
        told("sending the content: no answer within") && !told("within 3 s"),
        "{attempt:#?}"
    );
    sink.behave();
    gateway.attempt("bob@example.com", "delivered");
    assert_eq!(sink.taken().len(), 1);
}

#[test]
fn a_nexthop_that_is_not_there_is_tried_again() {
    let address = unused_address();
    let gateway = Setup::new()
        .route(&format!("smtp:{address}"), QUICK)
        .start();
    gateway.submit(&["bob@example.com"], &message("later"));
    let detail = gateway.unreachable(&address.to_string());
    assert!(
        detail.starts_with("4.4.1 ") && detail.contains("refused"),
        "{detail}"
    );
    let sink = Manner::smtp().start_at(address);
    head(&sink.one().content, &message("later"));
    gateway.await_empty_queue();
}

#[test]
fn refusals_are_final_for_their_recipient_only() {
    let sink = Manner::smtp()
        .script(|line| {
            if line.starts_with("RCPT TO:<nobody@") {
                Act::Say("550 5.1.1 no such user")
            } else if line.starts_with("RCPT TO:<full@") {
                Act::Say("452 4.2.2 mailbox full")
            } else {
                Act::Usual
            }
        })
        .start();
    let gateway = Setup::new().route(sink.nexthop(), QUICK).start();
    gateway.submit(
        &["bob@example.com", "nobody@example.com", "full@example.com"],
        &message("to one of three"),
    );
    gateway.attempt("bob@example.com", "delivered");
    let failed = gateway.attempt("nobody@example.com", "failed");
    assert_eq!(failed.status, "5.1.1", "{failed:#?}");
    let delayed = gateway.attempt("full@example.com", "delayed");
    assert_eq!(delayed.status, "4.2.2", "{delayed:#?}");
    sink.behave();
    gateway.attempt("full@example.com", "delivered");
    let taken = sink.taken();
    let recipients: Vec<_> = taken.iter().flat_map(|it| it.recipients.clone()).collect();
    assert_eq!(
        recipients,
        ["TO:<bob@example.com>", "TO:<full@example.com>"]
    );
    gateway.await_empty_queue();
}

#[test]
fn lmtp_with_too_few_replies() {
    // One reply for two recipients, and the connection is closed.
    let sink = Manner::lmtp()
        .script(|moment| {
            if moment.starts_with("message TO:<second@") {
                Act::Close
            } else {
                Act::Usual
            }
        })
        .start();
    let gateway = Setup::new().route(sink.nexthop(), QUICK).start();
    gateway.submit(
        &["first@example.com", "second@example.com"],
        &message("two"),
    );
    gateway.attempt("first@example.com", "delivered");
    let delayed = gateway.attempt("second@example.com", "delayed");
    assert_eq!(delayed.status, "4.4.2", "{delayed:#?}");
    assert!(
        delayed.text.contains("a repetition is possible"),
        "{delayed:#?}"
    );
    sink.behave();
    gateway.attempt("second@example.com", "delivered");
    let again = sink.received().pop().unwrap();
    assert_eq!(again.recipients, ["TO:<second@example.com>"]);
}

#[test]
fn lmtp_with_too_many_replies() {
    // The second reply belongs to nobody: the next transaction must not take it for its own.
    let sink = Manner::lmtp()
        .script(|moment| {
            if moment.starts_with("message TO:<first@") {
                Act::Say("250 2.0.0 taken\r\n250 2.0.0 and taken")
            } else if moment.starts_with("message") {
                Act::Say("451 4.3.0 not taken")
            } else {
                Act::Usual
            }
        })
        .start();
    let gateway = Setup::new()
        .route(sink.nexthop(), &format!("{QUICK}connections_max = 1\n"))
        .start();
    gateway.submit(&["first@example.com"], &message("one"));
    gateway.submit(&["other@example.com"], &message("two"));
    gateway.attempt("first@example.com", "delivered");
    let delayed = gateway.attempt("other@example.com", "delayed");
    assert_eq!(delayed.status, "4.3.0", "{delayed:#?}");
    sink.behave();
    gateway.attempt("other@example.com", "delivered");
}

#[test]
fn what_cut_through_cannot_finish_is_queued_where_the_route_says_so() {
    for (name, step, act) in [
        ("refused", Step::Banner, Act::Close),
        ("data", Step::Data, Act::Close),
        ("final", Step::Final, Act::Close),
    ] {
        let sink = Manner::smtp().at(step, act).start();
        let keys = QUICK.replace(
            "cut_through = false",
            "cut_through = true\non_nexthop_failure = \"queue\"",
        );
        let gateway = Setup::new().route(sink.nexthop(), &keys).start();
        let mut client = Client::envelope(gateway.address(), &["bob@example.com"]);
        client.data(&message(name)).expect(250, "2.6.0");
        client.quit();
        let decision = gateway.decision();
        assert_eq!(
            decision["recipients"][0]["disposition"], "queued",
            "{name}: {decision:#}"
        );
        sink.behave();
        gateway.attempt("bob@example.com", "delivered");
        assert_eq!(sink.taken().len(), 1, "{name}");
        // Each final reply that was lost may have left a copy there, and the decision says so.
        let copies = sink.received().len();
        assert_eq!(copies > 1, step == Step::Final, "{name}: {copies}");
        assert_eq!(
            decision.to_string().contains("a repetition is possible"),
            step == Step::Final,
            "{name}: {decision:#}"
        );
    }
}

#[test]
fn what_is_queued_survives_a_kill() {
    let address = unused_address();
    let mut gateway = Setup::new()
        .route(&format!("smtp:{address}"), QUICK)
        .start();
    for number in 0..20 {
        gateway.submit(&["bob@example.com"], &message(&format!("number {number}")));
    }
    gateway.kill_and_start();
    let sink = Manner::smtp().start_at(address);
    let received = sink.at_least(20);
    for number in 0..20 {
        let wanted = message(&format!("number {number}"));
        assert_eq!(
            received
                .iter()
                .filter(|it| it.content.ends_with(&wanted))
                .count(),
            1,
            "number {number}"
        );
    }
    await_some_or(
        || format!("the queue is not empty after {PATIENCE:?}"),
        || (gateway.waiting() == Waiting::default()).then_some(()),
    );
}

#[test]
fn a_large_message_arrives_byte_for_byte() {
    let sink = Manner::smtp().start();
    let gateway = Setup::new().route(sink.nexthop(), QUICK).start();
    let large = [message("large"), b".leading dot\r\n".repeat(100_000)].concat();
    gateway.submit(&["bob@example.com"], &large);
    head(&sink.one().content, &large);
}

//! What the nexthop says reaches the client: at RCPT, after the message, for each recipient where it can; and what happens when
//! it breaks off.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::client::{Client, stuffed};
use crate::support::gateway::{Gateway, Setup};
use crate::support::sink::{Act, Manner, Sink};
use crate::support::{head, message, unused_address};

fn gateway_to(sink: &Sink) -> Gateway {
    Setup::new().route(sink.nexthop(), "").start()
}

#[test]
fn refusals_of_recipients_are_passed_on() {
    let sink = Manner::smtp()
        .script(|line| match line {
            _ if line.starts_with("RCPT TO:<nobody@") => Act::Say("550 5.1.1 no such user"),
            _ if line.starts_with("RCPT TO:<full@") => {
                Act::Say("452-4.2.2 mailbox\r\n452 4.2.2 is full")
            }
            _ if line.starts_with("RCPT TO:<moved@") => Act::Say("551 5.7.1 not for you"),
            _ => Act::Usual,
        })
        .start();
    let gateway = gateway_to(&sink);
    let mut client = Client::greet(gateway.address());
    client
        .command("MAIL FROM:<ann@example.net>")
        .expect_code(250);
    let unknown = client
        .command("RCPT TO:<nobody@example.com>")
        .expect(550, "5.1.1");
    let full = client
        .command("RCPT TO:<full@example.com>")
        .expect(452, "4.2.2");
    let moved = client
        .command("RCPT TO:<moved@example.com>")
        .expect(551, "5.7.1");
    client.command("RCPT TO:<bob@example.com>").expect_code(250);
    client.data(&message("to one of four")).expect(250, "2.6.0");
    assert!(
        full.text.contains("mailbox") && full.text.contains("is full"),
        "{full:?}"
    );
    assert!(moved.text.ends_with("] not for you"), "{moved:?}");
    assert_eq!(sink.one().recipients, ["TO:<bob@example.com>"]);
    let decision = gateway.decision();
    assert_eq!(decision["reference"], unknown.reference());
    let recipients = decision["recipients"].as_array().unwrap();
    let dispositions: Vec<_> = recipients
        .iter()
        .map(|it| it["disposition"].as_str().unwrap())
        .collect();
    assert_eq!(dispositions, ["refused", "deferred", "refused", "relayed"]);
    assert_eq!(recipients[1]["nexthop_reply"]["code"], 452);
    // On this route nothing is remembered: the nexthop is asked each time, and may change its mind.
    client
        .command("MAIL FROM:<ann@example.net>")
        .expect_code(250);
    client
        .command("RCPT TO:<nobody@example.com>")
        .expect(550, "5.1.1");
    client
        .command("RCPT TO:<full@example.com>")
        .expect(452, "4.2.2");
    assert_eq!(
        (sink.count("RCPT TO:<nobody@"), sink.count("RCPT TO:<full@")),
        (2, 2)
    );
    client.quit();
}

#[test]
fn a_refused_reverse_path_is_passed_on() {
    let sink = Manner::smtp()
        .script(|line| {
            if line.starts_with("MAIL FROM:<ann@") {
                Act::Say("553 5.1.8 sender rejected")
            } else {
                Act::Usual
            }
        })
        .start();
    let gateway = gateway_to(&sink);
    let mut client = Client::greet(gateway.address());
    client
        .command("MAIL FROM:<ann@example.net>")
        .expect_code(250);
    let reply = client
        .command("RCPT TO:<bob@example.com>")
        .expect(553, "5.1.8");
    assert!(reply.text.ends_with("] sender rejected"), "{reply:?}");
    client.command("RSET").expect_code(250);
    client
        .command("MAIL FROM:<other@example.net>")
        .expect_code(250);
    client.command("RCPT TO:<bob@example.com>").expect_code(250);
    client.quit();
}

#[test]
fn the_second_nexthop_takes_over() {
    let down = unused_address();
    let broken = Manner::smtp()
        .script(|line| {
            if line == "connect" {
                Act::SayAndClose("421 4.3.2 not now")
            } else {
                Act::Usual
            }
        })
        .start();
    let good = Sink::smtp();
    let nexthops = format!("smtp:{down}, {}, {}", broken.nexthop(), good.nexthop());
    let gateway = Setup::new().route(&nexthops, "").start();
    let mut client = Client::greet(gateway.address());
    for _ in 0..2 {
        client.begin(&["bob@example.com"]);
        client.data(&message("failover")).expect(250, "2.6.0");
    }
    client.quit();
    assert_eq!(good.received().len(), 2);
    assert_eq!(
        gateway.decisions(2)[0]["recipients"][0]["nexthop"],
        good.nexthop()
    );
    for nexthop in [&format!("smtp:{down}"), broken.nexthop()] {
        gateway.await_event("nexthop-down", |event| event["nexthop"] == nexthop);
    }
    // Those that failed are left alone for a while.
    assert_eq!(broken.connections(), 1);
}

#[test]
fn a_nexthop_that_leaves_after_the_dot_may_have_taken_it() {
    let sink = Manner::smtp()
        .script(|line| {
            if line == "message" {
                Act::Close
            } else {
                Act::Usual
            }
        })
        .start();
    let gateway = Setup::new().route(sink.nexthop(), "").start();
    let mut client = Client::envelope(gateway.address(), &["bob@example.com"]);
    let reply = client.data(&message("lost reply")).expect_code(451);
    client.quit();
    let decision = gateway.decision();
    assert_eq!(decision["reference"], reply.reference());
    let detail = decision["recipients"][0]["verdict"]["reason"]["detail"]
        .as_str()
        .unwrap();
    assert!(detail.contains("a repetition is possible"), "{decision:#}");
    assert_eq!(decision["recipients"][0]["disposition"], "deferred");
}

#[test]
fn a_nexthop_that_leaves_earlier_has_not() {
    let sink = Manner::smtp()
        .script(|line| {
            if line == "DATA" {
                Act::SayAndClose("354 go on")
            } else {
                Act::Usual
            }
        })
        .start();
    let gateway = gateway_to(&sink);
    let mut client = Client::envelope(gateway.address(), &["bob@example.com"]);
    client
        .data(&[&message("cut off")[..], "x\r\n".repeat(100_000).as_bytes()].concat())
        .expect_code(451);
    client.quit();
    assert_eq!(sink.received(), []);
    assert_eq!(
        gateway.decision()["recipients"][0]["disposition"],
        "deferred"
    );
}

#[test]
fn final_replies_are_passed_on() {
    for (said, told, disposition) in [
        (
            "452 4.3.1 no space",
            "4.3.1 [REFERENCE] no space",
            "deferred",
        ),
        (
            "554 5.6.0 bad content",
            "5.6.0 [REFERENCE] bad content",
            "refused",
        ),
        (
            "550 no status here",
            "[REFERENCE] no status here",
            "refused",
        ),
    ] {
        let sink = Manner::smtp()
            .script(move |line| {
                if line == "message" {
                    Act::Say(said)
                } else {
                    Act::Usual
                }
            })
            .start();
        let gateway = gateway_to(&sink);
        let mut client = Client::envelope(gateway.address(), &["bob@example.com"]);
        let reply = client.data(&message("refused later"));
        client.quit();
        let decision = gateway.decision();
        let reference = decision["reference"].as_str().unwrap();
        assert_eq!(reply.code.to_string(), said[..3]);
        assert_eq!(reply.text, told.replace("REFERENCE", reference));
        let recipient = &decision["recipients"][0];
        assert_eq!(recipient["disposition"], disposition, "{recipient:#}");
        assert_eq!(
            recipient["nexthop_reply"]["code"], reply.code,
            "{recipient:#}"
        );
    }
}

#[test]
fn a_mailbox_that_the_file_does_not_know_is_refused_before_another_transaction_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("recipients");
    std::fs::write(&file, "bob\ncarol\n").unwrap();
    let sink = Manner::lmtp().start();
    let recipients = format!("recipients = \"file:{}\"", file.display());
    let gateway = Setup::new().route(sink.nexthop(), &recipients).start();
    let mut client = Client::greet(gateway.address());
    client
        .command("MAIL FROM:<ann@example.net>")
        .expect_code(250);
    client.command("RCPT TO:<bob@example.com>").expect_code(250);
    client
        .command("RCPT TO:<carol@example.com>")
        .expect(452, "4.5.3");
    client
        .command("RCPT TO:<nobody@example.com>")
        .expect(550, "5.1.1");
    client.quit();
}

#[test]
fn lmtp_answers_for_each_recipient() {
    let sink = Manner::lmtp()
        .script(|line| {
            if line.starts_with("message TO:<full@") {
                Act::Say("452 4.2.2 mailbox full")
            } else {
                Act::Usual
            }
        })
        .start();
    let gateway = gateway_to(&sink);
    let mut client = Client::greet(gateway.address());
    // Without PRDR there is one reply, which can't tell of two.
    client
        .command("MAIL FROM:<ann@example.net>")
        .expect_code(250);
    client.command("RCPT TO:<bob@example.com>").expect_code(250);
    client
        .command("RCPT TO:<full@example.com>")
        .expect(452, "4.5.3");
    client.data(&message("LMTP")).expect(250, "2.6.0");
    assert_eq!(sink.take()[0].recipients, ["TO:<bob@example.com>"]);
    // With PRDR there are two.
    client
        .command("MAIL FROM:<ann@example.net> PRDR")
        .expect_code(250);
    client.command("RCPT TO:<bob@example.com>").expect_code(250);
    client
        .command("RCPT TO:<full@example.com>")
        .expect_code(250);
    client.command("DATA").expect_code(354);
    client.send(&[stuffed(&message("PRDR to LMTP")), b".\r\n".to_vec()].concat());
    client.reply().expect_code(353);
    client.reply().expect(250, "2.6.0");
    let full = client.reply().expect(452, "4.2.2");
    client.reply().expect_code(250);
    assert!(full.text.ends_with("mailbox full"), "{full:?}");
    let received = sink.one();
    assert_eq!(received.recipients.len(), 2);
    head(&received.content, &message("PRDR to LMTP"));
    let decision = &gateway.decisions(2)[1];
    assert_eq!(decision["recipients"][0]["disposition"], "relayed");
    assert_eq!(decision["recipients"][1]["disposition"], "deferred");
    client.quit();
}

#[test]
fn an_idle_connection_that_died_is_replaced() {
    static CONNECTIONS: AtomicUsize = AtomicUsize::new(0);
    // Every connection is closed after its first message.
    let sink = Manner::smtp()
        .script(|line| match line {
            "message" => {
                CONNECTIONS.fetch_add(1, Ordering::Relaxed);
                Act::SayAndClose("250 2.0.0 taken, and good-bye")
            }
            _ => Act::Usual,
        })
        .start();
    let gateway = gateway_to(&sink);
    let mut client = Client::greet(gateway.address());
    for number in 0..5 {
        client.begin(&["bob@example.com"]);
        client
            .data(&message(&format!("number {number}")))
            .expect(250, "2.6.0");
    }
    client.quit();
    assert_eq!(CONNECTIONS.load(Ordering::Relaxed), 5);
    assert_eq!(sink.received().len(), 5);
}

#[test]
fn a_client_that_leaves_ends_the_nexthops_transaction() {
    let sink = Sink::smtp();
    let gateway = gateway_to(&sink);
    let mut client = Client::envelope(gateway.address(), &["bob@example.com"]);
    client.command("DATA").expect_code(354);
    client.send(b"Subject: half a message\r\n\r\nand then");
    drop(client);
    let decision = gateway.decision();
    assert_eq!(decision["ended_by"], "disconnect", "{decision:#}");
    assert_eq!(decision["stage"], "data", "{decision:#}");
    assert_eq!(
        decision["recipients"][0]["disposition"], "abandoned",
        "{decision:#}"
    );
    assert_eq!(sink.received(), []);
    assert_eq!(sink.count("DATA"), 0, "{:?}", sink.commands());
}

#[test]
fn a_fixup_in_the_path_is_worked_around() {
    // What a PIX leaves of a banner, and of EHLO.
    let sink = Manner::smtp()
        .script(|line| match line {
            "connect" => Act::Say("220 ********************2*****0*********"),
            _ if line.starts_with("EHLO") => Act::Say("500 5.5.1 XXXX"),
            _ => Act::Usual,
        })
        .start();
    let gateway = gateway_to(&sink);
    let mut client = Client::envelope(gateway.address(), &["bob@example.com"]);
    client.data(&message("through a PIX")).expect(250, "2.6.0");
    client.quit();
    head(&sink.one().content, &message("through a PIX"));
    assert_eq!(sink.count("HELO "), 1, "{:?}", sink.commands());
}

#[test]
fn a_callout_on_the_way_remembers_who_is_not_there() {
    let sink = Manner::smtp()
        .script(|line| {
            if line.starts_with("RCPT TO:<nobody@") {
                Act::Say("550 5.1.1 no such user")
            } else {
                Act::Usual
            }
        })
        .start();
    let gateway = Setup::new()
        .route(sink.nexthop(), "recipients = \"callout\"")
        .start();
    let mut client = Client::greet(gateway.address());
    for _ in 0..3 {
        client
            .command("MAIL FROM:<ann@example.net>")
            .expect_code(250);
        client
            .command("RCPT TO:<nobody@example.com>")
            .expect(550, "5.1.1");
        client.command("RCPT TO:<bob@example.com>").expect_code(250);
        client.data(&message("to one of two")).expect(250, "2.6.0");
    }
    client.quit();
    assert_eq!(sink.count("RCPT TO:<nobody@"), 1, "{:?}", sink.commands());
    assert_eq!(sink.received().len(), 3);
}

#[test]
fn a_nexthop_that_hangs_is_not_waited_for_long() {
    for moment in ["RCPT", "message"] {
        let sink = Manner::smtp()
            .script(move |line| {
                if line.starts_with(moment) {
                    Act::Hang
                } else {
                    Act::Usual
                }
            })
            .start();
        let gateway = Setup::new()
            .route(
                sink.nexthop(),
                "nexthop_timeouts = { command = \"1s\", end = \"1s\" }",
            )
            .start();
        let mut client = Client::greet(gateway.address());
        client
            .command("MAIL FROM:<ann@example.net>")
            .expect_code(250);
        let at_rcpt = client.command("RCPT TO:<bob@example.com>");
        let reply = match moment {
            "RCPT" => at_rcpt,
            _ => client.data(&message("hangs")),
        };
        let reply = reply.expect_code(451);
        client.quit();
        let decision = gateway.decision();
        assert_eq!(decision["reference"], reply.reference());
        let detail = decision["recipients"][0]["verdict"]["reason"]["detail"]
            .as_str()
            .unwrap();
        assert_eq!(
            detail.contains("a repetition is possible"),
            moment == "message",
            "{decision:#}"
        );
    }
}

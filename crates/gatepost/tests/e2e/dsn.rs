//! Delivery status notifications (RFC 3461, 3464, 6522) as the sender gets them and others read them: failure, delay, success,
//! relayed; what they return; when there is none; and what is passed on to nexthops that do it themselves.

use serde_json::Value;

use crate::support::client::Client;
use crate::support::exim::Exim;
use crate::support::gateway::{Gateway, Setup};
use crate::support::postfix::Postfix;
use crate::support::reports::report;
use crate::support::sink::{Act, Manner, Sink};
use crate::support::{await_some_or, head, message};

const QUEUED: &str = "cut_through = false\nretry_min = \"1s\"\nretry_max = \"1s\"\n";

/// A nexthop that refuses some, a sender whose reports come to a sink.
struct Reporting {
    gateway: Gateway,
    nexthop: Sink,
    reports: Sink,
}

impl Reporting {
    fn start(manner: Manner, keys: &str) -> Reporting {
        Reporting::with_route(manner, &format!("{QUEUED}{keys}"))
    }

    /// The nexthop is asked while the client waits.
    fn cut_through(manner: Manner) -> Reporting {
        Reporting::with_route(manner, "cut_through = true")
    }

    fn with_route(manner: Manner, keys: &str) -> Reporting {
        let (nexthop, reports) = (manner.start(), Sink::smtp());
        let gateway = Setup::new()
            .node("trusted_networks = [\"127.0.0.0/8\"]")
            .route(nexthop.nexthop(), keys)
            .route_for("example.net", reports.nexthop(), QUEUED)
            .start();
        Reporting {
            gateway,
            nexthop,
            reports,
        }
    }

    /// Sends a message with what follows MAIL and each RCPT.
    #[track_caller]
    fn send(&self, mail: &str, recipients: &[&str], content: &[u8]) {
        let mut client = Client::greet(self.gateway.address());
        client.command(&format!("MAIL {mail}")).expect_code(250);
        for recipient in recipients {
            client
                .command(&format!("RCPT {recipient}"))
                .expect_code(250);
        }
        client.data(content).expect(250, "2.6.0");
        client.quit();
    }

    /// The next report, which must be the only one, and what carried it.
    #[track_caller]
    fn report(&self) -> Value {
        let received = self.reports.one();
        self.reports.take();
        assert!(received.mail.starts_with("FROM:<>"), "{}", received.mail);
        assert_eq!(received.recipients.len(), 1, "{received:#?}");
        assert!(
            received.recipients[0].starts_with("TO:<ann@example.net>"),
            "{received:#?}"
        );
        let report = report(&received.content);
        // RFC 3834 3.1.8 and RFC 3464 2: others must not answer it.
        assert_eq!(
            report["fields"]["auto-submitted"], "auto-replied",
            "{report:#}"
        );
        assert_eq!(report["message"]["reporting-mta"], "dns; mx.gatepost.test");
        report
    }
}

/// Refuses recipients whose local-part begins with `no`, and defers those with `full`.
fn choosy() -> Manner {
    Manner::smtp().script(|line| {
        if line.starts_with("RCPT TO:<no") {
            Act::Say("550-5.1.1 The account that you tried to reach does not exist.\r\n550 5.1.1 Check its name.")
        } else if line.starts_with("RCPT TO:<full") {
            Act::Say("452 4.2.2 mailbox full")
        } else {
            Act::Usual
        }
    })
}

#[test]
fn a_failure_is_reported() {
    let it = Reporting::start(choosy(), "");
    it.send(
        "FROM:<ann@example.net> RET=HDRS ENVID=QQ314159",
        &[
            "TO:<nobody@example.com> NOTIFY=FAILURE ORCPT=rfc822;Bob+2Bx@example.org",
            "TO:<bob@example.com>",
        ],
        &message("returned"),
    );
    let report = it.report();
    assert_eq!(report["message"]["original-envelope-id"], "QQ314159");
    let recipients = report["recipients"].as_array().unwrap();
    assert_eq!(recipients.len(), 1, "{report:#}");
    let told = &recipients[0];
    assert_eq!(told["action"], "failed");
    assert_eq!(told["status"], "5.1.1");
    assert_eq!(told["final-recipient"], "rfc822; nobody@example.com");
    assert_eq!(told["original-recipient"], "rfc822; Bob+x@example.org");
    let diagnostic = told["diagnostic-code"].as_str().unwrap();
    assert!(
        diagnostic.starts_with("smtp; 550")
            && diagnostic.contains("The account that you tried to reach does not exist. Check its"),
        "{report:#}"
    );
    assert!(told["remote-mta"].is_string(), "{report:#}");
    // RET=HDRS: the header section, and nothing of the body.
    let parts = report["parts"].as_array().unwrap();
    assert_eq!(parts[2], "text/rfc822-headers", "{report:#}");
    let returned = report["returned"].as_str().unwrap();
    assert!(
        returned.contains("Subject: returned") && !returned.contains("as we said"),
        "{report:#}"
    );
    let text = report["text"].as_str().unwrap();
    assert!(
        text.contains("nobody@example.com") && text.contains("does not exist"),
        "{report:#}"
    );
    assert_eq!(it.nexthop.one().recipients, ["TO:<bob@example.com>"]);
    it.gateway.await_empty_queue();
}

#[test]
fn the_whole_message_is_returned_where_it_was_asked_for() {
    let it = Reporting::start(choosy(), "");
    it.send(
        "FROM:<ann@example.net> RET=FULL",
        &["TO:<nobody@example.com>"],
        &message("full"),
    );
    let report = it.report();
    assert_eq!(report["parts"][2], "message/rfc822", "{report:#}");
    assert!(
        report["returned"].as_str().unwrap().contains("as we said."),
        "{report:#}"
    );
}

#[test]
fn failures_of_one_message_share_a_report() {
    let it = Reporting::start(choosy(), "");
    it.send(
        "FROM:<ann@example.net>",
        &[
            "TO:<no1@example.com>",
            "TO:<no2@example.com>",
            "TO:<no3@example.com> NOTIFY=NEVER",
            "TO:<no4@example.com> NOTIFY=SUCCESS,DELAY",
        ],
        &message("together"),
    );
    let report = it.report();
    let mut told: Vec<_> = report["recipients"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["final-recipient"].as_str().unwrap().to_owned())
        .collect();
    told.sort();
    assert_eq!(told, ["rfc822; no1@example.com", "rfc822; no2@example.com"]);
    it.gateway.await_empty_queue();
    assert_eq!(it.reports.received(), []);
}

#[test]
fn nobody_is_told_who_may_not_be() {
    let it = Reporting::start(choosy(), "delay_warning = \"1s\"");
    it.send(
        "FROM:<>",
        &["TO:<nobody@example.com>"],
        &message("null reverse-path"),
    );
    it.send(
        "FROM:<ann@example.net>",
        &["TO:<nobody@example.com> NOTIFY=NEVER"],
        &message("never"),
    );
    it.send(
        "FROM:<ann@example.net>",
        &["TO:<nobody@example.com> NOTIFY=SUCCESS"],
        &message("success only"),
    );
    await_some_or(
        || format!("{:#?}", it.gateway.attempts()),
        || {
            let attempts = it.gateway.attempts();
            let failed = attempts.iter().filter(|it| it.result == "failed").count();
            (failed >= 3).then_some(())
        },
    );
    it.gateway.await_empty_queue();
    assert_eq!(it.reports.commands(), Vec::<String>::new());
    // Nobody is left in the dark without a line that says so.
    await_some_or(
        || format!("{:#?}", it.gateway.log()),
        || {
            let withheld = it.gateway.events("report-withheld");
            let unwanted = withheld
                .iter()
                .filter(|event| event["reason"] == "unwanted");
            (unwanted.count() == 2).then_some(())
        },
    );
    let null = it.gateway.await_event("report-withheld", |event| {
        event["reason"] == "null-reverse-path"
    });
    assert_eq!(null["to_postmaster"], true, "{null:#}");
}

#[test]
fn a_delay_is_reported_once() {
    let it = Reporting::start(choosy(), "delay_warning = \"1s\"");
    it.send(
        "FROM:<ann@example.net>",
        &[
            "TO:<full@example.com> NOTIFY=FAILURE,DELAY",
            "TO:<full2@example.com> NOTIFY=FAILURE",
        ],
        &message("delayed"),
    );
    let report = it.report();
    let recipients = report["recipients"].as_array().unwrap();
    assert_eq!(recipients.len(), 1, "{report:#}");
    let told = &recipients[0];
    assert_eq!(told["action"], "delayed", "{report:#}");
    assert_eq!(told["status"], "4.2.2", "{report:#}");
    assert_eq!(told["final-recipient"], "rfc822; full@example.com");
    assert!(told["will-retry-until"].is_string(), "{report:#}");
    // Some more attempts, and no other report.
    let before = it.nexthop.count("RCPT TO:<full@");
    await_some_or(
        || format!("{:?}", it.nexthop.commands()),
        || (it.nexthop.count("RCPT TO:<full@") >= before + 3).then_some(()),
    );
    assert_eq!(it.reports.received(), []);
    it.nexthop.behave();
    it.gateway.await_empty_queue();
}

#[test]
fn a_success_that_was_asked_for_is_reported_as_relayed() {
    relayed(&Reporting::start(choosy(), ""));
}

#[test]
fn so_it_is_where_the_client_waited_for_it() {
    relayed(&Reporting::cut_through(choosy()));
    // RFC 3461 5.2.1: who speaks DSN tells it by himself.
    let it = Reporting::cut_through(Manner::smtp().offers("DSN"));
    it.send(
        "FROM:<ann@example.net>",
        &["TO:<bob@example.com> NOTIFY=SUCCESS"],
        &message("passed on"),
    );
    assert!(it.nexthop.one().recipients[0].contains(" NOTIFY=SUCCESS"));
    it.gateway.await_empty_queue();
    assert_eq!(it.reports.received(), []);
}

fn relayed(it: &Reporting) {
    it.send(
        "FROM:<ann@example.net> ENVID=e1",
        &[
            "TO:<bob@example.com> NOTIFY=SUCCESS,FAILURE",
            "TO:<carol@example.com>",
        ],
        &message("relayed"),
    );
    let report = it.report();
    let recipients = report["recipients"].as_array().unwrap();
    assert_eq!(recipients.len(), 1, "{report:#}");
    // RFC 3461 5.2.2 (c): the nexthop can't tell later, so that we do now.
    assert_eq!(recipients[0]["action"], "relayed", "{report:#}");
    assert_eq!(
        recipients[0]["status"].as_str().unwrap().chars().next(),
        Some('2')
    );
    assert_eq!(recipients[0]["final-recipient"], "rfc822; bob@example.com");
    // The message itself is in good hands: only its header section comes back.
    assert_eq!(report["parts"][2], "text/rfc822-headers", "{report:#}");
    it.gateway.await_empty_queue();
}

#[test]
fn a_delivery_into_a_maildir_is_the_end_of_the_way() {
    let folder = tempfile::tempdir().unwrap();
    let reports = Sink::smtp();
    let maildir = format!("maildir:{}", folder.path().join("box").display());
    let gateway = Setup::new()
        .node("trusted_networks = [\"127.0.0.0/8\"]")
        .route(&maildir, QUEUED)
        .route_for("example.net", reports.nexthop(), QUEUED)
        .start();
    let mut client = Client::greet(gateway.address());
    client
        .command("MAIL FROM:<ann@example.net>")
        .expect_code(250);
    client
        .command("RCPT TO:<bob@example.com> NOTIFY=SUCCESS")
        .expect_code(250);
    client.data(&message("stored")).expect(250, "2.6.0");
    client.quit();
    let report = report(&reports.one().content);
    assert_eq!(report["recipients"][0]["action"], "delivered", "{report:#}");
}

#[test]
fn a_nexthop_that_does_it_itself_is_told_what_was_asked_for() {
    let it = Reporting::start(Manner::smtp().offers("DSN"), "");
    it.send(
        "FROM:<ann@example.net> RET=HDRS ENVID=a+2Bb",
        &["TO:<bob@example.com> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;robert@example.org"],
        &message("passed on"),
    );
    let received = it.nexthop.one();
    assert!(
        received.mail.contains(" RET=HDRS") && received.mail.contains(" ENVID=a+2Bb"),
        "{}",
        received.mail
    );
    let recipient = &received.recipients[0];
    assert!(
        recipient.contains(" NOTIFY=SUCCESS,DELAY")
            && recipient.contains(" ORCPT=rfc822;robert@example.org"),
        "{recipient}"
    );
    it.gateway.await_empty_queue();
    assert_eq!(it.reports.received(), []);
}

#[test]
fn a_stranger_is_not_told_of_failures_that_he_did_not_prove_to_be_his() {
    // Neither logged in nor of a trusted network: the reverse-path may be anybody's, and a report would be backscatter.
    let (nexthop, reports) = (choosy().start(), Sink::smtp());
    let gateway = Setup::new()
        .route(nexthop.nexthop(), QUEUED)
        .route_for("example.net", reports.nexthop(), QUEUED)
        .start();
    gateway.submit(&["nobody@example.com"], &message("whose?"));
    gateway.attempt("nobody@example.com", "failed");
    gateway.await_empty_queue();
    assert_eq!(reports.received(), []);
}

#[test]
fn the_postmaster_is_told_what_nobody_else_may_be() {
    let (nexthop, reports) = (choosy().start(), Sink::smtp());
    let gateway = Setup::new()
        .node("postmaster = \"boss@example.org\"")
        .route(nexthop.nexthop(), QUEUED)
        .route_for("example.net", reports.nexthop(), QUEUED)
        .route_for("example.org", reports.nexthop(), QUEUED)
        .start();
    let it = Reporting {
        gateway,
        nexthop,
        reports,
    };
    // From a stranger, who may ask for whatever he likes; and from nobody.
    for (mail, subject) in [
        ("FROM:<ann@example.net> RET=FULL", "a stranger's"),
        ("FROM:<>", "nobody's"),
    ] {
        it.send(mail, &["TO:<nobody@example.com>"], &message(subject));
        let received = it.reports.one();
        it.reports.take();
        assert!(received.mail.starts_with("FROM:<>"), "{}", received.mail);
        assert!(
            received.recipients[0].starts_with("TO:<boss@example.org>"),
            "{received:#?}"
        );
        let report = report(&received.content);
        assert_eq!(report["recipients"][0]["status"], "5.1.1", "{report:#}");
        // Header fields alone: it is not his message.
        assert_eq!(report["parts"][2], "text/rfc822-headers", "{report:#}");
        let returned = report["returned"].as_str().unwrap();
        assert!(returned.contains(subject), "{report:#}");
    }
    // Who wants to know of nothing has nobody told.
    it.send(
        "FROM:<ann@example.net>",
        &["TO:<nobody@example.com> NOTIFY=NEVER"],
        &message("never"),
    );
    it.gateway.await_empty_queue();
    assert_eq!(it.reports.received(), []);
}

#[test]
fn others_take_our_reports() {
    let folder = tempfile::tempdir().unwrap();
    let sink = Sink::smtp();
    let exim = Exim::start(folder.path(), "");
    // It relays to the sink, which shows what it made of the report.
    let main_cf = format!(
        "relay_domains = example.org\nrelayhost = [127.0.0.1]:{}\nstrict_rfc821_envelopes = yes\nstrict_mime_encoding_domain = yes",
        sink.address().port()
    );
    let postfix = Postfix::start(folder.path(), &main_cf);
    let nexthop = choosy().start();
    let gateway = Setup::new()
        .node("trusted_networks = [\"127.0.0.0/8\"]")
        .route(nexthop.nexthop(), QUEUED)
        .route_for("example.net", &format!("smtp:{}", exim.address()), QUEUED)
        .route_for(
            "example.org",
            &format!("smtp:{}", postfix.address()),
            QUEUED,
        )
        .start();
    let text = format!("{}\u{fc}nd 8 bits\r\n", "x".repeat(3000));
    let content = [message("eight bits").as_slice(), text.as_bytes()].concat();
    for reverse_path in ["ann@example.net", "ann@example.org"] {
        let mut client = Client::greet(gateway.address());
        client
            .command(&format!(
                "MAIL FROM:<{reverse_path}> RET=FULL BODY=8BITMIME"
            ))
            .expect_code(250);
        client
            .command("RCPT TO:<nobody@example.com>")
            .expect_code(250);
        client.data(&content).expect(250, "2.6.0");
        client.quit();
    }
    let delivered = exim.one();
    assert!(delivered.starts_with("Return-path: <>"), "{delivered}");
    assert!(delivered.contains("Action: failed"), "{delivered}");
    let received = sink.one();
    assert!(received.mail.starts_with("FROM:<>"), "{}", received.mail);
    let text = String::from_utf8_lossy(&received.content).into_owned();
    assert!(text.contains("Status: 5.1.1"), "{text}");
    gateway.await_empty_queue();
}

#[test]
fn postfix_and_exim_get_messages_from_the_queue() {
    let folder = tempfile::tempdir().unwrap();
    let sink = Sink::smtp();
    let exim = Exim::start(folder.path(), "");
    let main_cf = format!(
        "relay_domains = example.org\nrelayhost = [127.0.0.1]:{}",
        sink.address().port()
    );
    let postfix = Postfix::start(folder.path(), &main_cf);
    let gateway = Setup::new()
        .route_for("example.com", &format!("smtp:{}", exim.address()), QUEUED)
        .route_for(
            "example.org",
            &format!("smtp:{}", postfix.address()),
            QUEUED,
        )
        .start();
    // Dots at the beginning of lines are doubled on the way and halved again.
    let content = [
        message("to real ones").as_slice(),
        b".dot\r\n..two\r\n.\r\nend\r\n",
    ]
    .concat();
    gateway.submit(&["bob@example.com"], &content);
    gateway.submit(&["bob@example.org"], &content);
    let delivered = exim.one();
    let text = String::from_utf8(content.clone())
        .unwrap()
        .replace("\r\n", "\n");
    let body = text.split_once("\n\n").unwrap().1;
    assert!(delivered.ends_with(body), "{delivered}");
    head(&sink.one().content, &content);
    gateway.await_empty_queue();
}

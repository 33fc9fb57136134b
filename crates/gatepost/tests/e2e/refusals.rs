//! Every kind of refusal as a real client sees it: the code, the status, the reference first, and the same reference in the log.

use serde_json::Value;

use crate::support::client::{Client, Reply};
use crate::support::daemons::process::directory;
use crate::support::daemons::{EICAR, GTUBE};
use crate::support::gateway::{Gateway, Setup};
use crate::support::postfix::Postfix;
use crate::support::programs::{curl, python, swaks};
use crate::support::sink::{Act, Manner, Sink};
use crate::support::{message, message_with, unused_address};

/// The decision that has the reference of the reply.
fn decision_of(gateway: &Gateway, reply: &Reply) -> Value {
    let reference = reply.reference().to_owned();
    gateway.await_event("decided", |event| event["reference"] == reference.as_str())
}

/// Sends by swaks; the reply to the data that swaks shows.
fn swaks_reply(gateway: &Gateway, message: &[u8]) -> Reply {
    let address = gateway.address().to_string();
    let said = swaks(
        &[
            "--server",
            &address,
            "--from",
            "ann@example.net",
            "--to",
            "bob@example.com",
        ],
        message,
    );
    // swaks ends with 26 when the data is refused.
    assert_eq!(said.code, 26, "{}", said.text);
    let line = said
        .text
        .lines()
        .find_map(|line| line.strip_prefix("<** "))
        .unwrap_or_else(|| panic!("{}", said.text));
    Reply {
        code: line[..3].parse().unwrap(),
        text: line[4..].to_owned(),
    }
}

fn gtube() -> Vec<u8> {
    [&message("GTUBE")[..], GTUBE.as_bytes(), b"\r\n"].concat()
}

#[test]
fn spam_virus_and_attachment_by_the_embedded_engine() {
    let sink = Sink::smtp();
    let gateway = Setup::new().route(sink.nexthop(), "").start();
    let cases = [
        ("spam", gtube(), "looks like spam"),
        (
            "virus",
            message_with("eicar.txt", "text/plain", EICAR.as_bytes()),
            "carries a virus",
        ),
        (
            "attachment",
            message_with(
                "setup.exe",
                "application/octet-stream",
                b"MZ\x90\0not really",
            ),
            "an attachment that is not let through",
        ),
    ];
    for (kind, message, words) in cases {
        let reply = swaks_reply(&gateway, &message).expect(550, "5.7.1");
        assert!(reply.text.contains(words), "{reply:?}");
        let decision = decision_of(&gateway, &reply);
        assert_eq!(decision["verdict"]["reason"]["kind"], kind, "{decision:#}");
        assert_eq!(decision["reply"]["code"], 550, "{decision:#}");
        assert_eq!(
            decision["recipients"][0]["disposition"], "refused",
            "{decision:#}"
        );
        assert_eq!(decision["ended_by"], "reply", "{decision:#}");
        assert_eq!(
            gateway.metric(&format!("gatepost_refusals_total{{kind=\"{kind}\"}}")),
            1.0
        );
    }
    assert_eq!(sink.received(), []);
    // The nexthop's transaction was given up, not left hanging.
    assert_eq!(sink.count("DATA"), 0, "{:?}", sink.commands());
}

#[test]
fn size_at_mail_and_at_the_end_of_data() {
    let sink = Sink::smtp();
    let gateway = Setup::new()
        .listener("message_size_max = \"64KiB\"")
        .route(sink.nexthop(), "")
        .start();
    let large = [
        &message("large")[..],
        "0123456789 0123456789 0123456789\r\n"
            .repeat(3000)
            .as_bytes(),
    ]
    .concat();
    // smtplib declares the size.
    let declares = "
import smtplib, sys
with smtplib.SMTP(sys.argv[1], int(sys.argv[2]), local_hostname='python.example.net', timeout=30) as client:
    client.sendmail('ann@example.net', ['bob@example.com'], sys.stdin.buffer.read())
";
    let address = gateway.address();
    python(
        declares,
        &[&address.ip().to_string(), &address.port().to_string()],
        &large,
    )
    .expect_refusal(&["552", "5.3.4"]);
    // swaks does not.
    let reply = swaks_reply(&gateway, &large).expect(552, "5.3.4");
    assert!(
        reply.text.contains("64 KiB at most") || reply.text.contains("at most"),
        "{reply:?}"
    );
    let decision = decision_of(&gateway, &reply);
    assert_eq!(
        decision["verdict"]["reason"]["kind"], "size",
        "{decision:#}"
    );
    assert_eq!(sink.received(), []);
}

#[test]
fn a_header_section_that_is_too_large() {
    let sink = Sink::smtp();
    let gateway = Setup::new()
        .listener("header_size_max = \"16KiB\"")
        .route(sink.nexthop(), "")
        .start();
    let large = [
        ("X-Filler: 0123456789\r\n".repeat(1000)).as_bytes(),
        &message("large header")[..],
    ]
    .concat();
    let reply = swaks_reply(&gateway, &large).expect(552, "5.3.4");
    assert_eq!(
        decision_of(&gateway, &reply)["verdict"]["reason"]["kind"],
        "size"
    );
}

#[test]
fn a_line_that_is_too_long() {
    let sink = Sink::smtp();
    let gateway = Setup::new().route(sink.nexthop(), "").start();
    let fits = [&message("fits")[..], "x".repeat(8190).as_bytes(), b"\r\n"].concat();
    let too_long = [
        &message("too long")[..],
        "x".repeat(8191).as_bytes(),
        b"\r\nmore\r\n",
    ]
    .concat();
    let reply = swaks_reply(&gateway, &too_long).expect(554, "5.6.0");
    assert_eq!(
        decision_of(&gateway, &reply)["verdict"]["reason"]["kind"],
        "line"
    );
    let mut client = Client::envelope(gateway.address(), &["bob@example.com"]);
    client.data(&fits).expect(250, "2.6.0");
    assert_eq!(sink.received().len(), 1);
}

#[test]
fn relay_is_denied_and_told_by_curl() {
    let sink = Sink::smtp();
    let gateway = Setup::new().route(sink.nexthop(), "").start();
    let url = format!("smtp://{}/curl.example.net", gateway.address());
    let arguments = [
        "--url",
        &url,
        "--mail-from",
        "ann@example.net",
        "--mail-rcpt",
        "bob@elsewhere.example",
    ];
    let text = curl(&arguments, &message("relay")).expect_refusal(&[
        "550 5.7.1 [",
        "Relay denied",
        "elsewhere.example",
    ]);
    let reference = text
        .split("550 5.7.1 [")
        .nth(1)
        .unwrap()
        .split(']')
        .next()
        .unwrap();
    let decision = gateway.decision();
    assert_eq!(decision["reference"], reference, "{text}");
    assert_eq!(
        decision["recipients"][0]["verdict"]["reason"]["kind"], "relay",
        "{decision:#}"
    );
}

#[test]
fn mailboxes_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("recipients");
    std::fs::write(&file, "# who is there\nbob@example.com\ncarol\n").unwrap();
    let sink = Sink::smtp();
    let gateway = Setup::new()
        .route(
            sink.nexthop(),
            &format!("recipients = \"file:{}\"", file.display()),
        )
        .start();
    let mut client = Client::greet(gateway.address());
    client
        .command("MAIL FROM:<ann@example.net>")
        .expect_code(250);
    for known in [
        "bob",
        "BOB",
        "bob+list",
        "carol",
        "postmaster",
        "PostMaster",
    ] {
        client
            .command(&format!("RCPT TO:<{known}@example.com>"))
            .expect(250, "2.1.5");
    }
    let reply = client
        .command("RCPT TO:<dave@example.com>")
        .expect(550, "5.1.1");
    assert!(
        reply.text.contains("no mailbox dave@example.com"),
        "{reply:?}"
    );
    client.command("RSET").expect_code(250);
    let decision = decision_of(&gateway, &reply);
    assert_eq!(
        decision["recipients"][6]["verdict"]["reason"]["kind"], "mailbox",
        "{decision:#}"
    );
    assert_eq!(decision["ended_by"], "rset");
    client.quit();
}

#[test]
fn a_callout_asks_once() {
    let sink = Manner::smtp()
        .script(|line| match line {
            _ if line.starts_with("RCPT TO:<nobody@") => Act::Say("550 5.1.1 no such user here"),
            _ if line.starts_with("RCPT TO:<full@") => Act::Say("452 4.2.2 mailbox full"),
            _ => Act::Usual,
        })
        .start();
    let gateway = Setup::new()
        .route(
            sink.nexthop(),
            "recipients = \"callout\"\ncut_through = false",
        )
        .start();
    let mut client = Client::greet(gateway.address());
    for _ in 0..3 {
        client
            .command("MAIL FROM:<ann@example.net>")
            .expect_code(250);
        let reply = client
            .command("RCPT TO:<nobody@example.com>")
            .expect(550, "5.1.1");
        assert!(
            reply.text.contains("no mailbox nobody@example.com"),
            "{reply:?}"
        );
        client.command("RCPT TO:<bob@example.com>").expect_code(250);
        client.command("RSET").expect_code(250);
    }
    assert_eq!(
        sink.count("RCPT TO:<nobody@example.com>"),
        1,
        "{:?}",
        sink.commands()
    );
    assert_eq!(
        sink.count("RCPT TO:<bob@example.com>"),
        1,
        "{:?}",
        sink.commands()
    );
    // What is temporary is not remembered.
    for _ in 0..2 {
        client
            .command("MAIL FROM:<ann@example.net>")
            .expect_code(250);
        client
            .command("RCPT TO:<full@example.com>")
            .expect(452, "4.2.2");
        client.command("RSET").expect_code(250);
    }
    assert_eq!(
        sink.count("RCPT TO:<full@example.com>"),
        2,
        "{:?}",
        sink.commands()
    );
    assert!(
        sink.commands()
            .iter()
            .any(|line| line.starts_with("MAIL FROM:<>")),
        "{:?}",
        sink.commands()
    );
    client.quit();
}

#[test]
fn block_lists_and_the_allow_list_that_beats_them() {
    let sink = Sink::smtp();
    let gateway = Setup::new()
        .route(sink.nexthop(), "")
        .more(
            "[block]\nreverse_path = [\"@spam.example\"]\nfrom = [\"boss@forged.example\"]\nrecipient = [\"gone@example.com\"]\n\
             [allow]\nreverse_path = [\"good@spam.example\"]\nfrom = [\"friend@example.net\"]",
        )
        .start();
    let mut client = Client::greet(gateway.address());
    let at_mail = client
        .command("MAIL FROM:<bad@spam.example>")
        .expect(550, "5.7.1");
    assert_eq!(
        decision_of(&gateway, &at_mail)["lists"][0]["entry"],
        "spam.example"
    );
    client
        .command("MAIL FROM:<ann@example.net>")
        .expect_code(250);
    let at_rcpt = client
        .command("RCPT TO:<gone@example.com>")
        .expect(550, "5.7.1");
    client.command("RCPT TO:<bob@example.com>").expect_code(250);
    let forged = [
        b"From: The Boss <boss@forged.example>\r\n",
        &message("from")[..],
    ]
    .concat();
    let at_data = client.data(&forged).expect(550, "5.7.1");
    assert_eq!(at_rcpt.reference(), at_data.reference());
    let decision = decision_of(&gateway, &at_data);
    assert_eq!(
        decision["verdict"]["reason"]["kind"], "list",
        "{decision:#}"
    );
    assert_eq!(
        decision["recipients"][0]["lists"][0]["field"], "recipient",
        "{decision:#}"
    );
    // Who is allowed may send from a blocked domain, and what looks like spam; a virus never.
    client
        .command("MAIL FROM:<good@spam.example>")
        .expect_code(250);
    client.command("RCPT TO:<bob@example.com>").expect_code(250);
    client.data(&gtube()).expect(250, "2.6.0");
    client
        .command("MAIL FROM:<good@spam.example>")
        .expect_code(250);
    client.command("RCPT TO:<bob@example.com>").expect_code(250);
    client
        .data(&message_with("eicar.com", "text/plain", EICAR.as_bytes()))
        .expect(550, "5.7.1");
    client.quit();
    let head = String::from_utf8(sink.one().content).unwrap();
    assert!(
        head.contains("X-Gatepost-Verdict: accept; allowed spam"),
        "{head}"
    );
}

#[test]
fn a_blocked_client_gets_no_banner() {
    let sink = Sink::smtp();
    let gateway = Setup::new()
        .route(sink.nexthop(), "")
        .more("[block]\nclient = [\"127.0.0.0/8\"]")
        .start();
    let mut client = Client::dial(gateway.address());
    client.reply().expect(554, "5.7.1");
    client.rest();
    let ended = gateway.await_event("session-ended", |_| true);
    assert_eq!(ended["reason"], "refused", "{ended:#}");
}

#[test]
fn the_nexthop_is_down() {
    let nexthop = format!("smtp:{}", unused_address());
    // With cut_through = false the message would be queued (e2e/queue.rs).
    let gateway = Setup::new().route(&nexthop, "").start();
    let mut client = Client::greet(gateway.address());
    client
        .command("MAIL FROM:<ann@example.net>")
        .expect_code(250);
    let reply = client
        .command("RCPT TO:<bob@example.com>")
        .expect(451, "4.4.1");
    assert!(
        reply.text.contains("can't be reached at the moment"),
        "{reply:?}"
    );
    client.quit();
    let decision = decision_of(&gateway, &reply);
    assert_eq!(
        decision["recipients"][0]["verdict"]["reason"]["kind"], "nexthop-down",
        "{decision:#}"
    );
    assert_eq!(
        decision["recipients"][0]["disposition"], "deferred",
        "{decision:#}"
    );
    gateway.await_event("nexthop-down", |event| event["nexthop"] == nexthop.as_str());
}

#[test]
fn recipients_of_different_policies_need_transactions_of_their_own() {
    let (one, two) = (Sink::smtp(), Sink::smtp());
    let gateway = Setup::new()
        .route_for("one.example", one.nexthop(), "")
        .route_for("two.example", two.nexthop(), "")
        .start();
    // smtplib sends to those that are accepted, and tells of the others.
    let text = "
import smtplib, sys
with smtplib.SMTP(sys.argv[1], int(sys.argv[2]), local_hostname='python.example.net', timeout=30) as client:
    print(client.sendmail('ann@example.net', ['a@one.example', 'b@two.example', 'c@one.example'], sys.stdin.buffer.read()))
";
    let address = gateway.address();
    let said = python(
        text,
        &[&address.ip().to_string(), &address.port().to_string()],
        &message("mixed"),
    )
    .expect_success();
    assert!(said.contains("'b@two.example': (452, b'4.5.3 ["), "{said}");
    assert_eq!(
        one.one().recipients,
        ["TO:<a@one.example>", "TO:<c@one.example>"]
    );
    assert_eq!(two.received(), []);
    let decision = gateway.decision();
    assert_eq!(
        decision["recipients"][1]["verdict"]["reason"]["kind"], "another-transaction",
        "{decision:#}"
    );
}

#[test]
fn too_many_recipients() {
    let sink = Sink::smtp();
    let gateway = Setup::new()
        .listener("recipients_max = 100")
        .route(sink.nexthop(), "")
        .start();
    let mut client = Client::greet(gateway.address());
    client
        .command("MAIL FROM:<ann@example.net>")
        .expect_code(250);
    for number in 0..100 {
        client
            .command(&format!("RCPT TO:<r{number}@example.com>"))
            .expect_code(250);
    }
    client
        .command("RCPT TO:<r100@example.com>")
        .expect(452, "4.5.3");
    client.data(&message("many")).expect(250, "2.6.0");
    assert_eq!(sink.one().recipients.len(), 100);
    assert_eq!(
        gateway.decision()["recipients"].as_array().unwrap().len(),
        100
    );
    client.quit();
}

#[test]
fn texts_of_the_operator() {
    let sink = Sink::smtp();
    let gateway = Setup::new()
        .route(sink.nexthop(), "language = \"sv\"")
        .more("[replies.sv]\nspam = \"Nej tack, {recipient}: skriv till {postmaster}.\"")
        .start();
    let reply = swaks_reply(&gateway, &gtube()).expect(550, "5.7.1");
    let expected = "Nej tack, bob@example.com: skriv till postmaster@mx.gatepost.test.";
    assert_eq!(
        reply.text,
        format!("5.7.1 [{}] {expected}", reply.reference())
    );
}

#[test]
fn mailboxes_that_postfix_does_not_know() {
    let folder = tempfile::tempdir().unwrap();
    let keys = "relay_domains = example.com\nrelay_recipient_maps = inline:{ bob@example.com=x }\nrelayhost = [127.0.0.1]:9";
    let postfix = Postfix::start(&directory(folder.path(), "nexthop"), keys);
    let nexthop = format!("smtp:{}", postfix.address());
    for (cut_through, recipients) in [(true, "any"), (true, "callout"), (false, "callout")] {
        let keys = format!("cut_through = {cut_through}\nrecipients = \"{recipients}\"");
        let gateway = Setup::new().route(&nexthop, &keys).start();
        let mut client = Client::greet(gateway.address());
        client
            .command("MAIL FROM:<ann@example.net>")
            .expect_code(250);
        let reply = client
            .command("RCPT TO:<nobody@example.com>")
            .expect(550, "5.1.1");
        assert!(
            reply.text.contains("no mailbox nobody@example.com"),
            "{reply:?}"
        );
        client
            .command("RCPT TO:<bob@example.com>")
            .expect(250, "2.1.5");
        client.quit();
        let decision = decision_of(&gateway, &reply);
        let detail = &decision["recipients"][0]["verdict"]["reason"]["detail"];
        assert!(
            detail.as_str().unwrap().contains("User unknown"),
            "{decision:#}"
        );
    }
}

//! Messages that wait: queued by the route's wish or since the nexthop failed, delivered when it can be, told of when it can't.

use std::net::TcpListener;
use std::path::Path;

use super::support::client::Client;
use super::support::gateway::{Gateway, Setup};
use super::support::sink::{Act, Manner, Sink, Step};
use super::support::{await_some_or, head, message, unused_address};

/// A route that queues and does not wait long.
const QUEUES: &str = "cut_through = false\nretry_min = \"1s\"\nretry_max = \"1s\"";

/// Hands in a message, which must be queued; its id.
fn queue(gateway: &Gateway, recipients: &[&str], subject: &str) -> String {
    let mut client = Client::envelope(gateway.address(), recipients);
    let reply = client.data(&message(subject)).expect(250, "2.6.0");
    assert!(reply.text.ends_with(" queued"), "{reply:?}");
    client.quit();
    let words: Vec<&str> = reply.text.split(' ').collect();
    words[1].to_owned()
}

fn result<'e>(event: &'e serde_json::Value, recipient: &str) -> &'e str {
    let recipients = event["recipients"].as_array().unwrap();
    let found = recipients.iter().find(|it| it["forward_path"] == recipient);
    found.map_or("not named", |it| it["result"].as_str().unwrap())
}

fn files(folder: &Path) -> usize {
    std::fs::read_dir(folder).map_or(0, Iterator::count)
}

#[test]
fn a_queued_message_arrives_as_it_came() {
    let sink = Sink::smtp();
    let gateway = Setup::new().route(sink.nexthop(), QUEUES).start();
    let reference = queue(&gateway, &["bob@example.com", "carl@example.com"], "queued");
    let event = gateway.await_event("delivery", |event| event["reference"] == reference);
    assert_eq!(result(&event, "bob@example.com"), "delivered", "{event:#}");
    assert_eq!(event["attempts"], 1);
    let received = sink.one();
    assert_eq!(
        received.recipients,
        ["TO:<bob@example.com>", "TO:<carl@example.com>"]
    );
    assert!(
        received.mail.contains("<ann@example.net>"),
        "{}",
        received.mail
    );
    let head = head(&received.content, &message("queued"));
    assert!(head.starts_with("Received: "), "{head}");
    let decision = gateway.decision();
    assert_eq!(
        decision["recipients"][0]["disposition"], "queued",
        "{decision:#}"
    );
    assert_eq!(decision["recipients"][0]["queue_id"], event["queue_id"]);
}

#[test]
fn a_nexthop_that_is_away_gets_it_when_it_is_back() {
    let address = unused_address();
    let gateway = Setup::new()
        .route(&format!("smtp:{address}"), QUEUES)
        .start();
    let reference = queue(&gateway, &["bob@example.com"], "later");
    let sink = Manner::smtp().start_at(address);
    gateway.await_event("delivery", |event| {
        event["reference"] == reference && result(event, "bob@example.com") == "delivered"
    });
    head(&sink.one().content, &message("later"));
}

#[test]
fn each_recipient_has_its_own_outcome() {
    let sink = Manner::smtp()
        .script(|line| match line {
            _ if line.starts_with("RCPT TO:<nobody@") => Act::Say("550 5.1.1 no such user"),
            _ if line.starts_with("RCPT TO:<grey@") => Act::Say("450 4.7.1 come back later"),
            _ => Act::Usual,
        })
        .start();
    let gateway = Setup::new().route(sink.nexthop(), QUEUES).start();
    let three = ["bob@example.com", "nobody@example.com", "grey@example.com"];
    let reference = queue(&gateway, &three, "split");
    let event = gateway.await_event("delivery", |event| event["reference"] == reference);
    let results = three.map(|recipient| result(&event, recipient));
    assert_eq!(results, ["delivered", "failed", "delayed"], "{event:#}");
    sink.behave();
    gateway.await_event("delivery", |event| {
        event["reference"] == reference && result(event, "grey@example.com") == "delivered"
    });
    let taken: Vec<_> = sink.taken().into_iter().map(|it| it.recipients).collect();
    assert_eq!(taken, [["TO:<bob@example.com>"], ["TO:<grey@example.com>"]]);
}

#[test]
fn a_failure_is_reported_by_the_senders_own_route() {
    let sink = Manner::smtp()
        .at(Step::Final, Act::Say("554 5.6.0 not like this"))
        .start();
    let origin = Sink::smtp();
    let gateway = Setup::new()
        .node("trusted_networks = [\"127.0.0.0/8\"]")
        .route(sink.nexthop(), QUEUES)
        .route_for("example.net", origin.nexthop(), QUEUES)
        .start();
    let reference = queue(&gateway, &["bob@example.com"], "fails");
    let report = gateway.await_event("report-queued", |event| event["about"] == reference);
    assert_eq!(report["forward_path"], "ann@example.net");
    let received = &origin.at_least(1)[0];
    assert!(received.mail.contains("FROM:<>"), "{}", received.mail);
    let text = String::from_utf8_lossy(&received.content).into_owned();
    for part in [
        "multipart/report",
        "Final-Recipient: rfc822;",
        "554 5.6.0 not like this",
    ] {
        assert!(text.contains(part), "no {part} in {text}");
    }
}

#[test]
fn a_lost_final_reply_is_told_and_tried_again() {
    let sink = Manner::smtp().at(Step::Final, Act::Close).start();
    let gateway = Setup::new().route(sink.nexthop(), QUEUES).start();
    let reference = queue(&gateway, &["bob@example.com"], "lost");
    let event = gateway.await_event("delivery", |event| event["reference"] == reference);
    assert_eq!(event["repeatable"], true, "{event:#}");
    assert_eq!(result(&event, "bob@example.com"), "delayed");
    sink.behave();
    gateway.await_event("delivery", |event| {
        result(event, "bob@example.com") == "delivered"
    });
}

#[test]
fn cut_through_falls_back_to_the_queue() {
    let address = unused_address();
    let keys = "on_nexthop_failure = \"queue\"\nretry_min = \"1s\"\nretry_max = \"1s\"";
    let gateway = Setup::new().route(&format!("smtp:{address}"), keys).start();
    let reference = queue(&gateway, &["bob@example.com"], "fallback");
    let decision = gateway.decision();
    let recipient = &decision["recipients"][0];
    assert_eq!(recipient["disposition"], "queued", "{decision:#}");
    assert!(
        recipient["nexthop_fault"].as_str().is_some(),
        "{decision:#}"
    );
    let sink = Manner::smtp().start_at(address);
    gateway.await_event("delivery", |event| {
        event["reference"] == reference && result(event, "bob@example.com") == "delivered"
    });
    assert_eq!(sink.taken().len(), 1);
}

#[test]
fn a_maildir_by_queue() {
    let gateway = Setup::new()
        .more(&format!(
            "[[route]]\ndomains = [\"example.com\"]\nnexthop = [\"maildir:mail\"]\n{QUEUES}"
        ))
        .start();
    queue(&gateway, &["bob@example.com"], "file");
    let new = gateway.folder().join("mail/new");
    await_some_or(
        || format!("{:#?}", gateway.log()),
        || (files(&new) == 1).then_some(()),
    );
    let event = gateway.await_event("delivery", |_| true);
    assert!(
        event["nexthop"].as_str().unwrap().starts_with("maildir:"),
        "{event:#}"
    );
}

#[test]
fn a_reload_changes_where_queued_messages_go() {
    let away = format!("smtp:{}", unused_address());
    let sink = Sink::smtp();
    let gateway = Setup::new().route(&away, QUEUES).start();
    let reference = queue(&gateway, &["bob@example.com"], "moved");
    gateway.edit(&away, sink.nexthop());
    assert!(gateway.command(&["reload"]).status.success());
    gateway.await_event("delivery", |event| {
        event["reference"] == reference && result(event, "bob@example.com") == "delivered"
    });
    assert_eq!(sink.taken().len(), 1);
}

#[test]
fn a_disk_that_is_nearly_full_is_told_at_rcpt() {
    let sink = Sink::smtp();
    let gateway = Setup::new()
        .route(sink.nexthop(), QUEUES)
        .more("[queue]\nreserve = \"1000GiB\"")
        .start();
    let mut client = Client::greet(gateway.address());
    client
        .command("MAIL FROM:<ann@example.net>")
        .expect_code(250);
    client
        .command("RCPT TO:<bob@example.com>")
        .expect(452, "4.3.1");
    client.quit();
    gateway.await_event("disk-full", |_| true);
    assert_eq!(sink.connections(), 0);
}

#[test]
fn whoever_may_relay_reaches_every_domain_and_nobody_else_does() {
    let sink = Sink::smtp();
    let setup = |networks: &str| {
        Setup::new()
            .node(&format!("trusted_networks = [{networks}]"))
            .route_for("*", sink.nexthop(), QUEUES)
            .start()
    };
    let gateway = setup("\"127.0.0.1\"");
    let reference = queue(&gateway, &["somebody@anywhere.example"], "out");
    let event = gateway.await_event("delivery", |event| event["reference"] == reference);
    // The sender's domain stands for whoever submitted it.
    assert_eq!(event["customer"], "example.net", "{event:#}");
    let gateway = setup("\"192.0.2.0/24\"");
    let mut client = Client::greet(gateway.address());
    client
        .command("MAIL FROM:<ann@example.net>")
        .expect_code(250);
    client
        .command("RCPT TO:<somebody@anywhere.example>")
        .expect(550, "5.7.1");
    client.quit();
}

#[test]
fn a_stop_lets_the_transaction_in_progress_finish() {
    let sink = Manner::smtp().start();
    let mut gateway = Setup::new().route(sink.nexthop(), QUEUES).start();
    for number in 0..20 {
        queue(&gateway, &["bob@example.com"], &format!("stop-{number}"));
    }
    gateway.signal("TERM");
    assert!(gateway.await_end().success());
    // What the sink has taken was settled: no event is missing, none is told twice.
    let delivered = gateway.events("delivery");
    assert_eq!(delivered.len(), sink.taken().len(), "{delivered:#?}");
}

#[test]
fn one_connection_serves_many_messages() {
    let sink = Sink::smtp();
    let gateway = Setup::new()
        .route(sink.nexthop(), &format!("{QUEUES}\nconnections_max = 1"))
        .start();
    for number in 0..10 {
        queue(&gateway, &["bob@example.com"], &format!("many-{number}"));
    }
    sink.at_least(10);
    assert_eq!(sink.connections(), 1);
}

#[test]
fn a_port_where_nobody_answers_delays_nobody_else() {
    // Accepts by the system alone, and never says a word.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let sink = Sink::smtp();
    let gateway = Setup::new()
        .route_for(
            "silent.example",
            &format!("smtp:{}", silent.local_addr().unwrap()),
            QUEUES,
        )
        .route(sink.nexthop(), QUEUES)
        .start();
    for number in 0..10 {
        queue(
            &gateway,
            &["bob@silent.example"],
            &format!("silent-{number}"),
        );
    }
    queue(&gateway, &["bob@example.com"], "passes");
    sink.at_least(1);
}

//! A message is tried until its lifetime is over (RFC 5321 4.5.4.1): its sender is told of the delay once, then of the failure, each
//! time with the last error.

use jiff::Zoned;
use jiff::fmt::rfc2822;
use serde_json::Value;

use crate::support::gateway::{Gateway, Setup};
use crate::support::reports::report;
use crate::support::sink::{Act, Manner, Sink, Step};
use crate::support::{message, unused_address};

const QUEUED: &str = "cut_through = false\nretry_min = \"1s\"\nretry_max = \"1s\"\n";

/// A gateway whose sender, ann@example.net, has reports sent to a sink.
fn gateway(nexthop: &str, reports: &Sink, keys: &str) -> Gateway {
    Setup::new()
        .node("trusted_networks = [\"127.0.0.0/8\"]")
        .route(nexthop, &format!("{QUEUED}{keys}"))
        .route_for("example.net", reports.nexthop(), QUEUED)
        .start()
}

/// The only report, and what it says of its only recipient.
#[track_caller]
fn told(reports: &Sink) -> (Value, Value) {
    let received = reports.one();
    reports.take();
    let report = report(&received.content);
    let recipients = report["recipients"].as_array().unwrap();
    assert_eq!(recipients.len(), 1, "{report:#}");
    let told = recipients[0].clone();
    (report, told)
}

fn date(field: &Value) -> Zoned {
    rfc2822::parse(field.as_str().unwrap()).unwrap()
}

#[test]
fn the_end_of_the_lifetime_is_a_failure_with_the_last_reply() {
    let full = Manner::smtp()
        .at(Step::Rcpt, Act::Say("452 4.2.2 mailbox is full"))
        .start();
    let reports = Sink::smtp();
    let gateway = gateway(full.nexthop(), &reports, "lifetime = \"2s\"");
    gateway.submit(&["bob@example.com"], &message("too late"));
    let (report, told) = told(&reports);
    assert_eq!(told["action"], "failed", "{report:#}");
    // RFC 3463 3.5: delivery time expired.
    assert_eq!(told["status"], "5.4.7", "{report:#}");
    assert_eq!(
        told["diagnostic-code"], "smtp; 452 4.2.2 mailbox is full",
        "{report:#}"
    );
    let text = report["text"].as_str().unwrap();
    assert!(text.contains("mailbox is full"), "{report:#}");
    let expired = gateway.attempt("bob@example.com", "expired");
    assert_eq!(expired.status, "5.4.7", "{expired:#?}");
    gateway.await_empty_queue();
    assert!(full.count("RCPT") > 1, "{:?}", full.commands());
    assert_eq!(reports.received(), []);
}

#[test]
fn a_nexthop_that_was_never_reached_is_named_in_the_failure() {
    let reports = Sink::smtp();
    let address = unused_address();
    let gateway = gateway(
        &format!("smtp:{address}"),
        &reports,
        "lifetime = \"3s\"\ndelay_warning = \"1s\"",
    );
    gateway.submit(&["bob@example.com"], &message("nobody there"));
    let (report, delayed) = told(&reports);
    assert_eq!(delayed["action"], "delayed", "{report:#}");
    assert_eq!(delayed["status"], "4.4.1", "{report:#}");
    let (report, failed) = told(&reports);
    assert_eq!(failed["action"], "failed", "{report:#}");
    assert_eq!(failed["status"], "5.4.7", "{report:#}");
    for told in [&delayed, &failed] {
        let diagnostic = told["diagnostic-code"].as_str().unwrap();
        assert!(
            diagnostic.starts_with("x-gatepost; connecting: ") && diagnostic.contains("refused"),
            "{diagnostic}"
        );
    }
    gateway.await_empty_queue();
    assert_eq!(reports.received(), []);
}

#[test]
fn a_delay_is_told_with_the_end_of_the_lifetime() {
    let reports = Sink::smtp();
    let gateway = gateway(
        &format!("smtp:{}", unused_address()),
        &reports,
        "lifetime = \"2d\"\ndelay_warning = \"1s\"",
    );
    gateway.submit(&["bob@example.com"], &message("patience"));
    let (report, told) = told(&reports);
    assert_eq!(told["action"], "delayed", "{report:#}");
    let tried_for = date(&told["will-retry-until"])
        .timestamp()
        .duration_since(date(&report["message"]["arrival-date"]).timestamp());
    assert_eq!(tried_for.as_secs(), 2 * 86_400, "{report:#}");
    assert_eq!(gateway.waiting().recipients, 1);
}

#[test]
fn the_sender_of_a_message_whose_content_is_lost_is_told() {
    let reports = Sink::smtp();
    let away = format!("smtp:{}", unused_address());
    let mut gateway = gateway(&away, &reports, "lifetime = \"6s\"");
    // So large that its content is a file of its own.
    let large = [message("lost"), b"0123456789\r\n".repeat(400_000)].concat();
    gateway.submit(&["bob@example.com"], &large);
    let contents = std::fs::read_dir(gateway.folder().join("data/queue/content")).unwrap();
    let file = contents.map(|entry| entry.unwrap().path()).next().unwrap();
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[1000] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    gateway.kill_and_start();
    let (report, told) = told(&reports);
    assert_eq!(told["action"], "failed", "{report:#}");
    assert_eq!(told["status"], "5.3.0", "{report:#}");
    let text = report["text"].as_str().unwrap();
    assert!(text.contains("content was damaged"), "{report:#}");
    let expired = gateway.attempt("bob@example.com", "expired");
    assert_eq!(expired.status, "5.3.0", "{expired:#?}");
    gateway.await_empty_queue();
}

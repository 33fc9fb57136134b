//! Reports on what becomes of one message in many lanes: few, and each recipient in one of them, whatever happens meanwhile.
//! And those to the postmaster, which strangers can cause: no more than the rate.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::dns::Zones;
use crate::support::gateway::{Gateway, Setup};
use crate::support::reports::report;
use crate::support::sink::{Act, Manner, Sink};
use crate::support::{await_some_or, message};

const DOMAINS: usize = 300;

/// Everything goes by MX, and no domain exists but that of the sink, whom reports go to.
fn gateway(reports: &Sink, keys: &str) -> (Gateway, crate::support::dns::Dns) {
    let dns = Zones::new().unsigned("dead.example", "").start();
    let gateway = Setup::new()
        .node("trusted_networks = [\"127.0.0.0/8\"]\npostmaster = \"postmaster@example.net\"")
        .nameserver(dns.address())
        .route_for("*", "mx", "")
        .route_for("example.net", reports.nexthop(), "cut_through = false")
        .more(keys)
        .start();
    (gateway, dns)
}

fn recipients_of(reports: &[Value]) -> Vec<String> {
    let recipients = reports
        .iter()
        .flat_map(|report| report["recipients"].as_array().unwrap());
    recipients
        .map(|told| told["final-recipient"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_message_to_many_dead_domains_brings_a_handful_of_reports() {
    let reports = Sink::smtp();
    let (gateway, _dns) = gateway(&reports, "");
    let recipients: Vec<String> = (0..DOMAINS)
        .map(|number| format!("bob@d{number}.dead.example"))
        .collect();
    let named: Vec<&str> = recipients.iter().map(String::as_str).collect();
    gateway.submit(&named, &message("to everybody"));
    let told = || -> Vec<Value> {
        let received = reports.received();
        received.iter().map(|it| report(&it.content)).collect()
    };
    await_some_or(
        || format!("{} recipients told", recipients_of(&told()).len()),
        || (recipients_of(&told()).len() >= DOMAINS).then_some(()),
    );
    gateway.await_empty_queue();
    let told = told();
    let recipients = recipients_of(&told);
    assert_eq!(recipients.len(), DOMAINS, "each is told once");
    let different: BTreeSet<&String> = recipients.iter().collect();
    assert_eq!(different.len(), DOMAINS);
    assert!(told.len() <= 5, "{} reports", told.len());
}

#[test]
fn whatever_ends_the_process_everybody_is_told_once() {
    for is_killed in [true, false] {
        let reports = Sink::smtp();
        let (mut gateway, _dns) = gateway(&reports, "");
        gateway.submit(
            &[
                "bob@one.dead.example",
                "bob@two.dead.example",
                "bob@three.dead.example",
            ],
            &message("to three"),
        );
        // They fail at once, and wait for one another by now.
        match is_killed {
            true => gateway.kill_and_start(),
            false => gateway.restart(),
        }
        gateway.await_empty_queue();
        let told: Vec<Value> = reports
            .received()
            .iter()
            .map(|it| report(&it.content))
            .collect();
        let mut recipients = recipients_of(&told);
        recipients.sort();
        assert_eq!(
            recipients,
            ["one", "three", "two"].map(|name| format!("rfc822; bob@{name}.dead.example")),
            "killed: {is_killed}"
        );
    }
}

#[test]
fn strangers_fill_no_mailbox_of_the_postmaster() {
    let nexthop = Manner::smtp()
        .script(|line| match line.starts_with("RCPT TO:<bob@") {
            true => Act::Say("550 5.1.1 no such user"),
            false => Act::Usual,
        })
        .start();
    let reports = Sink::smtp();
    let gateway = Setup::new()
        .node("postmaster = \"postmaster@example.net\"")
        .route(nexthop.nexthop(), "cut_through = false")
        .route_for("example.net", reports.nexthop(), "")
        .more("[reports]\npostmaster_rate = \"3/1h\"")
        .start();
    for _ in 0..10 {
        gateway.submit(&["bob@example.com"], &message("from a stranger"));
    }
    gateway.await_empty_queue();
    assert_eq!(reports.received().len(), 3);
    // The log is written a moment later than the queue is empty.
    let withheld = await_some_or(
        || format!("{:#?}", gateway.log()),
        || Some(gateway.events("report-withheld")).filter(|events| events.len() >= 10),
    );
    let reasons: Vec<&str> = withheld
        .iter()
        .map(|event| event["reason"].as_str().unwrap())
        .collect();
    let count = |reason| reasons.iter().filter(|it| **it == reason).count();
    assert_eq!(
        (count("unproven"), count("too-many")),
        (3, 7),
        "{reasons:?}"
    );
}

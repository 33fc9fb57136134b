//! What operators do to the queue that leaves its messages there: lists, hold and release, retry, reroute, suspend and resume.

use super::support::gateway::Gateway;
use super::support::operator::{err, putting_off, two_routes};
use super::support::sink::{Act, Manner, Sink, Step};
use super::support::{await_some_or, message, unused_address};

#[test]
fn lists_show_what_waits_and_filters_choose() {
    let sink = putting_off();
    let nobody = unused_address();
    let gateway = two_routes(sink.nexthop(), &format!("smtp:{nobody}"));
    gateway.submit(&["ann@first.example", "bob@first.example"], &message("one"));
    gateway.submit(&["carl@second.example"], &message("two"));
    gateway.await_delays(&["ann@first.example", "bob@first.example"]);
    gateway.unreachable(&nobody.to_string());

    let all = [
        "ann@first.example",
        "bob@first.example",
        "carl@second.example",
    ];
    assert_eq!(gateway.recipients(&[]), all);
    let chosen = [
        (vec!["--domain", "SECOND.example"], &all[2..]),
        (vec!["--domain", "other.example"], &all[..0]),
        (vec!["--recipient", "Bob@first.example"], &all[1..2]),
        (vec!["--recipient", "@first.example"], &all[..2]),
        (vec!["--customer", "acme"], &all[2..]),
        (vec!["--reverse-path", "@example.net"], &all[..]),
        (vec!["--reverse-path", "<>"], &all[..0]),
        (vec!["--text", "says the SINK"], &all[..2]),
        (vec!["--text", "refused"], &all[2..]),
        (vec!["--older-than", "1h"], &all[..0]),
        (vec!["--younger-than", "1h", "--text", "<ann@"], &all[..1]),
        (vec!["--state", "delayed"], &all[..]),
        (vec!["--state", "held"], &all[..0]),
        (vec!["--limit", "1"], &all[..2]),
        (vec!["--nexthop", sink.nexthop()], &all[..2]),
    ];
    for (filters, recipients) in chosen {
        assert_eq!(gateway.recipients(&filters), recipients, "{filters:?}");
    }

    let (messages, _) = gateway.listed(&["--domain", "first.example"]);
    let reference = messages[0]["reference"].as_str().unwrap();
    let id = messages[0]["queue_id"].as_str().unwrap();
    assert_eq!(gateway.recipients(&[reference]), &all[..2]);
    assert_eq!(gateway.recipients(&[id]), &all[..2]);
    let table = gateway.queue_done(&["list"]);
    assert!(
        table.contains("ann@example.net -> ann@first.example +1"),
        "{table}"
    );
    assert!(table.contains("\n2 messages to 3 recipients, "), "{table}");
    let header = gateway.queue_done(&["show", "--header", reference]);
    assert!(header.contains("\n  | Subject: one\n"), "{header}");
    assert!(!header.contains("as we said"), "{header}");
    let shown = gateway.queue_done(&["show", reference]);
    for words in [
        reference,
        "bob@first.example: delayed",
        "451 4.7.1 later",
        "(1 attempt)",
        "next attempt ",
    ] {
        assert!(shown.contains(words), "{words} in {shown}");
    }
    let content = gateway.queue(&["show", id, "--content"]).stdout;
    assert!(
        content.ends_with(&message("one")),
        "{}",
        String::from_utf8_lossy(&content)
    );
    let destinations = gateway.queue_done(&["destinations"]);
    for words in ["second.example (customer acme)", "refused", sink.nexthop()] {
        assert!(destinations.contains(words), "{words} in {destinations}");
    }
    assert!(
        gateway
            .queue_done(&["status"])
            .starts_with("2 messages to 3 recipients")
    );

    let not_there = gateway.queue(&["show", "7"]);
    assert_eq!(not_there.status.code(), Some(1));
    assert!(
        err(&not_there).contains("7 is not in the queue"),
        "{}",
        err(&not_there)
    );
    for (words, remedy) in [
        (
            vec!["list", "--state", "bogus"],
            "write new, delayed, waiting, held, active or suspended",
        ),
        (vec!["hold", "--text", ""], "the filter text is empty"),
        (vec!["hold", "--site", " "], "the filter site is empty"),
        (
            vec!["hold", "--customer", ""],
            "the filter customer is empty",
        ),
        (vec!["list", "--reverse-path", ""], "is written <>"),
        (vec!["list", "--older-than", "2 fortnights"], "write"),
        (
            vec!["list", "--domain", "not a domain"],
            "write a domain such as example.org",
        ),
        (
            vec!["list", "nonsense!"],
            "a reference such as K7QX-3M9D-2F",
        ),
        (vec!["retry"], "or say --all"),
    ] {
        let refused = gateway.queue_refused(&words);
        assert!(refused.contains(remedy), "{words:?}: {refused}");
    }
}

#[test]
fn what_is_held_stays_until_it_is_released() {
    let sink = Manner::smtp()
        .at(Step::Mail, Act::Say("451 4.3.2 not yet"))
        .start();
    let mut gateway = two_routes(sink.nexthop(), "smtp:127.0.0.1:9");
    gateway.submit(&["ann@first.example"], &message("held"));
    gateway.await_delays(&["ann@first.example"]);
    let done = gateway.queue_done(&["hold", "--domain", "first.example", "--reason", "ticket 1"]);
    assert_eq!(done, "1 message held\n");
    sink.behave();
    gateway.restart();
    assert_eq!(
        gateway.recipients(&["--state", "held"]),
        ["ann@first.example"]
    );
    let tried = gateway.queue_done(&["retry", "--all"]);
    assert!(tried.contains("it is held: release it"), "{tried}");
    let shown = gateway.queue_done(&["show", &id(&gateway)]);
    assert!(shown.contains("ann@first.example: held"), "{shown}");
    assert!(shown.contains(": ticket 1"), "{shown}");
    assert!(sink.taken().is_empty());
    gateway.queue_done(&["release", "--state", "held"]);
    sink.one();
    gateway.await_empty_queue();
    for (action, reason) in [("hold", "ticket 1"), ("release", "")] {
        let change = gateway.change(action);
        assert_eq!(change["recipients"][0], "ann@first.example");
        assert!(
            change["by"].as_str().unwrap().contains("(uid "),
            "{change:#}"
        );
        assert_eq!(change["reason"].as_str().unwrap_or_default(), reason);
    }
}

fn id(gateway: &Gateway) -> String {
    gateway.listed(&[]).0[0]["queue_id"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn a_retry_is_at_once_and_a_reroute_goes_elsewhere() {
    let (first, second) = (putting_off(), Sink::smtp());
    let gateway = two_routes(first.nexthop(), "smtp:127.0.0.1:9");
    for name in ["ann", "bob"] {
        gateway.submit(&[&format!("{name}@first.example")], &message(name));
    }
    gateway.await_delays(&["ann@first.example", "bob@first.example"]);
    let wrong = gateway.queue_refused(&["reroute", "--all", "--to", "smpt:192.0.2.1"]);
    assert!(wrong.contains("is not a nexthop; write"), "{wrong}");
    let moved = gateway.queue_done(&[
        "reroute",
        "--recipient",
        "ann@first.example",
        "--to",
        second.nexthop(),
    ]);
    assert_eq!(moved, "1 message rerouted\n");
    let event = gateway.attempt("ann@first.example", "delivered").text;
    assert!(event.contains(second.nexthop()), "{event}");
    assert_eq!(second.one().recipients, ["TO:<ann@first.example>"]);
    assert_eq!(gateway.recipients(&[]), ["bob@first.example"]);
    first.behave();
    assert_eq!(
        gateway.queue_done(&["retry", "--text", "later"]),
        "1 message tried now\n"
    );
    first.one();
    gateway.await_empty_queue();
}

#[test]
fn a_reroute_can_be_taken_back() {
    let (configured, other) = (putting_off(), putting_off());
    let gateway = two_routes(configured.nexthop(), "smtp:127.0.0.1:9");
    gateway.submit(&["ann@first.example"], &message("to and fro"));
    gateway.await_delays(&["ann@first.example"]);
    gateway.queue_done(&["reroute", "--all", "--to", other.nexthop()]);
    await_some_or(
        || format!("{:#?}", gateway.log()),
        || {
            let is_over = gateway.recipients(&["--state", "active"]).is_empty();
            (other.count("RCPT") > 0 && is_over).then_some(())
        },
    );
    assert_eq!(
        gateway.recipients(&["--nexthop", other.nexthop()]),
        ["ann@first.example"]
    );
    configured.behave();
    gateway.queue_done(&["reroute", "--all", "--configured"]);
    configured.one();
    gateway.await_empty_queue();
}

#[test]
fn what_is_under_way_is_told_and_held_when_it_comes_back() {
    let sink = Manner::smtp().at(Step::Content, Act::Hang).start();
    let mut gateway = two_routes(sink.nexthop(), "smtp:127.0.0.1:9");
    gateway.submit(&["ann@first.example"], &message("one"));
    let ann = ["ann@first.example"];
    await_some_or(
        || format!("{:#?}", gateway.log()),
        || (gateway.recipients(&["--state", "active"]) == ann).then_some(()),
    );
    assert!(gateway.recipients(&["--state", "held"]).is_empty());
    let held = gateway.queue_done(&["hold", "--state", "active"]);
    assert_eq!(held, "1 message held\n");
    sink.behave();
    gateway.restart();
    assert!(gateway.recipients(&["--state", "active"]).is_empty());
    assert_eq!(gateway.recipients(&["--state", "held"]), ann);
    assert!(sink.taken().is_empty());
    gateway.queue_done(&["release", "--all"]);
    sink.one();
    gateway.await_empty_queue();
}

#[test]
fn what_is_suspended_waits_and_outlives_a_restart() {
    let sink = Sink::smtp();
    let mut gateway = two_routes(sink.nexthop(), sink.nexthop());
    let words = gateway.queue_done(&["suspend", "--domain", "First.example", "--reason", "moves"]);
    assert!(
        words.starts_with("domain first.example is suspended"),
        "{words}"
    );
    gateway.queue_done(&["suspend", "--customer", "acme"]);
    gateway.submit(&["ann@first.example"], &message("one"));
    gateway.submit(&["bob@second.example"], &message("two"));
    gateway.restart();
    let all = ["ann@first.example", "bob@second.example"];
    assert_eq!(gateway.recipients(&[]), all);
    let (messages, _) = gateway.listed(&[]);
    assert!(
        messages
            .iter()
            .all(|it| it["recipients"][0]["suspended"] == true),
        "{messages:#?}"
    );
    let destinations = gateway.queue_done(&["destinations"]);
    assert!(
        destinations.contains("domain first.example, by "),
        "{destinations}"
    );
    assert!(destinations.contains(": moves"), "{destinations}");
    let none = gateway.queue_refused(&["resume", "--domain", "other.example"]);
    assert!(none.contains("is not suspended"), "{none}");
    gateway.queue_done(&["retry", "--all"]);
    assert_eq!(gateway.recipients(&[]), all);
    gateway.queue_done(&["resume", "--customer", "acme"]);
    assert_eq!(sink.one().recipients, ["TO:<bob@second.example>"]);
    // The destination is known by its name from now on.
    let (messages, _) = gateway.listed(&[]);
    assert_eq!(messages.len(), 1);
    gateway.queue_done(&["suspend", "--site", sink.nexthop()]);
    gateway.submit(&["carl@second.example"], &message("three"));
    gateway.queue_done(&["resume", "--domain", "first.example"]);
    let (messages, _) = gateway.listed(&["--domain", "second.example"]);
    assert_eq!(
        messages[0]["recipients"][0]["suspended"], true,
        "{messages:#?}"
    );
    gateway.queue_done(&["resume", "--site", sink.nexthop(), "--reason", "well again"]);
    sink.at_least(3);
    gateway.await_empty_queue();
    assert_eq!(gateway.events("delivery-suspended").len(), 3);
    gateway.await_event("delivery-resumed", |it| it["reason"] == "well again");
}

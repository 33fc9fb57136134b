//! What operators do to the queue: `gatepost queue`, as they type it, and the same over the control socket by curl.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use super::support::daemons::process::program;
use super::support::gateway::{Gateway, Setup};
use super::support::sink::{Act, Manner, Sink, Step};
use super::support::{await_some_or, message, unused_address};

/// Queues, and does not try again by itself while a test lasts.
const QUEUES: &str = "cut_through = false\nretry_min = \"1h\"\nretry_max = \"2h\"";

/// A message may go to several addresses of one domain; each gets words of its own from the sink.
fn two_routes(first: &str, second: &str) -> Gateway {
    let keys = format!("{QUEUES}\ncustomer = \"acme\"");
    Setup::new()
        .route_for("first.example", first, QUEUES)
        .route_for("second.example", second, &keys)
        .start()
}

/// A sink that puts off each recipient, with their own address in the reply.
fn putting_off() -> Sink {
    let script = |moment: &str| match moment.strip_prefix("RCPT TO:") {
        Some(path) => {
            Act::Bytes(format!("451 4.7.1 later, says the sink of {path}\r\n").into_bytes())
        }
        None => Act::Usual,
    };
    Manner::smtp().script(script).start()
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

impl Gateway {
    /// `gatepost queue ...`, whatever becomes of it.
    fn queue(&self, words: &[&str]) -> Output {
        let words: Vec<&str> = ["queue"].iter().chain(words).copied().collect();
        self.command(&words)
    }

    /// The same, which must succeed; standard output.
    #[track_caller]
    fn queue_done(&self, words: &[&str]) -> String {
        let output = self.queue(words);
        assert!(
            output.status.success(),
            "{words:?}: {}{}",
            out(&output),
            err(&output)
        );
        out(&output)
    }

    /// The same, which must fail without having done anything; standard error.
    #[track_caller]
    fn queue_refused(&self, words: &[&str]) -> String {
        let output = self.queue(words);
        assert_eq!(
            output.status.code(),
            Some(1),
            "{words:?}: {}{}",
            out(&output),
            err(&output)
        );
        err(&output)
    }

    /// Messages in a list, and its last line.
    #[track_caller]
    fn listed(&self, filters: &[&str]) -> (Vec<Value>, Value) {
        let words: Vec<&str> = ["list", "--json"].iter().chain(filters).copied().collect();
        let text = self.queue_done(&words);
        let mut lines: Vec<Value> = text
            .lines()
            .map(|it| serde_json::from_str(it).unwrap())
            .collect();
        let last = lines.pop().unwrap();
        (lines, last["summary"].clone())
    }

    /// The recipients that a list names, in their order.
    #[track_caller]
    fn recipients(&self, filters: &[&str]) -> Vec<String> {
        let (messages, summary) = self.listed(filters);
        let of = |message: &Value| -> Vec<String> {
            let recipients = message["recipients"].as_array().unwrap().iter();
            recipients
                .map(|it| it["forward_path"].as_str().unwrap().to_owned())
                .collect()
        };
        let recipients: Vec<String> = messages.iter().flat_map(of).collect();
        assert_eq!(summary["recipients"], recipients.len(), "{summary}");
        assert_eq!(summary["complete"], true, "{summary}");
        recipients
    }

    /// Waits until an attempt for each of these has failed.
    fn await_delays(&self, recipients: &[&str]) {
        for recipient in recipients {
            self.attempt(recipient, "delayed");
        }
    }

    /// The only change of the queue so far that did this. The log is written behind the answer.
    #[track_caller]
    fn change(&self, action: &str) -> Value {
        let first = self.await_event("queue-changed", |it| it["action"] == action);
        let all = self.events("queue-changed").into_iter();
        assert_eq!(all.filter(|it| it["action"] == action).count(), 1);
        first
    }
}

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
        || (other.count("RCPT") > 0).then_some(()),
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
    let resumed = gateway.events("delivery-resumed");
    assert_eq!(
        resumed.last().unwrap()["reason"],
        "well again",
        "{resumed:#?}"
    );
}

#[test]
fn removing_wants_to_be_meant_and_is_recorded() {
    let sink = putting_off();
    let gateway = two_routes(sink.nexthop(), "smtp:127.0.0.1:9");
    gateway.submit(&["ann@first.example", "bob@first.example"], &message("one"));
    gateway.submit(&["carl@first.example"], &message("two"));
    gateway.await_delays(&[
        "ann@first.example",
        "bob@first.example",
        "carl@first.example",
    ]);
    let all = [
        "ann@first.example",
        "bob@first.example",
        "carl@first.example",
    ];
    assert!(
        gateway
            .queue_refused(&["remove", "--all"])
            .contains("say --yes")
    );
    assert!(
        gateway
            .queue_refused(&["remove", "--all", "--yes"])
            .contains("say --reason")
    );
    assert!(
        gateway
            .queue_refused(&["remove", "--yes", "--reason", "x"])
            .contains("say --all")
    );
    assert_eq!(gateway.recipients(&[]), all);

    let removed = gateway.queue_done(&[
        "remove",
        "--recipient",
        "ann@first.example",
        "--yes",
        "--reason",
        "ticket 9",
        "--as",
        "anna",
    ]);
    assert_eq!(removed, "1 message removed\n");
    assert_eq!(gateway.recipients(&[]), all[1..]);
    let change = gateway.change("remove");
    assert_eq!(change["reason"], "ticket 9");
    assert_eq!(
        change["recipients"],
        serde_json::json!(["ann@first.example"])
    );
    let by = change["by"].as_str().unwrap();
    assert!(by.contains("uid ") && by.ends_with(", as anna"), "{by}");
    assert!(change.get("reported").is_none(), "{change:#}");

    // On a terminal it asks; what is not `yes` leaves all as it is.
    assert!(
        on_terminal(&gateway, &["remove", "--all", "--reason", "x"], "no\n")
            .contains("nothing is removed")
    );
    assert_eq!(gateway.recipients(&[]), all[1..]);
    let asked = on_terminal(&gateway, &["remove", "--all"], "ticket 10\nyes\n");
    assert!(
        asked.contains("remove 2 messages to 2 recipients"),
        "{asked}"
    );
    assert!(asked.contains("2 messages removed"), "{asked}");
    gateway.await_empty_queue();
    gateway.await_event("queue-changed", |it| it["reason"] == "ticket 10");
    assert!(sink.taken().is_empty());
}

/// Runs it on a terminal, where this is typed; what the terminal shows.
fn on_terminal(gateway: &Gateway, words: &[&str], typed: &str) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    let command = format!(
        "{} queue --config {} {}",
        env!("CARGO_BIN_EXE_gatepost"),
        gateway.config().display(),
        quoted.join(" ")
    );
    let mut child = Command::new(program(&["/usr/bin/script"], "bsdutils"))
        .args(["-qec", &command, "/dev/null"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(typed.as_bytes())
        .unwrap();
    out(&child.wait_with_output().unwrap())
}

#[test]
fn a_removal_with_a_report_tells_the_sender() {
    let (sink, sender) = (putting_off(), Sink::smtp());
    let gateway = Setup::new()
        .route_for("first.example", sink.nexthop(), QUEUES)
        .route_for("example.net", sender.nexthop(), QUEUES)
        .node("trusted_networks = [\"127.0.0.0/8\"]")
        .start();
    gateway.submit(&["ann@first.example"], &message("one"));
    gateway.await_delays(&["ann@first.example"]);
    gateway.queue_done(&[
        "remove",
        "--all",
        "--yes",
        "--report",
        "--reason",
        "no such customer",
    ]);
    let report = String::from_utf8_lossy(&sender.one().content).into_owned();
    for words in [
        "Final-Recipient: rfc822; ann@first.example",
        "Action: failed",
        "removed from the queue by an operator",
    ] {
        assert!(report.contains(words), "{words} in {report}");
    }
    // The reason is the operators' own.
    assert!(!report.contains("no such customer"), "{report}");
    assert_eq!(gateway.change("remove")["reported"], true);
}

#[test]
fn the_same_over_http() {
    let sink = putting_off();
    let gateway = two_routes(sink.nexthop(), "smtp:127.0.0.1:9");
    gateway.submit(&["ann@first.example"], &message("one"));
    gateway.await_delays(&["ann@first.example"]);
    let curl = program(&["/usr/bin/curl"], "curl");
    let ask = |arguments: &[&str]| {
        let socket = gateway.control();
        let output = Command::new(&curl)
            .args(["-s", "-w", "%{http_code}", "--unix-socket"])
            .arg(socket)
            .args(arguments)
            .output()
            .unwrap();
        let text = out(&output);
        let (body, code) = text.split_at(text.len() - 3);
        (code.parse::<u16>().unwrap(), body.to_owned())
    };
    let url = |path: &str| format!("http://gatepost/api/v1/queue{path}");
    let (code, body) = ask(&[&url("/messages?domain=first.example")]);
    assert_eq!((code, body.lines().count()), (200, 2), "{body}");
    for (path, words) in [
        ("/messages?colour=red", "a filter can't be read"),
        (
            "/messages?domain=a.example&domain=b.example",
            "is given twice",
        ),
        ("/messages/abc", "is not an id in the queue"),
        ("/destinations?limit=many", "write limit=NUMBER"),
    ] {
        let (code, body) = ask(&[&url(path)]);
        assert_eq!(code, 400, "{path}: {body}");
        assert!(body.contains(words), "{path}: {body}");
    }
    assert_eq!(ask(&[&url("/messages/1")]).0, 404);
    for (order, words) in [
        ("{}", "no message is named"),
        ("{\"all\": true, \"colour\": 1}", "can't be read"),
        ("{\"all\": true}", "there is no reason"),
        ("nonsense", "can't be read"),
    ] {
        let (code, body) = ask(&["-d", order, &url("/remove")]);
        assert_eq!(code, 400, "{order}: {body}");
        assert!(body.contains(words), "{order}: {body}");
    }
    let (code, body) = ask(&["-d", "{\"all\": true, \"reason\": \"x\"}", &url("/remove")]);
    assert_eq!(code, 200);
    assert!(
        body.contains("\"result\":\"done\"") && body.contains("\"done\":1"),
        "{body}"
    );
    gateway.await_empty_queue();
}

/// Messages in the long queue. A million takes the same way, page by page; so many show whether anything is gathered.
const MANY: usize = 10_000;
/// How much more memory the node may need for a list of them than without it.
const LIST_KIB_MAX: u64 = 24 * 1024;

#[test]
fn a_long_queue_is_listed_in_little_memory() {
    let gateway = Setup::new()
        .route_for("first.example", "smtp:127.0.0.1:9", QUEUES)
        .start();
    gateway.queue_done(&["suspend", "--domain", "first.example"]);
    let smtp_source = program(&["/usr/sbin/smtp-source"], "postfix");
    let status = Command::new(smtp_source)
        .args(["-d", "-s", "8", "-l", "600", "-m", &MANY.to_string()])
        .args(["-f", "ann@example.net", "-t", "bob@first.example"])
        .arg(format!("inet:{}", gateway.address()))
        .status()
        .unwrap();
    assert!(status.success());
    let (before, _) = gateway.memory_kib();
    let (messages, summary) = gateway.listed(&[]);
    assert_eq!(messages.len(), MANY);
    assert_eq!(summary["messages"], MANY);
    let ids: std::collections::BTreeSet<&str> = messages
        .iter()
        .map(|it| it["queue_id"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), MANY, "none is listed twice");
    let (_, at_most) = gateway.memory_kib();
    assert!(
        at_most < before + LIST_KIB_MAX,
        "{before} KiB before, {at_most} KiB at most"
    );
    // Whoever stops reading stops the list: the node goes on.
    let head = Command::new("sh")
        .args(["-c", "\"$0\" queue list --config \"$1\" | head -n 3"])
        .arg(env!("CARGO_BIN_EXE_gatepost"))
        .arg(gateway.config())
        .output()
        .unwrap();
    assert_eq!(out(&head).lines().count(), 3);
    let removed = gateway.queue_done(&[
        "remove",
        "--domain",
        "first.example",
        "--yes",
        "--reason",
        "test",
        "--json",
    ]);
    let last = removed.lines().last().unwrap();
    assert!(last.contains(&format!("\"done\":{MANY}")), "{last}");
    gateway.await_empty_queue();
}

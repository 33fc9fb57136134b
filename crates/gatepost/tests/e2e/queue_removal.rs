//! What operators take out of the queue, and who is told; the same over HTTP by curl; a long queue.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use super::support::daemons::process::program;
use super::support::gateway::{Gateway, Setup};
use super::support::operator::{QUEUES, err, out, putting_off, two_routes};
use super::support::sink::{Act, Manner, Sink};
use super::support::{await_some, message};

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
fn a_removal_with_a_report_that_cannot_be_leaves_all_as_it_was() {
    let is_retried = Arc::new(AtomicBool::new(false));
    let hangs = Arc::clone(&is_retried);
    let sink = Manner::smtp().script(move |moment| match moment.starts_with("RCPT TO:") {
        false => Act::Usual,
        true if hangs.load(Ordering::Relaxed) => Act::Hang,
        true => Act::Say("451 4.7.1 later"),
    });
    let sink = sink.start();
    let gateway = two_routes(sink.nexthop(), "smtp:127.0.0.1:9");
    let both = ["ann@first.example", "bob@first.example"];
    gateway.submit(&both, &message("one"));
    gateway.await_delays(&both);
    is_retried.store(true, Ordering::Relaxed);
    gateway.queue_done(&["retry", "--recipient", both[1]]);
    let facts = || gateway.listed(&[]).0[0]["recipients"].clone();
    await_some("bob is out", || {
        (facts()[1]["active"] == true).then_some(())
    });
    let before = facts();
    let output = gateway.queue(&["remove", "--all", "--yes", "--report", "--reason", "x"]);
    assert_eq!(output.status.code(), Some(1), "{}", out(&output));
    // Not tried at once, and nobody has changed it.
    assert_eq!(facts()[0]["state"], "delayed");
    for fact in ["attempts", "by", "reason"] {
        assert_eq!(facts()[0].get(fact), before[0].get(fact), "{fact}");
    }
    let seconds = |facts: &Value| facts[0]["next_attempt"].as_str().unwrap()[..16].to_owned();
    assert!(seconds(&facts()) >= seconds(&before));
    gateway.change("retry");
    assert_eq!(gateway.events("queue-changed").len(), 1);
}

#[test]
fn a_damaged_message_stops_no_order_that_names_it() {
    let sink = putting_off();
    let gateway = two_routes(sink.nexthop(), "smtp:127.0.0.1:9");
    let all = [
        "ann@first.example",
        "bob@first.example",
        "carl@first.example",
    ];
    for recipient in all {
        gateway.submit(&[recipient], &message("named"));
    }
    gateway.await_delays(&all);
    let (messages, _) = gateway.listed(&[]);
    let ids: Vec<&str> = messages
        .iter()
        .map(|it| it["queue_id"].as_str().unwrap())
        .collect();
    let mut hits = 0;
    let segments = std::fs::read_dir(gateway.folder().join("data/queue/segments")).unwrap();
    for segment in segments.map(|it| it.unwrap().path()) {
        let mut bytes = std::fs::read(&segment).unwrap();
        let windows = bytes.windows(3).enumerate();
        let places: Vec<usize> = windows.filter(|it| it.1 == b"bob").map(|it| it.0).collect();
        places.iter().for_each(|at| bytes[*at] ^= 1);
        hits += places.len();
        std::fs::write(&segment, bytes).unwrap();
    }
    assert!(hits > 0, "the envelope is somewhere else");
    for words in [
        &["list"][..],
        &["hold"],
        &["remove", "--yes", "--reason", "x"],
    ] {
        let words: Vec<&str> = words.iter().chain(&ids).copied().collect();
        let output = gateway.queue(&words);
        assert_eq!(output.status.code(), Some(1), "{words:?}");
        let told = format!("{} can't be read, its record is damaged", ids[1]);
        assert!(err(&output).contains(&told), "{words:?}: {}", err(&output));
    }
    assert_eq!(gateway.recipients(&[]), [""; 0]);
    assert_eq!(gateway.waiting().messages, 1);
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
/// How much more memory the node may need for a list of them than without it: 0.4 MiB were measured, and the lines alone have 4.
const LIST_KIB_MAX: u64 = 2 * 1024;

/// A list of all that somebody has asked for and begun to read.
fn unread_list(gateway: &Gateway) -> UnixStream {
    let mut stream = UnixStream::connect(gateway.control()).unwrap();
    stream
        .write_all(b"GET /api/v1/queue/messages HTTP/1.1\r\nHost: gatepost\r\n\r\n")
        .unwrap();
    stream.read_exact(&mut [0; 100]).unwrap();
    stream
}

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
    gateway.forget_peak_memory();
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
    // Whoever does not read on keeps nobody from anything.
    let forgotten: Vec<UnixStream> = (0..20).map(|_| unread_list(&gateway)).collect();
    let one = ids.first().unwrap();
    for words in [&["hold"][..], &["release"], &["list"], &["show"]] {
        gateway.queue_done(&[words, &[one]].concat());
    }
    drop(forgotten);
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

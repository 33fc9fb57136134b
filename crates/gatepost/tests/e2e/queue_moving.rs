//! A queue goes to another node: `gatepost queue export` on one, `gatepost queue import` on the other. Each message is on exactly
//! one of them, whatever ends either process, and arrives once.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use super::support::client::Client;
use super::support::gateway::{Gateway, Setup};
use super::support::sink::{Act, Manner, Sink, Step};
use super::support::{await_some, await_some_or, message, unused_address};

/// Queues, and does not try again by itself while a test lasts.
const QUEUES: &str = "cut_through = false\nretry_min = \"1h\"\nretry_max = \"2h\"";

/// A node whose nexthop is away.
fn full(messages: usize) -> Gateway {
    let gateway = Setup::new()
        .route_for(
            "first.example",
            &format!("smtp:{}", unused_address()),
            QUEUES,
        )
        .route_for(
            "second.example",
            &format!("smtp:{}", unused_address()),
            QUEUES,
        )
        .start();
    let mut client = Client::greet(gateway.address());
    for number in 0..messages {
        let domain = if number % 2 == 0 { "first" } else { "second" };
        client.begin(&[&format!("user{number}@{domain}.example")]);
        client
            .data(&message(&format!("number {number}")))
            .expect(250, "2.6.0");
    }
    client.quit();
    gateway
}

/// A node that can deliver both domains to this sink.
fn other(sink: &Sink) -> Gateway {
    Setup::new()
        .route_for("first.example", sink.nexthop(), QUEUES)
        .route_for("second.example", sink.nexthop(), QUEUES)
        .start()
}

fn queue(gateway: &Gateway, words: &[&str]) -> Output {
    let words: Vec<&str> = ["queue"].iter().chain(words).copied().collect();
    gateway.command(&words)
}

#[track_caller]
fn done(gateway: &Gateway, words: &[&str]) -> String {
    let output = queue(gateway, words);
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{words:?}: {out}{err}");
    out
}

#[track_caller]
fn refused(gateway: &Gateway, words: &[&str]) -> String {
    let output = queue(gateway, words);
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(1), "{words:?}: {out}{err}");
    out + &err
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn name(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn summary(lines: &str) -> Value {
    let last = lines.lines().last().unwrap();
    serde_json::from_str::<Value>(last).unwrap()["summary"].clone()
}

/// Waits until so many messages are at the sink, and says how often each recipient has one.
#[track_caller]
fn arrived(sink: &Sink, count: usize) -> Vec<String> {
    let received = sink.at_least(count);
    let recipients = received.iter().flat_map(|it| it.recipients.clone());
    let mut recipients: Vec<String> = recipients.collect();
    recipients.sort();
    recipients
}

fn wanted(numbers: impl Iterator<Item = usize>) -> Vec<String> {
    let recipient = |number: usize| {
        let domain = if number.is_multiple_of(2) {
            "first"
        } else {
            "second"
        };
        format!("TO:<user{number}@{domain}.example>")
    };
    let mut wanted: Vec<String> = numbers.map(recipient).collect();
    wanted.sort();
    wanted
}

#[test]
fn a_whole_queue_moves_and_arrives_once() {
    let sink = Sink::smtp();
    let (from, to) = (full(40), other(&sink));
    let file = from.folder().join("queue.export");
    let held = done(&from, &["list", "--limit", "1", "--json"]);
    let reference =
        serde_json::from_str::<Value>(held.lines().next().unwrap()).unwrap()["reference"].clone();
    assert!(refused(&from, &["export", name(&file)]).contains("say that all are meant"));
    let words = done(
        &from,
        &[
            "export",
            name(&file),
            "--all",
            "--reason",
            "maintenance",
            "--as",
            "anna",
        ],
    );
    assert!(
        words.starts_with("40 messages to 40 recipients in "),
        "{words}"
    );
    from.await_empty_queue();
    let event = &from.events("queue-exported")[0];
    assert_eq!(event["messages"], 40, "{event:#}");
    assert_eq!(event["reason"], "maintenance");
    assert!(
        event["by"].as_str().unwrap().ends_with(", as anna"),
        "{event:#}"
    );

    let words = done(&to, &["import", name(&file)]);
    assert!(
        words.contains("40 messages to 40 recipients of mx.gatepost.test taken in"),
        "{words}"
    );
    assert_eq!(arrived(&sink, 40), wanted(0..40));
    to.await_empty_queue();
    // The reference of a message stays its own, so that one search tells the whole story.
    to.await_event("delivery", |event| event["reference"] == reference);
    let again = refused(&to, &["import", name(&file)]);
    assert!(again.contains("was imported already"), "{again}");
    let copy = to.folder().join("copy.export");
    fs::copy(file.with_extension("export.imported"), &copy).unwrap();
    let again = refused(&to, &["import", name(&copy)]);
    assert!(
        again.contains("was imported into this queue already"),
        "{again}"
    );
    assert_eq!(sink.received().len(), 40);
}

#[test]
fn a_part_moves_with_all_that_is_known_of_it() {
    let sink = Sink::smtp();
    let (from, to) = (full(6), other(&sink));
    done(
        &from,
        &[
            "hold",
            "--recipient",
            "user2@first.example",
            "--reason",
            "ticket 5",
        ],
    );
    let file = from.folder().join("part.export");
    done(&from, &["export", name(&file), "--domain", "first.example"]);
    assert_eq!(from.waiting().messages, 3);
    let out = done(&to, &["import", name(&file), "--json"]);
    let summary = summary(&out);
    assert_eq!(summary["messages"], 3, "{summary}");
    assert_eq!(summary["whole"], true, "{summary}");
    assert_eq!(arrived(&sink, 2), wanted([0, 4].into_iter()));
    let held = done(&to, &["show", &only(&to)]);
    assert!(held.contains("user2@first.example: held"), "{held}");
    assert!(held.contains(": ticket 5"), "{held}");
    done(&to, &["release", "--all"]);
    assert_eq!(arrived(&sink, 3), wanted([0, 2, 4].into_iter()));
}

/// The id of the only message.
fn only(gateway: &Gateway) -> String {
    let list = done(gateway, &["list", "--json"]);
    let lines: Vec<&str> = list.lines().collect();
    assert_eq!(lines.len(), 2, "{list}");
    let message: Value = serde_json::from_str(lines[0]).unwrap();
    message["queue_id"].as_str().unwrap().to_owned()
}

/// Messages for tests that kill: enough for several batches.
const MANY: usize = 400;

/// Runs it in the background.
fn begin(gateway: &Gateway, words: &[&str]) -> std::process::Child {
    Command::new(env!("CARGO_BIN_EXE_gatepost"))
        .args(["queue", "--config"])
        .arg(gateway.config())
        .args(words)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn an_export_that_is_killed_leaves_each_message_in_one_place() {
    let sink = Sink::smtp();
    let to = other(&sink);
    let mut from = full(MANY);
    let file = from.folder().join("killed.export");
    let mut export = begin(&from, &["export", name(&file), "--all"]);
    // As soon as something of it is there: usually in its midst.
    await_some_or(
        || "no file".to_owned(),
        || {
            let written = fs::metadata(unfinished(&file)).map_or(0, |it| it.len());
            (written > 20_000 || file.exists()).then_some(())
        },
    );
    from.kill_and_start();
    export.wait().unwrap();
    from.await_recovery();
    let waiting = from.waiting().messages;
    if waiting == 0 {
        // The file was finished before.
        done(&to, &["import", name(&file)]);
    } else {
        assert_eq!(waiting, MANY as u64, "all of them go on");
        assert!(!file.exists() && !unfinished(&file).exists());
        done(&from, &["export", name(&file), "--all"]);
        from.await_empty_queue();
        done(&to, &["import", name(&file)]);
    }
    assert_eq!(arrived(&sink, MANY), wanted(0..MANY));
    to.await_empty_queue();
    assert_eq!(sink.received().len(), MANY);
}

/// The name of a file that an export has not finished.
fn unfinished(file: &Path) -> PathBuf {
    PathBuf::from(format!("{}.unfinished", file.display()))
}

#[test]
fn a_file_that_is_moved_as_soon_as_it_is_there_has_the_messages() {
    let sink = Sink::smtp();
    let to = other(&sink);
    let mut from = full(MANY);
    let file = from.folder().join("moved.export");
    let elsewhere = from.folder().join("elsewhere.export");
    let mut export = begin(&from, &["export", name(&file), "--all"]);
    await_some_or(
        || "no file".to_owned(),
        || fs::rename(&file, &elsewhere).ok(),
    );
    from.kill_and_start();
    export.wait().unwrap();
    from.await_recovery();
    from.await_empty_queue();
    done(&to, &["import", name(&elsewhere)]);
    assert_eq!(arrived(&sink, MANY), wanted(0..MANY));
    to.await_empty_queue();
    assert_eq!(sink.received().len(), MANY);
}

#[test]
fn messages_whose_unfinished_file_is_taken_away_wait_for_an_operator() {
    let mut from = full(MANY);
    let file = from.folder().join("taken.export");
    let elsewhere = from.folder().join("elsewhere.unfinished");
    let mut export = begin(&from, &["export", name(&file), "--all"]);
    await_some_or(
        || "no file".to_owned(),
        || {
            let written = fs::metadata(unfinished(&file)).map_or(0, |it| it.len());
            (written > 2_000).then_some(())
        },
    );
    // It is there still unless the export was faster than this test.
    let mut taken = false;
    from.kill_and_start_after(|| taken = fs::rename(unfinished(&file), &elsewhere).is_ok());
    export.wait().unwrap();
    from.await_recovery();
    if !taken {
        from.await_empty_queue();
        return;
    }
    let told = await_some("what became of the export", || {
        let ended = from.events("queue-export-ended").into_iter();
        ended.chain(from.events("disk-fault")).next()
    });
    if told["finished"] == true {
        // It was noted as finished just before the kill.
        from.await_empty_queue();
        return;
    }
    let detail = told["detail"].as_str().unwrap();
    assert!(
        detail.contains("taken.export.unfinished is not there any more"),
        "{told:#}"
    );
    assert_eq!(from.waiting().messages, MANY as u64);
    let words = refused(&from, &["import", name(&elsewhere)]);
    assert!(words.contains("has not ended"), "{words}");
    let words = refused(&from, &["export", name(&file), "--all"]);
    assert!(words.contains("gatepost queue export --abort"), "{words}");
    let words = done(&from, &["export", "--abort"]);
    assert!(words.contains("messages back in the queue"), "{words}");
    done(&from, &["export", name(&file), "--all"]);
    from.await_empty_queue();
}

#[test]
fn an_export_ends_with_its_command_unless_it_is_detached() {
    let sink = Manner::smtp().at(Step::Final, Act::Hang).start();
    let later = Manner::smtp()
        .at(Step::Rcpt, Act::Say("451 4.7.1 later"))
        .start();
    let gateway = Setup::new()
        .route_for("first.example", sink.nexthop(), QUEUES)
        .route_for("second.example", later.nexthop(), QUEUES)
        .start();
    gateway.submit(&["ann@first.example"], &message("one"));
    gateway.submit(&["bob@second.example"], &message("two"));
    await_some("content", || (sink.count("DATA") > 0).then_some(()));
    gateway.attempt("bob@second.example", "delayed");
    let state = || {
        let list = done(&gateway, &["list", "--json", "--domain", "second.example"]);
        let message: Value = serde_json::from_str(list.lines().next().unwrap()).unwrap();
        message["state"].as_str().unwrap().to_owned()
    };
    for detached in [false, true] {
        let file = gateway.folder().join(format!("{detached}.export"));
        let mut words = vec!["export", name(&file), "--all", "--patience", "1h"];
        words.extend(detached.then_some("--detach"));
        let mut export = begin(&gateway, &words);
        // Ann is out, so it waits.
        await_some("an export", || (state() == "held").then_some(()));
        export.kill().unwrap();
        export.wait().unwrap();
        if detached {
            // Whatever the node does about the end of a connection it has done once another one was served.
            assert_eq!(state(), "held");
            done(&gateway, &["export", "--abort"]);
        }
        await_some("its end", || (state() == "delayed").then_some(()));
        await_some("no file", || (!unfinished(&file).exists()).then_some(()));
        assert!(!file.exists());
    }
    let words = refused(
        &gateway,
        &["export", "/nowhere", "--all", "--patience", "61m"],
    );
    assert!(words.contains("an hour at most"), "{words}");
}

/// Messages of one batch of an import: so many may come twice if it is killed between its two syncs.
const BATCH_MESSAGES: usize = 64;

#[test]
fn an_import_that_is_killed_goes_on_from_where_it_was() {
    let sink = Manner::smtp().start();
    let from = full(MANY);
    let file = from.folder().join("moved.export");
    done(&from, &["export", name(&file), "--all"]);
    let mut to = other(&sink);
    // Deliveries wait until all is in: one that a kill interrupts may come twice too, and that is not what is counted here.
    let domains = ["first.example", "second.example"];
    for domain in domains {
        done(&to, &["suspend", "--domain", domain]);
    }
    let mut import = begin(&to, &["import", name(&file)]);
    let progress = PathBuf::from(format!("{}.progress", file.display()));
    let imported = PathBuf::from(format!("{}.imported", file.display()));
    await_some_or(
        || "no progress".to_owned(),
        || (progress.exists() || imported.exists()).then_some(()),
    );
    to.kill_and_start();
    import.wait().unwrap();
    if file.exists() {
        done(&to, &["import", name(&file)]);
    }
    for domain in domains {
        done(&to, &["resume", "--domain", domain]);
    }
    to.await_empty_queue();
    let received = sink.received();
    let recipients = received.iter().flat_map(|it| it.recipients.clone());
    let unique: BTreeSet<String> = recipients.collect();
    assert_eq!(
        unique.into_iter().collect::<Vec<_>>(),
        wanted(0..MANY),
        "none is lost"
    );
    assert!(
        received.len() <= MANY + BATCH_MESSAGES,
        "{} copies",
        received.len()
    );
}

#[test]
fn a_damaged_file_gives_what_is_left_of_it() {
    let sink = Sink::smtp();
    let (from, to) = (full(10), other(&sink));
    let file = from.folder().join("damaged.export");
    done(&from, &["export", name(&file), "--all"]);
    let mut bytes = fs::read(&file).unwrap();
    let needle = b"Subject: number 4";
    let at = bytes
        .windows(needle.len())
        .position(|it| it == needle)
        .unwrap();
    bytes[at + 3] ^= 0x20;
    fs::write(&file, &bytes).unwrap();
    let words = refused(&to, &["import", name(&file)]);
    assert!(words.contains("9 messages to 9 recipients"), "{words}");
    assert!(words.contains("damaged at byte "), "{words}");
    assert!(words.contains("9 of 10 messages could be read"), "{words}");
    assert_eq!(
        arrived(&sink, 9),
        wanted((0..10).filter(|number| *number != 4))
    );
}

#[test]
fn an_export_takes_what_any_filter_means() {
    let gateway = full(6);
    let folder = gateway.folder().to_owned();
    let mut number = 0;
    let mut export = |filters: &[&str]| {
        number += 1;
        let file = folder.join(format!("{number}.export"));
        let words: Vec<&str> = ["export", name(&file), "--json"]
            .iter()
            .chain(filters)
            .copied()
            .collect();
        summary(&done(&gateway, &words))["recipients"]
            .as_u64()
            .unwrap()
    };
    assert_eq!(export(&["--recipient", "user3@second.example"]), 1);
    assert_eq!(export(&["--text", "no such reply"]), 0);
    assert_eq!(
        export(&["--domain", "first.example", "--older-than", "1h"]),
        0
    );
    assert_eq!(
        export(&[
            "--reverse-path",
            "@example.net",
            "--domain",
            "first.example"
        ]),
        3
    );
    assert_eq!(export(&[&only_of(&gateway, "user1@second.example")]), 1);
    assert_eq!(gateway.waiting().messages, 1);
}

/// The reference of the message to this recipient.
fn only_of(gateway: &Gateway, recipient: &str) -> String {
    let list = done(gateway, &["list", "--json", "--recipient", recipient]);
    let message: Value = serde_json::from_str(list.lines().next().unwrap()).unwrap();
    message["reference"].as_str().unwrap().to_owned()
}

#[test]
fn what_can_not_be_moved_is_refused_with_what_to_do() {
    let gateway = full(1);
    let file = gateway.folder().join("there.export");
    fs::write(&file, b"not an export").unwrap();
    for (words, said) in [
        (vec!["export", name(&file), "--all"], "choose another name"),
        (
            vec!["export", "/nowhere/at/all", "--all"],
            "No such file or directory (os error 2); make its folder first",
        ),
        (
            vec![
                "export",
                name(&gateway.folder().join("data/queue/x")),
                "--all",
            ],
            "the queue's own folder",
        ),
        (vec!["import", name(&file)], "this is no export of a queue"),
        (vec!["import", "/nowhere/at/all"], "there is no such file"),
        (vec!["import", "/"], "it is a directory: name the file"),
        (
            vec!["export", name(gateway.folder()), "--all"],
            "it is a directory",
        ),
        (
            vec!["export", "x", "--domain", "not a domain"],
            "write a domain such as",
        ),
    ] {
        let text = refused(&gateway, &words);
        assert!(text.contains(said), "{words:?}: {text}");
        assert!(!text.contains("is there room"), "{words:?}: {text}");
    }
    assert_eq!(gateway.waiting().messages, 1);
    assert_eq!(
        done(&gateway, &["export", "--abort"]),
        "there is no export to end\n"
    );
}

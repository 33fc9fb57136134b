//! Real mail through the gateway: the whole SpamAssassin corpus and the phishing set with a real clamd, and a fixed sample with
//! spamd and rspamd too. No crash, no refusal but by verdict, and what is accepted reaches the nexthop byte for byte.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test that can't go on fails; the counts are of interest"
)]

#[path = "../../scan/tests/support/corpora.rs"]
mod corpora;
#[path = "e2e/support.rs"]
mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;
use std::thread;

use support::client::Client;
use support::daemons::{Clamd, Rspamd, Spamd};
use support::gateway::{Gateway, Setup};
use support::head;
use support::sink::Sink;

/// A line may have this many bytes, its CRLF included.
const LINE_BYTES_MAX: usize = 8192;

/// What became of a file.
struct Sent {
    file: PathBuf,
    has_long_line: bool,
    /// The reply to the message.
    code: u16,
    reference: String,
}

/// Every message of both sets, each once.
fn all_messages() -> Vec<PathBuf> {
    let messages = [corpora::spamassassin(), corpora::phishing()];
    let all: Vec<PathBuf> = messages
        .iter()
        .flat_map(|folder| corpora::messages(folder))
        .collect();
    assert_eq!(all.len(), 6_294 + 4_997);
    all
}

/// The file with lines that end with CRLF and nothing else: what a sender makes of it.
fn normalised(bytes: &[u8]) -> Vec<u8> {
    let mut message = Vec::with_capacity(bytes.len() + bytes.len() / 32);
    let mut before = 0;
    for byte in bytes {
        match byte {
            b'\n' if before == b'\r' => {}
            b'\r' | b'\n' => message.extend_from_slice(b"\r\n"),
            _ => message.push(*byte),
        }
        before = *byte;
    }
    if !message.ends_with(b"\r\n") {
        message.extend_from_slice(b"\r\n");
    }
    message
}

/// Sends every file over `sessions` sessions, and compares what the nexthop got with what was sent.
fn send_all(gateway: &Gateway, sink: &Sink, files: &[PathBuf], sessions: usize) -> Vec<Sent> {
    let waiting = Mutex::new(files.iter().enumerate());
    let sent = Mutex::new(Vec::with_capacity(files.len()));
    thread::scope(|scope| {
        for _ in 0..sessions {
            scope.spawn(|| {
                let mut client = Client::greet(gateway.address());
                loop {
                    let Some((number, file)) = waiting.lock().unwrap().next() else {
                        break;
                    };
                    let one = send(&mut client, sink, number, file);
                    sent.lock().unwrap().push(one);
                }
                client.quit();
            });
        }
    });
    assert_eq!(
        sink.received(),
        [],
        "nothing came that was not told to be taken"
    );
    sent.into_inner().unwrap()
}

fn send(client: &mut Client, sink: &Sink, number: usize, file: &PathBuf) -> Sent {
    let message = normalised(&fs::read(file).unwrap());
    let recipient = format!("m{number}@example.com");
    client
        .command("MAIL FROM:<sender@example.net> BODY=8BITMIME")
        .expect_code(250);
    client
        .command(&format!("RCPT TO:<{recipient}>"))
        .expect_code(250);
    let reply = client.data(&message);
    let received = sink.take_for(&recipient);
    let reference = if reply.code == 250 {
        let content = received
            .unwrap_or_else(|| panic!("{}: taken, but not there", file.display()))
            .content;
        let head = head(&content, &without_own_fields(message.clone()));
        let reference = head
            .split("X-Gatepost-Reference: ")
            .nth(1)
            .unwrap()
            .split("\r\n")
            .next()
            .unwrap();
        assert!(reply.text.contains(reference), "{reply:?}");
        reference.to_owned()
    } else {
        assert_eq!(received, None, "{}: refused, but handed on", file.display());
        reply.reference().to_owned()
    };
    let longest = message
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::len)
        .max()
        .unwrap_or(0);
    Sent {
        file: file.clone(),
        has_long_line: longest + 1 > LINE_BYTES_MAX,
        code: reply.code,
        reference,
    }
}

/// None of these messages has passed a Gatepost before: what is removed is a folded line on top, which would go on with our
/// last field, and results that do not begin with the name of the one whom they are of (in these corpora one message has its
/// results in an encoded word).
fn without_own_fields(mut message: Vec<u8>) -> Vec<u8> {
    let is_own = |window: &[u8]| window.eq_ignore_ascii_case(b"x-gatepost-");
    assert!(!message.windows(11).any(is_own));
    let is_folded = |line: &[u8]| line.starts_with(b" ") || line.starts_with(b"\t");
    while is_folded(&message) {
        let line = message.iter().position(|byte| *byte == b'\n').unwrap();
        message.drain(..=line);
    }
    let mut kept = Vec::with_capacity(message.len());
    let mut lines = message.split_inclusive(|byte| *byte == b'\n').peekable();
    while let Some(line) = lines.next_if(|line| *line != b"\r\n") {
        let mut field = line.to_vec();
        while let Some(more) = lines.next_if(|line| is_folded(line)) {
            field.extend_from_slice(more);
        }
        if !is_of_nobody(&field) {
            kept.extend_from_slice(&field);
        }
    }
    kept.extend(lines.flatten());
    kept
}

/// Whether a field has results of authentication, and what begins it is no name.
fn is_of_nobody(field: &[u8]) -> bool {
    const NAME: &[u8] = b"authentication-results:";
    let Some((name, body)) = field.split_at_checked(NAME.len()) else {
        return false;
    };
    let first = body.trim_ascii_start().first();
    name.eq_ignore_ascii_case(NAME) && !first.is_some_and(u8::is_ascii_alphanumeric)
}

/// Counts of outcomes by the kind of reason, from the log; each reply must be in it with its reference.
fn tally(gateway: &Gateway, sent: &[Sent]) -> BTreeMap<String, Vec<PathBuf>> {
    let decisions: BTreeMap<String, _> = gateway
        .decisions(sent.len())
        .into_iter()
        .map(|decision| (decision["reference"].as_str().unwrap().to_owned(), decision))
        .collect();
    let mut kinds: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for one in sent {
        let decision = &decisions[&one.reference];
        let outcome = decision["verdict"]["outcome"].as_str().unwrap();
        let kind = decision["verdict"]["reason"]["kind"]
            .as_str()
            .unwrap_or("accepted");
        let expected = if one.code == 250 { "accept" } else { "refuse" };
        assert_eq!(
            outcome,
            expected,
            "{}: {} {decision:#}",
            one.file.display(),
            one.code
        );
        for finding in decision["findings"].as_array().into_iter().flatten() {
            assert!(
                finding["unavailable"].is_null(),
                "{}: {finding:#}",
                one.file.display()
            );
        }
        kinds
            .entry(kind.to_owned())
            .or_default()
            .push(one.file.clone());
    }
    let counts: BTreeMap<_, _> = kinds
        .iter()
        .map(|(kind, files)| (kind, files.len()))
        .collect();
    println!("{counts:?}");
    kinds
}

#[test]
fn every_message_with_clamd() {
    let folder = tempfile::tempdir().unwrap();
    let clamd = Clamd::start(folder.path());
    let sink = Sink::smtp();
    let gateway = Setup::new()
        .listener("transactions_max = 100000")
        .route(sink.nexthop(), "")
        .more(&format!(
            "[engine.clamav]\naddress = \"{}\"\ndeadline = \"60s\"\n[scan]\ndeadline = \"90s\"",
            clamd.address()
        ))
        .start();
    let files = all_messages();
    let sent = send_all(&gateway, &sink, &files, 8);
    let kinds = tally(&gateway, &sent);
    let of = |kind: &str| kinds.get(kind).cloned().unwrap_or_default();
    // Refused are: what has a line longer than any server must take, and what carries a dangerous file.
    let mut too_long: Vec<PathBuf> = sent
        .iter()
        .filter(|one| one.has_long_line)
        .map(|one| one.file.clone())
        .collect();
    let mut line = of("line");
    too_long.sort();
    line.sort();
    assert_eq!(line, too_long);
    assert!(
        of("attachment").iter().all(|file| !corpora::is_ham(file)),
        "{:?}",
        of("attachment")
    );
    let others: Vec<_> = kinds
        .keys()
        .filter(|kind| !["accepted", "line", "attachment"].contains(&kind.as_str()))
        .collect();
    assert_eq!(others, Vec::<&String>::new());
    let (_, peak) = gateway.memory_kib();
    println!("peak RSS {peak} KiB");
    assert!(peak < 300 * 1024, "{peak} KiB");
}

#[test]
fn a_sample_with_all_engines() {
    let folder = tempfile::tempdir().unwrap();
    let (clamd, spamd, rspamd) = (
        Clamd::start(folder.path()),
        Spamd::start(folder.path()),
        Rspamd::start(folder.path()),
    );
    let sink = Sink::smtp();
    let gateway = Setup::new()
        .route(sink.nexthop(), "")
        .more(&format!(
            "[engine.clamav]\naddress = \"{}\"\ndeadline = \"60s\"\n[engine.spamassassin]\naddress = \"{}\"\ndeadline = \"60s\"\n\
             [engine.rspamd]\naddress = \"{}\"\ndeadline = \"60s\"\n[scan]\ndeadline = \"120s\"",
            clamd.address(),
            spamd.address(),
            rspamd.address()
        ))
        .start();
    let all = all_messages();
    let files: Vec<PathBuf> = all
        .iter()
        .step_by(all.len() / 300)
        .take(300)
        .cloned()
        .collect();
    assert_eq!(files.len(), 300);
    let sent = send_all(&gateway, &sink, &files, 3);
    let kinds = tally(&gateway, &sent);
    let refused_ham: Vec<_> = kinds
        .get("spam")
        .into_iter()
        .flatten()
        .filter(|file| corpora::is_ham(file))
        .collect();
    let spam = kinds.get("spam").map_or(0, Vec::len);
    println!("refused as spam: {spam}, legitimate ones among them: {refused_ham:?}");
    // What the engines find is theirs; that their findings count, and that they don't refuse everything, is ours.
    assert!(spam > 0 && kinds["accepted"].len() > 100, "{spam}");
    let others: Vec<_> = kinds
        .keys()
        .filter(|kind| !["accepted", "spam", "line", "attachment"].contains(&kind.as_str()))
        .collect();
    assert_eq!(others, Vec::<&String>::new());
}

//! `gatepost scan`: every kind of source, every kind of verdict.

use serde_json::{Value, json};

use crate::support::{Home, Run, closed_port};

const ROUTE: &str = "[[route]]\ndomains = [\"example.com\"]\nnexthop = [\"maildir:mail\"]\nrecipients = \"file:recipients\"\n\n\
                     [[route]]\ndomains = [\"*.example.org\"]\nnexthop = [\"maildir:mail\"]\nlanguage = \"de\"\n\n";

const CLEAN: &str = "From: Anna <anna@sender.example>\nSubject: hello\n\nHello.\n";

// In two parts: no virus scanner shall take this file for what it describes.
const EICAR: [&str; 2] = [
    "X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD",
    "-ANTIVIRUS-TEST-FILE!$H+H*",
];
const GTUBE: [&str; 2] = [
    "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD",
    "-ANTI-UBE-TEST-EMAIL*C.34X",
];

fn home(rest: &str) -> Home {
    let home = Home::new(&format!("{ROUTE}{rest}"));
    home.file("recipients", b"anna\n");
    home
}

fn message(body: &str) -> String {
    format!("From: Anna <anna@sender.example>\r\nSubject: test\r\n\r\n{body}\r\n")
}

/// The object of the only message.
#[track_caller]
fn only(run: &Run) -> Value {
    match run.json().as_slice() {
        [message, summary] if summary.get("summary").is_some() => message.clone(),
        _ => panic!("{run:?}"),
    }
}

fn scan_input(home: &Home, arguments: &[&str], input: &str) -> (i32, Value) {
    let arguments = [&["scan", "-", "--json"], arguments].concat();
    let run = home.run_with_input(&arguments, input.as_bytes());
    (run.code, only(&run))
}

#[test]
fn a_good_message_in_words() {
    let home = home("");
    home.file("hello.eml", CLEAN.as_bytes());
    let run = home.run(&["scan", "hello.eml", "--to", "anna@example.com"]);
    assert_eq!(run.code, 0, "{run:?}");
    run.line(&["verdict", "would be accepted"]);
    run.line(&[
        "envelope",
        "from <>, to <anna@example.com>, client 198.18.0.1",
    ]);
    run.line(&["rules", "listener inbound, route gatepost.toml:"]);
    run.line(&["message", "bytes with CRLF in place of its LF"]);
    run.line(&["engine", "attachment: unlikely"]);
    assert!(!run.out.contains("a second"), "no summary of one: {run:?}");
    assert_eq!(run.err, "");
}

#[test]
fn a_virus_and_spam_are_refused() {
    let home = home("");
    for (body, kind, words) in [
        (EICAR.concat(), "virus", "EICAR"),
        (GTUBE.concat(), "spam", "looks like spam"),
    ] {
        let (code, found) = scan_input(&home, &[], &message(&body));
        assert_eq!(code, 3, "{found}");
        assert_eq!(found["outcome"], "refuse");
        assert_eq!(found["kind"], kind);
        assert_eq!(found["stage"], "message");
        let reply = found["reply"].as_str().unwrap();
        let reference = found["reference"].as_str().unwrap();
        assert!(
            reply.starts_with(&format!("550 5.7.1 [{reference}] ")),
            "{reply}"
        );
        assert!(reply.contains(words), "{reply}");
        let finding = &found["findings"][0];
        assert_eq!(finding["engine"], "attachment");
        assert_eq!(finding[format!("{kind}_likelihood")], "sure");
    }
}

#[test]
fn a_folder_is_read_to_its_depth() {
    let home = home("");
    home.file("mail/cur/1:2,S", CLEAN.as_bytes());
    home.file("mail/cur/2:2,", message(&EICAR.concat()).as_bytes());
    home.file("mail/.Junk/new/3", message(&GTUBE.concat()).as_bytes());
    home.file("mail/tmp/.keep", b"");
    let run = home.run(&["scan", "mail"]);
    assert_eq!(run.code, 3, "{run:?}");
    run.line(&["accept", "mail/cur/1:2,S"]);
    run.line(&["refuse", "virus", "mail/cur/2:2, (attachment: EICAR"]);
    run.line(&["refuse", "spam", "mail/.Junk/new/3"]);
    run.line(&["4 messages in"]);
    run.line(&["2  would be accepted"]);
    run.line(&["1  would be refused: virus"]);

    let summary = home.run(&["scan", "mail", "--json"]).json().pop().unwrap();
    let summary = &summary["summary"];
    assert_eq!(summary["messages"], 4);
    assert_eq!(summary["refused"], json!({ "spam": 1, "virus": 1 }));
    assert_eq!(summary["unreadable"], 0);
}

#[test]
fn many_messages_come_out_in_their_order() {
    let home = home("");
    for number in 0..40 {
        home.file(&format!("mail/{number:02}"), CLEAN.as_bytes());
    }
    let objects = home.run(&["scan", "mail", "--json"]).json();
    let paths: Vec<_> = objects
        .iter()
        .filter_map(|object| object["path"].as_str())
        .collect();
    let expected: Vec<String> = (0..40).map(|number| format!("mail/{number:02}")).collect();
    assert_eq!(paths, expected);
}

#[test]
fn an_mbox_is_many_messages() {
    let home = home("");
    let mbox = format!(
        "From anna@sender.example Thu Aug 22 17:19:48 2002\n{CLEAN}\n\
         From MAILER-DAEMON Thu Aug 22 17:19:48 2002\nReturn-Path: <bob@sender.example>\n{CLEAN}{}\n\n",
        GTUBE.concat()
    );
    home.file("mbox", mbox.as_bytes());
    let run = home.run(&["scan", "mbox", "--json"]);
    assert_eq!(run.code, 3, "{run:?}");
    let objects = run.json();
    assert_eq!(objects.len(), 3);
    assert_eq!(objects[0]["number"], 1);
    assert_eq!(objects[0]["reverse_path"], "anna@sender.example");
    assert_eq!(objects[0]["outcome"], "accept");
    assert_eq!(objects[1]["number"], 2);
    assert_eq!(objects[1]["reverse_path"], "bob@sender.example");
    assert_eq!(objects[1]["outcome"], "refuse");

    let run = home.run(&["scan", "mbox"]);
    run.line(&["refuse", "spam", "mbox #2"]);
    let run = home.run(&["scan", "mbox", "--full"]);
    run.line(&["why", "attachment: confirmed"]);
}

#[test]
fn what_no_message_may_have_is_refused() {
    let home = home("");
    let long = "x".repeat(9000);
    let large = "0123456789abcdef\r\n".repeat(4000);
    let header = format!("X-Long: {}\r\n\r\n", "x\r\n x".repeat(3000));
    for (input, kind, reply) in [
        (message(&long), "line", "554 5.6.0 "),
        (message(&large), "size", "552 5.3.4 "),
        (message("a\nb"), "bare-newline", "550 5.5.2 "),
        (message("a\rb"), "bare-newline", "550 5.5.2 "),
    ] {
        let (code, found) = scan_input(&home, &[], &input);
        assert_eq!((code, &found["kind"]), (3, &json!(kind)), "{found}");
        assert!(
            found["reply"].as_str().unwrap().starts_with(reply),
            "{found}"
        );
        assert_eq!(found["findings"], json!([]), "no engine has seen it");
    }
    let (code, found) = scan_input(&home, &[], &header);
    assert_eq!(code, 0, "a long header section within the limit: {found}");
}

#[test]
fn the_bytes_of_a_file_of_unix_count_as_they_are_sent() {
    let home = home("");
    // 60 KiB in lines of 1 KiB fit into the 64 KiB of the listener; 49 KiB in lines of two bytes do not, with their CRs.
    let (code, _) = scan_input(
        &home,
        &[],
        &format!("A: b\n\n{}", format!("{}\n", "x".repeat(1023)).repeat(60)),
    );
    assert_eq!(code, 0);
    let (code, found) = scan_input(&home, &[], &format!("A: b\n\n{}", "x\n".repeat(25_000)));
    assert_eq!((code, &found["kind"]), (3, &json!("size")));
    assert_eq!(found["bytes"], 8 + 75_000);
}

#[test]
fn the_envelope_is_judged_first() {
    let home = home(
        "[block]\nclient = [\"198.51.100.0/24\"]\nreverse_path = [\"spammer.example\", \"<>\"]\nfrom = [\"*.bulk.example\"]\n",
    );
    let from = ["--from", "bob@sender.example"];
    for (arguments, stage, kind, reply) in [
        (
            &["--client", "198.51.100.7"][..],
            "connect",
            "list",
            "554 5.7.1 ",
        ),
        (
            &["--from", "x@spammer.example"],
            "mail",
            "list",
            "550 5.7.1 [",
        ),
        (&["--from", "<>"], "mail", "list", "550 5.7.1 ["),
        (
            &[from[0], from[1], "--to", "anna@nowhere.example"],
            "rcpt",
            "relay",
            "550 5.7.1 [",
        ),
        (
            &[from[0], from[1], "--to", "bert@example.com"],
            "rcpt",
            "mailbox",
            "550 5.1.1 [",
        ),
    ] {
        let (code, found) = scan_input(&home, arguments, CLEAN);
        assert_eq!(code, 3, "{arguments:?} {found}");
        assert_eq!(
            (&found["stage"], &found["kind"]),
            (&json!(stage), &json!(kind)),
            "{found}"
        );
        assert!(
            found["reply"].as_str().unwrap().starts_with(reply),
            "{found}"
        );
        assert_eq!(found["findings"], json!([]));
    }
    let bulk = CLEAN.replace("sender.example", "news.bulk.example");
    let (code, found) = scan_input(&home, &from, &bulk);
    assert_eq!(
        (code, &found["kind"], &found["stage"]),
        (3, &json!("list"), &json!("message"))
    );
    assert_eq!(scan_input(&home, &from, CLEAN).0, 0);
}

#[test]
fn an_allow_list_lets_spam_through_and_no_virus() {
    let home = home("[allow]\nclient = [\"192.0.2.9\"]\n");
    let client = ["--client", "192.0.2.9"];
    let (code, found) = scan_input(&home, &client, &message(&GTUBE.concat()));
    assert_eq!((code, &found["outcome"]), (0, &json!("accept")));
    assert_eq!(found["notes"][0]["note"], "allowed");
    let (code, _) = scan_input(&home, &client, &message(&EICAR.concat()));
    assert_eq!(code, 3);
}

#[test]
fn the_route_of_the_recipient_chooses_the_language() {
    let home = home("");
    let spam = message(&GTUBE.concat());
    let (_, found) = scan_input(&home, &["--to", "x@y.example.org"], &spam);
    let german = found["reply"].as_str().unwrap();
    let (_, found) = scan_input(&home, &[], &spam);
    let english = found["reply"].as_str().unwrap();
    assert!(english.contains("looks like spam"), "{english}");
    assert!(!german.contains("looks like spam"), "{german}");
}

#[test]
fn an_engine_that_must_answer_defers() {
    let home = home(&format!(
        "[engine.clamav]\naddress = \"127.0.0.1:{}\"\non_failure = \"defer\"\n",
        closed_port()
    ));
    home.file("hello.eml", CLEAN.as_bytes());
    let run = home.run(&["scan", "hello.eml"]);
    assert_eq!(run.code, 3, "{run:?}");
    run.line(&[
        "verdict",
        "would be deferred at the end of data: engine-unavailable",
    ]);
    run.line(&["reply", "451 4.3.0 ["]);
    run.line(&["engine", "clamav: unavailable: "]);
}

#[test]
fn trouble_is_told_and_the_rest_goes_on() {
    let home = home("");
    let run = home.run(&["scan", "missing.eml"]);
    assert_eq!(run.code, 1);
    assert!(run.err.contains("missing.eml: "), "{run:?}");

    std::fs::create_dir(home.path("empty")).unwrap();
    let run = home.run(&["scan", "empty"]);
    assert_eq!(run.code, 1);
    assert!(run.err.contains("there is no message"), "{run:?}");

    let run = home.run(&["scan", "-", "--listener", "outbound"]);
    assert_eq!(run.code, 1);
    assert!(
        run.err
            .contains("no listener is named outbound; there are: inbound"),
        "{run:?}"
    );

    let run = home.run(&["scan", "-", "--to", "nobody"]);
    assert_eq!(run.code, 2);
    assert!(run.err.contains("it has no @ and domain"), "{run:?}");

    home.file("gatepost.toml", b"[node]\nnmae = \"x\"\n");
    let run = home.run(&["scan", "-"]);
    assert_eq!(run.code, 1);
    assert!(run.err.contains("gatepost.toml:2:1: "), "{run:?}");
}

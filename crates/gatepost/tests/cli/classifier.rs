//! `gatepost train`, `evaluate` and `learn`, and the engine with what they make.

use std::fmt::Write as _;

use serde_json::Value;

use crate::support::{Home, Run};

const HAM: [&str; 6] = ["meeting", "garden", "patch", "invoice", "lesson", "holiday"];
const SPAM: [&str; 6] = [
    "casino",
    "pills",
    "mortgage",
    "viagra",
    "lottery",
    "refinance",
];

/// A folder `ham` and a folder `spam` with so many messages each.
fn home(count: usize) -> Home {
    let home = Home::new("[[route]]\ndomains = [\"example.com\"]\nnexthop = [\"maildir:mail\"]\n");
    for (class, words) in [("ham", HAM), ("spam", SPAM)] {
        for number in 0..count {
            home.file(
                &format!("{class}/{number:03}.eml"),
                message(words, number).as_bytes(),
            );
        }
    }
    home
}

/// No two are alike, and none shares all its words with another.
fn message(words: [&str; 6], number: usize) -> String {
    let mut text = format!(
        "From: Anna <anna{number}@sender.example>\r\nMessage-ID: <{number}.{}@sender.example>\r\nSubject: {} number {}\r\n\r\n",
        words[0],
        words[number % 6],
        letters(number)
    );
    for at in 0..30 {
        let word = words[(number * 7 + at * at) % 6];
        let _ = write!(text, "{word} {} ", letters(number * 31 + at * 17));
    }
    text + "\r\n"
}

fn letters(mut number: usize) -> String {
    let mut word = String::new();
    for _ in 0..4 {
        word.push(char::from(b'a' + u8::try_from(number % 26).unwrap()));
        number = number / 26 + number * 5;
    }
    word
}

#[track_caller]
fn object(run: &Run) -> Value {
    assert_eq!(run.code, 0, "{run:?}");
    run.json().pop().unwrap()
}

fn train(home: &Home, out: &str) -> Value {
    object(&home.run(&[
        "train", "--ham", "ham", "--spam", "spam", "--out", out, "--json",
    ]))
}

#[test]
fn the_same_folders_and_seed_give_the_same_model() {
    let home = home(60);
    let trained = train(&home, "one.model");
    assert_eq!(
        (&trained["ham"], &trained["spam"]),
        (&60.into(), &60.into()),
        "{trained}"
    );
    train(&home, "two.model");
    let read = |name| std::fs::read(home.path(name)).unwrap();
    assert!(read("one.model") == read("two.model"));
}

#[test]
fn a_cross_validation_and_a_trial_of_a_model_tell_recall_thresholds_and_mistakes() {
    let home = home(60);
    let evaluated = object(&home.run(&["evaluate", "--ham", "ham", "--spam", "spam", "--json"]));
    let result = &evaluated["results"][0];
    assert!(result["auc"].as_f64().unwrap() > 0.99, "{evaluated}");
    assert_eq!(result["recall"].as_array().unwrap().len(), 3);
    assert_eq!(result["thresholds"].as_array().unwrap().len(), 6);
    assert_eq!(evaluated["mistakes"]["ham"].as_array().unwrap().len(), 10);

    train(&home, "our.model");
    let run = home.run(&[
        "evaluate",
        "--ham",
        "ham",
        "--spam",
        "spam",
        "--model",
        "our.model",
    ]);
    assert_eq!(run.code, 0, "{run:?}");
    run.line(&[
        "spam: 60 messages against 60 ham",
        "at 0",
        "area under the curve 1.0000",
    ]);
    run.line(&["5.0 points or more", "0.000 % of the ham"]);
    // The one that ships has never heard of these words being ham.
    let shipped = object(&home.run(&[
        "evaluate", "--ham", "ham", "--spam", "spam", "--in-use", "--json",
    ]));
    assert_ne!(shipped["results"], evaluated["results"]);
}

#[test]
fn what_is_learned_is_used_and_limits_hold() {
    let home = home(2);
    let points = || {
        let run = home.run(&["scan", "ham/000.eml", "--to", "anna@example.com", "--json"]);
        let findings = run.json()[0]["findings"].clone();
        let content = findings
            .as_array()
            .unwrap()
            .iter()
            .find(|it| it["engine"] == "content");
        content.unwrap()["score"]["value"].as_f64().unwrap()
    };
    let before = points();
    let learned = object(&home.run(&["learn", "--class", "spam", "ham/000.eml", "--json"]));
    assert!(
        learned["after"].as_f64() > learned["before"].as_f64(),
        "{learned}"
    );
    assert!(home.path("data/classifier.model").exists());
    let after = points();
    assert!(after > before, "{before} {after}");

    let again = home.run(&["learn", "--class", "spam", "ham/000.eml"]);
    // That is what was asked for.
    assert_eq!(again.code, 0, "{again:?}");
    again.line(&["ham/000.eml: not learned: it was learned before"]);
    assert!((points() - after).abs() < 1e-6);

    // A file that can't be read does not undo the others.
    let some = home.run(&[
        "learn",
        "--class",
        "ham",
        "ham/001.eml",
        "nowhere.eml",
        "spam/000.eml",
    ]);
    assert_eq!(some.code, 1, "{some:?}");
    some.line(&["nowhere.eml: not learned", "No such file"]);
    let again = home.run(&["learn", "--class", "ham", "ham/001.eml", "spam/000.eml"]);
    again.line(&["ham/001.eml: not learned: it was learned before"]);
    again.line(&["spam/000.eml: not learned: it was learned before"]);
}

#[test]
fn folders_that_make_no_model_are_told() {
    let home = home(2);
    home.file("ham/.index", b"no message");
    home.file("ham/index.cache", b"no message either");
    let train = |ham: &str, spam: &str| {
        home.run(&["train", "--ham", ham, "--spam", spam, "--out", "out.model"])
    };
    for (ham, spam) in [("ham", "ham"), (".", "spam"), ("ham", ".")] {
        let run = train(ham, spam);
        assert_eq!(run.code, 1, "{run:?}");
        assert!(run.err.contains("no folder can be both"), "{run:?}");
    }
    home.file("empty/.keep", b"");
    let run = train("empty", "spam");
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.err.contains("a model needs both"), "{run:?}");
    let run = train("ham", "spam");
    assert_eq!(run.code, 0, "{run:?}");
    assert!(
        run.err.contains("1 files that begin with no header field"),
        "{run:?}"
    );
    assert!(run.err.contains("knows little"), "{run:?}");
}

#[test]
fn a_damaged_model_stops_no_mail_and_is_told() {
    let home = home(1);
    home.file("data/classifier.model", b"GPMODEL1 and nothing else");
    let run = home.run(&["scan", "ham/000.eml", "--to", "anna@example.com"]);
    assert_eq!(run.code, 0, "{run:?}");
    let run = home.run(&["doctor"]);
    run.line(&[
        "content",
        "the classifier that ships, in place of",
        "train it anew",
    ]);
    let run = home.run(&["learn", "--class", "ham", "ham/000.eml"]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.err.contains("classifier.model"), "{run:?}");
}

#[test]
fn a_folder_that_is_missing_is_told_by_name() {
    let home = home(1);
    let run = home.run(&[
        "train",
        "--ham",
        "nowhere",
        "--spam",
        "spam",
        "--out",
        "out.model",
    ]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.err.contains("nowhere"), "{run:?}");
    assert!(!home.path("out.model").exists());
}

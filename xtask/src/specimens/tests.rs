//! Every message renders, is whole MIME, has text of its own, and changes from copy to copy but not from run to run.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use mail_parser::{MessageParser, MimeHeaders};
use scan::content::classifier::Model;
use scan::content::rules::{RuleFacts, Rules};
use scan::content::{Content, LIKELY_POINTS};

use super::collection::{Collection, Kind, Message, Shape};
use super::recipient::{Recipient, Years};
use super::{blocks, compose, mime};
use crate::workspace;

fn collection() -> Collection {
    Collection::read(&workspace::root().join("testdata/legitimate")).unwrap()
}

fn render(collection: &Collection, message: &Message, seed: u64, copy: u64) -> Vec<u8> {
    let locale = collection.locale(message).unwrap();
    let recipient = Recipient::new(message, locale, seed, copy, Years::default());
    compose::message(collection, message, &recipient)
        .unwrap_or_else(|error| panic!("{}: {error:#}", message.id))
}

/// RFC 5322 section 2.1.1 and RFC 5321 section 2.3.8: CRLF alone ends a line, and no line is longer than 998 octets.
#[test]
fn lines_end_in_crlf_and_are_short() {
    let collection = collection();
    for message in &collection.messages {
        let bytes = render(&collection, message, 1, 0);
        let mut before = 0;
        for line in bytes.split_inclusive(|it| *it == b'\n') {
            let id = &message.id;
            assert!(
                line.ends_with(b"\r\n") && line.len() <= 1000,
                "{id}: {line:?}"
            );
            let returns = line.iter().filter(|it| **it == b'\r').count();
            assert_eq!(returns, 1, "{id}: {line:?}");
            before += line.len();
        }
        assert_eq!(before, bytes.len());
    }
}

/// What another parser finds is what was meant: sender, subject, the words of the body in each part, the attachments.
#[test]
fn a_parser_finds_what_was_written() {
    let collection = collection();
    for message in &collection.messages {
        let id = &message.id;
        let bytes = render(&collection, message, 7, 3);
        let parsed = MessageParser::default().parse(&bytes).unwrap();
        let locale = collection.locale(message).unwrap();
        let recipient = Recipient::new(message, locale, 7, 3, Years::default());
        let from = parsed.from().and_then(|it| it.first()).unwrap();
        assert_eq!(from.address(), Some(message.sender_address()), "{id}");
        assert_eq!(from.name(), Some(message.sender_name()), "{id}");
        let subject = recipient.fill(&message.subject).unwrap();
        assert_eq!(parsed.subject(), Some(subject.as_str()), "{id}");
        assert!(
            parsed.date().is_some() && parsed.message_id().is_some(),
            "{id}"
        );
        let longest = message
            .body
            .split(|it: char| "{}*[]()\n&\"<>|#!=".contains(it));
        let longest = longest.map(str::trim).max_by_key(|it| it.len()).unwrap();
        let holds = |text: &str| {
            let bare = |it: &str| it.split_whitespace().collect::<String>();
            assert!(
                bare(text).contains(&bare(longest)),
                "{id}: {longest:?} in {text}"
            );
        };
        if message.shape != Shape::Html {
            holds(&parsed.body_text(0).unwrap());
        }
        if message.shape != Shape::Text {
            holds(&parsed.body_html(0).unwrap());
        }
        let attached: Vec<_> = parsed.attachments().collect();
        let is_attached = matches!(message.shape, Shape::Pdf | Shape::Related | Shape::Ics);
        assert_eq!(!attached.is_empty(), is_attached, "{id}");
        for part in attached {
            let start = part.contents().get(..4).unwrap();
            assert!([&b"%PDF"[..], b"\x89PNG", b"BEGI"].contains(&start), "{id}");
            assert!(part.content_type().is_some());
        }
    }
}

/// Nothing that should have been filled is left, and nothing of the layout's.
#[test]
fn no_slot_is_left() {
    let collection = collection();
    for message in &collection.messages {
        let bytes = render(&collection, message, 5, 0);
        let parsed = MessageParser::default().parse(&bytes).unwrap();
        let html = parsed.body_html(0).unwrap_or_default();
        let text = parsed.body_text(0).unwrap_or_default();
        for left in ["{{", "%% ", "**"] {
            assert!(
                !html.contains(left) && !text.contains(left),
                "{}: {left}",
                message.id
            );
        }
    }
}

/// The sizes that the measurements are promised.
#[test]
fn there_are_enough_of_each_language_and_kind() {
    let collection = collection();
    let mut languages = BTreeMap::<&str, usize>::new();
    let mut kinds = BTreeMap::<Kind, usize>::new();
    for message in &collection.messages {
        *languages.entry(&message.language).or_default() += 1;
        *kinds.entry(message.kind).or_default() += 1;
    }
    let total = collection.messages.len();
    assert!(total >= MESSAGES_MIN, "{total}: {languages:?}");
    assert!(languages.len() >= LANGUAGES_MIN, "{languages:?}");
    assert!(kinds.values().all(|it| *it * 5 >= total * 2), "{kinds:?}");
}

const MESSAGES_MIN: usize = 210;
const LANGUAGES_MIN: usize = 14;

/// Word 3-grams of the body alone, letters for languages without spaces: what a copy's text would be compared by.
fn shingles(message: &Message) -> HashSet<String> {
    let words: Vec<String> = if ["ja", "zh"].contains(&message.language.as_str()) {
        let letters = message.body.chars().filter(|it| it.is_alphanumeric());
        letters.map(String::from).collect()
    } else {
        let words = message.body.split(|it: char| !it.is_alphanumeric());
        let words = words.filter(|it| !it.is_empty());
        words.map(str::to_lowercase).collect()
    };
    words.windows(3).map(|it| it.join(" ")).collect()
}

#[test]
fn no_two_bodies_are_alike() {
    let collection = collection();
    let all: Vec<_> = collection
        .messages
        .iter()
        .map(|it| (it, shingles(it)))
        .collect();
    for (at, (first, of_first)) in all.iter().enumerate() {
        assert!(of_first.len() >= 25, "{} is too short", first.id);
        for (second, of_second) in &all[at + 1..] {
            let shared = of_first.intersection(of_second).count();
            let either = of_first.len() + of_second.len() - shared;
            assert!(
                shared * 2 <= either,
                "{} and {} are alike",
                first.id,
                second.id
            );
        }
    }
}

#[test]
fn the_seed_decides_everything() {
    let collection = collection();
    for message in &collection.messages {
        let first = render(&collection, message, 1, 0);
        assert_eq!(first, render(&collection, message, 1, 0), "{}", message.id);
        assert_ne!(first, render(&collection, message, 1, 1), "{}", message.id);
        assert_ne!(first, render(&collection, message, 2, 0), "{}", message.id);
    }
}

#[test]
fn dates_lie_in_the_year_asked_for_or_anywhere() {
    let collection = collection();
    let message = collection.messages.first().unwrap();
    let locale = collection.locale(message).unwrap();
    let year = |copy, years| {
        let recipient = Recipient::new(message, locale, 1, copy, years);
        recipient.fill("{year}").unwrap()
    };
    for copy in 0..50 {
        assert_eq!(year(copy, Years::one(2002).unwrap()), "2002");
    }
    let all: BTreeSet<_> = (0..500).map(|copy| year(copy, Years::default())).collect();
    assert_eq!(all.len(), 25);
    assert!(Years::one(80_000).is_err());
}

/// The day of the week belongs to the date: mail-parser tells neither, so known days are compared.
#[test]
fn dates_are_of_the_calendar() {
    let collection = collection();
    for message in &collection.messages {
        let bytes = render(&collection, message, 3, 0);
        let parsed = MessageParser::default().parse(&bytes).unwrap();
        let date = parsed.date().unwrap();
        let text = String::from_utf8_lossy(&bytes);
        let line = text.lines().find(|it| it.starts_with("Date: ")).unwrap();
        const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
        assert_eq!(&line[6..9], DAYS[usize::from(date.day_of_week())], "{line}");
    }
}

#[test]
fn a_body_is_read_line_by_line() {
    use blocks::Block::{Button, Heading, Items, Paragraph, Rows, Rule};
    let read = blocks::parse(
        "# Hello\ntext with [a link](/x).\n- one\n- two\n\n| a | b\n---\n[Go](/go)\n",
    );
    let expected = [
        Heading("Hello"),
        Paragraph("text with [a link](/x)."),
        Items(vec!["one", "two"]),
        Rows(vec!["a | b"]),
        Rule,
        Button("Go", "/go"),
    ];
    assert_eq!(read, expected);
}

#[test]
fn a_letter_that_a_charset_lacks_is_an_error() {
    assert!(mime::encoded("Zażółć", "iso-8859-1").is_err());
    assert!(mime::encoded("Привет", "iso-2022-jp").is_ok());
    assert!(mime::encoded("ş", "windows-1251").is_err());
    assert_eq!(mime::encoded("é", "iso-8859-1").unwrap(), [0xE9]);
    assert_eq!(mime::base64(b"Ma"), "TWE=");
}

/// What hosting customers' correspondents send is never likely spam by its content, without any sender authentication.
#[test]
fn none_is_likely_spam() {
    let rules = Rules::built_in().unwrap();
    let engine =
        Content::new(rules).with_classifier(Model::shipped().unwrap(), "the classifier that ships");
    let collection = collection();
    let mut likely = Vec::new();
    for message in &collection.messages {
        for copy in 0..2 {
            let bytes = render(&collection, message, 11, copy);
            let finding = engine.inspect(
                &scan::message::Message::new(bytes.into()),
                &RuleFacts::default(),
            );
            let points = finding.score.unwrap().value;
            if points >= LIKELY_POINTS {
                likely.push(format!("{} {points:.1}: {}", message.id, finding.reason));
            }
        }
    }
    assert!(likely.is_empty(), "{likely:#?}");
}

use bytes::Bytes;
use proptest::prelude::*;

use super::{Hit, RuleError, RuleFacts, Rules};
use crate::message::Message;

fn message(text: &str) -> Message {
    Message::new(Bytes::from(text.replace('\n', "\r\n")))
}

fn rules(text: &str) -> Rules {
    Rules::parse("test", text).unwrap_or_else(|errors| panic!("{errors:?}"))
}

fn rule(when: &str) -> Rules {
    rules(&format!(
        "[[rule]]\nsymbol = 'R'\nweight = 1\ndescription = 'd'\nwhen = '''{when}'''\n"
    ))
}

fn errors(text: &str) -> Vec<RuleError> {
    Rules::parse("test", text).map(|_| ()).expect_err("errors")
}

const LETTER: &str = "From: \"PayPal\" <x@evil.example>
To: ann@example.org
Subject: Your account
X-Thing: one
X-Thing: two
Content-Type: text/html

<p>Dear customer</p><a href='https://paypal.evil.example/?u=ann@example.org'>https://paypal.com</a>
";

fn hits(when: &str) -> Vec<Hit> {
    rule(when).match_(message(LETTER).reading(), &RuleFacts::default())
}

#[test]
fn conditions_hold_or_not() {
    for (when, holds) in [
        ("subject ~ /ACCOUNT/i", true),
        ("subject ~ /ACCOUNT/", false),
        ("subject !~ /ACCOUNT/", true),
        ("subject == \"Your account\"", true),
        ("subject != \"Your account\"", false),
        ("from.domain in (\"a.example\", \"evil.example\")", true),
        ("header.x-thing ~ /two/ and header.X-Thing == \"one\"", true),
        ("header.x-other", false),
        ("header.x-thing", true),
        ("name.brand and not bulk", true),
        ("html and (date.missing or subject.missing)", true),
        ("date.skew > 0 or date.skew <= 0", false),
        ("links.count == 1 and links.domains >= 1", true),
        ("link(misleads and not foreign and not shortened)", true),
        (
            "link(host ~ /^paypal\\./ and shown ~ /paypal\\.com$/)",
            true,
        ),
        ("link(host ~ /^paypal\\./ and shown ~ /other/)", false),
        ("link(names_recipient)", true),
        ("attachment(archive)", false),
        (
            "count(html, subject ~ /x{5}/, visible ~ /dear/i) >= 2",
            true,
        ),
        ("count(html, subject ~ /x{5}/) == 2", false),
        ("authenticated", false),
    ] {
        assert_eq!(!hits(when).is_empty(), holds, "{when}");
    }
}

#[test]
fn hits_tell_what_they_were_found_on() {
    for (when, detail) in [
        ("visible ~ /dear \\w+/i", Some("Dear customer")),
        ("link(misleads)", Some("paypal.evil.example")),
        ("html and name.brand", Some("paypal")),
        ("html", None),
    ] {
        let hits = hits(when);
        assert_eq!(
            hits.first().expect(when).detail.as_deref(),
            detail,
            "{when}"
        );
    }
}

#[test]
fn what_is_known_beside_the_content() {
    let facts = RuleFacts {
        helo: "h.example".to_owned(),
        authenticated_domains: vec!["evil.example".to_owned()],
        ..RuleFacts::default()
    };
    let hits =
        rule("authenticated and helo == \"h.example\"").match_(message(LETTER).reading(), &facts);
    assert_eq!(hits.len(), 1);
}

#[test]
fn rules_refer_to_each_other_in_any_order() {
    let text = "[[rule]]\nsymbol = 'B'\ndescription = 'd'\nwhen = 'A and not C'\nweight = 2.5
[[rule]]\nsymbol = 'A'\ndescription = 'd'\nwhen = 'html'\n[[rule]]\nsymbol = 'C'\ndescription = 'd'\nwhen = 'html'\nenabled = false\n";
    let hits = rules(text).match_(message(LETTER).reading(), &RuleFacts::default());
    let names: Vec<_> = hits
        .iter()
        .map(|hit| (hit.symbol.as_str(), hit.weight))
        .collect();
    assert_eq!(names, [("B", 2.5), ("A", 0.0)]);
}

#[test]
fn an_operators_file_changes_what_ships() {
    let file = "[change.HTML_ALONE]\nenabled = false\n[change.SUBJECT_ACCOUNT]\nweight = 4\n
[[rule]]\nsymbol = 'OURS'\nweight = 1\ndescription = 'd'\nwhen = 'html'\n";
    let rules = Rules::with(&[("ours.toml", file)]).expect("rules");
    let rule = |symbol: &str| {
        rules
            .rules()
            .iter()
            .find(|rule| rule.symbol == symbol)
            .expect("rule")
    };
    assert!(!rule("HTML_ALONE").is_enabled);
    assert!((rule("SUBJECT_ACCOUNT").weight - 4.0).abs() < f32::EPSILON);
    assert_eq!(rule("OURS").file, "ours.toml");
}

#[test]
fn all_errors_are_told_with_place_and_remedy() {
    let text = "[[rule]]
symbol = 'one'
weight = 'x'
description = 'd'
when = 'subject ~ /(/'
[[rule]]
symbol = 'TWO'
description = 'd'
when = '''html and
  nonsense'''
other = 1
[[rule]]
symbol = 'THREE'
[change.NONE]
weight = 1000
[[rule]]
symbol = 'FOUR'
description = 'd'
when = 'html and FIVE'
[strange]
";
    let mut found: Vec<_> = errors(text)
        .into_iter()
        .inspect(|error| assert!(!error.remedy.is_empty() && error.file == "test"))
        .map(|error| (error.line, error.column))
        .collect();
    found.sort_unstable();
    assert_eq!(
        found,
        [
            (2, 10),
            (3, 10),
            (5, 19),
            (10, 3),
            (11, 1),
            (12, 1),
            (12, 1),
            (14, 9),
            (15, 10),
            (19, 18),
            (20, 2)
        ]
    );
}

#[test]
fn circles_and_repetitions_are_errors() {
    let one = "[[rule]]\nsymbol = 'A'\ndescription = 'd'\nwhen = 'B'\n[[rule]]\nsymbol = 'B'\ndescription = 'd'\nwhen = 'not A'\n";
    assert!(
        errors(one)
            .iter()
            .any(|error| error.message.contains("itself"))
    );
    let two = "[[rule]]\nsymbol = 'A'\ndescription = 'd'\nwhen = 'html'\n".repeat(2);
    assert!(
        errors(&two)
            .iter()
            .any(|error| error.message.contains("already") && error.line == 6)
    );
}

/// A rule says what it means in a sentence of its own, and weighs something.
#[test]
fn what_ships_is_sound() {
    let rules = Rules::built_in().unwrap_or_else(|errors| panic!("{errors:#?}"));
    assert!(rules.rules().len() >= 100);
    for rule in rules.rules() {
        assert!(
            rule.description.len() > 12 && !rule.description.ends_with('.'),
            "{}",
            rule.symbol
        );
        assert!(
            rule.weight.abs() >= 0.1 && rule.weight < 5.0,
            "{}",
            rule.symbol
        );
    }
    let mut descriptions: Vec<_> = rules.rules().iter().map(|rule| &rule.description).collect();
    descriptions.sort_unstable();
    assert!(descriptions.is_sorted_by(|a, b| a < b));
}

#[test]
fn every_field_can_be_asked_for() {
    for (scope, name, kind, meaning) in Rules::fields() {
        let asked = if kind == "number" {
            format!("{name} >= 0")
        } else {
            name.to_owned()
        };
        let when = if scope == "message" {
            asked
        } else {
            format!("{scope}({asked})")
        };
        rule(&when);
        assert!(!meaning.is_empty());
    }
}

proptest! {
    #[test]
    fn any_file_is_read(text in "(\\[\\[rule\\]\\]\n|\\[change\\.[A-Z]{1,3}\\]\n|symbol = '[A-Za-z]{0,3}'\n|when = '[a-z ~/()]{0,10}'\n|weight = [0-9.-]{0,4}\n|description = 'x'\n|enabled = true\n){0,12}") {
        let _ = Rules::parse("test", &text);
    }
}

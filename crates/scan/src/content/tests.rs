use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::classifier::{Example, Features, Model, train};
use super::rules::{RuleFacts, Rules};
use super::{CLASSIFIER_POINTS_MAX, Content, LIKELY_POINTS, NAME};
use crate::auth::facts::{Authentication, SpfFact, SpfResult};
use crate::double::specimen;
use crate::engine::Engine;
use crate::finding::Finding;
use crate::message::Message;

const LURE: &str = "From: \"PayPal Security Team\" <x83ab@evil.example>\r\n\
To: ann@example.org\r\n\
Subject: Your account is suspended\r\n\
Date: Tue, 1 Jul 2003 10:52:07 +0200\r\n\
Message-ID: <1.2@evil.example>\r\n\
Content-Type: text/html\r\n\
\r\n\
<p>Dear customer,</p><p>your account has been limited. Verify your account within 24 hours or it will be closed.\r\n\
<a href='http://198.51.100.7/paypal/login.php'>https://www.paypal.com/</a>\r\n";

const LETTER: &str = "From: Ann Roe <ann@example.org>\r\n\
To: Bob <bob@example.com>\r\n\
Subject: Re: the garden on Sunday\r\n\
Date: Tue, 1 Jul 2003 10:52:07 +0200\r\n\
Message-ID: <3.4@example.org>\r\n\
In-Reply-To: <5.6@example.com>\r\n\
\r\n\
Bob wrote:\r\n> shall we meet at ten?\r\n\r\nYes, with pleasure.\r\n";

fn engine() -> Content {
    Content::new(Rules::built_in().expect("rules"))
}

fn message(text: &str) -> Message {
    Message::new(Bytes::copy_from_slice(text.as_bytes()))
}

#[test]
fn a_lure_is_likely_and_says_why() {
    let finding = engine().inspect(&message(LURE), &RuleFacts::default());
    let score = finding.score.expect("a score");
    assert!(score.value >= LIKELY_POINTS, "{finding:?}");
    assert_eq!(score.required, Some(LIKELY_POINTS));
    assert!(finding.reason.contains("likely spam"), "{}", finding.reason);
    let misleads = finding
        .symbols
        .iter()
        .find(|symbol| symbol.name == "LINK_MISLEADS");
    assert_eq!(
        misleads.and_then(|symbol| symbol.detail.as_deref()),
        Some("198.51.100.7")
    );
    assert_eq!(finding.spam, None);
}

#[test]
fn a_letter_is_not() {
    let finding = engine().inspect(&message(LETTER), &RuleFacts::default());
    assert!(
        finding.score.is_some_and(|score| score.value < 1.0),
        "{finding:?}"
    );
    assert_eq!(finding.reason, "nothing speaks against the content");
}

/// A model for which the letter is what `is_spam` says, whatever else it is.
fn taught(is_spam: bool) -> Arc<Model> {
    let example = |text: &str, is_spam, cluster| {
        let message = message(&LETTER.replace("pleasure", text));
        let hits = engine()
            .rules
            .match_(message.reading(), &RuleFacts::default());
        Example {
            features: Features::of(message.reading(), &hits),
            is_spam,
            cluster,
        }
    };
    let examples: Vec<Example> = (0..40)
        .map(|n| example(if n % 2 == 0 { "casino" } else { "notes" }, n % 2 == 0, n))
        .collect();
    let mut model = train(&examples.iter().collect::<Vec<_>>(), 1);
    let message = message(LETTER);
    let hits = engine()
        .rules
        .match_(message.reading(), &RuleFacts::default());
    let features = Features::of(message.reading(), &hits);
    for _ in 0..50 {
        model.learn(&features, is_spam);
    }
    Arc::new(model)
}

#[test]
fn the_classifier_adds_to_the_points_of_the_rules() {
    let bare = engine().inspect(&message(LETTER), &RuleFacts::default());
    for is_spam in [true, false] {
        let engine = engine().with_classifier(taught(is_spam), "a model");
        let finding = engine.inspect(&message(LETTER), &RuleFacts::default());
        let symbol = finding
            .symbols
            .iter()
            .find(|symbol| symbol.name == "CLASSIFIER");
        let symbol = symbol.expect("its symbol");
        let added = symbol.score.expect("points");
        assert_eq!(added > 0.0, is_spam, "{finding:?}");
        assert!(added.abs() <= CLASSIFIER_POINTS_MAX);
        let value = |finding: &Finding| finding.score.as_ref().expect("a score").value;
        assert!((value(&finding) - value(&bare) - added).abs() < 1e-3);
        assert!(
            symbol
                .detail
                .as_deref()
                .is_some_and(|detail| detail.starts_with("probability "))
        );
    }
}

#[tokio::test]
async fn small_and_large_messages_alike() {
    let large = format!("{LETTER}{}", "> more\r\n".repeat(20_000));
    for text in [LETTER, &large] {
        let specimen = specimen(text.as_bytes().to_vec());
        specimen
            .authentication
            .set(Arc::default())
            .expect("set once");
        let finding = engine().examine(specimen).await;
        assert_eq!(finding.expect("a finding").engine, NAME);
    }
    assert!(
        engine()
            .probe()
            .await
            .is_ok_and(|banner| banner.contains("rules"))
    );
}

#[tokio::test(start_paused = true)]
async fn authentication_is_waited_for_a_while() {
    let symbols = async |specimen| {
        let engine = engine().within(Duration::from_secs(2));
        let finding = engine.examine(specimen).await;
        let symbols = finding.expect("a finding").symbols;
        symbols
            .iter()
            .any(|symbol| symbol.name == "IS_AUTHENTICATED")
    };
    let late = specimen(LETTER.as_bytes().to_vec());
    let fact = Arc::clone(&late.authentication);
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let known = Authentication {
            spf_mail: Some(SpfFact {
                result: SpfResult::Pass,
                domain: "mail.example.org".to_owned(),
                term: None,
                explanation: None,
                problem: None,
            }),
            ..Authentication::default()
        };
        fact.set(Arc::new(known)).expect("set once");
    });
    assert!(symbols(late).await);
    let never = specimen(LETTER.as_bytes().to_vec());
    assert!(!symbols(never).await);
}

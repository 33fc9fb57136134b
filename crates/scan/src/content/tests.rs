use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::rules::{RuleFacts, Rules};
use super::{CLASSIFIER_POINTS_MAX, Content, LIKELY_POINTS, NAME, Opinion, opinion_points};
use crate::auth::facts::{Authentication, SpfFact, SpfResult};
use crate::double::specimen;
use crate::engine::Engine;
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

#[test]
fn a_classifier_has_its_say_within_bounds() {
    let classify = |_: &Message, hits: &[super::Hit]| {
        assert!(!hits.is_empty());
        Some(Opinion {
            probability: 1.0,
            features: vec!["word:garden".to_owned()],
        })
    };
    let engine = engine().with_classifier(Arc::new(classify));
    let finding = engine.inspect(&message(LETTER), &RuleFacts::default());
    let symbol = finding.symbols.first().expect("a symbol");
    assert_eq!(symbol.name, "CLASSIFIER");
    assert_eq!(symbol.score, Some(CLASSIFIER_POINTS_MAX));
    assert_eq!(symbol.detail.as_deref(), Some("1.000: word:garden"));
}

#[test]
fn opinions_weigh_as_their_odds() {
    assert!(opinion_points(0.5).abs() < 1e-6);
    assert!((opinion_points(0.9) + opinion_points(0.1)).abs() < 1e-4);
    assert!(opinion_points(0.0) >= -CLASSIFIER_POINTS_MAX && opinion_points(f32::MIN) < 0.0);
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

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::content::reading::Reading;
use crate::message::Message;

fn features(text: &str) -> Features {
    let message = format!("From: A <a@example.org>\r\nSubject: hello\r\n\r\n{text}\r\n");
    Features::with_names(&Reading::of(&Message::new(Bytes::from(message))), &[])
}

fn examples() -> Vec<Example> {
    let text = |is_spam: bool, n: usize| {
        let words = if is_spam {
            "cheap pills buy now"
        } else {
            "the meeting notes attached here"
        };
        format!("{words} item{}", char::from(b'a' + (n % 26) as u8))
    };
    (0..60)
        .map(|n| Example {
            features: features(&text(n % 2 == 0, n)),
            is_spam: n % 2 == 0,
            cluster: n,
        })
        .collect()
}

fn trained(seed: u64) -> Model {
    let examples = examples();
    train(&examples.iter().collect::<Vec<_>>(), seed)
}

#[test]
fn what_was_learned_is_told_apart_and_explained() {
    let model = trained(7);
    let (spam, ham) = (
        features("buy cheap pills"),
        features("notes of the meeting"),
    );
    assert!(model.probability(&spam) > 0.5 && model.probability(&ham) < 0.5);
    let reasons = model.explain(&spam, 20);
    assert!(
        reasons
            .iter()
            .any(|reason| reason.name == "word:pills" && reason.weight > 0.0)
    );
    assert_eq!(model.trained_with(), (30, 30));
}

#[test]
fn the_same_seed_gives_the_same_model() {
    assert_eq!(trained(7).to_bytes(), trained(7).to_bytes());
    assert_ne!(trained(7).to_bytes(), trained(8).to_bytes());
}

#[test]
fn one_message_can_be_learned() {
    let mut model = trained(7);
    let ham = features("cheap pills, as ordered by the pharmacy");
    let before = model.probability(&ham);
    model.learn(&ham, false);
    assert!(model.probability(&ham) < before);
}

#[test]
fn years_and_trace_fields_are_no_features() {
    let of = |head: &str, year: u32| {
        let message = format!("{head}Subject: plans for {year}\r\n\r\nSee you in {year}.\r\n");
        Features::of(&Reading::of(&Message::new(Bytes::from(message))), &[])
    };
    assert_eq!(of("", 2002), of("", 2022));
    let marks = "X-Spam-Status: Yes\r\nDelivered-To: a@example.org\r\nX-Mailer: M 2002\r\n";
    assert_eq!(of("", 2002), of(marks, 2002));
}

#[test]
fn a_file_gives_the_model_again_and_damage_is_told() {
    let bytes = trained(7).to_bytes();
    assert_eq!(
        Model::from_bytes(&bytes).map(|model| model.to_bytes()),
        Ok(bytes.clone())
    );
    assert_eq!(Model::from_bytes(b"no"), Err(ModelError::NotAModel));
    assert_eq!(Model::from_bytes(&bytes[..99]), Err(ModelError::Length(99)));
    let mut damaged = bytes;
    damaged[5_000] ^= 1;
    assert_eq!(Model::from_bytes(&damaged), Err(ModelError::Checksum));
}

/// A change of what is read of messages, of the rules or of the features leaves the model that ships behind without a word:
/// train it anew (`cargo xtask model`), measure it (`cargo xtask bench accuracy`), and put the new values here.
#[test]
fn the_model_that_ships_was_made_for_these_rules_and_features() {
    let model = Model::shipped().unwrap();
    assert_eq!((model.trained_with(), model.seed()), ((4_074, 1_584), 1));
    let rules = crate::content::rules::Rules::built_in().unwrap();
    let points = |text: &str| {
        let message = Message::new(Bytes::copy_from_slice(text.as_bytes()));
        let hits = rules.match_(
            message.reading(),
            &crate::content::rules::RuleFacts::default(),
        );
        let features = Features::of(message.reading(), &hits);
        assert!((features.points() - hits.iter().map(|hit| hit.weight).sum::<f32>()).abs() < 1e-4);
        format!("{:.1}", model.log_odds(&features))
    };
    let spam = "From: \"Best Deals\" <offers4u@deals.example>\r\nSubject: Lose weight NOW!!!\r\n\
                Content-Type: text/html\r\n\r\n<p>Click <a href='http://198.51.100.7/buy'>here</a> to order our miracle pills, \
                100% free shipping! To be removed from this list, click below.</p>\r\n";
    let ham = "From: Ann Roe <ann@example.org>\r\nTo: bob@example.com\r\nSubject: Re: patch for the parser\r\n\
               Message-ID: <1.2@example.org>\r\nIn-Reply-To: <3.4@example.com>\r\n\
               Date: Tue, 1 Jul 2003 10:52:07 +0200\r\n\r\nBob wrote:\r\n> does the patch work for you?\r\n\r\nIt does, thanks.\r\n";
    assert_eq!(
        (points(spam), points(ham)),
        ("15.9".to_owned(), "-6.9".to_owned())
    );
}

#[test]
fn replies_and_copies_are_one_cluster() {
    let ties = |subject: &str, body: &str| {
        let message = format!("Subject: {subject}\r\n\r\n{body}\r\n");
        cluster::Ties::of(&Reading::of(&Message::new(Bytes::from(message))))
    };
    let all = [
        ties("the new garden", "one two"),
        ties("Re: [list] the new garden", "three four"),
        ties("another", "a body of more than five words indeed"),
        ties("something", "a body of more than five words indeed"),
    ];
    assert_eq!(cluster::clusters(all.iter()), [0, 0, 1, 1]);
}

proptest! {
    #[test]
    fn any_bytes_are_a_model_or_not(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        fuzzing::model(&bytes);
        fuzzing::model(&[b"GPMODEL1\x02\0\0\0".as_slice(), &bytes].concat());
    }
}

use std::sync::Arc;

use bytes::Bytes;

use super::*;

fn message(domain: &str, words: &str) -> Message {
    let text = format!(
        "From: A <a@{domain}>\r\nSubject: news\r\n\r\n{words} offers of the week for everybody who reads this\r\n"
    );
    Message::new(Bytes::from(text))
}

struct Place {
    folder: tempfile::TempDir,
    rules: Arc<Rules>,
}

impl Place {
    fn new() -> Place {
        Place {
            folder: tempfile::tempdir().unwrap(),
            rules: Rules::built_in().unwrap(),
        }
    }

    fn model(&self) -> PathBuf {
        self.folder.path().join("classifier.model")
    }

    fn learn(
        &self,
        message: &Message,
        class: Class,
        source: Source,
        time: &str,
    ) -> Result<Learned, NotLearned> {
        let mut learning = Learning::begin(&self.model()).unwrap();
        let learned = learning.learn(message, &self.rules, class, source, time.parse().unwrap());
        learning.finish().unwrap();
        learned
    }
}

const NOON: &str = "2026-11-23T12:00:00Z";

#[test]
fn the_model_that_ships_is_moved_on_beside_itself() {
    let place = Place::new();
    let news = message("news.example", "garden");
    assert!(!place.model().exists());
    let learned = place
        .learn(&news, Class::Spam, Source::Operator, NOON)
        .unwrap();
    assert!(
        learned.after > learned.before && learned.steps > 0,
        "{learned:?}"
    );
    let moved = read_model(&place.model()).unwrap().unwrap();
    assert_ne!(moved, *Model::shipped().unwrap());
    let ledger = std::fs::read_to_string(place.folder.path().join("classifier.learned")).unwrap();
    assert!(ledger.contains(r#""domain":"news.example""#), "{ledger}");
}

#[test]
fn a_message_is_learned_once_and_may_be_corrected() {
    let place = Place::new();
    let news = message("news.example", "garden");
    place
        .learn(&news, Class::Spam, Source::Operator, NOON)
        .unwrap();
    let again = place.learn(&news, Class::Spam, Source::Operator, "2026-11-30T12:00:00Z");
    assert_eq!(again, Err(NotLearned::Again));
    let corrected = place
        .learn(&news, Class::Ham, Source::Operator, NOON)
        .unwrap();
    assert!(corrected.after < corrected.before, "{corrected:?}");
}

#[test]
fn releases_are_bounded_by_domain_and_in_all() {
    let place = Place::new();
    for n in 0..5 {
        let word = format!("word{}", char::from(b'a' + n));
        let one = message("mail.news.example", &word);
        place
            .learn(&one, Class::Ham, Source::Release, NOON)
            .unwrap();
    }
    let sixth = message("news.example", "another");
    assert_eq!(
        place.learn(&sixth, Class::Ham, Source::Release, NOON),
        Err(NotLearned::TooManyOf("news.example".to_owned(), 5))
    );
    // The next day, or on the operator's word, it is.
    place
        .learn(&sixth, Class::Ham, Source::Operator, NOON)
        .unwrap();
    let seventh = message("news.example", "one more");
    place
        .learn(
            &seventh,
            Class::Ham,
            Source::Release,
            "2026-11-24T12:00:01Z",
        )
        .unwrap();

    let mut learning = Learning::begin(&place.model()).unwrap();
    let now: Timestamp = NOON.parse().unwrap();
    let mut count = 0;
    let refused = loop {
        let (a, b) = (char::from(b'a' + count / 26), char::from(b'a' + count % 26));
        let one = message(&format!("{a}{b}.example"), &format!("word{a}{b}"));
        match learning.learn(&one, &place.rules, Class::Ham, Source::Release, now) {
            Ok(_) => count += 1,
            Err(refused) => break refused,
        }
    };
    assert_eq!(
        (usize::from(count), refused),
        (94, NotLearned::TooMany(100))
    );
}

#[test]
fn a_damaged_model_is_not_overwritten() {
    let place = Place::new();
    std::fs::write(place.model(), b"GPMODEL1 and no more").unwrap();
    let error = Learning::begin(&place.model()).unwrap_err();
    assert!(error.contains("classifier.model"), "{error}");
}

/// What a crash left of a line spoils neither what was before it nor what comes after.
#[test]
fn a_line_that_was_cut_short_is_left_behind() {
    let place = Place::new();
    let (first, second) = (
        message("news.example", "garden"),
        message("other.example", "house"),
    );
    place
        .learn(&first, Class::Spam, Source::Operator, NOON)
        .unwrap();
    let ledger = place.folder.path().join("classifier.learned");
    let mut bytes = std::fs::read(&ledger).unwrap();
    bytes.extend(b"{\"time\":17,\"domain\":\"caf\xc3");
    std::fs::write(&ledger, bytes).unwrap();
    place
        .learn(&second, Class::Spam, Source::Operator, NOON)
        .unwrap();
    for message in [&first, &second] {
        let again = place.learn(message, Class::Spam, Source::Operator, NOON);
        assert_eq!(again, Err(NotLearned::Again));
    }
}

/// Limits are told from the ledger: it is never cut so that today's entries are gone.
#[test]
fn a_long_ledger_keeps_its_newer_half() {
    let place = Place::new();
    let line = |number: usize| {
        let entry = Entry {
            time: 1_700_000_000 + i64::try_from(number).unwrap(),
            class: Class::Ham,
            source: Source::Operator,
            domain: "news.example".to_owned(),
            message: format!("words:{number:016x}"),
        };
        serde_json::to_string(&entry).unwrap() + "\n"
    };
    let ledger = ledger_of(&place.model());
    let old: String = (0..LEDGER_LINES_MAX).map(line).collect();
    std::fs::write(&ledger, old).unwrap();
    let news = message("news.example", "garden");
    place
        .learn(&news, Class::Spam, Source::Operator, NOON)
        .unwrap();
    let kept = std::fs::read_to_string(&ledger).unwrap();
    assert_eq!(kept.lines().count(), LEDGER_LINES_MAX / 2);
    assert!(kept.contains(&line(LEDGER_LINES_MAX - 1)));
    let again = place.learn(&news, Class::Spam, Source::Operator, NOON);
    assert_eq!(again, Err(NotLearned::Again));
}

#[test]
fn a_ledger_that_cannot_be_read_whole_is_told() {
    let place = Place::new();
    let ledger = ledger_of(&place.model());
    let file = File::create(&ledger).unwrap();
    file.set_len(LEDGER_BYTES_MAX + 1).unwrap();
    let error = Learning::begin(&place.model()).unwrap_err();
    assert!(error.contains("move it away"), "{error}");
}

/// A comment behind the address is no domain of its own.
#[test]
fn the_domain_is_that_of_the_author_however_it_is_written() {
    for from in [
        "a@news.example (x@r1.example)",
        "\"b@r2.example\" <a@www.news.example>",
        "a@NEWS.example.",
    ] {
        let text = format!("From: {from}\r\n\r\ntext\r\n");
        let domain = domain_of(&Message::new(Bytes::from(text)));
        assert_eq!(domain, "news.example", "{from}");
    }
    for from in ["", "nobody", "a@"] {
        let text = format!("From: {from}\r\n\r\ntext\r\n");
        assert_eq!(domain_of(&Message::new(Bytes::from(text))), "", "{from}");
    }
}

/// A model that was trained anew has not seen what the one before had learned.
#[test]
fn a_new_model_learns_from_the_beginning() {
    let place = Place::new();
    let news = message("news.example", "garden");
    place
        .learn(&news, Class::Spam, Source::Operator, NOON)
        .unwrap();
    replace_model(&place.model(), &Model::shipped().unwrap()).unwrap();
    place
        .learn(&news, Class::Spam, Source::Operator, NOON)
        .unwrap();
}

//! Filters: what they read, what they refuse, and which messages and recipients they mean.

use std::sync::Arc;

use proptest::prelude::*;
use queue::{
    LastFault, ListedRecipient, MessageId, Origin, Queue, QueuedRecipient, RealDisk, Settings,
};
use smtp::{MailParameters, RcptParameters, Status};

use super::*;

/// When the messages of these tests are looked at, in milliseconds since 1970 UTC.
const NOW: u64 = 1_800_000_000_000;
const HOUR: u64 = 3_600_000;

/// A message of two hours ago: one recipient untried, one put off, one held, one delivered.
fn listed() -> Listed {
    let paths = [
        "new@first.example",
        "Late@second.example",
        "held@second.example",
        "done@first.example",
    ];
    let envelope = Envelope {
        reference: "K7QX-3M9D-2F".to_owned(),
        origin: Origin::Received,
        arrived: NOW - 2 * HOUR,
        customer: Arc::from("acme"),
        reverse_path: ReversePath::Mailbox("Ann@Example.NET".parse().unwrap()),
        mail: MailParameters::default(),
        eight_bit: false,
        submitted: false,
        lifetime: 120 * HOUR,
        delay_warning: 0,
        recipients: paths
            .iter()
            .map(|path| QueuedRecipient {
                forward_path: path.parse().unwrap(),
                parameters: RcptParameters::default(),
            })
            .collect(),
    };
    let recipient = |state| ListedRecipient {
        state,
        attempts: 0,
        last: None,
        next_attempt: None,
        warned: false,
        rerouted: None,
        by: None,
    };
    let late = ListedRecipient {
        attempts: 2,
        last: Some(LastFault {
            status: Status::NOT_AUTHORISED,
            diagnostic: "451 4.7.1 Come Back Later".to_owned(),
            nexthop: "mx1.second.example".to_owned(),
        }),
        rerouted: Some("smtp:192.0.2.9:25".to_owned()),
        ..recipient(RecipientState::Waiting)
    };
    Listed {
        id: MessageId(4711),
        envelope: Arc::new(envelope),
        content_bytes: 1000,
        held: false,
        recipients: vec![
            recipient(RecipientState::Waiting),
            late,
            recipient(RecipientState::Held),
            recipient(RecipientState::Delivered),
        ],
    }
}

/// An empty queue: none of its lanes and sites is in the way of anything.
fn empty_queue() -> (tempfile::TempDir, Queue) {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings {
        reserve_bytes: 0,
        ..Settings::new(folder.path().join("queue"))
    };
    let queue = Queue::open(settings, Arc::new(RealDisk), Arc::new(|_| {})).unwrap();
    (folder, queue)
}

/// The recipients that a query means, by their places; none if the message itself is not meant.
fn meant(query: &str) -> Vec<usize> {
    let (_folder, queue) = empty_queue();
    let (listed, matcher) = (listed(), read(query).unwrap());
    let mut waits = Waits::new(&queue);
    let places = 0..listed.recipients.len();
    places
        .filter(|_| matcher.takes(&listed, NOW))
        .filter(|at| matcher.takes_recipient(&listed, *at, &mut waits))
        .collect()
}

fn read(query: &str) -> Result<Matcher, Problem> {
    Filter::from_query(query)?.matcher()
}

#[test]
fn each_filter_means_what_it_says() {
    for (query, expected) in [
        ("", &[0, 1, 2][..]),
        ("domain=first.example", &[0]),
        ("domain=SECOND.example", &[1, 2]),
        ("domain=example", &[]),
        ("reverse_path=ann%40example.net", &[0, 1, 2]),
        ("reverse_path=%3Cann%40example.net%3E", &[0, 1, 2]),
        ("reverse_path=%40example.net", &[0, 1, 2]),
        ("reverse_path=bob%40example.net", &[]),
        ("reverse_path=%3C%3E", &[]),
        ("recipient=late%40second.example", &[1]),
        ("recipient=%40second.example", &[1, 2]),
        ("recipient=done%40first.example", &[]),
        ("customer=acme", &[0, 1, 2]),
        ("customer=Acme", &[]),
        ("older_than=1h30m", &[0, 1, 2]),
        ("older_than=3h", &[]),
        ("younger_than=3h", &[0, 1, 2]),
        ("younger_than=90m", &[]),
        ("older_than=1h&younger_than=3h", &[0, 1, 2]),
        ("text=come+back", &[1]),
        ("text=refused", &[]),
        ("state=new", &[0]),
        ("state=delayed", &[1]),
        ("state=waiting", &[0, 1]),
        ("state=held", &[2]),
        ("state=active", &[]),
        ("state=suspended", &[]),
        ("nexthop=mx1.SECOND", &[1]),
        ("nexthop=192.0.2.9", &[1]),
        ("site=anything", &[]),
        ("id=4711", &[0, 1, 2]),
        ("id=1,4711", &[0, 1, 2]),
        ("id=1", &[]),
        ("reference=k7qx-3m9d-2f", &[0, 1, 2]),
        ("reference=4711", &[0, 1, 2]),
    ] {
        assert_eq!(meant(query), expected, "{query}");
    }
}

#[test]
fn filters_hold_for_one_and_the_same_recipient() {
    assert_eq!(meant("domain=second.example&state=delayed"), [1]);
    // The one is of this domain, the other was told so: none is both.
    assert!(meant("domain=first.example&text=come+back").is_empty());
    assert_eq!(meant("state=held&recipient=held%40second.example"), [2]);
}

#[test]
fn the_null_reverse_path_is_asked_for_by_its_brackets() {
    let mut listed = listed();
    let mut envelope = Envelope::clone(&listed.envelope);
    envelope.reverse_path = ReversePath::Null;
    listed.envelope = Arc::new(envelope);
    for (query, expected) in [
        ("reverse_path=%3C%3E", true),
        ("reverse_path=%40example.net", false),
        ("reverse_path=ann%40example.net", false),
    ] {
        assert_eq!(
            read(query).unwrap().takes(&listed, NOW),
            expected,
            "{query}"
        );
    }
}

#[test]
fn what_cannot_be_read_is_refused_with_what_to_write() {
    for (query, error, remedy) in [
        (
            "colour=red",
            "unknown field `colour`, expected one of `id`, `reference`, `domain`",
            "names the filters",
        ),
        (
            "domain=a.example&domain=b.example",
            "given twice",
            "give it once",
        ),
        ("domain=not+a+domain", "is not a domain", "example.org"),
        (
            "recipient=nobody",
            "recipient: `nobody` is not an address",
            "ann@example.org",
        ),
        ("older_than=soon", "older_than: ", ""),
        (
            "state=frozen",
            "`frozen` is none that waits",
            "new, delayed, waiting, held, active or suspended",
        ),
        (
            "id=x",
            "`x` is neither an id in the queue nor a reference",
            "K7QX-3M9D-2F",
        ),
        ("limit=-1", "limit: `-1` is not a number", "digits"),
        ("up_to=99999999999999999999", "is not a number", "digits"),
    ] {
        let problem = read(query).unwrap_err();
        assert!(problem.error.contains(error), "{query}: {problem:?}");
        assert!(problem.remedy.contains(remedy), "{query}: {problem:?}");
    }
}

#[test]
fn what_is_read_is_bounded() {
    let long = format!("text={}", "a".repeat(VALUE_BYTES_MAX + 1));
    assert!(read(&long).unwrap_err().error.contains("text is longer"));
    let ids: Vec<String> = (0..=NAMES_MAX).map(|id| id.to_string()).collect();
    let problem = read(&format!("id={}", ids.join(","))).unwrap_err();
    assert!(problem.error.contains("more than 1000"), "{problem:?}");
    assert!(read(&format!("id={}", ids[1..].join(","))).is_ok());
}

#[test]
fn bounds_alone_name_no_message() {
    for (query, expected) in [
        ("", false),
        ("limit=5&up_to=9", false),
        ("state=new", true),
        ("id=1&limit=5", true),
    ] {
        let filter = Filter::from_query(query).unwrap();
        assert_eq!(filter.is_narrow(), expected, "{query}");
    }
}

proptest! {
    #[test]
    fn a_filter_is_read_back_from_its_query(
        values in prop::collection::vec(prop::option::of(".{0,40}"), 14),
    ) {
        let mut values = values.into_iter();
        let mut value = || values.next().flatten();
        let filter = Filter {
            id: value(),
            reference: value(),
            domain: value(),
            reverse_path: value(),
            recipient: value(),
            customer: value(),
            older_than: value(),
            younger_than: value(),
            text: value(),
            state: value(),
            site: value(),
            nexthop: value(),
            up_to: value(),
            limit: value(),
        };
        prop_assert_eq!(Filter::from_query(&filter.to_query()), Ok(filter));
    }

    #[test]
    fn any_query_is_read_or_refused_with_words(query in ".{0,200}") {
        match read(&query) {
            Ok(matcher) => { let _ = matcher.takes(&listed(), NOW); }
            Err(problem) => prop_assert!(!problem.error.is_empty() && !problem.remedy.is_empty()),
        }
    }

    #[test]
    fn any_value_is_read_or_refused_with_words(
        name in prop::sample::select(vec![
            "id", "reference", "domain", "reverse_path", "recipient", "customer", "older_than", "younger_than", "text", "state",
            "site", "nexthop", "up_to", "limit",
        ]),
        value in "[ -~]{0,60}|[0-9smhdw.]{0,20}|<?[a-z]{0,5}@[a-z.]{0,12}>?",
    ) {
        let query = form_urlencoded::Serializer::new(String::new()).append_pair(name, &value).finish();
        match read(&query) {
            Ok(matcher) => { let _ = matcher.takes(&listed(), NOW); }
            Err(problem) => prop_assert!(!problem.error.is_empty(), "{:?}", problem),
        }
    }
}

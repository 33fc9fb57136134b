use proptest::prelude::*;

use super::*;

fn list(asked_about: &[Subject]) -> List {
    List {
        name: "test".to_owned(),
        zone: "bl.example.".to_owned(),
        asked_about: asked_about.to_vec(),
        codes: Vec::new(),
        weight: 5.0,
        test_point: None,
    }
}

fn names(list: &List, about: &About) -> Vec<String> {
    let questions = questions(list, about).into_iter();
    questions.map(|question| question.name).collect()
}

#[test]
fn addresses_are_asked_about_backwards() {
    let of = |ip: &str| {
        let about = About {
            ip: Some(ip.parse().unwrap()),
            ..About::default()
        };
        names(&list(&[Subject::Ip]), &about)
    };
    assert_eq!(of("192.0.2.99"), ["99.2.0.192.bl.example"]);
    assert_eq!(of("::ffff:192.0.2.99"), ["99.2.0.192.bl.example"]);
    // RFC 5782 section 2.4.
    assert_eq!(
        of("2001:db8:1:2:3:4:567:89ab"),
        ["b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.bl.example"]
    );
    for inside in ["10.1.2.3", "127.0.0.2", "169.254.1.1", "::1", "fd00::1"] {
        assert!(of(inside).is_empty(), "{inside}");
    }
}

#[test]
fn domains_are_asked_about_by_their_last_labels_once() {
    let about = About {
        helo: "mx1.a.b.Example.CO.UK.".to_owned(),
        reverse_path: Some("example.co.uk".to_owned()),
        from: vec!["other.example".to_owned(), "example.co.uk".to_owned()],
        links: vec!["192.0.2.1".to_owned(), "localhost".to_owned()],
        ..About::default()
    };
    let all = [
        Subject::Helo,
        Subject::ReversePath,
        Subject::From,
        Subject::Url,
    ];
    assert_eq!(
        names(&list(&all), &about),
        [
            "b.example.co.uk.bl.example",
            "example.co.uk.bl.example",
            "other.example.bl.example",
        ]
    );
    assert!(names(&list(&[Subject::Ip]), &about).is_empty());
}

#[test]
fn the_number_of_domains_is_bounded() {
    let about = About {
        links: (0..1000).map(|n| format!("h{n}.example")).collect(),
        ..About::default()
    };
    let names = names(&list(&[Subject::Url]), &about);
    assert_eq!(names.len(), LIST_DOMAINS_MAX);
}

#[test]
fn a_name_that_is_too_long_is_not_asked_about() {
    let label = "a".repeat(60);
    let about = About {
        helo: format!("{label}.{label}.{label}.{label}.example"),
        reverse_path: Some(format!("{label}.{label}.{label}.example")),
        ..About::default()
    };
    let mut list = list(&[Subject::Helo, Subject::ReversePath]);
    list.zone = format!("{label}.bl.example");
    let names: Vec<String> = questions(&list, &about)
        .into_iter()
        .map(|question| question.name)
        .collect();
    assert!(!names.is_empty());
    assert!(
        names.iter().all(|name| name.len() <= NAME_BYTES_MAX),
        "{names:?}"
    );
}

#[test]
fn translated_addresses_are_asked_about_as_what_they_stand_for() {
    let asked = |ip: &str| {
        let about = About {
            ip: Some(ip.parse().unwrap()),
            ..About::default()
        };
        let questions = questions(&list(&[Subject::Ip]), &about);
        questions
            .into_iter()
            .map(|question| question.name)
            .collect::<Vec<_>>()
    };
    for ip in ["192.0.2.7", "::ffff:192.0.2.7", "64:ff9b::c000:207"] {
        assert_eq!(asked(ip), ["7.2.0.192.bl.example"], "{ip}");
    }
    for ip in [
        "127.0.0.2",
        "10.0.0.1",
        "100.64.0.1",
        "::1",
        "64:ff9b::a00:1",
    ] {
        assert_eq!(asked(ip), Vec::<String>::new(), "{ip}");
    }
}

proptest! {
    #[test]
    fn any_domain_gives_few_names_that_are_names(domain: String) {
        let suffixes = suffixes(&domain);
        prop_assert!(suffixes.len() <= LIST_LABELS_MAX);
        for suffix in suffixes {
            prop_assert!(domain.to_ascii_lowercase().trim_end_matches('.').ends_with(&suffix));
            prop_assert!(suffix.split('.').all(|label| !label.is_empty() && label.len() <= 63));
        }
    }
}

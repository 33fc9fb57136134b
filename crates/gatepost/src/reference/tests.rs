//! References: distinct, readable, tolerant of people.

use std::collections::HashSet;

use proptest::prelude::*;

use super::*;

const NOW: u64 = 1_772_366_400; // 2026-03-01T12:00:00Z

#[test]
fn looks_as_documented() {
    let references = References::new(node_number("mx.example.net"));
    let first = [(); 3].map(|()| references.next(NOW).to_string());
    assert_eq!(first, ["6TM3-84VZ-BR", "6SKN-RR62-3J", "6VV5-7NHH-VX"]);
}

#[test]
fn reads_what_people_write() {
    let reference = Reference::new(0xa5, 0x123_4567_89ab);
    let text = reference.to_string();
    let compact: String = text.chars().filter(|c| *c != '-').collect();
    let telephone = compact.to_lowercase().replace('0', "o").replace('1', "l");
    for written in [
        text.clone(),
        compact.clone(),
        telephone,
        format!(" [{text}] "),
        compact.replace('1', "I").replace('0', "O"),
    ] {
        assert_eq!(written.parse(), Ok(reference), "{written}");
    }
    for wrong in [
        "",
        "K7QX-3M9D-2",
        "K7QX-3M9D-2FF",
        "K7QX-3M9D-2U",
        "K7QX_3M9D_2F",
        "ÄÖÜß",
    ] {
        assert_eq!(wrong.parse::<Reference>(), Err(InvalidReference), "{wrong}");
    }
}

#[test]
fn knows_its_node_and_its_second() {
    for node in [0, 1, 0x5a, 0xff] {
        let references = References::new(node);
        references.next(NOW);
        let reference = references.next(NOW + 60);
        assert_eq!(reference.node(), node);
        assert_eq!(reference.unix_seconds(), NOW + 60);
    }
}

#[test]
fn stays_distinct_when_a_second_overflows_or_the_clock_steps_back() {
    let references = References::new(7);
    let mut seen = HashSet::new();
    for step in 0..20_000 {
        let now = match step {
            0..10_000 => NOW,
            10_000..15_000 => NOW - 3600,
            _ => NOW + 1,
        };
        assert!(seen.insert(references.next(now)), "{step}");
    }
    // A clock before the epoch is no reason to fail either.
    assert!(seen.insert(references.next(0)));
}

#[test]
fn a_restart_within_the_second_repeats_nothing() {
    let before = References::new(7);
    let after = References::new(7);
    before.next(NOW - 10);
    let issued: HashSet<Reference> = (0..4096).map(|_| before.next(NOW)).collect();
    assert!((0..4096).all(|_| !issued.contains(&after.next(NOW))));
}

#[test]
fn resumes_behind_the_last_one_whatever_the_clock_says() {
    let before = References::new(7);
    let issued: HashSet<Reference> = (0..10_000).map(|_| before.next(NOW)).collect();
    let last = before.next(NOW);
    let after = References::resume(7, last);
    assert!((0..10_000).all(|_| !issued.contains(&after.next(NOW - 100))));
}

#[test]
fn tasks_share_them() {
    let references = References::new(3);
    let issue = || (0..5000).map(|_| references.next(NOW)).collect::<Vec<_>>();
    let all: Vec<Reference> = std::thread::scope(|scope| {
        let threads = [(); 4].map(|()| scope.spawn(issue));
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    let distinct: HashSet<&Reference> = all.iter().collect();
    assert_eq!(distinct.len(), 20_000);
}

#[test]
fn neighbours_look_unlike() {
    let references = References::new(9);
    let mut last = references.next(NOW).to_ascii();
    let mut different = 0;
    for _ in 0..1000 {
        let next = references.next(NOW).to_ascii();
        let places = next.iter().zip(last).filter(|(a, b)| **a != *b).count();
        assert!(places >= 3, "{next:?}");
        different += places;
        last = next;
    }
    // The first symbol is the node's; of the other nine, more than seven differ on average.
    assert!(different > 7000, "{different}");
}

#[test]
fn node_numbers_come_from_names_without_regard_to_case() {
    assert_eq!(
        node_number("MX1.example.net"),
        node_number("mx1.example.net")
    );
    let numbers: HashSet<u8> = (0..64)
        .map(|node| node_number(&format!("mx{node}.example.net")))
        .collect();
    assert!(numbers.len() > 45, "{}", numbers.len());
}

proptest! {
    #[test]
    fn mixing_is_undone(count in 0..=UNIQUE_MASK) {
        prop_assert_eq!(unmix(mix(count)), count);
        prop_assert!(mix(count) <= UNIQUE_MASK);
    }

    #[test]
    fn text_and_json_are_read_back(node: u8, count in 0..=UNIQUE_MASK) {
        let reference = Reference::new(node, count);
        prop_assert_eq!(reference.to_string().parse(), Ok(reference));
        let json = serde_json::to_string(&reference).unwrap();
        prop_assert_eq!(serde_json::from_str::<Reference>(&json).unwrap(), reference);
    }

    #[test]
    fn any_text_is_read_or_refused(text: String) {
        let _ = text.parse::<Reference>();
    }
}

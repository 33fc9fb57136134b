//! Half of the destinations are dead, and each has an address of its own.

use std::collections::HashSet;

use super::{DESTINATIONS, Fate, address, fate, living_recipient};

#[test]
fn half_are_dead_and_a_tenth_of_those_are_silent() {
    let count = |wanted| (0..DESTINATIONS).filter(|&it| fate(it) == wanted).count();
    assert_eq!(count(Fate::Living), 5_000);
    assert_eq!(count(Fate::Refused), 4_500);
    assert_eq!(count(Fate::Silent), 500);
}

#[test]
fn no_two_share_an_address() {
    let addresses: HashSet<String> = (0..DESTINATIONS).map(address).collect();
    assert_eq!(addresses.len() as u64, DESTINATIONS);
    assert_eq!(address(9_999), "127.10.39.250");
}

#[test]
fn fresh_messages_go_to_the_living() {
    for left in [1, 2, 4_999, 5_000, 5_001] {
        let recipient = living_recipient(left);
        let domain = recipient
            .trim_start_matches("b@d")
            .trim_end_matches(".test");
        assert_eq!(fate(domain.parse().unwrap()), Fate::Living, "{recipient}");
    }
}

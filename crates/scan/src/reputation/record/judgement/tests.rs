use super::*;
use crate::reputation::record::Tally;

const NOW: u32 = 1_800_000_000;

fn entry(key: Key, class: Class, bad: f32) -> Entry {
    Entry {
        reason: format!("{key} is {}", class.word()),
        key,
        tally: Tally {
            bad,
            ..Tally::default()
        },
        class,
        first_seen: NOW,
        last_seen: NOW,
        until: None,
    }
}

fn address(class: Class) -> Entry {
    entry(Key::address("192.0.2.7".parse().unwrap()), class, 20.0)
}

fn network(class: Class) -> Entry {
    entry(Key::network("192.0.2.7".parse().unwrap()), class, 1000.0)
}

fn domain(class: Class) -> Entry {
    entry(Key::domain("example.org").unwrap(), class, 20.0)
}

fn advice(address: &Entry, network: &Entry) -> (Advice, Class) {
    let judgement = client(address, network, &Measures::default(), NOW);
    (judgement.advice, judgement.class)
}

#[test]
fn every_pair_of_classes_at_connect() {
    use Advice::{Accept, Permfail, Tempfail};
    let mut hopeless = address(Class::Bad);
    hopeless.tally.bad = 200.0;
    for of_network in Class::ALL {
        let network = network(of_network);
        for class in [Class::Good, Class::Neutral] {
            assert_eq!(advice(&address(class), &network), (Accept, class));
        }
        assert_eq!(
            advice(&address(Class::Bad), &network),
            (Tempfail, Class::Bad)
        );
        let expected = if of_network == Class::Good {
            Tempfail
        } else {
            Permfail
        };
        assert_eq!(advice(&hopeless, &network), (expected, Class::Bad));
        let (suspect, unknown) = match of_network {
            Class::Bad => ((Tempfail, Class::Suspect), (Tempfail, Class::Suspect)),
            Class::Suspect => ((Accept, Class::Suspect), (Accept, Class::Suspect)),
            _ => ((Accept, Class::Suspect), (Accept, Class::Unknown)),
        };
        assert_eq!(advice(&address(Class::Suspect), &network), suspect);
        assert_eq!(advice(&address(Class::Unknown), &network), unknown);
    }
}

#[test]
fn a_newcomer_in_a_bad_network_is_heard_when_it_comes_again() {
    let mut newcomer = address(Class::Unknown);
    newcomer.first_seen = NOW - 60;
    assert_eq!(advice(&newcomer, &network(Class::Bad)).0, Advice::Tempfail);
    newcomer.first_seen = NOW - 1800;
    assert_eq!(advice(&newcomer, &network(Class::Bad)).0, Advice::Accept);
}

#[test]
fn points_of_a_message() {
    use Class::{Bad, Good, Neutral, Suspect, Unknown};
    for (of_address, of_network, of_domain, points, class) in [
        (Unknown, Unknown, None, 0.0, Unknown),
        (Neutral, Bad, None, 0.0, Neutral),
        (Unknown, Bad, None, 4.0, Suspect),
        (Unknown, Suspect, None, 1.0, Suspect),
        (Bad, Bad, None, 6.0, Bad),
        (Suspect, Bad, None, 2.0, Suspect),
        (Good, Bad, None, -3.0, Good),
        // Whoever proves who he is is judged by that; a bad address counts half, for signed messages can be sent again.
        (Unknown, Bad, Some(Good), -4.0, Good),
        (Suspect, Bad, Some(Good), -3.0, Good),
        (Bad, Bad, Some(Good), -1.0, Neutral),
        (Good, Good, Some(Bad), 3.0, Suspect),
        (Unknown, Unknown, Some(Bad), 6.0, Bad),
        (Bad, Bad, Some(Bad), 8.0, Bad),
        (Good, Good, Some(Good), -5.0, Good),
    ] {
        let mut entries = vec![address(of_address), network(of_network)];
        entries.extend(of_domain.map(domain));
        let opinion = sender(&entries);
        let words = format!("{of_address:?} {of_network:?} {of_domain:?}");
        assert_eq!((opinion.points, opinion.class), (points, class), "{words}");
    }
}

#[test]
fn the_reason_is_that_of_the_weightiest_key() {
    let opinion = sender(&[
        address(Class::Suspect),
        network(Class::Bad),
        domain(Class::Bad),
    ]);
    assert_eq!(opinion.reason, "example.org is bad");
    let nothing = sender(&[address(Class::Unknown), network(Class::Unknown)]);
    assert_eq!(nothing.reason, "192.0.2.7 is unknown");
}

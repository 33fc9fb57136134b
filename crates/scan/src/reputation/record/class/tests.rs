use super::*;

const LONG: u32 = 30 * 86_400;

fn ip() -> Key {
    Key::address("192.0.2.7".parse().unwrap())
}

fn network() -> Key {
    Key::network("192.0.2.7".parse().unwrap())
}

fn mail(good: f32, bad: f32) -> Tally {
    Tally {
        good,
        bad,
        ..Tally::default()
    }
}

fn names(unknown: f32, known: f32) -> Tally {
    Tally {
        unknown,
        known,
        ..Tally::default()
    }
}

fn class(key: &Key, tally: Tally, before: Class) -> Class {
    Measures::default().class(key, &tally, before, LONG)
}

#[test]
fn nobody_is_called_anything_on_a_few_messages() {
    for (good, bad) in [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)] {
        let of = class(&ip(), mail(good, bad), Class::Unknown);
        assert_eq!(of, Class::Unknown, "{good} {bad}");
    }
    assert_eq!(class(&ip(), mail(0.0, 3.0), Class::Unknown), Class::Neutral);
    assert_eq!(
        class(&ip(), mail(15.0, 0.0), Class::Unknown),
        Class::Neutral
    );
    assert_eq!(
        class(&ip(), names(15.0, 0.0), Class::Unknown),
        Class::Unknown
    );
}

#[test]
fn the_measures_of_messages() {
    for (good, bad, expected) in [
        (0.0, 4.0, Class::Suspect),
        (3.0, 4.0, Class::Suspect),
        (5.0, 4.0, Class::Neutral),
        (0.0, 10.0, Class::Bad),
        (2.0, 10.0, Class::Bad),
        (3.0, 10.0, Class::Suspect),
        (20.0, 0.0, Class::Good),
        (100.0, 2.0, Class::Good),
        (100.0, 4.0, Class::Neutral),
        (10_000.0, 100.0, Class::Good),
    ] {
        let of = class(&ip(), mail(good, bad), Class::Unknown);
        assert_eq!(of, expected, "{good} good, {bad} bad");
    }
    // A network stands for many addresses.
    assert_eq!(
        class(&network(), mail(0.0, 39.0), Class::Unknown),
        Class::Suspect
    );
    assert_eq!(
        class(&network(), mail(0.0, 40.0), Class::Unknown),
        Class::Bad
    );
    assert_eq!(
        class(&network(), mail(79.0, 0.0), Class::Unknown),
        Class::Neutral
    );
}

#[test]
fn the_measures_of_recipients() {
    for (unknown, known, expected) in [
        (19.0, 0.0, Class::Unknown),
        (20.0, 10.0, Class::Suspect),
        (20.0, 30.0, Class::Unknown),
        (50.0, 3.0, Class::Bad),
        (50.0, 30.0, Class::Suspect),
    ] {
        let of = class(&ip(), names(unknown, known), Class::Unknown);
        assert_eq!(of, expected, "{unknown} unknown, {known} known");
    }
    // An old list of subscribers, whose messages are welcome to those who are still there.
    let mut list = names(60.0, 5.0);
    list.good = 20.0;
    assert_eq!(class(&ip(), list, Class::Unknown), Class::Neutral);
}

#[test]
fn whoever_is_called_something_keeps_the_name_for_a_while() {
    let bad = mail(3.0, 7.0);
    assert_eq!(class(&ip(), bad, Class::Unknown), Class::Suspect);
    assert_eq!(class(&ip(), bad, Class::Bad), Class::Bad);
    assert_eq!(class(&ip(), mail(0.0, 4.9), Class::Bad), Class::Suspect);
    let suspect = mail(4.0, 3.0);
    assert_eq!(class(&ip(), suspect, Class::Neutral), Class::Neutral);
    assert_eq!(class(&ip(), suspect, Class::Suspect), Class::Suspect);
    assert_eq!(class(&ip(), mail(9.0, 3.0), Class::Suspect), Class::Neutral);
    let good = mail(50.0, 2.0);
    assert_eq!(class(&ip(), good, Class::Neutral), Class::Neutral);
    assert_eq!(class(&ip(), good, Class::Good), Class::Good);
    assert_eq!(class(&ip(), mail(50.0, 4.0), Class::Good), Class::Neutral);
}

#[test]
fn good_takes_days() {
    let measures = Measures::default();
    let many = mail(1000.0, 0.0);
    let after = |seconds| measures.class(&ip(), &many, Class::Neutral, seconds);
    assert_eq!(after(3600), Class::Neutral);
    assert_eq!(after(2 * 86_400), Class::Good);
}

#[test]
fn a_name_that_anybody_may_give_is_neither_good_nor_bad() {
    let key = Key::ClaimedHelo("mx.example".into());
    assert_eq!(
        class(&key, mail(0.0, 1000.0), Class::Unknown),
        Class::Suspect
    );
    assert_eq!(
        class(&key, mail(1000.0, 0.0), Class::Unknown),
        Class::Neutral
    );
}

#[test]
fn the_reason_is_a_sentence() {
    let told = |tally: Tally| {
        let class = class(&network(), tally, Class::Unknown);
        reason(&Measures::default(), &network(), &tally, class)
    };
    assert_eq!(
        told(mail(9.0, 231.0)),
        "of 240 messages from 192.0.2.0/24 in the last days 231 were refused"
    );
    assert_eq!(
        told(mail(240.0, 0.0)),
        "of 240 messages from 192.0.2.0/24 in the last days none was refused"
    );
    assert_eq!(
        told(names(480.0, 20.0)),
        "of 500 recipients that 192.0.2.0/24 named in the last days 480 do not exist"
    );
    // What made it bad, not all that there is: one refused message among so many guesses.
    let guesses = Tally {
        bad: 1.0,
        ..names(480.0, 20.0)
    };
    assert!(told(guesses).starts_with("of 500 recipients"));
    assert_eq!(
        told(mail(1.0, 0.0)),
        "next to nothing is known of 192.0.2.0/24"
    );
}

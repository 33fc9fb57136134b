use super::*;

const NOW: u32 = 1_800_000_000;
const DAY: u32 = 86_400;

fn record() -> Record {
    Record::new(RecordSettings::default())
}

fn sender<'a>(ip: &str, domains: &'a [String]) -> Sender<'a> {
    Sender {
        ip: ip.parse().unwrap(),
        helo: "mx.example",
        helo_is_proven: false,
        domains,
    }
}

#[test]
fn a_spammer_becomes_bad_and_is_given_another_chance_with_time() {
    let record = record();
    let spammer = sender("192.0.2.7", &[]);
    let advice = |now| record.client(spammer.ip, now).advice;
    assert_eq!(advice(NOW), Advice::Accept);
    for _ in 0..15 {
        record.learn(&spammer, Lesson::Bad(1.0), NOW);
    }
    let judgement = record.client(spammer.ip, NOW);
    assert_eq!(judgement.advice, Advice::Tempfail);
    assert_eq!(
        judgement.reason,
        "of 15 messages from 192.0.2.7 in the last days 15 were refused"
    );
    for _ in 0..60 {
        record.learn(&spammer, Lesson::Bad(1.0), NOW);
    }
    assert_eq!(advice(NOW), Advice::Permfail);
    // Being refused at connect is not held against it: it is heard again one day.
    let refused = |days: std::ops::Range<u32>| {
        for day in days {
            record.learn(&spammer, Lesson::Refused, NOW + day * DAY);
        }
    };
    refused(0..8);
    assert_eq!(advice(NOW + 8 * DAY), Advice::Tempfail);
    refused(8..40);
    assert_eq!(advice(NOW + 40 * DAY), Advice::Accept);
}

#[test]
fn it_is_told_until_when_a_sender_is_called_bad() {
    let record = record();
    let client = sender("192.0.2.7", &[]);
    for _ in 0..40 {
        record.learn(&client, Lesson::Bad(1.0), NOW);
    }
    let key = Key::address(client.ip);
    let of = |now| record.entry(&key, now).unwrap();
    let until = of(NOW).until.unwrap();
    // From 40 to half of 10: three half-lives of a week.
    assert!(until.abs_diff(NOW + 21 * DAY) < 60, "{}", until - NOW);
    assert_eq!(of(until - 60).class, Class::Bad);
    assert_eq!(of(until + 60).class, Class::Suspect);
    let better = of(until + 60).until.unwrap();
    assert!(of(better - 60).class == Class::Suspect && of(better + 60).class < Class::Suspect);
    assert_eq!(of(better + 60).until, None);
}

#[test]
fn the_neighbours_of_spammers_are_put_off_and_then_heard() {
    let record = record();
    for host in 1..=50 {
        let ip = format!("192.0.2.{host}");
        for _ in 0..2 {
            record.learn(&sender(&ip, &[]), Lesson::Bad(1.0), NOW);
        }
    }
    let neighbour = Sender {
        helo: "neighbour.example",
        ..sender("192.0.2.200", &[])
    };
    let first = record.client(neighbour.ip, NOW);
    assert_eq!(first.advice, Advice::Tempfail);
    assert_eq!(first.key, Key::network(neighbour.ip));
    record.learn(&neighbour, Lesson::Refused, NOW);
    assert_eq!(
        record.client(neighbour.ip, NOW + 60).advice,
        Advice::Tempfail
    );
    assert_eq!(
        record.client(neighbour.ip, NOW + 1800).advice,
        Advice::Accept
    );
    assert_eq!(record.sender(&neighbour, NOW + 1800).points, 4.0);
    // Once it has sent good messages, its own record speaks for it.
    for _ in 0..3 {
        record.learn(&neighbour, Lesson::Good, NOW + 1800);
    }
    assert_eq!(record.sender(&neighbour, NOW + 1800).points, 0.0);
    assert_eq!(
        record.client(neighbour.ip, NOW + 1900).advice,
        Advice::Accept
    );
}

#[test]
fn a_dictionary_attack_is_recognised_without_any_message() {
    let record = record();
    let client = sender("2001:db8::7", &[]);
    for _ in 0..30 {
        record.learn(&client, Lesson::UnknownRecipients(2), NOW);
    }
    let judgement = record.client("2001:db8::9999".parse().unwrap(), NOW);
    assert_eq!(judgement.advice, Advice::Tempfail);
    assert!(
        judgement.reason.contains("60 do not exist"),
        "{}",
        judgement.reason
    );
}

#[test]
fn a_good_domain_is_welcome_from_wherever_nothing_bad_is_known() {
    let record = record();
    let domains = ["example.org".to_owned()];
    for day in 0..4 {
        for _ in 0..10 {
            record.learn(
                &sender("198.51.100.1", &domains),
                Lesson::Good,
                NOW + day * DAY,
            );
        }
    }
    let now = NOW + 4 * DAY;
    for _ in 0..60 {
        record.learn(&sender("192.0.2.7", &[]), Lesson::Bad(1.0), now);
    }
    let spam = record.sender(&sender("192.0.2.7", &[]), now);
    assert_eq!((spam.points, spam.class), (7.0, Class::Bad), "{spam:?}");
    let good = record.sender(&sender("203.0.113.1", &domains), now);
    assert!(good.points <= -3.0 && good.class == Class::Good, "{good:?}");
    // What it has signed can be sent again from a bad address: that helps it less.
    let replayed = record.sender(&sender("192.0.2.7", &domains), now);
    let judged = (replayed.points, replayed.class);
    assert_eq!(judged, (0.0, Class::Neutral), "{replayed:?}");
}

#[test]
fn recipients_and_refusals_count_for_all_that_is_known_of_a_sender() {
    let record = record();
    let domains = ["news.example.co.uk".to_owned()];
    let sender = Sender {
        helo_is_proven: true,
        ..sender("192.0.2.7", &domains)
    };
    for _ in 0..30 {
        record.learn(&sender, Lesson::UnknownRecipients(2), NOW);
        record.learn(&sender, Lesson::Refused, NOW);
    }
    for text in ["192.0.2.7", "192.0.2.0/24", "mx.example", "example.co.uk"] {
        let keys = Key::parse_any(text).unwrap();
        let known = keys.iter().find_map(|key| record.entry(key, NOW)).unwrap();
        let counted = (known.tally.unknown, known.tally.refused);
        assert_eq!(counted, (60.0, 30.0), "{text}");
    }
    let opinion = record.sender(&sender, NOW);
    assert_eq!((opinion.points, opinion.class), (8.0, Class::Bad));
}

#[test]
fn one_who_has_a_domain_has_one_name_however_many_are_below_it() {
    let record = record();
    for n in 0..20 {
        let domains = [format!("x{n}.spam.example")];
        let ip = format!("192.0.{n}.1");
        record.learn(&sender(&ip, &domains), Lesson::Bad(1.0), NOW);
    }
    let domains = ["new.spam.example".to_owned()];
    let opinion = record.sender(&sender("198.51.100.1", &domains), NOW);
    assert!(opinion.points >= 6.0, "{opinion:?}");
    // Whoever has rented a name of a public suffix is another one than his neighbours.
    let neighbour = ["other.example".to_owned()];
    let opinion = record.sender(
        &Sender {
            helo: "other.example",
            ..sender("198.51.100.1", &neighbour)
        },
        NOW,
    );
    assert_eq!(opinion.points, 0.0, "{opinion:?}");
}

#[test]
fn addresses_of_private_networks_are_neither_counted_nor_judged() {
    let record = record();
    for private in ["127.0.0.1", "10.0.0.1", "100.64.3.4", "::1", "fd00::7"] {
        for _ in 0..100 {
            record.learn(&sender(private, &[]), Lesson::Bad(1.0), NOW);
        }
        let judgement = record.client(private.parse().unwrap(), NOW);
        assert_eq!(judgement.advice, Advice::Accept, "{private}");
        assert!(
            judgement.reason.contains("private network"),
            "{judgement:?}"
        );
        let opinion = record.sender(
            &Sender {
                helo: "other.example",
                ..sender(private, &[])
            },
            NOW,
        );
        assert_eq!(opinion.points, 0.0, "{private}");
    }
    // The name that was given with EHLO is all there is.
    assert_eq!(record.usage().keys, 1);
}

#[test]
fn a_flood_of_strangers_fits_and_does_not_wash_away_those_who_are_known() {
    let settings = RecordSettings {
        memory_max: 1024 * 1024,
        ..RecordSettings::default()
    };
    let record = Record::new(settings);
    let known = ["example.org".to_owned()];
    for day in 0..3 {
        for _ in 0..10 {
            record.learn(
                &sender("198.51.100.1", &known),
                Lesson::Good,
                NOW + day * DAY,
            );
        }
    }
    let now = NOW + 3 * DAY;
    for n in 0..200_000_u32 {
        let ip = std::net::Ipv6Addr::from(0x2001_0db8_u128 << 96 | u128::from(n) << 64);
        let stranger = Sender {
            ip: ip.into(),
            helo: "",
            helo_is_proven: false,
            domains: &[],
        };
        record.learn(&stranger, Lesson::UnknownRecipients(1), now);
    }
    let usage = record.usage();
    assert!(usage.bytes <= settings.memory_max, "{usage:?}");
    assert!(usage.keys > 2_000, "{usage:?}");
    let opinion = record.sender(&sender("198.51.100.1", &known), now);
    assert_eq!(opinion.class, Class::Good, "{opinion:?}");
}

#[test]
fn a_clock_that_is_set_back_keeps_what_is_known() {
    let record = record();
    for _ in 0..20 {
        record.learn(&sender("192.0.2.7", &[]), Lesson::Bad(1.0), NOW);
    }
    let before = NOW - 400 * DAY;
    record.tidy_up(before);
    assert_eq!(
        record.client("192.0.2.7".parse().unwrap(), before).advice,
        Advice::Tempfail
    );
    record.learn(&sender("192.0.2.7", &[]), Lesson::Bad(1.0), before);
    let key = Key::address("192.0.2.7".parse().unwrap());
    assert_eq!(record.entry(&key, before).unwrap().tally.bad, 21.0);
    // From there on it fades as always.
    assert_eq!(
        record
            .client("192.0.2.7".parse().unwrap(), before + 40 * DAY)
            .advice,
        Advice::Accept
    );
}

#[test]
fn what_an_operator_forgets_is_forgotten() {
    let record = record();
    for _ in 0..20 {
        record.learn(&sender("192.0.2.7", &[]), Lesson::Bad(1.0), NOW);
    }
    let key = Key::address("192.0.2.7".parse().unwrap());
    assert_eq!(record.entry(&key, NOW).unwrap().class, Class::Bad);
    assert!(record.forget(&key));
    assert!(!record.forget(&key));
    assert_eq!(record.entry(&key, NOW), None);
    assert_eq!(
        record.client("192.0.2.7".parse().unwrap(), NOW).advice,
        Advice::Accept
    );
}

/// Prints what the record takes and costs: `cargo test --release -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn figures() {
    let record = record();
    let begun = std::time::Instant::now();
    let messages: u32 = 1_000_000;
    for n in 0..messages {
        let domains = [format!("domain{}.example", n % 200_000)];
        let sender = Sender {
            ip: std::net::Ipv4Addr::from(0x0100_0000 + (n % 500_000) * 97).into(),
            helo: "mx.example",
            helo_is_proven: true,
            domains: &domains,
        };
        let _ = record.sender(&sender, NOW);
        record.learn(&sender, Lesson::Good, NOW);
    }
    let each = begun.elapsed().as_nanos() / u128::from(messages);
    let usage = record.usage();
    println!(
        "{each} ns a message; {usage:?}, {} bytes a key",
        usage.bytes / usage.keys
    );
    let begun = std::time::Instant::now();
    let bytes = snapshot::written(&record);
    println!("{} bytes written in {:?}", bytes.len(), begun.elapsed());
}

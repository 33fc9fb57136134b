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
fn a_good_domain_is_welcome_from_anywhere() {
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
    let good = record.sender(&sender("192.0.2.7", &domains), now);
    assert!(good.points <= -3.0 && good.class == Class::Good, "{good:?}");
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

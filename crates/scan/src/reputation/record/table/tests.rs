use std::net::Ipv4Addr;

use super::*;

const NOW: u32 = 1_800_000_000;

fn table(memory_max: usize) -> Table {
    Table::new(RecordSettings {
        memory_max,
        ..RecordSettings::default()
    })
}

fn ip(n: u32) -> Key {
    Key::address(Ipv4Addr::from(n).into())
}

#[test]
fn the_bytes_are_bounded_whatever_comes() {
    let memory_max = 1024 * 1024;
    let table = table(memory_max);
    for n in 0..60_000 {
        table.learn(ip(n), Lesson::UnknownRecipients(1), NOW);
        let name = format!("{n}{}.example", "x".repeat(200));
        table.learn(Key::domain(&name).unwrap(), Lesson::Bad(1.0), NOW);
        if n % 1000 == 0 {
            assert!(table.usage().bytes <= memory_max, "{:?}", table.usage());
        }
    }
    let usage = table.usage();
    assert!(usage.bytes <= memory_max, "{usage:?}");
    assert!(usage.bytes > memory_max / 3, "{usage:?}");
    // What it counts of names is what it has.
    for n in 0..60_000 {
        table.forget(&ip(n));
        let name = format!("{n}{}.example", "x".repeat(200));
        table.forget(&Key::domain(&name).unwrap());
    }
    let parts = table.parts.iter();
    let heap: usize = parts.map(|part| lock(part).heap_bytes).sum();
    assert_eq!((table.usage().keys, heap), (0, 0));
}

#[test]
fn a_flood_does_not_wash_away_those_whom_one_knows() {
    let table = table(1024 * 1024);
    let friends: Vec<Key> = (0..100).map(|n| ip(0x0a00_0000 + n)).collect();
    for friend in &friends {
        for _ in 0..10 {
            table.learn(friend.clone(), Lesson::Good, NOW);
        }
    }
    for n in 0..100_000 {
        table.learn(ip(n), Lesson::UnknownRecipients(3), NOW + 3600);
        table.learn(ip(n), Lesson::Bad(1.0), NOW + 3600);
    }
    for friend in &friends {
        assert!(table.entry(friend, NOW + 3600).is_some(), "{friend}");
    }
}

#[test]
fn what_is_old_is_forgotten() {
    let table = table(1024 * 1024);
    table.learn(ip(1), Lesson::Bad(1.0), NOW);
    for _ in 0..1000 {
        table.learn(ip(2), Lesson::Good, NOW);
    }
    let month = NOW + 30 * 86_400;
    assert!(table.entry(&ip(1), NOW).is_some());
    assert!(table.entry(&ip(1), month).is_none());
    let known = table.entry(&ip(2), month).unwrap();
    assert!((45.0..60.0).contains(&known.tally.good), "{known:?}");
    table.tidy_up(month);
    assert_eq!(table.usage().keys, 1);
}

#[test]
fn the_class_remembers_what_it_was() {
    let table = table(1024 * 1024);
    for _ in 0..12 {
        table.learn(ip(1), Lesson::Bad(1.0), NOW);
    }
    assert_eq!(table.entry(&ip(1), NOW).unwrap().class, Class::Bad);
    // Half is gone: whoever comes anew with this is suspect, this one is bad still.
    let week = NOW + 7 * 86_400;
    assert_eq!(table.entry(&ip(1), week).unwrap().class, Class::Bad);
    let fortnight = NOW + 14 * 86_400;
    assert_eq!(
        table.entry(&ip(1), fortnight).unwrap().class,
        Class::Suspect
    );
}

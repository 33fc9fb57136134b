use proptest::prelude::*;

use super::super::{Lesson, RecordSettings, Sender};
use super::*;

const NOW: u32 = 1_800_000_000;

fn record() -> Record {
    Record::new(RecordSettings::default())
}

fn filled() -> Record {
    let record = record();
    for n in 0..50_u8 {
        let domains = [format!("d{n}.example"), "größe.example".to_owned()];
        let ip: IpAddr = if n % 2 == 0 {
            [192, 0, 2, n].into()
        } else {
            IpAddr::V6(Ipv6Addr::from([0x2001, 0xdb8, u16::from(n), 0, 1, 2, 3, 4]))
        };
        let sender = Sender {
            ip,
            helo: "mx.example",
            helo_is_proven: n % 3 == 0,
            domains: &domains,
        };
        let lesson = if n % 5 == 0 {
            Lesson::Bad(0.5)
        } else {
            Lesson::Good
        };
        record.learn(&sender, lesson, NOW - u32::from(n));
        record.learn(&sender, Lesson::UnknownRecipients(3), NOW);
    }
    record
}

/// All entries of a snapshot, in an order of their own.
fn entries(bytes: &[u8]) -> Vec<(Key, String)> {
    let mut all = Vec::new();
    each(check(bytes).unwrap(), |key, kept| {
        all.push((key, format!("{kept:?}")));
    })
    .unwrap();
    all.sort();
    all
}

#[test]
fn what_is_written_is_read() {
    let bytes = written(&filled());
    let again = record();
    let count = read(&bytes, &again, NOW).unwrap();
    assert_eq!(count, again.usage().keys);
    assert_eq!(entries(&bytes), entries(&written(&again)));
}

#[test]
fn over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("reputation");
    assert_eq!(load(&record(), &path, NOW).unwrap(), Loaded::Nothing);
    let filled = filled();
    save(&filled, &path).unwrap();
    save(&filled, &path).unwrap();
    let again = record();
    let keys = filled.usage().keys;
    assert_eq!(load(&again, &path, NOW).unwrap(), Loaded::Keys(keys));
    assert_eq!(fs::read(&path).unwrap().len(), written(&again).len());
    assert_eq!(entries(&written(&filled)), entries(&written(&again)));
    // What no longer counts is left where it is.
    let late = record();
    assert!(matches!(
        load(&late, &path, NOW + 400 * 86_400).unwrap(),
        Loaded::Keys(_)
    ));
    assert_eq!(late.usage().keys, 0);
}

#[test]
fn a_damaged_file_is_set_aside() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("reputation");
    save(&filled(), &path).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let record = record();
    let Loaded::SetAside(aside, damage) = load(&record, &path, NOW).unwrap() else {
        panic!("it was believed");
    };
    assert_eq!(damage.to_string(), "its checksum is wrong");
    assert_eq!(fs::read(aside).unwrap(), bytes);
    assert!(!path.exists());
    assert_eq!(record.usage().keys, 0);
    assert_eq!(load(&record, &path, NOW).unwrap(), Loaded::Nothing);
}

#[test]
fn every_kind_of_damage_has_its_words() {
    let sealed = |mut bytes: Vec<u8>| {
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        bytes
    };
    let with = |entry: &[u8]| sealed([MAGIC.as_slice(), entry].concat());
    let kept = [0_u8; 29];
    let address = |ip: [u8; 4]| [&[ADDRESS_V4], ip.as_slice(), &kept, &[END]].concat();
    let name = |name: &str| {
        let length = [DOMAIN, u8::try_from(name.len()).unwrap()];
        [&length, name.as_bytes(), &kept, &[END]].concat()
    };
    let mut counts = address([192, 0, 2, 1]);
    counts[5..9].copy_from_slice(&f32::NAN.to_le_bytes());
    let mut class = address([192, 0, 2, 1]);
    class[33] = 5;
    let network = [&[NETWORK_V4, 192, 0, 2, 1], kept.as_slice(), &[END]].concat();
    for (bytes, words) in [
        (vec![], "too short"),
        (sealed(b"GPREPUT2\0".to_vec()), "does not begin"),
        (with(&[]), "cut off"),
        (with(&[9]), "unknown kind"),
        (with(&[END, 1]), "follows its end"),
        (with(&[DOMAIN, 200, 1]), "cut off"),
        (with(&name("Example.org")), "not as keys"),
        (with(&name("nobody")), "not as keys"),
        (with(&counts), "a count that is none"),
        (with(&class), "a class that is none"),
        (with(&network), "not as keys"),
    ] {
        let damage = read(&bytes, &record(), NOW).unwrap_err().to_string();
        assert!(damage.contains(words), "{damage}, not {words}");
    }
    assert_eq!(read(&with(&address([192, 0, 2, 1])), &record(), NOW), Ok(1));
    assert_eq!(read(&with(&name("example.org")), &record(), NOW), Ok(1));
}

proptest! {
    #[test]
    fn any_bytes_are_a_record_or_damaged(bytes: Vec<u8>) {
        let _ = read(&bytes, &record(), NOW);
        let mut sealed = [MAGIC.as_slice(), &bytes].concat();
        sealed.extend(crc32fast::hash(&sealed).to_le_bytes());
        let _ = read(&sealed, &record(), NOW);
    }

    #[test]
    fn no_single_changed_byte_is_believed(at: prop::sample::Index, with in 1..=u8::MAX) {
        let mut bytes = written(&filled());
        let at = at.index(bytes.len());
        bytes[at] ^= with;
        prop_assert!(read(&bytes, &record(), NOW).is_err());
    }
}

//! The body of the fuzz target `reputation`: what lies on the disk, and what lists and clients write.
//!
//! The first byte says what the rest is.

use std::net::Ipv4Addr;

use super::lists::{About, Answers, List, Subject, reading_of};
use super::record::{Key, Record, RecordSettings, snapshot};

/// Seconds since 1970 at which everything is read.
const NOW: u32 = 1_800_000_000;

/// A snapshot is read as it was written or not at all; an answer outside 127.0.0.0/8 is no listing; names stay names.
pub fn reputation(bytes: &[u8]) {
    let Some((kind, rest)) = bytes.split_first() else {
        return;
    };
    match kind % 4 {
        0 => snapshot_of(rest),
        1 => {
            // With the right sum, so that what is behind it is reached.
            let mut sealed = rest.to_vec();
            sealed.extend(crc32fast::hash(rest).to_le_bytes());
            snapshot_of(&sealed);
        }
        2 => answers_of(rest),
        _ => names_of(&String::from_utf8_lossy(rest)),
    }
}

fn snapshot_of(bytes: &[u8]) {
    let record = Record::new(RecordSettings::default());
    let Ok(keys) = snapshot::read(bytes, &record, NOW) else {
        assert_eq!(record.usage().keys, 0);
        return;
    };
    assert!(record.usage().keys <= keys);
    let again = Record::new(RecordSettings::default());
    let written = snapshot::written(&record);
    assert_eq!(
        snapshot::read(&written, &again, NOW),
        Ok(record.usage().keys)
    );
}

fn answers_of(bytes: &[u8]) {
    let (text, answers) = bytes.split_at(bytes.len().min(20));
    let codes = String::from_utf8_lossy(text);
    let codes: Vec<Answers> = codes
        .split(',')
        .filter_map(|text| text.parse().ok())
        .collect();
    let answers: Vec<Ipv4Addr> = answers
        .chunks_exact(4)
        .filter_map(|octets| <[u8; 4]>::try_from(octets).ok())
        .map(Ipv4Addr::from)
        .collect();
    if let Some(listed) = reading_of(&codes, &answers) {
        assert!(answers.contains(&listed) && answers.iter().all(Ipv4Addr::is_loopback));
        assert!(listed.octets()[1..3] != [255, 255]);
    }
}

fn names_of(text: &str) {
    if let Ok(keys) = Key::parse_any(text) {
        assert!(!keys.is_empty());
    }
    let list = List {
        name: "list".to_owned(),
        zone: "list.example".to_owned(),
        asked_about: Subject::ALL.to_vec(),
        codes: Vec::new(),
        weight: 1.0,
        test_point: None,
    };
    let about = About {
        ip: text.parse().ok(),
        helo: text.to_owned(),
        reverse_path: Some(text.to_owned()),
        from: text.split(' ').map(str::to_owned).collect(),
        links: text.split('/').map(str::to_owned).collect(),
    };
    for name in super::lists::names_asked(&list, &about) {
        assert!(name.ends_with(".list.example") && !name.contains(".."));
    }
}

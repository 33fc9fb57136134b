use proptest::prelude::*;
use smtp::Status;

use super::{Entry, Exporting, FRAME_BYTES, Fate, decode, encode, replay};
use crate::limits::{DIAGNOSTIC_BYTES_MAX, JOURNAL_PAYLOAD_BYTES_MAX};
use crate::{Actor, LastFault, RecipientState};

const SALT: u64 = 0x0dd0_5a17_1234_5678;

prop_compose! {
    fn fates()(
        state in prop::sample::select(vec![RecipientState::Waiting, RecipientState::Held, RecipientState::Delivered, RecipientState::Failed, RecipientState::Removed]),
        attempts: u32, warned: bool, at: u64, retry_after: u64,
        last in proptest::option::of(("[ -~]{0,40}", "[a-z.:]{0,20}")),
        rerouted in proptest::option::of("[a-z.:]{0,20}"),
        by in proptest::option::of(("[a-z]{0,9}", "[ -~]{0,20}")),
        exporting in prop::sample::select(vec![Exporting::No, Exporting::Waited, Exporting::Held]),
        overdue: Option<u64>,
    ) -> Fate {
        let last = last.map(|(diagnostic, nexthop)| LastFault { status: Status::SYSTEM_FAULT, diagnostic, nexthop });
        let by = by.map(|(name, reason)| Actor { name, reason });
        Fate { state, attempts, warned, at, retry_after, last, rerouted, by, exporting, overdue }
    }
}

fn entries() -> impl Strategy<Value = Entry> {
    prop_oneof![
        any::<u64>().prop_map(|id| Entry::Moved { id }),
        (any::<u64>(), any::<u32>(), fates()).prop_map(|(id, recipient, fate)| Entry::Fate {
            id,
            recipient,
            fate
        }),
    ]
}

fn read(bytes: &[u8]) -> (Vec<Entry>, u64) {
    let mut found = Vec::new();
    let unread = replay(bytes, SALT, |place, entry| {
        assert_eq!(
            decode(&bytes[place as usize..], SALT).map(|(entry, _)| entry),
            Some(entry.clone())
        );
        found.push(entry);
    });
    (found, unread)
}

proptest! {
    #[test]
    fn entries_are_read_back_in_order(entries in proptest::collection::vec(entries(), 0..8)) {
        let mut bytes = Vec::new();
        for entry in &entries {
            encode(&mut bytes, SALT, entry);
        }
        prop_assert_eq!(read(&bytes), (entries, 0));
    }

    #[test]
    fn damage_costs_the_entry_that_it_hits(entries in proptest::collection::vec(entries(), 1..8), at: prop::sample::Index) {
        let mut bytes = Vec::new();
        let mut ends = Vec::new();
        for entry in &entries {
            encode(&mut bytes, SALT, entry);
            ends.push(bytes.len());
        }
        let at = at.index(bytes.len());
        bytes[at] ^= 0x10;
        let hit = ends.iter().position(|end| at < *end).unwrap();
        let mut expected = entries;
        expected.remove(hit);
        prop_assert_eq!(read(&bytes).0, expected);
    }

    #[test]
    fn any_bytes_are_read_or_counted(bytes: Vec<u8>) {
        let (found, unread) = read(&bytes);
        prop_assert!(found.is_empty() && unread == bytes.len() as u64);
    }
}

#[test]
fn long_texts_are_clipped() {
    let long = "é".repeat(5000);
    let last = LastFault {
        status: Status::OK,
        diagnostic: long.clone(),
        nexthop: long.clone(),
    };
    let by = Actor {
        name: long.clone(),
        reason: long.clone(),
    };
    let fate = Fate {
        last: Some(last),
        rerouted: Some(long),
        by: Some(by),
        ..Fate::new()
    };
    let mut bytes = Vec::new();
    encode(
        &mut bytes,
        SALT,
        &Entry::Fate {
            id: u64::MAX,
            recipient: u32::MAX,
            fate,
        },
    );
    assert!(bytes.len() <= FRAME_BYTES + JOURNAL_PAYLOAD_BYTES_MAX);
    let Some((Entry::Fate { fate, .. }, _)) = decode(&bytes, SALT) else {
        panic!("not read")
    };
    assert_eq!(fate.last.unwrap().diagnostic.len(), DIAGNOSTIC_BYTES_MAX);
}

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;

use super::format::{FILE_HEADER_BYTES, FileHeader, Footer, Head};
use super::memory::{Memory, all_pieces};
use super::read::{FileReader, Piece, Unreadable};
use super::write::FileWriter;
use crate::journal::Fate;
use crate::simulation::disk::FaultyDisk;
use crate::simulation::envelope;
use crate::{Actor, Disk, LastFault, RecipientState};

fn open(bytes: &[u8]) -> Result<FileReader, Unreadable> {
    FileReader::open(Arc::new(Memory(bytes.to_vec())))
}

fn pieces(bytes: &[u8]) -> Vec<Piece> {
    all_pieces(open(bytes).unwrap())
}

fn fate() -> Fate {
    Fate {
        state: RecipientState::Held,
        attempts: 3,
        warned: true,
        at: 1_700_000_100_000,
        retry_after: 60_000,
        last: Some(LastFault {
            status: smtp::Status::SYSTEM_FAULT,
            diagnostic: "451 4.3.0 later".to_owned(),
            nexthop: "mx.example".to_owned(),
        }),
        rerouted: Some("smtp:mx2.example".to_owned()),
        by: Some(Actor {
            name: "postmaster".to_owned(),
            reason: "a test".to_owned(),
        }),
        ..Fate::new()
    }
}

/// A finished file of these contents, and where each record begins.
fn file(contents: &[Vec<u8>]) -> (Vec<u8>, Vec<u64>) {
    let disk = FaultyDisk::new(1);
    let path = Path::new("/moved/queue.gpq");
    let shared: Arc<dyn Disk> = Arc::new(disk.clone());
    let mut writer = FileWriter::create(&shared, path, "mx1.example", 1_700_000_000_000).unwrap();
    let mut starts = Vec::new();
    for (id, content) in (1..).zip(contents) {
        starts.push(writer.written().offset);
        let content = Bytes::from(content.clone());
        let fates = [fate(), Fate::new()];
        let envelope = envelope(id, 2, 1_700_000_000_000);
        writer.add(id, &envelope, &fates, &content).unwrap();
    }
    starts.push(writer.written().offset);
    writer.finish().unwrap();
    (disk.bytes_of(path).unwrap(), starts)
}

fn messages(pieces: &[Piece]) -> Vec<&super::read::Message> {
    let mut found = Vec::new();
    for piece in pieces {
        if let Piece::Message(message) = piece {
            found.push(&**message);
        }
    }
    found
}

#[test]
fn a_file_is_read_back_as_it_was_written() {
    let contents = [b"one".to_vec(), Vec::new(), vec![0xff; 100_000]];
    let (bytes, starts) = file(&contents);
    let found = pieces(&bytes);
    let read = messages(&found);
    assert_eq!(read.len(), 3);
    for ((message, content), id) in read.iter().zip(&contents).zip(1..) {
        assert_eq!(message.content, content);
        assert_eq!(message.envelope, envelope(id, 2, 1_700_000_000_000));
        assert_eq!(message.fates, [(0, fate())]);
    }
    let footer = Footer {
        messages: 3,
        recipients: 6,
        offset: starts[3],
    };
    assert_eq!(found.last(), Some(&Piece::Footer(footer)));
    let reader = open(&bytes).unwrap();
    assert!(reader.is_finished().unwrap());
    assert_eq!(reader.header().unwrap().node, "mx1.example");
}

#[test]
fn a_file_is_finished_when_its_header_says_so() {
    let (mut bytes, _) = file(&[b"one".to_vec()]);
    let mut header = match FileHeader::decode(&bytes) {
        Head::Whole(header) => header,
        other => panic!("{other:?}"),
    };
    header.finished = false;
    bytes[..FILE_HEADER_BYTES].copy_from_slice(&header.encode());
    assert!(!open(&bytes).unwrap().is_finished().unwrap());
    // A header that no longer tells: then the footer does, in its place and nowhere else.
    bytes[3] ^= 1;
    assert!(open(&bytes).unwrap().is_finished().unwrap());
    assert_eq!(messages(&pieces(&bytes)).len(), 1);
    bytes.push(0);
    assert!(!open(&bytes).unwrap().is_finished().unwrap());
}

#[test]
fn a_later_version_and_a_foreign_file_are_told_apart() {
    let (mut bytes, _) = file(&[b"one".to_vec()]);
    bytes[8] = 2;
    let crc = crc32fast::hash(&bytes[..FILE_HEADER_BYTES - 4]).to_le_bytes();
    bytes[FILE_HEADER_BYTES - 4..FILE_HEADER_BYTES].copy_from_slice(&crc);
    assert!(matches!(open(&bytes), Err(Unreadable::Later(2))));
    assert!(matches!(open(&[0; 2000]), Err(Unreadable::Foreign)));
    assert!(matches!(open(b""), Err(Unreadable::Foreign)));
}

#[test]
fn a_head_on_the_edge_of_a_window_is_found() {
    for lost in 65_400..65_600 {
        let (mut bytes, starts) = file(&[vec![b'x'; lost], b"two".to_vec()]);
        bytes[starts[0] as usize] ^= 0x40;
        let found = pieces(&bytes);
        assert_eq!(messages(&found).len(), 1, "{lost}");
        assert_eq!(
            found[0],
            Piece::Damaged {
                offset: starts[0],
                bytes: starts[1] - starts[0],
                detail: "the header is damaged",
            }
        );
    }
}

#[test]
fn a_file_made_to_be_slow_is_read_in_linear_time() {
    // Each header announces all that follows, and none has it.
    let (bytes, starts) = file(&[vec![b'x'; 300_000]]);
    let (start, salt) = (starts[0] as usize, open(&bytes).unwrap().salt());
    let mut hostile = bytes;
    let mut at = start;
    while at + 48 <= hostile.len() {
        let header = crate::record::RecordHeader {
            id: 1,
            apart: false,
            moved: false,
            envelope_bytes: 0,
            content_bytes: (hostile.len() - at - 48) as u64,
            envelope_crc: 0,
            content_crc: 1,
        };
        hostile[at..at + 48].copy_from_slice(&header.encode(salt));
        at += 48;
    }
    let count = pieces(&hostile).len();
    assert!(count < 10, "{count} pieces were read to their ends");
}

proptest! {
    #[test]
    fn damage_costs_the_records_that_it_hits(
        contents in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 1..8),
        at: prop::sample::Index,
        length in 1..200_usize,
        bit in 0..8_u8,
    ) {
        let (mut bytes, starts) = file(&contents);
        let whole = bytes.clone();
        let from = FILE_HEADER_BYTES + at.index(bytes.len() - FILE_HEADER_BYTES);
        let to = (from + length).min(bytes.len());
        for byte in &mut bytes[from..to] {
            *byte ^= 1 << bit;
        }
        let found = pieces(&bytes);
        let read = messages(&found);
        let all = pieces(&whole);
        let hit = |start: u64, end: u64| start < to as u64 && end > from as u64;
        let expected: Vec<_> = messages(&all)
            .into_iter()
            .zip(starts.windows(2))
            .filter(|(_, range)| !hit(range[0], range[1]))
            .map(|(message, _)| message)
            .collect();
        prop_assert_eq!(read, expected);
        let has_told = found.iter().any(|piece| matches!(piece, Piece::Damaged { .. }));
        prop_assert!(has_told);
    }

    #[test]
    fn a_file_that_is_cut_off_keeps_what_stands_before(
        contents in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 1..8),
        at: prop::sample::Index,
    ) {
        let (bytes, starts) = file(&contents);
        let length = FILE_HEADER_BYTES + at.index(bytes.len() - FILE_HEADER_BYTES);
        let found = pieces(&bytes[..length]);
        let whole = starts.windows(2).filter(|range| range[1] <= length as u64).count();
        prop_assert_eq!(messages(&found).len(), whole);
    }

    #[test]
    fn any_bytes_are_read_to_their_end(bytes: Vec<u8>) {
        let (mut file, starts) = file(&[b"one".to_vec()]);
        file.truncate(starts[0] as usize);
        file.extend_from_slice(&bytes);
        pieces(&file);
    }
}

use super::*;
use corpus::run;

#[path = "../../../../fuzz/corpus.rs"]
mod corpus;

#[test]
fn segments() {
    run("queue_segment", segment);
}

#[test]
fn journals() {
    run("queue_journal", journal);
}

#[test]
fn export_files() {
    run("queue_export", export_file);
}

#[test]
fn small_files() {
    run("queue_notes", notes);
}

/// `UPDATE_EXPECT=1` writes the seeds of the corpora anew.
#[test]
fn the_seeds_are_what_is_written() {
    use crate::journal::{Entry, Fate};
    use crate::record::{RecordHeader, SegmentHeader};
    let header = SegmentHeader {
        number: 1,
        salt: SALT,
        before: 0,
        before_end: 0,
        cut: false,
    };
    let envelope = crate::simulation::envelope(1, 2, 1_700_000_000_000);
    let coded = envelope::encode(&envelope);
    let content = b"Subject: seed\r\n\r\ntext\r\n";
    let record = RecordHeader {
        id: 1,
        apart: false,
        moved: false,
        envelope_bytes: coded.len() as u32,
        content_bytes: content.len() as u64,
        envelope_crc: crc32fast::hash(&coded),
        content_crc: crc32fast::hash(content),
    };
    let segment = [&header.encode()[..], &record.encode(SALT), &coded, content].concat();
    let mut journal = Vec::new();
    let last = crate::LastFault {
        status: smtp::Status::SYSTEM_FAULT,
        diagnostic: "451 4.3.0 later".to_owned(),
        nexthop: "mx.example".to_owned(),
    };
    let fate = Fate {
        last: Some(last),
        attempts: 1,
        ..Fate::new()
    };
    crate::journal::encode(
        &mut journal,
        SALT,
        &Entry::Fate {
            id: 1,
            recipient: 0,
            fate,
        },
    );
    crate::journal::encode(&mut journal, SALT, &Entry::Moved { id: 1 });
    let mut builder = sidecar::Builder::default();
    builder.add(&sidecar::Summary::new(&record, &envelope, 48));
    let sidecar = builder.finish(1, SALT, segment.len() as u64);
    let mut torn = segment.clone();
    torn.truncate(segment.len() - 9);
    let mut between = segment.clone();
    between.extend_from_slice(&[0; 30]);
    between.extend_from_slice(segment.get(48..).unwrap());
    let apart = RecordHeader {
        apart: true,
        moved: true,
        ..record
    };
    let apart = [&header.encode()[..], &apart.encode(SALT), &coded].concat();
    let mut gap = journal.clone();
    gap.extend_from_slice(&[0; 20]);
    gap.extend_from_slice(&journal);
    let by = crate::Actor {
        name: "postmaster".to_owned(),
        reason: "a seed".to_owned(),
    };
    let rerouted = Some("smtp:mx2.example".to_owned());
    let fate = Fate {
        by: Some(by),
        rerouted,
        warned: true,
        state: crate::RecipientState::Held,
        ..Fate::new()
    };
    let held = fate.clone();
    let mut acted = Vec::new();
    crate::journal::encode(
        &mut acted,
        SALT,
        &Entry::Fate {
            id: 1,
            recipient: 1,
            fate,
        },
    );
    let cut = journal.get(..journal.len() - 3).unwrap().to_vec();
    let mut foreign = Vec::new();
    crate::journal::encode(&mut foreign, SALT + 1, &Entry::Moved { id: 9 });
    foreign.extend_from_slice(&journal);
    let file = |finished| crate::transfer::format::FileHeader {
        finished,
        salt: SALT,
        begun: 1_700_000_000_000,
        node: "mx.example".to_owned(),
    };
    let moved = |finished| {
        let mut states = coded.clone();
        crate::record::envelope::put_fates(&mut states, &[held.clone(), Fate::new()]);
        let record = RecordHeader {
            envelope_bytes: states.len() as u32,
            envelope_crc: crc32fast::hash(&states),
            ..record
        };
        let mut bytes = file(finished).encode().to_vec();
        for part in [&record.encode(SALT)[..], &states, content] {
            bytes.extend_from_slice(part);
        }
        let footer = crate::transfer::format::Footer {
            messages: 1,
            recipients: 2,
            offset: bytes.len() as u64,
        };
        bytes.extend_from_slice(&footer.encode(SALT));
        bytes
    };
    let (whole, unfinished) = (moved(true), moved(false));
    let mut no_header = whole.clone();
    no_header.get_mut(..600).unwrap()[..100].fill(0);
    let mut gap_inside = whole.clone();
    gap_inside.extend_from_slice(whole.get(512..).unwrap());
    gap_inside.get_mut(530..540).unwrap().fill(0);
    let seeds = [
        ("queue_export/whole", whole),
        ("queue_export/unfinished", unfinished),
        ("queue_export/no_header", no_header),
        ("queue_export/damaged_record", gap_inside),
        ("queue_segment/one_record", segment),
        ("queue_segment/torn_record", torn),
        ("queue_segment/zeros_between", between),
        ("queue_segment/content_apart", apart),
        ("queue_segment/envelope", coded),
        ("queue_segment/sidecar", sidecar),
        ("queue_journal/two_entries", journal),
        ("queue_journal/zeros_between", gap),
        ("queue_journal/operator", acted),
        ("queue_journal/torn_entry", cut),
        ("queue_journal/foreign_salt", foreign),
    ];
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    for (name, bytes) in seeds {
        let path = folder.join(name);
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &bytes).unwrap();
        }
        assert_eq!(std::fs::read(&path).unwrap(), bytes, "{name}");
    }
}

use std::sync::{Arc, Mutex};

use crate::recovery::{Recoverer, prepare};
use crate::simulation::disk::{Faults, FaultyDisk};
use crate::simulation::pending;
use crate::store::Store;
use crate::writer::Writer;
use crate::{Notice, RecipientState, Settings, SubmitError};

struct Place {
    disk: FaultyDisk,
    store: Arc<Store>,
    writer: Writer,
    notices: Arc<Mutex<Vec<Notice>>>,
}

fn place(settings: Settings) -> Place {
    let disk = FaultyDisk::new(9);
    let notices: Arc<Mutex<Vec<Notice>>> = Arc::default();
    let told = Arc::clone(&notices);
    let observer = Arc::new(move |notice| told.lock().unwrap().push(notice));
    let store = Arc::new(Store::new(settings, Arc::new(disk.clone()), observer));
    let (numbers, next) = prepare(&store).unwrap();
    let mut writer = Writer::new(Arc::clone(&store), next);
    writer.ensure_active().unwrap();
    let recoverer = Recoverer::new(Arc::clone(&store), numbers, next);
    writer.finish_recovery(&recoverer);
    Place {
        disk,
        store,
        writer,
        notices,
    }
}

fn settings() -> Settings {
    Settings {
        reserve_bytes: 0,
        ..Settings::new("/queue")
    }
}

fn submit(place: &mut Place, bytes: usize) -> Result<u64, SubmitError> {
    let id = place.store.new_id()?;
    let pending = pending(&place.store, id, 1, vec![b'x'; bytes], 0).unwrap();
    place.writer.commit(&mut [pending], 0).map(|_| id)
}

fn deliver(place: &Place, id: u64) {
    let mut index = place.store.index();
    let slot = index.slot(id).unwrap();
    place.store.change(&mut index, slot, 0, 0, |fate| {
        fate.state = RecipientState::Delivered;
    });
}

#[test]
fn a_nearly_full_disk_refuses_and_takes_again_when_an_eighth_more_is_free() {
    let mut place = place(Settings {
        reserve_bytes: 80_000,
        ..settings()
    });
    place.disk.set_capacity(100_000);
    submit(&mut place, 1000).unwrap();
    place.disk.set_capacity(70_000);
    let full = Err(SubmitError::Full {
        free_bytes: 0,
        reserve_bytes: 80_000,
    });
    let without_free = |result| match result {
        Err(SubmitError::Full { reserve_bytes, .. }) => Err(SubmitError::Full {
            free_bytes: 0,
            reserve_bytes,
        }),
        other => other,
    };
    assert_eq!(without_free(submit(&mut place, 1000)), full);
    place.disk.set_capacity(90_000);
    assert_eq!(
        without_free(submit(&mut place, 1000)),
        full,
        "just above the reserve is not enough"
    );
    place.disk.set_capacity(100_000);
    submit(&mut place, 1000).unwrap();
    let notices = place.notices.lock().unwrap();
    assert!(
        matches!(
            notices.as_slice(),
            [Notice::DiskFull { .. }, Notice::DiskFree { .. }]
        ),
        "{notices:?}"
    );
}

#[test]
fn a_group_that_meets_a_full_disk_is_refused_as_full() {
    let mut place = place(settings());
    place.disk.set_capacity(3000);
    assert!(matches!(
        submit(&mut place, 5000),
        Err(SubmitError::Full { .. })
    ));
    place.disk.set_capacity(1 << 20);
    place.writer.recheck().unwrap();
    let id = submit(&mut place, 5000).unwrap();
    assert_eq!(place.store.index().after(None).collect::<Vec<_>>(), [id]);
}

#[test]
fn after_a_failed_sync_a_new_segment_is_written() {
    let mut place = place(settings());
    let kept = submit(&mut place, 100).unwrap();
    place.disk.fail(Faults {
        sync: 1,
        ..Faults::default()
    });
    assert!(matches!(
        submit(&mut place, 100),
        Err(SubmitError::Fault(_))
    ));
    place.disk.fail(Faults::default());
    assert!(
        matches!(submit(&mut place, 100), Err(SubmitError::Fault(_))),
        "until it is looked at again"
    );
    place.writer.recheck().unwrap();
    let next = submit(&mut place, 100).unwrap();
    let index = place.store.index();
    assert_eq!(index.after(None).collect::<Vec<_>>(), [kept, next]);
    assert_eq!(index.message(index.slot(kept).unwrap()).unwrap().segment, 1);
    assert_eq!(index.message(index.slot(next).unwrap()).unwrap().segment, 2);
}

#[test]
fn finished_segments_go_and_what_waits_long_is_moved() {
    let mut place = place(Settings {
        segment_bytes_max: 20_000,
        ..settings()
    });
    let mut ids = Vec::new();
    for _ in 0..60 {
        ids.push(submit(&mut place, 1000).unwrap());
    }
    assert!(place.store.index().segments.len() >= 4);
    let stays = ids.remove(2);
    for id in ids {
        deliver(&place, id);
    }
    place.writer.write_journals();
    place.writer.sync_journals();
    while place.writer.compact_step() {}
    place.writer.sync_journals();
    assert_eq!(place.store.index().segments.len(), 1);
    assert_eq!(place.store.read(stays, true).unwrap().content.len(), 1000);
}

#[test]
fn a_group_has_one_sync() {
    let mut place = place(settings());
    let mut group: Vec<_> = (0..50)
        .map(|_| {
            pending(
                &place.store,
                place.store.new_id().unwrap(),
                1,
                b"text".to_vec(),
                0,
            )
            .unwrap()
        })
        .collect();
    let syncs = || {
        place
            .store
            .counts
            .syncs
            .load(std::sync::atomic::Ordering::Relaxed)
    };
    let before = syncs();
    place.writer.commit(&mut group, 0).unwrap();
    assert_eq!(syncs() - before, 1);
}

#[test]
fn an_outcome_whose_entry_could_not_be_written_is_written_later() {
    let mut place = place(settings());
    let id = submit(&mut place, 100).unwrap();
    deliver(&place, id);
    place.disk.fail(Faults {
        write: 1,
        ..Faults::default()
    });
    assert!(!place.writer.write_journals());
    assert!(!place.writer.repeat_journals());
    place.disk.fail(Faults::default());
    assert!(place.writer.repeat_journals() && place.writer.sync_journals());
    assert_eq!(place.notices.lock().unwrap().len(), 1, "told once");
    place.disk.crash();

    let store = Arc::new(Store::new(
        settings(),
        Arc::new(place.disk.clone()),
        Arc::new(|_| {}),
    ));
    let (numbers, next) = prepare(&store).unwrap();
    let mut recoverer = Recoverer::new(Arc::clone(&store), numbers, next);
    while let Some(waiting) = recoverer.step(0) {
        assert!(waiting.is_empty(), "it would be delivered again");
    }
}

/// One message of ten waits for long, delayed again and again, while the others come and go: the disk holds four times the
/// records that wait at most, their entries, and a few segments that are being written or left.
#[test]
fn the_space_of_what_is_done_comes_back() {
    const SEGMENT_BYTES: u64 = 20_000;
    let mut place = place(Settings {
        segment_bytes_max: SEGMENT_BYTES,
        ..settings()
    });
    let mut written = 0;
    for round in 0..1000 {
        let id = submit(&mut place, 1000).unwrap();
        written += 1000;
        if round % 10 != 0 {
            deliver(&place, id);
        } else {
            let mut index = place.store.index();
            let slot = index.slot(id).unwrap();
            for attempts in 1..=3 {
                place.store.change(&mut index, slot, 0, 0, |fate| {
                    fate.attempts = attempts;
                });
            }
        }
        if round % 20 == 0 {
            assert!(place.writer.write_journals() && place.writer.sync_journals());
            while place.writer.compact_step() {}
            assert!(place.writer.sync_journals());
        }
    }
    let index = place.store.index();
    assert_eq!(index.messages(), 100);
    let sum = |of: fn(&crate::index::Segment) -> u64| index.segments.values().map(of).sum::<u64>();
    let live = sum(|segment| segment.live_bytes);
    let (records, journals) = (
        sum(|segment| segment.end),
        sum(|segment| segment.journal_end),
    );
    assert!(live > 100_000 && live < 130_000, "{live}");
    assert!(written > 8 * live, "most of it is done");
    let bound = 4 * live + 3 * SEGMENT_BYTES;
    assert!(records < bound, "{records} bytes of records, {live} live");
    assert!(journals < live, "{journals} bytes of journals, {live} live");
    // What the disk has is what is counted.
    let on_disk: u64 = index
        .segments
        .keys()
        .map(|&number| {
            let file = place.store.file(number, crate::store::Part::Log).unwrap();
            file.bytes().unwrap()
        })
        .sum();
    assert!(on_disk < bound, "{on_disk} bytes on the disk, {live} live");
}

/// A newsletter whose recipients all wait has a long journal of which every entry counts: moving it would make another like it.
#[test]
fn a_journal_that_came_with_its_messages_is_not_moved_again() {
    const LONG: u64 = 100 << 20;
    let mut place = place(settings());
    submit(&mut place, 1000).unwrap();
    place.writer.seal(true);
    let change = |change: fn(&mut crate::index::Segment)| {
        let mut index = place.store.index();
        change(index.segments.get_mut(&1).unwrap());
    };
    assert!(place.writer.sparse().is_none());
    change(|segment| segment.journal_end = LONG);
    assert!(place.writer.sparse().is_some(), "most of it is of the past");
    change(|segment| segment.journal_copied = LONG / 2);
    assert!(place.writer.sparse().is_none(), "half of it is needed");
}

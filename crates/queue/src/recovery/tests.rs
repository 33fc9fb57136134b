use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::{Recoverer, Waiting, delay, prepare};
use crate::journal::Fate;
use crate::simulation::disk::{Faults, FaultyDisk};
use crate::simulation::pending;
use crate::store::{Part, Store};
use crate::writer::Writer;
use crate::{Notice, RecipientState, Settings};

struct Life {
    store: Arc<Store>,
    writer: Writer,
    waiting: Vec<Waiting>,
    notices: Arc<Mutex<Vec<Notice>>>,
}

fn live(disk: &FaultyDisk) -> Life {
    let settings = Settings {
        reserve_bytes: 0,
        ..Settings::new("/queue")
    };
    let notices: Arc<Mutex<Vec<Notice>>> = Arc::default();
    let told = Arc::clone(&notices);
    let observer = Arc::new(move |notice| told.lock().unwrap().push(notice));
    let store = Arc::new(Store::new(settings, Arc::new(disk.clone()), observer));
    let (numbers, next) = prepare(&store).unwrap();
    let mut writer = Writer::new(Arc::clone(&store), next);
    writer.ensure_active().unwrap();
    let mut recoverer = Recoverer::new(Arc::clone(&store), numbers, next);
    let mut waiting = Vec::new();
    while let Some(some) = recoverer.step(1000) {
        waiting.extend(some);
    }
    writer.finish_recovery(&recoverer);
    Life {
        store,
        writer,
        waiting,
        notices,
    }
}

fn submit(life: &mut Life, contents: &[&str]) -> Vec<u64> {
    let ids: Vec<u64> = contents
        .iter()
        .map(|_| life.store.new_id().unwrap())
        .collect();
    let group = ids
        .iter()
        .zip(contents)
        .map(|(id, content)| pending(&life.store, *id, 1, content.as_bytes().to_vec(), 0).unwrap());
    life.writer
        .commit(&mut group.collect::<Vec<_>>(), 0)
        .unwrap();
    ids
}

fn path(life: &Life, number: u32, part: Part) -> PathBuf {
    life.store.path(number, part)
}

#[test]
fn a_start_by_sidecar_and_one_by_scan_find_the_same() {
    let disk = FaultyDisk::new(1);
    let mut life = live(&disk);
    let ids = submit(&mut life, &["one", "two", "three"]);
    let sidecar = path(&life, 1, Part::Sidecar);
    life.writer.close();
    disk.kill();
    let by_sidecar = live(&disk);
    assert_eq!(
        by_sidecar.store.index().after(None).collect::<Vec<_>>(),
        ids
    );
    disk.kill();
    disk.rot(&sidecar, 20);
    let by_scan = live(&disk);
    assert_eq!(by_scan.store.index().after(None).collect::<Vec<_>>(), ids);
    assert_eq!(
        by_scan
            .store
            .counts
            .damaged
            .load(std::sync::atomic::Ordering::Relaxed),
        0
    );
    for id in ids {
        assert!(by_scan.store.read(id, true).is_ok());
    }
}

#[test]
fn a_damaged_record_is_set_aside_and_the_rest_is_read() {
    let disk = FaultyDisk::new(2);
    let mut life = live(&disk);
    let ids = submit(&mut life, &["one", "two", "three"]);
    let slot = life.store.index_slot(ids[1]);
    let offset = life.store.index().message(slot).unwrap().offset;
    let log = path(&life, 1, Part::Log);
    disk.kill();
    disk.rot(&log, offset as usize + 5);
    let life = live(&disk);
    assert_eq!(
        life.store.index().after(None).collect::<Vec<_>>(),
        [ids[0], ids[2]]
    );
    let name = format!("00000001-{offset}");
    let notices = life.notices.lock().unwrap();
    let told = notices.iter().any(|notice| matches!(notice, Notice::DamagedRecord { kept_as: Some(kept), .. } if *kept == name));
    assert!(told, "{notices:?}");
    let kept = disk
        .bytes_of(&Path::new("/queue/corrupt").join(name))
        .unwrap();
    assert!(kept.windows(3).any(|window| window == b"two"));
}

#[test]
fn a_damaged_end_of_the_last_write_is_kept_and_told() {
    let disk = FaultyDisk::new(6);
    let mut life = live(&disk);
    let ids = submit(&mut life, &["one", "two"]);
    let slot = life.store.index_slot(ids[1]);
    let offset = life.store.index().message(slot).unwrap().offset;
    let log = path(&life, 1, Part::Log);
    disk.kill();
    // It was acknowledged, and the disk has lost a byte of it: nothing tells that from a write that a crash cut short.
    disk.rot(&log, offset as usize + 5);
    let life = live(&disk);
    assert_eq!(life.store.index().after(None).collect::<Vec<_>>(), ids[..1]);
    let name = format!("00000001-{offset}");
    let notices = life.notices.lock().unwrap();
    assert!(
        notices.iter().any(|notice| matches!(notice,
            Notice::DamagedRecord { kept_as: Some(kept), detail: super::LAST_WRITE, .. } if *kept == name)),
        "{notices:?}"
    );
    let kept = disk.bytes_of(&Path::new("/queue/corrupt").join(name));
    assert!(kept.unwrap().ends_with(b"two"));
}

#[test]
fn a_damaged_segment_header_costs_nothing() {
    let disk = FaultyDisk::new(3);
    let mut life = live(&disk);
    let ids = submit(&mut life, &["one", "two"]);
    let log = path(&life, 1, Part::Log);
    disk.kill();
    disk.rot(&log, 3);
    assert_eq!(
        live(&disk).store.index().after(None).collect::<Vec<_>>(),
        ids
    );
}

#[test]
fn content_that_is_damaged_later_is_found_when_it_is_read() {
    let disk = FaultyDisk::new(4);
    let mut life = live(&disk);
    let ids = submit(&mut life, &["one"]);
    let log = path(&life, 1, Part::Log);
    let bytes = disk.bytes_of(&log).unwrap().len();
    disk.rot(&log, bytes - 1);
    for _ in 0..2 {
        assert!(matches!(
            life.store.read(ids[0], true),
            Err(crate::ReadError::Damaged(_))
        ));
    }
    assert_eq!(
        life.notices.lock().unwrap().len(),
        1,
        "the same damage is told once"
    );
    assert!(
        life.store.read(ids[0], false).is_ok(),
        "the envelope is whole"
    );
}

#[test]
fn numbers_are_not_used_again_when_all_is_delivered() {
    let disk = FaultyDisk::new(5);
    let mut before = 0;
    for _ in 0..4 {
        let mut life = live(&disk);
        let id = submit(&mut life, &["one"])[0];
        assert!(id > before, "{id} after {before}");
        before = id;
        let mut index = life.store.index();
        let slot = index.slot(id).unwrap();
        life.store.change(&mut index, slot, 0, 0, |fate| {
            fate.state = RecipientState::Delivered;
        });
        drop(index);
        life.writer.close();
        disk.kill();
    }
    let life = live(&disk);
    assert_eq!(
        life.store.index().segments.len(),
        1,
        "finished segments are gone"
    );
    assert!(life.waiting.is_empty());
}

#[test]
fn a_clock_that_was_set_never_makes_a_wait_longer() {
    let fate = Fate {
        at: 10_000,
        retry_after: 600,
        ..Fate::new()
    };
    assert_eq!(delay(&fate, 10_000), 600);
    assert_eq!(delay(&fate, 10_400), 200);
    assert_eq!(delay(&fate, 99_000), 0);
    assert_eq!(delay(&fate, 0), 600);
}

#[test]
fn a_segment_that_cannot_be_read_is_told_left_alone_and_read_later() {
    let disk = FaultyDisk::new(6);
    let mut life = live(&disk);
    let ids = submit(&mut life, &["one", "two"]);
    let log = path(&life, 1, Part::Log);
    life.writer.close();
    disk.kill();

    let notices: Arc<Mutex<Vec<Notice>>> = Arc::default();
    let told = Arc::clone(&notices);
    let observer = Arc::new(move |notice| told.lock().unwrap().push(notice));
    let settings = Settings {
        reserve_bytes: 0,
        ..Settings::new("/queue")
    };
    let store = Arc::new(Store::new(settings, Arc::new(disk.clone()), observer));
    let (numbers, next) = prepare(&store).unwrap();
    let mut writer = Writer::new(Arc::clone(&store), next);
    writer.ensure_active().unwrap();
    let mut recoverer = Recoverer::new(Arc::clone(&store), numbers, next);
    disk.fail(Faults {
        read: 1,
        ..Faults::default()
    });
    assert!(recoverer.step(1000).unwrap().is_empty());
    assert!(recoverer.step(1000).is_none());
    assert_eq!((recoverer.read(), recoverer.unread()), (0, 1));
    assert!(matches!(
        notices.lock().unwrap().as_slice(),
        [Notice::DiskFault {
            what: "reading a segment",
            ..
        }]
    ));
    writer.sync_journals();
    assert!(!writer.compact_step());
    assert!(disk.bytes_of(&log).is_some(), "it stays");

    disk.fail(Faults::default());
    recoverer.again();
    assert_eq!(recoverer.step(1000).unwrap().len(), 2);
    assert_eq!((recoverer.read(), recoverer.unread()), (1, 0));
    assert_eq!(store.index().after(None).collect::<Vec<_>>(), ids);
}

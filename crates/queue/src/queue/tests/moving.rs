//! Exports and imports: what is moved, what stays, and what a crash leaves at each step.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::thread;

use super::*;
use crate::journal::Fate;
use crate::transfer::ledger::{Ledger, Noted, Phase};
use crate::transfer::read::{FileReader, Piece};
use crate::transfer::write::FileWriter;
use crate::transfer::{
    AbortedExport, ExportFilter, ExportRequest, Exported, Imported, LeftOut, TransferError,
};
use crate::{Listed, ListedRecipient};

const FILE: &str = "/moved/queue.gpq";

fn request(path: &Path) -> ExportRequest {
    ExportRequest {
        path: path.to_owned(),
        node: "mx1.example".to_owned(),
        filter: ExportFilter::default(),
        by: actor(),
        patience: Duration::ZERO,
        stop: Arc::default(),
    }
}

fn export(queue: &Queue, path: &Path) -> Result<Exported, TransferError> {
    queue.export(&request(path), &mut |_| {})
}

fn import(queue: &Queue, path: &Path) -> Result<Imported, TransferError> {
    let (queue, path) = (queue.clone(), path.to_owned());
    thread::spawn(move || queue.import(&path, &mut |_| {}))
        .join()
        .unwrap()
}

/// With a reference, by which it is known in whichever queue.
async fn put(queue: &Queue, reference: &str, recipients: &[&str]) -> MessageId {
    let mut submission = submission(recipients, "Subject: moved\r\n\r\ntext\r\n");
    submission.envelope.reference = reference.to_owned();
    queue.submit(submission).await.unwrap().id
}

/// All that is listed, by reference.
fn listed(queue: &Queue) -> BTreeMap<String, Vec<Listed>> {
    let mut all = BTreeMap::<String, Vec<Listed>>::new();
    for one in queue.page(None, 10_000).unwrap() {
        all.entry(one.envelope.reference.clone())
            .or_default()
            .push(one);
    }
    all
}

/// What of a recipient must be the same in the other queue.
fn kept(recipient: &ListedRecipient) -> ListedRecipient {
    ListedRecipient {
        next_attempt: recipient.next_attempt.map(|_| 0),
        ..recipient.clone()
    }
}

/// Messages in each state that there is: fresh, delayed with one recipient delivered, held, rerouted.
async fn fill(queue: &Queue) {
    put(queue, "DELAYED", &["one@a.example", "two@a.example"]).await;
    let (slot, parcel) = parcel(queue).await;
    queue.settle(parcel, vec![(0, delayed()), (1, delivered())]);
    drop(slot);
    let held = put(queue, "HELD", &["held@b.example"]).await;
    assert!(queue.act(held, Action::Hold, &actor()).unwrap());
    let rerouted = put(queue, "REROUTED", &["far@c.example", "far@d.example"]).await;
    let nexthop = Some("smtp:mx2.example".to_owned());
    assert!(
        queue
            .act(rerouted, Action::Reroute(nexthop), &actor())
            .unwrap()
    );
    put(queue, "FRESH", &["new@a.example"]).await;
}

#[tokio::test]
async fn a_queue_is_moved_with_all_that_is_known_of_it() {
    let (here, there) = (Place::new(), Place::new());
    let queue = here.open().await;
    fill(&queue).await;
    let before = listed(&queue);
    let path = here.folder.path().join("moved.gpq");
    let exported = export(&queue, &path).unwrap();
    assert_eq!((exported.messages, exported.recipients), (4, 5));
    assert_eq!(exported.left_out, []);
    assert_eq!(exported.bytes, std::fs::metadata(&path).unwrap().len());
    assert_eq!((queue.stats().messages, queue.stats().held), (0, 0));

    let mut other = there.open().await;
    let imported = import(&other, &path).unwrap();
    assert!(imported.is_whole(), "{imported:?}");
    assert_eq!((imported.messages, imported.recipients), (4, 5));
    assert_eq!(imported.node.as_deref(), Some("mx1.example"));
    assert!(imported.renamed.ends_with("moved.gpq.imported") && imported.renamed.exists());
    for restart in [false, true] {
        if restart {
            other.close().await;
            drop(other);
            other = reopened(&there).await;
        }
        let after = listed(&other);
        assert_eq!(
            before.keys().collect::<Vec<_>>(),
            after.keys().collect::<Vec<_>>()
        );
        for (reference, one) in &before {
            let (one, two) = (&one[0], &after[reference][0]);
            assert_eq!(after[reference].len(), 1);
            assert_eq!(one.envelope.arrived, two.envelope.arrived);
            assert_eq!(one.envelope.lifetime, two.envelope.lifetime);
            let open = |listed: &Listed| {
                let paths = listed.envelope.recipients.iter().cloned();
                let states = listed.recipients.iter().map(kept);
                let both: Vec<_> = paths.zip(states).collect();
                both.into_iter()
                    .filter(|(_, recipient)| !recipient.state.is_final())
                    .collect::<Vec<_>>()
            };
            assert_eq!(open(one), open(two), "{reference}, restarted: {restart}");
            assert_eq!(
                other.content(two.id).unwrap().unwrap(),
                "Subject: moved\r\n\r\ntext\r\n"
            );
        }
    }
    // What is held and what is delayed is not handed out.
    let stats = other.stats();
    assert_eq!((stats.held, stats.due), (1, 3));
    let again = import(&other, &path);
    assert!(matches!(again, Err(TransferError::Refused(_))), "{again:?}");
    std::fs::copy(&imported.renamed, &path).unwrap();
    let again = import(&other, &path);
    assert!(matches!(again, Err(TransferError::Refused(_))), "{again:?}");
    assert_eq!(other.stats().messages, 4);
}

#[tokio::test]
async fn a_filter_takes_recipients_and_leaves_the_rest() {
    let place = Place::new();
    let queue = place.open().await;
    put(&queue, "BOTH", &["one@a.example", "two@b.example"]).await;
    put(&queue, "OTHER", &["two@c.example"]).await;
    let mut by_domain = request(&place.folder.path().join("a.gpq"));
    by_domain.filter.domain = Some("a.example".to_owned());
    let done = queue.export(&by_domain, &mut |_| {}).unwrap();
    assert_eq!((done.messages, done.recipients), (1, 1));
    let left = &listed(&queue)["BOTH"][0];
    let states: Vec<_> = left.recipients.iter().map(|it| it.state).collect();
    assert_eq!(states, [RecipientState::Removed, RecipientState::Waiting]);
    let by = left.recipients[0].by.clone().unwrap();
    assert_eq!(by.name, "postmaster");
    assert!(by.reason.starts_with("exported to /"), "{by:?}");
    assert!(by.reason.ends_with("a.gpq: a test"), "{by:?}");

    let mut by_sender = request(&place.folder.path().join("b.gpq"));
    by_sender.filter.reverse_path = Some("ann@example.net".parse().unwrap());
    assert_eq!(queue.export(&by_sender, &mut |_| {}).unwrap().messages, 0);
    let mut by_age = request(&place.folder.path().join("c.gpq"));
    by_age.filter.arrived_before = Some(super::super::shared::wall() - 60_000);
    assert_eq!(queue.export(&by_age, &mut |_| {}).unwrap().messages, 0);
    assert_eq!(queue.stats().recipients, 2);
}

#[tokio::test]
async fn what_is_being_delivered_is_left_out_and_named_or_waited_for() {
    let place = Place::new();
    let queue = place.open().await;
    let id = put(&queue, "OUT", &["one@a.example"]).await;
    let (slot, taken) = parcel(&queue).await;
    let path = place.folder.path().join("first.gpq");
    let done = export(&queue, &path).unwrap();
    assert_eq!(done.messages, 0);
    let why = "it is being delivered";
    assert_eq!(done.left_out, [LeftOut { id, why }]);
    let still = queue.listed(id).unwrap().unwrap();
    assert_eq!(still.recipients[0].state, RecipientState::Waiting);

    // It comes back delayed while the export waits: then it is exported.
    let patient = ExportRequest {
        patience: Duration::from_secs(60),
        ..request(&place.folder.path().join("second.gpq"))
    };
    let exporting = {
        let queue = queue.clone();
        thread::spawn(move || queue.export(&patient, &mut |_| {}))
    };
    while !queue.listed(id).unwrap().unwrap().held {
        thread::sleep(Duration::from_millis(1));
    }
    let refused = queue.act(id, Action::Release, &actor());
    assert!(refused.is_err(), "{refused:?}");
    queue.settle(taken, vec![(0, delayed())]);
    drop(slot);
    let done = exporting.join().unwrap().unwrap();
    assert_eq!((done.messages, done.left_out_count), (1, 0));
    assert_eq!(queue.stats().messages, 0);
}

#[tokio::test]
async fn an_export_that_is_aborted_gives_all_back() {
    let place = Place::new();
    let queue = place.open().await;
    fill(&queue).await;
    let before = listed(&queue);
    put(&queue, "OUT", &["one@e.example"]).await;
    let (slot, taken) = loop {
        let (slot, taken) = parcel(&queue).await;
        if *taken.lane.domain == *"e.example" {
            break (slot, taken);
        }
    };
    let path = place.folder.path().join("moved.gpq");
    let patient = ExportRequest {
        patience: Duration::from_secs(60),
        ..request(&path)
    };
    let exporting = {
        let queue = queue.clone();
        thread::spawn(move || queue.export(&patient, &mut |_| {}))
    };
    while queue.stats().held < 6 {
        thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(queue.abort_export().unwrap(), AbortedExport::Told);
    assert!(exporting.join().unwrap().is_err());
    assert!(!path.exists());
    drop((taken, slot));
    let mut after = listed(&queue);
    assert_eq!(after.remove("OUT").unwrap().len(), 1);
    for (reference, one) in before {
        let states = |listed: &Listed| listed.recipients.iter().map(kept).collect::<Vec<_>>();
        assert_eq!(states(&one[0]), states(&after[&reference][0]));
    }
    assert_eq!(queue.abort_export().unwrap(), AbortedExport::Nothing);
    export(&queue, &path).unwrap();
    let again = export(&queue, &path);
    assert!(matches!(again, Err(TransferError::Refused(_))), "{again:?}");
}

#[tokio::test]
async fn an_export_whose_note_is_damaged_waits_for_its_abortion() {
    let place = Place::new();
    let queue = place.open().await;
    put(&queue, "ONE", &["one@a.example"]).await;
    let id = listed(&queue)["ONE"][0].id;
    let ledger = Ledger {
        salt: 7,
        phase: Phase::Begun,
        path: place.folder.path().join("never.gpq"),
        by: actor(),
    };
    queue.shared.store.note_export(&ledger).unwrap();
    assert!(queue.shared.take_out(id.0, &ExportFilter::default(), None));
    queue.close().await;
    drop(queue);
    let note = place.settings().folder.join("export");
    std::fs::write(&note, "what is this\n").unwrap();
    let queue = reopened(&place).await;
    assert!(listed(&queue)["ONE"][0].held);
    let busy = export(&queue, &place.folder.path().join("other.gpq"));
    assert!(matches!(busy, Err(TransferError::Busy(_))), "{busy:?}");
    assert_eq!(
        queue.abort_export().unwrap(),
        AbortedExport::Ended {
            finished: false,
            messages: 1
        }
    );
    assert!(!listed(&queue)["ONE"][0].held && !note.exists());
    parcel(&queue).await;
}

/// The references in the file, in order; `None` if there is none, or one that nobody would take in.
fn in_file(disk: &FaultyDisk, path: &str) -> Option<Vec<String>> {
    let file = disk.open(Path::new(path)).ok()?;
    let mut reader = FileReader::open(file).ok()?;
    if !reader.is_finished().unwrap() {
        return None;
    }
    let mut references = Vec::new();
    loop {
        match reader.next().unwrap() {
            Piece::Message(message) => references.push(message.envelope.reference),
            Piece::End => break,
            _ => {}
        }
    }
    references.sort_unstable();
    Some(references)
}

#[tokio::test]
async fn an_export_may_be_cut_short_anywhere() {
    let all = ["DELAYED", "FRESH", "HELD", "REROUTED"];
    let mut ends = [0, 0];
    for fuse in 0..280 {
        let place = Place::new();
        let disk = FaultyDisk::new(fuse);
        let queue = place.open_on(Arc::new(disk.clone())).unwrap();
        recovered(&queue).await;
        fill(&queue).await;
        queue.shared.flush().unwrap();
        disk.light(Some(fuse / 4));
        let result = export(&queue, Path::new(FILE));
        if result.is_ok() {
            assert!(listed(&queue).is_empty(), "fuse {fuse}: {result:?}");
            let noted = queue.shared.store.noted_export();
            assert!(matches!(noted, Ok(Noted::Nothing) | Err(_)), "{noted:?}");
        }
        // Half of them lose their power, the others are killed: then all that was written is there.
        if fuse % 2 == 0 {
            disk.crash();
        } else {
            disk.kill();
        }
        drop(queue);
        // Whoever finds the file may take it away at once: it is another node's by then.
        let found = match fuse / 2 % 2 == 0 && in_file(&disk, FILE).is_some() {
            true => "/moved/elsewhere.gpq",
            false => FILE,
        };
        if found != FILE {
            disk.rename(Path::new(FILE), Path::new(found)).unwrap();
            disk.sync_folder(Path::new("/moved")).unwrap();
        }
        // A start may be cut short as well.
        disk.light(Some(fuse % 23));
        if let Ok(queue) = place.open_on(Arc::new(disk.clone())) {
            for _ in 0..50 {
                if queue.recovery().done {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            disk.crash();
        }
        disk.light(None);
        let queue = place.open_on(Arc::new(disk.clone())).unwrap();
        recovered(&queue).await;
        let taken = in_file(&disk, found);
        let left = listed(&queue);
        let case = format!("fuse {fuse}: {result:?}, file: {taken:?}, {left:#?}");
        let finished = taken.is_some();
        if let Some(references) = taken {
            assert_eq!(references, all, "{case}");
            assert!(left.is_empty(), "{case}");
        } else {
            assert!(result.is_err(), "{case}");
            let there: Vec<_> = left.keys().map(String::as_str).collect();
            assert_eq!(there, all, "{case}");
            for (reference, one) in &left {
                assert_eq!(one[0].held, reference == "HELD", "{case}");
            }
            assert_eq!(queue.stats().held, 1);
            let unfinished = in_file(&disk, "/moved/queue.gpq.unfinished");
            assert_eq!(unfinished, None, "{case}");
        }
        assert_eq!(queue.abort_export().unwrap(), AbortedExport::Nothing);
        ends[usize::from(finished)] += 1;
    }
    assert!(ends[0] > 40 && ends[1] > 40, "{ends:?}");
}

/// A message is held for an export to this file, which an earlier run has begun; with what `prepare` does before the start.
async fn left_behind(place: &Place, path: &Path, prepare: impl FnOnce(&Path)) -> (Queue, String) {
    let queue = place.open().await;
    let id = put(&queue, "ONE", &["one@a.example"]).await;
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let unfinished = PathBuf::from(format!("{}.unfinished", path.display()));
    let file = FileWriter::create(&disk, &unfinished, "mx1.example", 1).unwrap();
    let ledger = Ledger {
        salt: file.salt(),
        phase: Phase::Begun,
        path: path.to_owned(),
        by: actor(),
    };
    queue.shared.store.note_export(&ledger).unwrap();
    assert!(queue.shared.take_out(id.0, &ExportFilter::default(), None));
    queue.close().await;
    drop((queue, file));
    prepare(&unfinished);
    let (told, tells) = std::sync::mpsc::channel();
    let observer: crate::Observer = Arc::new(move |notice| drop(told.send(notice)));
    let queue = loop {
        let observer = Arc::clone(&observer);
        match Queue::open(place.settings(), Arc::new(RealDisk), observer) {
            // The threads of the one that is closed may take a moment more.
            Err(OpenError::Locked(_)) => tokio::time::sleep(Duration::from_millis(1)).await,
            opened => break opened.unwrap(),
        }
    };
    recovered(&queue).await;
    let told = loop {
        match tells.recv_timeout(Duration::from_secs(60)).unwrap() {
            Notice::ExportEnded { finished, .. } => break format!("ended, finished: {finished}"),
            Notice::DiskFault { what, detail } => break format!("{what}: {detail}"),
            _ => {}
        }
    };
    (queue, told)
}

#[tokio::test]
async fn an_export_whose_file_was_taken_away_unfinished_waits_for_its_abortion() {
    let place = Place::new();
    let path = place.folder.path().join("moved.gpq");
    let elsewhere = place.folder.path().join("elsewhere.gpq");
    let away = |file: &Path| std::fs::rename(file, &elsewhere).unwrap();
    let (queue, told) = left_behind(&place, &path, away).await;
    assert!(
        told.contains("moved.gpq.unfinished is not there any more"),
        "{told}"
    );
    assert!(told.contains("gatepost queue export --abort"), "{told}");
    assert!(listed(&queue)["ONE"][0].held);
    assert_eq!(
        queue.abort_export().unwrap(),
        AbortedExport::Ended {
            finished: false,
            messages: 1
        }
    );
    assert!(!listed(&queue)["ONE"][0].held);
    parcel(&queue).await;
}

#[tokio::test]
async fn an_export_whose_file_is_there_unfinished_ends_at_the_next_start() {
    let place = Place::new();
    let path = place.folder.path().join("moved.gpq");
    let (queue, told) = left_behind(&place, &path, |_| {}).await;
    assert_eq!(told, "ended, finished: false");
    assert!(!listed(&queue)["ONE"][0].held);
    assert!(!place.folder.path().join("moved.gpq.unfinished").exists());
}

#[tokio::test]
async fn a_file_that_came_in_the_way_is_left_alone_and_the_messages_go_on() {
    let place = Place::new();
    let queue = place.open().await;
    put(&queue, "ONE", &["one@a.example"]).await;
    let path = place.folder.path().join("moved.gpq");
    let mut calls = 0;
    let failed = queue.export(&request(&path), &mut |_| {
        calls += 1;
        std::fs::write(&path, "somebody's own").unwrap();
    });
    assert!(calls > 0);
    assert!(
        matches!(&failed, Err(TransferError::Refused(_))),
        "{failed:?}"
    );
    assert_eq!(std::fs::read(&path).unwrap(), b"somebody's own");
    assert!(!listed(&queue)["ONE"][0].held);
    assert_eq!(queue.abort_export().unwrap(), AbortedExport::Nothing);
    assert!(!place.folder.path().join("moved.gpq.unfinished").exists());
}

#[tokio::test]
async fn an_export_that_cannot_be_ended_says_so() {
    let mut unended = 0;
    for fuse in 0..70 {
        let place = Place::new();
        let disk = FaultyDisk::new(fuse);
        let queue = place.open_on(Arc::new(disk.clone())).unwrap();
        recovered(&queue).await;
        fill(&queue).await;
        queue.shared.flush().unwrap();
        disk.light(Some(fuse));
        let result = export(&queue, Path::new(FILE));
        disk.light(None);
        if in_file(&disk, FILE).is_some()
            && !matches!(queue.shared.store.noted_export(), Ok(Noted::Nothing))
        {
            assert!(
                matches!(&result, Err(TransferError::Unended(_))),
                "fuse {fuse}: {result:?}"
            );
            unended += 1;
        }
    }
    assert!(unended > 0);
}

#[tokio::test]
async fn an_import_may_be_cut_short_anywhere() {
    let source = FaultyDisk::new(1);
    let place = Place::new();
    let queue = place.open_on(Arc::new(source.clone())).unwrap();
    recovered(&queue).await;
    let names: Vec<String> = (0..150).map(|number| format!("M{number:03}")).collect();
    for name in &names {
        put(&queue, name, &["one@a.example"]).await;
    }
    export(&queue, Path::new(FILE)).unwrap();
    let file = source.bytes_of(Path::new(FILE)).unwrap();
    let mut doubles = 0;
    let mut cut_short = 0;
    // Reading a batch takes some hundred operations of the disk; each way to end a batch is hit by some of these.
    for fuse in (0..900).step_by(5) {
        let place = Place::new();
        let disk = FaultyDisk::new(fuse);
        let copy = disk.create(Path::new(FILE)).unwrap();
        copy.write_at(0, &[std::io::IoSlice::new(&file)]).unwrap();
        copy.sync().unwrap();
        disk.sync_folder(Path::new("/moved")).unwrap();
        let queue = place.open_on(Arc::new(disk.clone())).unwrap();
        recovered(&queue).await;
        disk.light(Some(fuse));
        let first = import(&queue, Path::new(FILE));
        cut_short += u64::from(first.is_err());
        if fuse % 2 == 0 {
            disk.crash();
        } else {
            disk.kill();
        }
        disk.light(None);
        drop(queue);
        let queue = place.open_on(Arc::new(disk.clone())).unwrap();
        recovered(&queue).await;
        let second = import(&queue, Path::new(FILE));
        let was_done = matches!(&second, Err(TransferError::Refused(_)));
        assert!(second.is_ok() || was_done, "fuse {fuse}: {second:?}");
        let all = listed(&queue);
        assert!(all.keys().eq(&names), "fuse {fuse}: {first:?}, {second:?}");
        let count: usize = all.values().map(|same| same.len() - 1).sum();
        assert!(count <= 64, "fuse {fuse}: {count} came twice");
        doubles += count;
    }
    assert!(doubles > 0, "no crash hit the window that is documented");
    assert!(cut_short > 50, "only {cut_short} were cut short");
}

#[tokio::test]
async fn a_disk_that_refuses_some_leaves_no_double() {
    let source = Place::new();
    let queue = source.open().await;
    let path: PathBuf = source.folder.path().join("moved.gpq");
    for number in 0..100 {
        put(&queue, &format!("M{number:03}"), &["one@a.example"]).await;
    }
    export(&queue, &path).unwrap();
    let place = Place::new();
    let full = Settings {
        reserve_bytes: u64::MAX / 2,
        ..place.settings()
    };
    let observer = Arc::new(|_| {});
    let other = Queue::open(full, Arc::new(RealDisk), observer).unwrap();
    let refused = import(&other, &path);
    assert!(
        matches!(&refused, Err(TransferError::Queue(_))),
        "{refused:?}"
    );
    other.close().await;
    drop(other);
    let other = reopened(&place).await;
    assert!(import(&other, &path).unwrap().is_whole());
    assert_eq!(other.stats().messages, 100);
}

#[tokio::test]
async fn damage_is_told_with_its_place_and_the_rest_is_imported() {
    let place = Place::new();
    let queue = place.open().await;
    for name in ["ONE", "TWO", "THREE"] {
        put(&queue, name, &["one@a.example"]).await;
    }
    let path = place.folder.path().join("moved.gpq");
    export(&queue, &path).unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    let hit = bytes.windows(3).position(|it| it == b"TWO").unwrap();
    bytes[hit] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    let imported = import(&queue, &path).unwrap();
    assert!(!imported.is_whole());
    assert_eq!((imported.messages, imported.announced), (2, Some(3)));
    let [damage] = imported.damages.as_slice() else {
        panic!("{imported:?}");
    };
    assert!(damage.offset < hit as u64 && damage.offset + damage.bytes > hit as u64);
    assert_eq!(damage.detail, "the envelope is damaged");
    assert!(listed(&queue).keys().eq(["ONE", "THREE"]));
}

#[tokio::test]
async fn a_message_that_no_queue_takes_is_passed() {
    let place = Place::new();
    let queue = place.open().await;
    let path = place.folder.path().join("moved.gpq");
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let mut file = FileWriter::create(&disk, &path, "mx1.example", 1).unwrap();
    for recipients in [&["one@a.example"][..], &[], &["two@a.example"]] {
        let envelope = submission(recipients, "").envelope;
        let fates: Vec<Fate> = recipients.iter().map(|_| Fate::new()).collect();
        file.add(1, &envelope, &fates, &Bytes::from_static(b"text"))
            .unwrap();
    }
    file.finish().unwrap();
    let imported = import(&queue, &path).unwrap();
    assert_eq!((imported.messages, imported.damaged_count), (2, 1));
    assert_eq!(imported.damages.len(), 1, "{imported:?}");
    assert_eq!(queue.stats().messages, 2);
}

#[tokio::test]
async fn a_file_that_was_never_finished_is_refused() {
    let place = Place::new();
    let queue = place.open().await;
    let path = place.folder.path().join("moved.gpq");
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    crate::transfer::write::FileWriter::create(&disk, &path, "mx1.example", 1).unwrap();
    let refused = import(&queue, &path);
    assert!(matches!(&refused, Err(TransferError::Refused(why)) if why.contains("never finished")));
    for path in ["relative.gpq", "/", "/moved/new\nline"] {
        let refused = export(&queue, Path::new(path));
        assert!(
            matches!(refused, Err(TransferError::Refused(_))),
            "{refused:?}"
        );
    }
    let own = export(&queue, &place.settings().folder.join("segments/x"));
    assert!(matches!(own, Err(TransferError::Refused(_))), "{own:?}");
}

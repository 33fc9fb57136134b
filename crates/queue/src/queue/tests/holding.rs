//! What is held goes on as it was: when an operator's hold is taken back, and when an export is.

use std::thread;

use super::*;
use crate::transfer::{AbortedExport, ExportFilter, ExportRequest};

/// A message that was tried once and is due in an hour.
async fn with_delayed(queue: &Queue) -> MessageId {
    let id = put(queue, "one@a.example").await;
    let (slot, taken) = parcel(queue).await;
    queue.settle(taken, vec![(0, delayed())]);
    drop(slot);
    id
}

async fn put(queue: &Queue, recipient: &str) -> MessageId {
    let submitted = queue.submit(submission(&[recipient], "text")).await;
    submitted.unwrap().id
}

#[track_caller]
fn assert_waits_on(queue: &Queue, id: MessageId, before: &crate::Listed) {
    let after = queue.listed(id).unwrap().unwrap();
    let (one, two) = (&before.recipients[0], &after.recipients[0]);
    assert_eq!((two.state, &two.by), (RecipientState::Waiting, &one.by));
    // The wait is noted anew, in whole milliseconds each time.
    let apart = one
        .next_attempt
        .unwrap()
        .abs_diff(two.next_attempt.unwrap());
    assert!(apart < 60_000, "{one:?}, {two:?}");
    assert_eq!((queue.stats().due, queue.stats().held), (0, 0));
}

#[tokio::test]
async fn a_hold_that_is_taken_back_leaves_the_wait_as_it_was() {
    let place = Place::new();
    let mut queue = place.open().await;
    let id = with_delayed(&queue).await;
    let before = queue.listed(id).unwrap().unwrap();
    assert_eq!(queue.unhold(&before, &[0]), Ok(Some(vec![0])));
    assert!(queue.act(id, Action::Hold, &actor()).unwrap());
    assert_eq!(queue.stats().held, 1);
    assert_eq!(queue.unhold(&before, &[0]), Ok(Some(vec![0])));
    assert_waits_on(&queue, id, &before);
    queue.close().await;
    drop(queue);
    queue = reopened(&place).await;
    assert_waits_on(&queue, id, &before);

    // One that was due is due again.
    let fresh = put(&queue, "two@b.example").await;
    let before = queue.listed(fresh).unwrap().unwrap();
    assert!(queue.act(fresh, Action::Hold, &actor()).unwrap());
    assert_eq!(queue.stats().due, 0);
    assert_eq!(queue.unhold(&before, &[0]), Ok(Some(vec![0])));
    assert_eq!(parcel(&queue).await.1.message, fresh);
}

#[tokio::test]
async fn nothing_is_done_to_messages_that_are_being_exported() {
    let place = Place::new();
    let queue = place.open().await;
    let id = with_delayed(&queue).await;
    let before = queue.listed(id).unwrap().unwrap();
    let out = put(&queue, "out@b.example").await;
    let (slot, taken) = parcel(&queue).await;
    assert_eq!(taken.message, out);
    // The export waits for the second message, with the first one in hand.
    let request = ExportRequest {
        path: place.folder.path().join("moved.gpq"),
        node: "mx1.example".to_owned(),
        filter: ExportFilter::default(),
        by: actor(),
        patience: Duration::from_secs(60),
        stop: Arc::default(),
    };
    let exporting = {
        let queue = queue.clone();
        thread::spawn(move || queue.export(&request, &mut |_| {}))
    };
    while queue.stats().held < 1 || !queue.listed(out).unwrap().unwrap().held {
        thread::sleep(Duration::from_millis(1));
    }
    let during = queue.listed(id).unwrap().unwrap();
    for action in [
        Action::Hold,
        Action::Release,
        Action::Unhold,
        Action::Retry,
        Action::Remove,
        Action::Reroute(Some("smtp:mx2.example".to_owned())),
    ] {
        for id in [id, out] {
            let refused = queue.act(id, action.clone(), &actor());
            assert_eq!(
                refused,
                Err(super::super::ReadError::Exporting),
                "{action:?}"
            );
        }
    }
    assert_eq!(queue.listed(id).unwrap().unwrap(), during);
    assert_eq!(queue.abort_export().unwrap(), AbortedExport::Told);
    assert!(exporting.join().unwrap().is_err());
    queue.settle(taken, vec![(0, delivered())]);
    drop(slot);
    assert_waits_on(&queue, id, &before);
    // Now they are the operator's again.
    assert!(queue.act(id, Action::Hold, &actor()).unwrap());
    assert!(queue.act(id, Action::Remove, &actor()).unwrap());
    assert_eq!(queue.stats().messages, 0);
}

/// As when a queue is closed while a start still ends the export that an earlier run left.
#[tokio::test]
async fn whoever_waits_for_a_queue_that_is_closed_is_told() {
    let place = Place::new();
    let queue = place.open().await;
    let shared = Arc::clone(&queue.shared);
    let flushes = tokio::task::spawn_blocking(move || while shared.flush().is_ok() {});
    queue.close().await;
    flushes.await.unwrap();
    queue.close().await;
}

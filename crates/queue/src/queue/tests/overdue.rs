//! What is past its lifetime at a start: one try more, and the time for it counts from the first such start.

use super::super::shared::{WALL_STEP, wall};
use super::*;
use crate::recovery::{Recoverer, prepare};
use crate::store::Store;
use crate::writer::Writer;

const HOUR: u64 = 3_600_000;
const TEN_YEARS: u64 = 3650 * 24 * HOUR;

async fn with_overdue() -> (Place, MessageId) {
    let place = Place::new();
    let queue = place.open().await;
    let mut submission = submission(&["one@a.example"], "text");
    submission.envelope.arrived = wall() - TEN_YEARS;
    let id = queue.submit(submission).await.unwrap().id;
    queue.close().await;
    (place, id)
}

/// What a start at that time would find and note, since when each message is overdue.
fn start_at(place: &Place, now: u64) -> Vec<Option<u64>> {
    let disk = Arc::new(RealDisk);
    let store = Arc::new(Store::new(place.settings(), disk, Arc::new(|_| {})));
    let (numbers, next) = prepare(&store).unwrap();
    let mut recoverer = Recoverer::new(Arc::clone(&store), numbers, next);
    let mut since = Vec::new();
    while let Some(found) = recoverer.step(now) {
        since.extend(found.into_iter().map(|one| one.overdue_since));
    }
    let mut writer = Writer::new(store, next);
    assert!(writer.write_journals() && writer.sync_journals());
    since
}

#[tokio::test]
async fn what_is_overdue_by_the_clock_is_tried_before_it_expires() {
    let place = Place::new();
    let queue = place.open().await;
    let wall = wall();
    let mut ids = Vec::new();
    for arrived in [wall - TEN_YEARS, wall + TEN_YEARS] {
        let mut submission = submission(&["one@a.example"], "text");
        submission.envelope.arrived = arrived;
        ids.push(queue.submit(submission).await.unwrap().id);
    }
    let (mut slot, first) = parcel(&queue).await;
    let Taken::Parcel(second) = slot.take() else {
        panic!("the second is not due")
    };
    let mut tried = [first.message, second.message];
    tried.sort_unstable();
    assert_eq!(tried.as_slice(), ids);
    queue.settle(first, vec![(0, delayed())]);
    queue.settle(second, vec![(0, delayed())]);
    drop(slot);
    queue.close().await;
    drop(queue);

    // A restart tries the overdue one at once; the other has its delay and its whole lifetime before it.
    let queue = reopened(&place).await;
    let (slot, overdue) = parcel(&queue).await;
    assert_eq!((overdue.message, overdue.attempts), (ids[0], 1));
    queue.settle(overdue, vec![(0, delivered())]);
    drop(slot);
    assert_eq!((queue.stats().messages, queue.stats().due), (1, 0));
}

#[tokio::test]
async fn the_grace_counts_from_the_first_start_that_met_it() {
    let (place, id) = with_overdue().await;
    let first = wall() - HOUR / 2;
    assert_eq!(start_at(&place, first), [Some(first)]);
    for attempts in 0..3 {
        let queue = reopened(&place).await;
        let (slot, overdue) = parcel(&queue).await;
        assert_eq!((overdue.message, overdue.attempts), (id, attempts));
        queue.settle(overdue, vec![(0, delayed())]);
        drop(slot);
        queue.close().await;
        drop(queue);
        // Neither the start nor the attempt has made it later.
        assert_eq!(start_at(&place, wall()), [Some(first)]);
    }
}

#[tokio::test]
async fn what_has_had_its_grace_expires_at_the_next_start() {
    let (place, id) = with_overdue().await;
    start_at(&place, wall() - HOUR);
    let queue = reopened(&place).await;
    let Task::Expire(overdue) = queue.next().await else {
        panic!("it has another hour")
    };
    assert_eq!(overdue.message, id);
}

#[tokio::test]
async fn what_a_wrong_clock_has_noted_is_noted_anew() {
    let (place, _) = with_overdue().await;
    let now = wall();
    assert_eq!(start_at(&place, now + HOUR), [Some(now + HOUR)]);
    assert_eq!(start_at(&place, now), [Some(now)]);
    assert_eq!(start_at(&place, now + 1), [Some(now)]);
    // Long before its end it is not overdue.
    assert_eq!(start_at(&place, now - TEN_YEARS), [None]);
}

#[tokio::test]
async fn a_clock_that_is_put_forward_or_back_moves_no_attempt() {
    let place = Place::new();
    let queue = place.open().await;
    let id = queue
        .submit(submission(&["one@a.example"], "text"))
        .await
        .unwrap()
        .id;
    let (slot, taken) = parcel(&queue).await;
    queue.settle(taken, vec![(0, delayed())]);
    drop(slot);
    let years = i64::try_from(TEN_YEARS).unwrap();
    for step in [years, -years, 0] {
        WALL_STEP.set(step);
        assert_eq!(queue.stats().due, 0, "{step}");
        // Nor does what is journaled while the clock is wrong.
        let before = queue.listed(id).unwrap().unwrap();
        assert!(queue.act(id, Action::Hold, &actor()).unwrap());
        assert_eq!(queue.unhold(&before, &[0]), Ok(Some(vec![0])));
        assert_eq!(queue.stats().due, 0, "{step}");
        // What arrives meanwhile is tried at once, and put off for as long as it should be.
        let fresh = queue
            .submit(submission(&["two@a.example"], "text"))
            .await
            .unwrap()
            .id;
        let (slot, taken) = parcel(&queue).await;
        assert_eq!(taken.message, fresh, "{step}");
        queue.settle(taken, vec![(0, delayed())]);
        drop(slot);
        assert_eq!(queue.stats().due, 0, "{step}");
        let listed = queue.listed(fresh).unwrap().unwrap();
        let wait = listed.recipients[0].next_attempt.unwrap() - wall();
        // With jitter.
        assert!((HOUR / 2..=2 * HOUR).contains(&wait), "{step}: {wait}");
    }
}

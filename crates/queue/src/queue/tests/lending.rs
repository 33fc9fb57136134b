//! Contents that are read from the disk: shared by the parcels of a message, and bounded.

use super::*;

const LARGE: usize = 20_000;

/// A queue whose room for contents is so large, with nothing kept in memory after it was accepted.
fn open(place: &Place, lent_bytes_max: u64) -> Queue {
    let settings = Settings {
        lent_bytes_max,
        ..place.settings()
    };
    Queue::open(settings, Arc::new(RealDisk), Arc::new(|_| {})).unwrap()
}

/// A parcel for each domain of a message.
async fn parcels(queue: &Queue, count: usize) -> Vec<(Slot, crate::Parcel)> {
    let mut parcels = Vec::new();
    for number in 0..count {
        let mut slot = slot(queue).await;
        let site = format!("mx{number}.example");
        assert_eq!(slot.enter(&site, &SiteLimits::default(), &[]), Entered::Go);
        let Taken::Parcel(parcel) = slot.take() else {
            panic!("nothing to take");
        };
        parcels.push((slot, parcel));
    }
    parcels.sort_by_key(|(_, parcel)| parcel.message);
    parcels
}

#[tokio::test]
async fn the_parcels_of_a_message_share_its_content() {
    for content in ["small".to_owned(), "x".repeat(LARGE)] {
        let place = Place::new();
        let queue = open(&place, 64 << 20);
        recovered(&queue).await;
        let text: &'static str = content.leak();
        let recipients = ["one@a.example", "two@b.example", "three@c.example"];
        queue.submit(submission(&recipients, text)).await.unwrap();
        let parcels = parcels(&queue, 3).await;
        let reads = futures(&queue, &parcels).await;
        let first = reads[0].content.as_ptr();
        for read in &reads {
            assert_eq!(read.content, text);
            assert_eq!(read.content.as_ptr(), first, "one copy");
        }
        // As long as one is left, it is found; afterwards it is read anew, and nothing is remembered of it.
        let last = reads.into_iter().next_back().unwrap();
        assert_eq!(
            queue.read(&parcels[0].1).await.unwrap().content.as_ptr(),
            first
        );
        drop(last);
        assert_eq!(queue.read(&parcels[1].1).await.unwrap().content, text);
        assert_eq!(queue.shared.loans.count(), 0);
    }
}

async fn futures(queue: &Queue, parcels: &[(Slot, crate::Parcel)]) -> Vec<crate::QueuedMessage> {
    // All at once: those that come while it is read wait for what is read.
    let (one, two, three) = tokio::join!(
        queue.read(&parcels[0].1),
        queue.read(&parcels[1].1),
        queue.read(&parcels[2].1)
    );
    vec![one.unwrap(), two.unwrap(), three.unwrap()]
}

#[tokio::test]
async fn what_does_not_fit_waits_until_there_is_room() {
    let place = Place::new();
    let queue = open(&place, 50 << 10);
    recovered(&queue).await;
    let text: &'static str = "x".repeat(LARGE).leak();
    for domain in ["a", "b", "c"] {
        let recipient = format!("one@{domain}.example");
        queue.submit(submission(&[&recipient], text)).await.unwrap();
    }
    let parcels = parcels(&queue, 3).await;
    let first = queue.read(&parcels[0].1).await.unwrap();
    let second = queue.read(&parcels[1].1).await.unwrap();
    let mut third = Box::pin(queue.read(&parcels[2].1));
    let blocked = tokio::time::timeout(Duration::from_millis(50), &mut third).await;
    assert!(blocked.is_err(), "two of them fill the room");
    // A part of the bytes keeps the room just as well as the whole.
    let part = second.content.slice(5..10);
    drop(second);
    let blocked = tokio::time::timeout(Duration::from_millis(50), &mut third).await;
    assert!(blocked.is_err(), "a slice of it is left");
    drop(part);
    assert_eq!(third.await.unwrap().content, text);
    drop(first);
}

#[tokio::test]
async fn one_that_is_larger_than_the_room_goes_alone() {
    let place = Place::new();
    let queue = open(&place, 4 << 10);
    recovered(&queue).await;
    let text: &'static str = "x".repeat(LARGE).leak();
    queue
        .submit(submission(&["one@a.example"], text))
        .await
        .unwrap();
    queue
        .submit(submission(&["one@b.example"], "small"))
        .await
        .unwrap();
    let parcels = parcels(&queue, 2).await;
    let large = parcels
        .iter()
        .position(|(_, parcel)| parcel.attempts == 0)
        .unwrap();
    let first = queue.read(&parcels[large].1).await.unwrap();
    let mut other = Box::pin(queue.read(&parcels[1 - large].1));
    let blocked = tokio::time::timeout(Duration::from_millis(50), &mut other).await;
    // Whichever came first: the two never lie in memory together.
    assert!(blocked.is_err());
    drop(first);
    other.await.unwrap();
}

#[tokio::test]
async fn a_read_that_is_given_up_leaves_nothing_behind() {
    let place = Place::new();
    let queue = open(&place, 4 << 10);
    recovered(&queue).await;
    let text: &'static str = "x".repeat(LARGE).leak();
    queue
        .submit(submission(&["one@a.example", "two@b.example"], text))
        .await
        .unwrap();
    let parcels = parcels(&queue, 2).await;
    for _ in 0..10 {
        let read = queue.read(&parcels[0].1);
        let _ = tokio::time::timeout(Duration::ZERO, read).await;
    }
    assert_eq!(queue.read(&parcels[1].1).await.unwrap().content, text);
    assert_eq!(queue.shared.loans.count(), 0);
}

#[tokio::test]
async fn a_small_one_waits_for_no_large_one() {
    let place = Place::new();
    let queue = open(&place, 64 << 10);
    recovered(&queue).await;
    let text: &'static str = "x".repeat(70_000).leak();
    for domain in ["a", "b"] {
        let recipient = format!("one@{domain}.example");
        queue.submit(submission(&[&recipient], text)).await.unwrap();
    }
    queue
        .submit(submission(&["one@c.example"], "small"))
        .await
        .unwrap();
    let parcels = parcels(&queue, 3).await;
    let _first = queue.read(&parcels[0].1).await.unwrap();
    let mut second = Box::pin(queue.read(&parcels[1].1));
    let blocked = tokio::time::timeout(Duration::from_millis(50), &mut second).await;
    assert!(blocked.is_err(), "the first has all the room");
    let small = queue.read(&parcels[2].1).await.unwrap();
    assert_eq!(small.content, "small");
}

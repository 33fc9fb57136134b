use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use smtp::{MailParameters, RcptParameters, ReversePath, Status};

use super::{OpenError, Queue, Settings, Submission, SubmitError};
use crate::simulation::disk::{Faults, FaultyDisk};
use crate::{
    Action, Actor, Disk, Entered, Envelope, MessageId, Notice, Origin, QueuedRecipient, RealDisk,
    RecipientOutcome, RecipientState, SiteLimits, Slot, Suspended, Taken, Task,
};

mod holding;
mod lending;
mod moving;
mod overdue;

fn envelope(recipients: &[&str]) -> Envelope {
    Envelope {
        reference: "K7QX-3M9D-2F".to_owned(),
        origin: Origin::Received,
        arrived: super::shared::wall(),
        customer: "example.com".into(),
        reverse_path: ReversePath::Null,
        mail: MailParameters::default(),
        eight_bit: false,
        submitted: false,
        lifetime: 432_000_000,
        delay_warning: 14_400_000,
        recipients: recipients
            .iter()
            .map(|path| QueuedRecipient {
                forward_path: path.parse().unwrap(),
                parameters: RcptParameters::default(),
            })
            .collect(),
    }
}

fn submission(recipients: &[&str], content: &'static str) -> Submission {
    let (start, end) = content.split_at(content.len() / 2);
    let content = vec![
        Bytes::from_static(start.as_bytes()),
        Bytes::from_static(end.as_bytes()),
    ];
    Submission {
        envelope: envelope(recipients),
        content,
    }
}

struct Place {
    folder: tempfile::TempDir,
    notices: Arc<Mutex<Vec<Notice>>>,
}

impl Place {
    fn new() -> Place {
        Place {
            folder: tempfile::tempdir().unwrap(),
            notices: Arc::default(),
        }
    }

    fn settings(&self) -> Settings {
        Settings {
            reserve_bytes: 0,
            large_content_bytes_min: 10_000,
            hot_bytes_max: 0,
            ..Settings::new(self.folder.path().join("queue"))
        }
    }

    fn open_on(&self, disk: Arc<dyn Disk>) -> Result<Queue, OpenError> {
        let notices = Arc::clone(&self.notices);
        let observer = Arc::new(move |notice| notices.lock().unwrap().push(notice));
        Queue::open(self.settings(), disk, observer)
    }

    async fn open(&self) -> Queue {
        let queue = self.open_on(Arc::new(RealDisk)).unwrap();
        recovered(&queue).await;
        queue
    }
}

async fn recovered(queue: &Queue) {
    while !queue.recovery().done {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

async fn slot(queue: &Queue) -> Slot {
    match queue.next().await {
        Task::Deliver(slot) => slot,
        other => panic!("{other:?}"),
    }
}

async fn parcel(queue: &Queue) -> (Slot, crate::Parcel) {
    let mut slot = slot(queue).await;
    assert_eq!(
        slot.enter("mx.example", &SiteLimits::default(), &[]),
        Entered::Go
    );
    match slot.take() {
        Taken::Parcel(parcel) => (slot, parcel),
        other => panic!("{other:?}"),
    }
}

fn delivered() -> RecipientOutcome {
    RecipientOutcome::Delivered {
        nexthop: "mx.example".to_owned(),
        reply: "250 2.0.0 kept".to_owned(),
    }
}

fn delayed() -> RecipientOutcome {
    RecipientOutcome::Delayed {
        nexthop: "mx.example".to_owned(),
        status: Status::SYSTEM_FAULT,
        diagnostic: "451 4.3.0 later".to_owned(),
        retry_after: Duration::from_secs(3600),
    }
}

fn actor() -> Actor {
    Actor {
        name: "postmaster".to_owned(),
        reason: "a test".to_owned(),
    }
}

#[tokio::test]
async fn a_message_is_kept_over_a_restart_read_and_delivered() {
    let place = Place::new();
    let queue = place.open().await;
    let large: &'static str = Box::leak("x".repeat(20_000).into_boxed_str());
    let small = queue
        .submit(submission(&["one@a.example", "two@a.example"], "small"))
        .await
        .unwrap()
        .id;
    let big = queue
        .submit(submission(&["big@b.example"], large))
        .await
        .unwrap()
        .id;
    assert!(matches!(
        place.open_on(Arc::new(RealDisk)),
        Err(OpenError::Locked(_))
    ));
    queue.close().await;
    assert!(matches!(queue.next().await, Task::Closed));
    assert_eq!(
        queue
            .submit(submission(&["a@a.example"], "late"))
            .await
            .unwrap_err(),
        SubmitError::Closed
    );
    drop(queue);

    let queue = reopened(&place).await;
    for _ in 0..2 {
        let (slot, parcel) = parcel(&queue).await;
        let message = queue.read(&parcel).await.unwrap();
        let expected = if parcel.message == small {
            "small"
        } else {
            large
        };
        assert_eq!(message.content, expected);
        let outcomes = parcel
            .recipients
            .iter()
            .map(|recipient| (*recipient, delivered()))
            .collect();
        queue.settle(parcel, outcomes);
        drop(slot);
    }
    assert_eq!((queue.stats().messages, queue.stats().recipients), (0, 0));
    assert_eq!(queue.listed(big).unwrap(), None);
    queue.close().await;
    drop(queue);
    let queue = reopened(&place).await;
    assert_eq!(queue.stats().messages, 0);
    assert!(
        !place
            .folder
            .path()
            .join("queue/content")
            .join(big.to_string())
            .exists()
    );
}

/// The threads of the last queue let go of the lock when they have ended.
async fn reopened(place: &Place) -> Queue {
    loop {
        match place.open_on(Arc::new(RealDisk)) {
            Ok(queue) => {
                recovered(&queue).await;
                return queue;
            }
            Err(OpenError::Locked(_)) => tokio::time::sleep(Duration::from_millis(1)).await,
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test]
async fn a_delayed_recipient_is_listed_with_its_diagnostic_also_after_a_restart() {
    let place = Place::new();
    let mut queue = place.open().await;
    let id = queue
        .submit(submission(&["one@a.example", "two@a.example"], "text"))
        .await
        .unwrap()
        .id;
    let (slot, parcel) = parcel(&queue).await;
    queue.settle(parcel, vec![(0, delayed()), (1, delivered())]);
    drop(slot);
    for restart in [false, true] {
        if restart {
            queue.close().await;
            drop(queue);
            queue = reopened(&place).await;
        }
        let listed = queue.listed(id).unwrap().unwrap();
        let [one, two] = listed.recipients.as_slice() else {
            panic!("{listed:?}")
        };
        assert_eq!((one.state, one.attempts), (RecipientState::Waiting, 1));
        assert_eq!(one.last.as_ref().unwrap().diagnostic, "451 4.3.0 later");
        assert!(one.next_attempt.unwrap() > super::shared::wall());
        assert_eq!(two.state, RecipientState::Delivered);
        assert_eq!(queue.stats().recipients, 1);
    }
    assert_eq!(queue.page(None, 10).unwrap().len(), 1);
    assert_eq!(queue.page(Some(id), 10).unwrap(), []);
}

#[tokio::test]
async fn what_operators_do_lasts() {
    let place = Place::new();
    let queue = place.open().await;
    let ids: Vec<MessageId> = {
        let mut ids = Vec::new();
        for path in ["held@a.example", "rerouted@a.example", "removed@a.example"] {
            ids.push(queue.submit(submission(&[path], "text")).await.unwrap().id);
        }
        ids
    };
    assert!(queue.act(ids[0], Action::Hold, &actor()).unwrap());
    assert!(
        queue
            .act(
                ids[1],
                Action::Reroute(Some("smtp:mx2.example".to_owned())),
                &actor()
            )
            .unwrap()
    );
    assert!(queue.act(ids[2], Action::Remove, &actor()).unwrap());
    assert!(!queue.act(MessageId(7), Action::Remove, &actor()).unwrap());
    queue
        .suspend(Suspended::Domain("b.example".to_owned()), &actor())
        .unwrap();
    drop(queue);

    let queue = reopened(&place).await;
    assert_eq!(queue.suspensions().len(), 1);
    assert!(queue.listed(ids[0]).unwrap().unwrap().held);
    assert_eq!(queue.listed(ids[2]).unwrap(), None);
    let rerouted = queue.listed(ids[1]).unwrap().unwrap();
    assert_eq!(
        rerouted.recipients[0].rerouted.as_deref(),
        Some("smtp:mx2.example")
    );
    assert_eq!(rerouted.recipients[0].by, Some(actor()));
    let (_slot, parcel) = parcel(&queue).await;
    assert_eq!(
        (parcel.message, parcel.lane.nexthop.as_deref()),
        (ids[1], Some("smtp:mx2.example"))
    );
    assert!(queue.act(ids[0], Action::Release, &actor()).unwrap());
    assert_eq!(queue.stats().held, 0);
}

#[tokio::test]
async fn what_is_done_to_some_recipients_is_not_done_to_others() {
    let place = Place::new();
    let queue = place.open().await;
    let three = ["one@a.example", "two@a.example", "three@b.example"];
    let id = queue.submit(submission(&three, "text")).await.unwrap().id;
    let on = |recipients: &[u32], action| {
        let done = queue.act_on(id, Some(recipients), &action, &actor());
        done.unwrap()
    };
    let states = || {
        let listed = queue.listed(id).unwrap().unwrap();
        let states = listed.recipients.into_iter().map(|it| it.state);
        states.collect::<Vec<_>>()
    };
    use RecipientState::{Held, Removed, Waiting};
    assert_eq!(on(&[1, 7], Action::Hold), Some(vec![1]));
    assert_eq!(states(), [Waiting, Held, Waiting]);
    assert_eq!((queue.stats().held, queue.stats().due), (1, 2));
    // What is held is not given, whoever shared its parcel is.
    let (slot, parcel) = parcel(&queue).await;
    let lane = queue.lane(&parcel.lane).unwrap().0;
    assert_eq!(lane.site.as_deref(), Some("mx.example"));
    assert_eq!(parcel.recipients.len(), 1);
    assert_ne!(parcel.recipients, [1]);
    drop((slot, parcel));
    assert_eq!(on(&[2], Action::Remove), Some(vec![2]));
    assert_eq!(on(&[2], Action::Remove), Some(vec![]));
    assert_eq!(on(&[1], Action::Release), Some(vec![1]));
    assert_eq!(states(), [Waiting, Waiting, Removed]);
    assert_eq!(queue.stats().recipients, 2);
    let missing = queue.act_on(MessageId(4711), Some(&[0]), &Action::Hold, &actor());
    assert_eq!(missing, Ok(None));
}

#[tokio::test]
async fn a_recipient_removed_while_it_is_out_does_not_come_again() {
    let place = Place::new();
    let queue = place.open().await;
    let two = ["one@a.example", "two@a.example"];
    let id = queue.submit(submission(&two, "text")).await.unwrap().id;
    let (slot, out) = parcel(&queue).await;
    assert_eq!(out.recipients, [0, 1]);
    let on = |recipients: &[u32], action| queue.act_on(id, Some(recipients), &action, &actor());
    assert_eq!(queue.in_hand(id), [0, 1]);
    // The other one decides when they come back.
    assert_eq!(on(&[1], Action::Hold), Ok(Some(vec![])));
    assert_eq!(on(&[1], Action::Remove), Ok(Some(vec![1])));
    drop((slot, out));
    assert_eq!(queue.in_hand(id), []);
    let listed = queue.listed(id).unwrap().unwrap();
    let (_slot, again) = parcel(&queue).await;
    assert_eq!(again.recipients, [0]);
    assert_eq!(listed.lane(0).as_ref(), Some(&again.lane));
    assert_eq!(queue.stats().recipients, 1);
}

#[tokio::test]
async fn a_parcel_that_is_dropped_comes_again() {
    let queue_place = Place::new();
    let queue = queue_place.open().await;
    let id = queue
        .submit(submission(&["one@a.example"], "text"))
        .await
        .unwrap()
        .id;
    let (slot, first) = parcel(&queue).await;
    drop(first);
    drop(slot);
    let (_slot, second) = parcel(&queue).await;
    assert_eq!((second.message, second.attempts), (id, 0));
}

#[tokio::test]
async fn a_disk_that_fails_refuses_and_works_again_by_itself() {
    let place = Place::new();
    let disk = FaultyDisk::new(1);
    let queue = place.open_on(Arc::new(disk.clone())).unwrap();
    disk.fail(Faults {
        sync: 1,
        ..Faults::default()
    });
    let refused = queue.submit(submission(&["one@a.example"], "text")).await;
    assert!(matches!(refused, Err(SubmitError::Fault(_))), "{refused:?}");
    assert!(matches!(queue.room(), Err(SubmitError::Fault(_))));
    disk.fail(Faults::default());
    while queue.room().is_err() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    queue
        .submit(submission(&["one@a.example"], "text"))
        .await
        .unwrap();
    assert_eq!(queue.stats().messages, 1);
    let notices = place.notices.lock().unwrap();
    assert!(
        notices
            .iter()
            .any(|notice| matches!(notice, Notice::DiskFault { .. }))
    );
    assert!(notices.contains(&Notice::DiskWorks));
}

#[tokio::test]
async fn announced_submissions_share_a_sync() {
    let place = Place::new();
    let settings = Settings {
        gather_max: Duration::from_secs(3600),
        ..place.settings()
    };
    let queue = Queue::open(settings, Arc::new(RealDisk), Arc::new(|_| {})).unwrap();
    recovered(&queue).await;
    let before = queue.stats().syncs;
    let announcements: Vec<_> = (0..20).map(|_| queue.announce()).collect();
    let submits: Vec<_> = announcements
        .into_iter()
        .map(|announcement| {
            let queue = queue.clone();
            tokio::spawn(async move {
                let submission = submission(&["one@a.example"], "text");
                queue.submit_announced(submission, Some(announcement)).await
            })
        })
        .collect();
    for submit in submits {
        submit.await.unwrap().unwrap();
    }
    // Sixteen or more, then the rest.
    let syncs = queue.stats().syncs - before;
    assert!(syncs <= 2, "{syncs} syncs for 20 messages");
}

#[tokio::test]
async fn a_group_goes_once_nobody_is_announced_any_more() {
    let place = Place::new();
    let settings = Settings {
        gather_max: Duration::from_secs(36_000),
        ..place.settings()
    };
    let queue = Queue::open(settings, Arc::new(RealDisk), Arc::new(|_| {})).unwrap();
    recovered(&queue).await;
    let (first, refused) = (queue.announce(), queue.announce());
    let submitted = {
        let queue = queue.clone();
        let submission = submission(&["one@a.example"], "text");
        tokio::spawn(async move { queue.submit_announced(submission, Some(first)).await })
    };
    while queue.shared.inbox().is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(queue.stats().submits, 0);
    drop(refused);
    submitted.await.unwrap().unwrap();
    assert_eq!(queue.stats().submits, 1);
}

#[tokio::test]
async fn who_is_announced_and_does_not_come_holds_nobody_up() {
    let place = Place::new();
    let queue = place.open().await;
    let slow = queue.announce();
    for _ in 0..2 {
        let submission = submission(&["one@a.example"], "text");
        queue.submit(submission).await.unwrap();
    }
    drop(slow);
    assert_eq!(queue.stats().submits, 2);
}

#[tokio::test]
async fn a_message_wakes_the_connection_that_was_at_work_last() {
    let place = Place::new();
    let queue = place.open().await;
    let limits = SiteLimits {
        connections_first: 2,
        ..SiteLimits::default()
    };
    for _ in 0..2 {
        let submission = submission(&["one@a.example"], "text");
        queue.submit(submission).await.unwrap();
    }
    let mut slots = Vec::new();
    for _ in 0..2 {
        let mut slot = slot(&queue).await;
        assert_eq!(slot.enter("mx.example", &limits, &[]), Entered::Go);
        let Taken::Parcel(parcel) = slot.take() else {
            panic!("nothing to take");
        };
        queue.settle(parcel, vec![(0, delivered())]);
        // Only a site that is known to work gets a second connection.
        slot.worked();
        slots.push(slot);
    }
    let mut waiting: Vec<_> = slots
        .iter_mut()
        .map(|slot| Box::pin(slot.take_within(Duration::from_secs(36_000))))
        .collect();
    for taken in &mut waiting {
        assert!(poll_once(taken).is_none());
    }
    let next = submission(&["two@a.example"], "text");
    let stored = queue.submit(next).await.unwrap();
    let last = waiting.pop().unwrap();
    let parcel = last.await.unwrap();
    assert_eq!(parcel.message, stored.id);
    assert!(poll_once(&mut waiting[0]).is_none());
    // Given back untried, it is for the other one.
    drop(parcel);
    let parcel = waiting.pop().unwrap().await.unwrap();
    assert_eq!(parcel.message, stored.id);
}

/// What a future has now.
fn poll_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::Pin::new(future).poll(&mut context) {
        std::task::Poll::Ready(output) => Some(output),
        std::task::Poll::Pending => None,
    }
}

#[tokio::test]
async fn files_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let queue = place.open().await;
    let large = "x".repeat(20_000).leak();
    queue
        .submit(submission(&["one@a.example"], large))
        .await
        .unwrap();
    queue
        .suspend(Suspended::Domain("b.example".to_owned()), &actor())
        .unwrap();
    queue.close().await;
    let mut folders = vec![place.folder.path().join("queue")];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder), 0o700, "{}", folder.display());
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files += 1;
                assert_eq!(mode(&path), 0o600, "{}", path.display());
            }
        }
    }
    assert!(
        files >= 6,
        "segment, journal, sidecar, content, suspensions, lock"
    );
}

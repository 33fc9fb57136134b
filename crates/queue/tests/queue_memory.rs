//! The queue's share of memory, in a process of its own: what the kernel says before and after.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::sync::Arc;

use bytes::Bytes;
use queue::{Envelope, Origin, Queue, QueuedRecipient, RealDisk, Settings, Submission};
use smtp::{MailParameters, RcptParameters, ReversePath};

const MESSAGES: u64 = 200_000;
const RECIPIENTS: u64 = 1;
const SUBMITTERS: u64 = 500;

fn resident_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

fn submission(number: u64) -> Submission {
    let recipient = |at: u64| QueuedRecipient {
        forward_path: format!("someone-{number}@domain-{}.example", (number + at) % 10_000)
            .parse()
            .unwrap(),
        parameters: RcptParameters::default(),
    };
    Submission {
        envelope: Envelope {
            reference: "K7QX-3M9D-2F".to_owned(),
            origin: Origin::Received,
            arrived: 4_000_000_000_000,
            customer: format!("customer-{}.example", number % 100).into(),
            reverse_path: ReversePath::Null,
            mail: MailParameters::default(),
            eight_bit: false,
            submitted: false,
            lifetime: 432_000_000,
            delay_warning: 14_400_000,
            recipients: (0..RECIPIENTS).map(recipient).collect(),
        },
        content: vec![Bytes::from_static(b"Subject: text\r\n\r\ntext\r\n")],
    }
}

async fn submit(queue: &Queue, numbers: std::ops::Range<u64>) {
    let mut submitters = tokio::task::JoinSet::new();
    for submitter in 0..SUBMITTERS {
        let (queue, numbers) = (queue.clone(), numbers.clone());
        submitters.spawn(async move {
            for number in numbers
                .skip(submitter as usize)
                .step_by(SUBMITTERS as usize)
            {
                queue.submit(submission(number)).await.unwrap();
            }
        });
    }
    while let Some(done) = submitters.join_next().await {
        done.unwrap();
    }
}

/// 200,000 recipients of as many messages in 10,000 lanes take less than 400 bytes each, their share of message and lane
/// included.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queued_recipient_takes_under_400_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings {
        reserve_bytes: 0,
        hot_bytes_max: 0,
        ..Settings::new(folder.path().join("queue"))
    };
    let queue = Queue::open(settings, Arc::new(RealDisk), Arc::new(|_| {})).unwrap();
    // Threads, buffers and the submitters themselves are there already when it counts.
    submit(&queue, 0..SUBMITTERS * 2).await;
    let before = resident_bytes();
    submit(&queue, SUBMITTERS * 2..MESSAGES).await;
    let recipients = (MESSAGES - SUBMITTERS * 2) * RECIPIENTS;
    let bytes = resident_bytes().saturating_sub(before) / recipients;
    assert_eq!(queue.stats().recipients, MESSAGES * RECIPIENTS);
    println!("{bytes} bytes per recipient");
    assert!(bytes < 400, "{bytes} bytes per recipient");
    assert!(bytes > 30, "{bytes} bytes per recipient: not measured");
    queue.close().await;
}

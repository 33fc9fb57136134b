//! Measures the queue on the disk of this machine: messages and syncs a second, memory a recipient, time to start.
//!
//! `cargo run --release -p queue --example spool_load -- FOLDER [MESSAGES]`. The folder is made, filled and left.

#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a measurement for people"
)]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use queue::{Envelope, Origin, Queue, QueuedRecipient, RealDisk, Settings, Submission};

const CONTENT_BYTES: usize = 4096;

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().expect("a folder"));
    let messages: u64 = arguments
        .next()
        .map_or(100_000, |text| text.parse().expect("a number"));
    let settings = Settings {
        reserve_bytes: 1 << 30,
        hot_bytes_max: 0,
        ..Settings::new(folder)
    };
    let mut queue = open(&settings).await;
    for submitters in [1, 10, 50] {
        load(&queue, submitters, Duration::from_secs(3), u64::MAX).await;
    }
    queue.close().await;
    drop(queue);
    queue = open(&settings).await;
    let waiting = queue.stats().messages;
    if waiting < messages {
        load(&queue, 400, Duration::from_secs(3600), messages - waiting).await;
    }
    queue.close().await;
    drop(queue);
    let before = resident_bytes();
    let queue = open(&settings).await;
    let begun = Instant::now();
    let stored = queue.submit(submission(0)).await;
    println!(
        "accepted while it reads: {} in {:?}",
        stored.is_ok(),
        begun.elapsed()
    );
    while !queue.recovery().done {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let stats = queue.stats();
    let bytes = resident_bytes().saturating_sub(before);
    println!(
        "started: {} messages in {} segments read in {:?}; {} bytes of memory a recipient (resident, whole process)",
        stats.messages,
        stats.segments,
        begun.elapsed(),
        bytes / stats.recipients.max(1)
    );
    queue.close().await;
}

async fn open(settings: &Settings) -> Queue {
    loop {
        let observer = Arc::new(|notice| println!("{notice:?}"));
        match Queue::open(settings.clone(), Arc::new(RealDisk), observer) {
            Ok(queue) => return queue,
            // The threads of the last one are about to end.
            Err(queue::OpenError::Locked(_)) => tokio::time::sleep(Duration::from_millis(5)).await,
            Err(error) => panic!("{error}"),
        }
    }
}

/// Submitters in closed loop, each announced while it submits.
async fn load(queue: &Queue, submitters: u64, time: Duration, messages_max: u64) {
    let begun = Instant::now();
    let before = queue.stats();
    let tasks: Vec<_> = (0..submitters)
        .map(|submitter| {
            let queue = queue.clone();
            tokio::spawn(async move {
                let mut latencies = Vec::new();
                while begun.elapsed() < time && (latencies.len() as u64) < messages_max / submitters
                {
                    let announcement = queue.announce();
                    let one = Instant::now();
                    queue
                        .submit(submission(submitter + latencies.len() as u64))
                        .await
                        .expect("kept");
                    drop(announcement);
                    latencies.push(one.elapsed());
                }
                latencies
            })
        })
        .collect();
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await.expect("a submitter"));
    }
    latencies.sort_unstable();
    let (after, seconds) = (queue.stats(), begun.elapsed().as_secs_f64());
    let count = latencies.len().max(1);
    println!(
        "{submitters} submitters: {:.0} messages/s, {:.4} syncs a message, p50 {:?}, p99 {:?}",
        count as f64 / seconds,
        (after.syncs - before.syncs) as f64 / count as f64,
        latencies.get(count / 2).copied().unwrap_or_default(),
        latencies.get(count * 99 / 100).copied().unwrap_or_default(),
    );
}

fn submission(number: u64) -> Submission {
    let path = format!("user{number}@d{}.example", number % 10_000);
    let recipient = QueuedRecipient {
        forward_path: path.parse().expect("a path"),
        parameters: smtp::RcptParameters::default(),
    };
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    let envelope = Envelope {
        reference: "K7QX-3M9D-2F".to_owned(),
        origin: Origin::Received,
        arrived: since.as_millis() as u64,
        customer: Arc::from("customer.example"),
        reverse_path: "sender@example.org".parse().expect("a path"),
        mail: smtp::MailParameters::default(),
        eight_bit: false,
        submitted: true,
        lifetime: 432_000_000,
        delay_warning: 14_400_000,
        recipients: vec![recipient],
    };
    Submission {
        envelope,
        content: vec![Bytes::from(vec![b'x'; CONTENT_BYTES])],
    }
}

fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap_or_default();
    line.trim()
        .trim_end_matches(" kB")
        .parse::<u64>()
        .unwrap_or(0)
        * 1024
}

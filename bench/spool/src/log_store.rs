//! Gatepost's own queue crate, used as Gatepost uses it: submissions are announced, so that a group waits for those that come
//! at once; deliverers take slots of one site; outcomes are settled without waiting.

use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, anyhow, bail, ensure};
use queue::{
    Entered, Envelope, Notice, Origin, Queue, QueuedRecipient, RealDisk, RecipientOutcome,
    Settings, SiteLimits, Slot, Submission, Taken, Task,
};
use smtp::{ForwardPath, ReversePath};
use tokio::runtime::Builder;
use tokio::task::JoinSet;

use crate::message::Message;
use crate::store::Store;

/// Submissions at a time when a queue is filled.
const FILL_AT_A_TIME: usize = 1_000;
/// How long a deliverer waits for more before it gives its slot back.
const IDLE: Duration = Duration::from_millis(5);
const POLL: Duration = Duration::from_millis(1);

pub(crate) struct LogStore {
    queue: Queue,
    submitted: AtomicU64,
    delivered: AtomicU64,
}

impl LogStore {
    pub(crate) fn open(folder: &Path) -> Result<LogStore> {
        let observer = Arc::new(|notice| match notice {
            Notice::Recovered { damaged: 0, .. } => {}
            other => eprintln!("{other:?}"),
        });
        let queue = Queue::open(Settings::new(folder), Arc::new(RealDisk), observer);
        let queue = queue.map_err(|error| anyhow!("{error:?}"))?;
        Ok(LogStore {
            queue,
            submitted: AtomicU64::new(0),
            delivered: AtomicU64::new(0),
        })
    }

    /// Delivers what is due until the slot has nothing more.
    async fn work(&self, mut slot: Slot, count: &mut dyn FnMut(usize)) -> Result<()> {
        let limits = SiteLimits {
            connections_first: 20,
            parcels_per_connection_max: u32::MAX,
            ..SiteLimits::default()
        };
        if slot.enter("sink", &limits, &[]) == Entered::Full {
            return Ok(());
        }
        loop {
            let parcel = match slot.take() {
                Taken::Parcel(parcel) => Some(parcel),
                Taken::Wait(_) => bail!("a rate where none was set"),
                Taken::Nothing => slot.take_within(IDLE).await,
            };
            let Some(parcel) = parcel else {
                return Ok(());
            };
            let message = self.queue.read(&parcel).await;
            let message = message.map_err(|error| anyhow!("{error:?}"))?;
            count(message.content.len());
            let delivered = |recipient: &u32| {
                let outcome = RecipientOutcome::Delivered {
                    nexthop: "sink.example.net:25".to_owned(),
                    reply: "250 2.0.0 taken".to_owned(),
                };
                (*recipient, outcome)
            };
            let outcomes = parcel.recipients.iter().map(delivered).collect();
            self.queue.settle(parcel, outcomes);
            slot.worked();
            self.delivered.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Store for LogStore {
    fn submit(&self, message: &Message) -> Result<()> {
        let announcement = self.queue.announce();
        let submission = submission(message)?;
        let stored = block_on(self.queue.submit_announced(submission, Some(announcement)));
        stored.map_err(|error| anyhow!("{error:?}"))?;
        self.submitted.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn deliver(&self, count: &mut dyn FnMut(usize)) -> Result<()> {
        // What waits for a time here is woken by tokio.
        let runtime = Builder::new_current_thread().enable_time().build()?;
        runtime.block_on(async {
            loop {
                match self.queue.next().await {
                    Task::Deliver(slot) => self.work(slot, count).await?,
                    Task::Closed => return Ok(()),
                    Task::Warn(_) | Task::Expire(_) => bail!("a message grew old meanwhile"),
                }
            }
        })
    }

    fn finish(&self) {
        while self.delivered.load(Ordering::Relaxed) < self.submitted.load(Ordering::Relaxed) {
            thread::sleep(POLL);
        }
        block_on(self.queue.close());
    }

    fn fill(&self, messages: &mut dyn Iterator<Item = Message>) -> Result<()> {
        Builder::new_multi_thread().build()?.block_on(async {
            let mut under_way = JoinSet::new();
            for message in messages {
                let (queue, submission) = (self.queue.clone(), submission(&message)?);
                under_way.spawn(async move { queue.submit(submission).await.map(drop) });
                if under_way.len() >= FILL_AT_A_TIME {
                    // At least one is there.
                    let one = under_way.join_next().await.context("a task")?;
                    one?.map_err(|error| anyhow!("{error:?}"))?;
                }
            }
            while let Some(one) = under_way.join_next().await {
                one?.map_err(|error| anyhow!("{error:?}"))?;
            }
            Ok(())
        })
    }

    fn index(&self) -> Result<u64> {
        loop {
            let recovery = self.queue.recovery();
            if recovery.done {
                ensure!(recovery.damaged == 0, "{recovery:?}");
                return Ok(recovery.messages);
            }
            thread::sleep(POLL);
        }
    }
}

/// A submitter does one thing at a time, as those of the other engines do: it sleeps until it is woken.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Sleeper(thread::Thread);
    impl Wake for Sleeper {
        fn wake(self: Arc<Sleeper>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Sleeper(thread::current())));
    let mut task = std::task::Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut task) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

fn submission(message: &Message) -> Result<Submission> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let recipient = format!("<b{}@{}>", message.number, message.domain);
    let path = |error| anyhow!("{recipient}: {error:?}");
    let (forward_path, _) = ForwardPath::parse_prefix(&recipient).map_err(path)?;
    let (reverse_path, _) = ReversePath::parse_prefix("<a@example.org>").map_err(path)?;
    let envelope = Envelope {
        reference: format!("{:010}", message.number),
        origin: Origin::Received,
        arrived: now.as_millis() as u64,
        customer: "".into(),
        reverse_path,
        mail: smtp::MailParameters::default(),
        eight_bit: false,
        submitted: false,
        lifetime: 5 * 24 * 3_600_000,
        delay_warning: 4 * 3_600_000,
        recipients: vec![QueuedRecipient {
            forward_path,
            parameters: smtp::RcptParameters::default(),
        }],
    };
    Ok(Submission {
        envelope,
        content: vec![message.content.clone()],
    })
}

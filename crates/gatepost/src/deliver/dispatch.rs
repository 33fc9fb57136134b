//! The loop that does what the queue says is due: a worker for each slot, a report for what is late or over.
//!
//! When something is due is the queue's affair, how a message is handed over the workers' (`worker`). A panic ends one worker and
//! costs its message one attempt. What is in force is looked up for each task: a reload changes where queued messages go.

use std::sync::Arc;
use std::time::Duration;

use queue::{Queue, Task};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::{lifetime, worker};
use crate::serve::Current;

/// Reports on late and expired messages that are made at one time.
const REPORTS_MAX: usize = 16;

/// The dispatch of a node.
pub struct Dispatch {
    queue: Queue,
    current: Current,
    stop: watch::Receiver<Option<Duration>>,
    reports: Arc<Semaphore>,
}

impl Dispatch {
    /// A dispatch for `queue` that goes by the snapshot in force. Once there is a time in `stop` it ends: transactions in
    /// progress have so long to finish.
    pub fn new(
        queue: Queue,
        current: Current,
        stop: watch::Receiver<Option<Duration>>,
    ) -> Dispatch {
        Dispatch {
            queue,
            current,
            stop,
            reports: Arc::new(Semaphore::new(REPORTS_MAX)),
        }
    }

    /// Runs until it is told to stop, or the queue is closed. What is cut off is tried again after the next start.
    pub async fn run(mut self) {
        let mut workers = JoinSet::new();
        let mut stop = self.stop.clone();
        loop {
            tokio::select! {
                biased;
                () = stopped(&mut stop) => break,
                Some(ended) = workers.join_next() => note(ended),
                task = self.queue.next() => {
                    if !self.begin(task, &mut workers) {
                        break;
                    }
                }
            }
        }
        let services = Arc::clone(&self.current.load().services);
        let finished = async {
            // What waits for a report on more than it is told at once.
            services.gathering.close().await;
            while let Some(ended) = workers.join_next().await {
                note(ended);
            }
        };
        let deadline = stop.borrow().unwrap_or_default();
        if tokio::time::timeout(deadline, finished).await.is_err() {
            workers.shutdown().await;
            services.gathering.abandon();
        }
        services.idle.tidy_up(Duration::ZERO);
    }

    /// Begins a task; false if it is the last.
    fn begin(&mut self, task: Task, workers: &mut JoinSet<()>) -> bool {
        let cx = self.current.load();
        match task {
            Task::Deliver(slot) => {
                workers.spawn(worker::work(
                    cx,
                    self.queue.clone(),
                    slot,
                    self.stop.clone(),
                ));
            }
            Task::Warn(parcel) => {
                let (queue, reports) = (self.queue.clone(), Arc::clone(&self.reports));
                workers.spawn(async move {
                    // Waited for here and not in the loop, which a disk that hangs must not hold up.
                    let permit = reports.acquire_owned().await;
                    lifetime::warn(&cx, &queue, parcel).await;
                    drop(permit);
                });
            }
            Task::Expire(parcel) => {
                let (queue, reports) = (self.queue.clone(), Arc::clone(&self.reports));
                workers.spawn(async move {
                    let permit = reports.acquire_owned().await;
                    lifetime::expire(&cx, &queue, parcel).await;
                    drop(permit);
                });
            }
            Task::Closed => return false,
        }
        true
    }
}

/// Waits until delivery is told to stop.
pub(super) async fn stopped(stop: &mut watch::Receiver<Option<Duration>>) {
    // An error means that nobody is left who could say it: then it is time as well.
    let _ = stop.wait_for(Option::is_some).await;
}

/// Tells of a task that panicked.
pub(super) fn note(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!(%error, "a delivery ended abnormally");
    }
}

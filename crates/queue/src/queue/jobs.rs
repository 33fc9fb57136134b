//! The queue's own threads for what blocks: reading messages, writing large contents.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::{io, thread};

use tokio::sync::oneshot;

const THREADS: usize = 4;

type Job = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Line {
    jobs: VecDeque<Job>,
    ended: bool,
}

/// The line of jobs. It is as long as there are tasks that wait for one: whoever asks awaits the answer.
#[derive(Clone, Default)]
pub(crate) struct Jobs(Arc<(Mutex<Line>, Condvar)>);

impl Jobs {
    pub(crate) fn start(&self) -> io::Result<()> {
        for number in 0..THREADS {
            let jobs = self.clone();
            thread::Builder::new()
                .name(format!("queue-disk-{number}"))
                .spawn(move || jobs.work())?;
        }
        Ok(())
    }

    /// Does it on one of the threads; `None` if they have ended.
    pub(crate) fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Option<oneshot::Receiver<T>> {
        let (answer, answered) = oneshot::channel();
        let job = move || drop(answer.send(job()));
        let (line, signal) = &*self.0;
        let mut line = line.lock().unwrap_or_else(PoisonError::into_inner);
        if line.ended {
            return None;
        }
        line.jobs.push_back(Box::new(job));
        signal.notify_one();
        Some(answered)
    }

    /// The threads end after the jobs that wait.
    pub(crate) fn end(&self) {
        let (line, signal) = &*self.0;
        line.lock().unwrap_or_else(PoisonError::into_inner).ended = true;
        signal.notify_all();
    }

    fn work(&self) {
        let (line, signal) = &*self.0;
        loop {
            let mut guard = line.lock().unwrap_or_else(PoisonError::into_inner);
            let job = loop {
                if let Some(job) = guard.jobs.pop_front() {
                    break job;
                }
                if guard.ended {
                    return;
                }
                guard = signal.wait(guard).unwrap_or_else(PoisonError::into_inner);
            };
            drop(guard);
            job();
        }
    }
}

//! Long computing, off the threads that serve sessions, on a fixed number of threads: as many as there are processors.
//! More would make nothing faster, and each thread that matches patterns keeps megabytes of their automata for itself
//! (those of the runtime for blocking work come and go, and each would).
//!
//! What waits here is bounded by the deadline of its engine: work that nobody waits for any more is not begun.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::thread;

use tokio::sync::oneshot;

use crate::finding::{Unavailable, UnavailableCause};

/// Threads at least, so that one message made to be slow does not hold up all others.
const THREADS_MIN: usize = 2;

type Work = Box<dyn FnOnce() + Send>;

static WORK: LazyLock<Sender<Work>> = LazyLock::new(|| {
    let (sender, receiver) = channel::<Work>();
    let receiver = Arc::new(Mutex::new(receiver));
    for number in 0..threads() {
        let receiver = Arc::clone(&receiver);
        let name = format!("scan-{number}");
        // Without a thread there is nobody to receive, and those who send are told.
        let started = thread::Builder::new().name(name).spawn(move || {
            while let Some(work) = next(&receiver) {
                work();
            }
        });
        drop(started);
    }
    sender
});

/// Does `work` on one of the threads when it is its turn.
///
/// # Errors
/// `Panic` if the work did: it ends one engine's examination of one message.
pub(crate) async fn off_session<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Unavailable> {
    let (told, answer) = oneshot::channel();
    let work: Work = Box::new(move || {
        if !told.is_closed() {
            // What `work` held is dropped with it; nothing else can be left half done.
            let done = catch_unwind(AssertUnwindSafe(work));
            told.send(done).ok();
        }
    });
    if WORK.send(work).is_err() {
        return Err(panicked("no thread for it could be started"));
    }
    match answer.await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(panic)) => Err(panicked(text(&*panic))),
        Err(_) => Err(panicked("its thread ended")),
    }
}

fn threads() -> usize {
    thread::available_parallelism().map_or(THREADS_MIN, |number| number.get().max(THREADS_MIN))
}

fn next(receiver: &Mutex<Receiver<Work>>) -> Option<Work> {
    let receiver = receiver.lock().unwrap_or_else(PoisonError::into_inner);
    receiver.recv().ok()
}

fn panicked(detail: &str) -> Unavailable {
    Unavailable::new(UnavailableCause::Panic, detail.to_owned())
}

/// What a panic says, as the standard library carries it.
fn text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("it panicked")
}

#[cfg(test)]
mod tests;

//! Many messages that fail: several at a time, and no more once the node stops.

use std::cell::Cell;

use super::*;

/// Does up to `all` things, of which each waits for a moment; how many were done, and how many at one time.
async fn run(all: usize, stop_after: usize) -> (usize, usize) {
    let (stop, stopped) = watch::channel(None);
    let (begun, open, most) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let next = || {
        if begun.get() == all {
            return None;
        }
        begun.set(begun.get() + 1);
        if begun.get() == stop_after {
            stop.send_replace(Some(Duration::ZERO));
        }
        Some(async {
            open.set(open.get() + 1);
            most.set(most.get().max(open.get()));
            tokio::time::sleep(Duration::from_millis(10)).await;
            open.set(open.get() - 1);
        })
    };
    several_at_a_time(next, &stopped).await;
    assert_eq!(open.get(), 0, "what was begun is finished");
    (begun.get(), most.get())
}

#[tokio::test(start_paused = true)]
async fn several_fail_at_a_time() {
    assert_eq!(run(1000, usize::MAX).await, (1000, FAILING_MAX));
    assert_eq!(run(0, usize::MAX).await, (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_it() {
    assert_eq!(run(1000, 40).await, (40, FAILING_MAX));
}

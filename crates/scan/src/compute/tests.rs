use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

#[tokio::test]
async fn no_more_work_at_a_time_than_there_are_threads() {
    let now = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let works = (0..64).map(|_| {
        let (now, most) = (Arc::clone(&now), Arc::clone(&most));
        tokio::spawn(off_session(move || {
            let running = now.fetch_add(1, Ordering::SeqCst) + 1;
            most.fetch_max(running, Ordering::SeqCst);
            thread::yield_now();
            now.fetch_sub(1, Ordering::SeqCst);
        }))
    });
    for work in works.collect::<Vec<_>>() {
        work.await.unwrap().unwrap();
    }
    assert!((1..=threads()).contains(&most.load(Ordering::SeqCst)));
}

#[tokio::test]
async fn a_panic_ends_one_examination_and_no_thread() {
    for _ in 0..2 * threads() {
        let broken = off_session(|| panic!("broken")).await;
        let broken = broken.unwrap_err();
        assert_eq!(broken.cause, UnavailableCause::Panic);
        assert_eq!(broken.detail, "broken");
    }
    assert_eq!(off_session(|| 1).await.unwrap(), 1);
}

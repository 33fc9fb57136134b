//! Content in memory, in a spool file, and under a budget that is spent.

use super::*;

fn settings(dir: &Path, budget: u64, threshold: u64) -> ContentSettings {
    ContentSettings {
        budget: MemoryBudget::new(budget),
        memory_message_max: threshold,
        spool_dir: dir.to_path_buf(),
    }
}

async fn keep(settings: &ContentSettings, whole: &[u8], piece: usize) -> KeptContent {
    let mut content = Content::new(settings.clone(), Some(whole.len() as u64));
    for piece in whole.chunks(piece) {
        content.append(piece).await.unwrap();
    }
    content.finish().await.unwrap()
}

#[tokio::test]
async fn what_went_in_comes_out_below_and_above_the_threshold() {
    let dir = tempfile::tempdir().unwrap();
    let settings = settings(dir.path(), 1 << 20, 10_000);
    for size in [0, 1, 9_999, 10_000, 10_001, 300_000] {
        let whole: Vec<u8> = (0..size).map(|i| (i % 251) as u8).collect();
        let kept = keep(&settings, &whole, 777).await;
        assert_eq!(kept.bytes, whole, "{size} bytes");
    }
    assert_eq!(settings.budget.bytes_used(), 0, "every share is given back");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "spool files have no name");
}

#[tokio::test]
async fn a_spent_budget_sends_content_to_disk() {
    let dir = tempfile::tempdir().unwrap();
    let settings = settings(dir.path(), 64 * 1024, 60_000);
    let first = keep(&settings, &[b'a'; 50_000], 4096).await;
    let mut second = Content::new(settings.clone(), None);
    second.append(&[b'b'; 50_000]).await.unwrap();
    assert!(second.spool.is_some(), "the second message does not fit beside the first");
    assert!(settings.budget.bytes_used() <= 64 * 1024);
    drop(first);
    assert_eq!(second.finish().await.unwrap().bytes.len(), 50_000);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_gets_no_turn_is_given_up_after_a_bounded_wait() {
    let dir = tempfile::tempdir().unwrap();
    let settings = settings(dir.path(), 64 * 1024, 60_000);
    let _first = keep(&settings, &[b'a'; 50_000], 4096).await;
    let mut second = Content::new(settings.clone(), None);
    second.append(&[b'b'; 50_000]).await.unwrap();
    assert!(matches!(second.finish().await, Err(ContentError::MemoryExhausted)));
}

#[tokio::test]
async fn a_message_larger_than_the_budget_takes_all_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let settings = settings(dir.path(), 64 * 1024, 1_000);
    let kept = keep(&settings, &[b'a'; 200_000], 4096).await;
    assert_eq!(kept.bytes.len(), 200_000);
    assert_eq!(settings.budget.bytes_used(), 64 * 1024);
}

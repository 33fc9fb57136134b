//! Entries expire, and the bound holds.

use super::*;

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test(start_paused = true)]
async fn entries_expire() {
    let map: Expiring<String, bool> = Expiring::new(10);
    map.insert("a".to_owned(), true, HOUR);
    map.insert("b".to_owned(), false, HOUR * 2);
    assert_eq!(map.find("a"), Some(true));
    tokio::time::advance(HOUR).await;
    assert_eq!(map.find("a"), None);
    assert_eq!(map.find("b"), Some(false));
}

#[tokio::test(start_paused = true)]
async fn a_full_map_drops_what_expired_before_what_has_not() {
    let map: Expiring<u32, u32> = Expiring::new(10);
    for n in 0..9 {
        map.insert(n, n, HOUR);
    }
    map.insert(100, 100, HOUR * 2);
    tokio::time::advance(HOUR).await;
    map.insert(200, 200, HOUR);
    assert_eq!(map.find(&100), Some(100));
    assert_eq!(map.find(&200), Some(200));
    for n in 0..1000 {
        map.insert(n, n, HOUR);
        assert!(map.entries.lock().unwrap().by_key.len() <= 10);
    }
}

#[tokio::test(start_paused = true)]
async fn renewing_an_entry_of_a_full_map_loses_nothing() {
    let map: Expiring<u32, u32> = Expiring::new(2);
    map.insert(1, 1, HOUR);
    map.insert(2, 2, HOUR);
    map.insert(2, 3, HOUR);
    assert_eq!((map.find(&1), map.find(&2)), (Some(1), Some(3)));
}

#[tokio::test(start_paused = true)]
async fn large_entries_fill_it_sooner() {
    let map: Expiring<u32, String> = Expiring::within(100, 1000, |_, value| value.len());
    for n in 0..1000 {
        map.insert(n % 70, "x".repeat(usize::try_from(n % 300).unwrap()), HOUR);
        let entries = map.entries.lock().unwrap();
        let bytes: usize = entries.by_key.values().map(|entry| entry.value.len()).sum();
        assert_eq!(entries.bytes, bytes);
        assert!(bytes <= 1000);
    }
    map.insert(1, "x".repeat(1001), HOUR);
    assert_eq!(map.find(&1), None);
    map.insert(1, "x".repeat(1000), HOUR);
    map.insert(1, "y".repeat(1000), HOUR);
    assert_eq!(map.find(&1), Some("y".repeat(1000)));
    map.remove(&1);
    assert_eq!(map.entries.lock().unwrap().bytes, 0);
}

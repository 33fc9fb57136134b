//! A bounded map whose entries expire: answers of nexthops about mailboxes, reverse names of clients.
//!
//! When it is full, expired entries go first; if there are none, the map is emptied: what is lost is asked for again.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// A bounded map whose entries expire; shared by reference.
#[derive(Debug)]
pub struct Expiring<K, V> {
    entries: Mutex<HashMap<K, (V, Instant)>>,
    entries_max: usize,
}

impl<K: Eq + Hash, V: Clone> Expiring<K, V> {
    /// An empty map that never holds more than `entries_max`.
    pub fn new(entries_max: usize) -> Expiring<K, V> {
        Expiring {
            entries: Mutex::default(),
            entries_max,
        }
    }

    /// The value of `key`, unless it has expired.
    pub fn find<Q>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let (value, expires) = entries.get(key)?;
        (Instant::now() < *expires).then(|| value.clone())
    }

    /// Forgets one entry.
    pub fn remove<Q>(&self, key: &Q)
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.remove(key);
    }

    /// Remembers `value` for `lifetime`.
    pub fn insert(&self, key: K, value: V, lifetime: Duration) {
        let now = Instant::now();
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= self.entries_max && !entries.contains_key(&key) {
            entries.retain(|_, (_, expires)| now < *expires);
            if entries.len() >= self.entries_max {
                entries.clear();
            }
        }
        entries.insert(key, (value, now + lifetime));
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.entries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}

#[cfg(test)]
mod tests;

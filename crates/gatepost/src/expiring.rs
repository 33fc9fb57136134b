//! A bounded map whose entries expire: answers of nexthops about mailboxes, reverse names of clients.
//!
//! Its bound is a number of entries, and where others choose how large they are, of bytes. When it is full, expired entries go first; if there are none, the map is emptied: what is lost is asked for again.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// A bounded map whose entries expire; shared by reference.
#[derive(Debug)]
pub struct Expiring<K, V> {
    entries: Mutex<Entries<K, V>>,
    entries_max: usize,
    bytes_max: usize,
    bytes_of: fn(&K, &V) -> usize,
}

#[derive(Debug)]
struct Entries<K, V> {
    by_key: HashMap<K, Entry<V>>,
    bytes: usize,
}

#[derive(Debug)]
struct Entry<V> {
    value: V,
    expires: Instant,
    bytes: usize,
}

impl<K: Eq + Hash, V> Entries<K, V> {
    fn retain(&mut self, mut keep: impl FnMut(&Entry<V>) -> bool) {
        let bytes = &mut self.bytes;
        self.by_key.retain(|_, entry| {
            let is_kept = keep(entry);
            if !is_kept {
                *bytes -= entry.bytes;
            }
            is_kept
        });
    }

    fn remove<Q>(&mut self, key: &Q)
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        if let Some(entry) = self.by_key.remove(key) {
            self.bytes -= entry.bytes;
        }
    }
}

impl<K: Eq + Hash, V: Clone> Expiring<K, V> {
    /// An empty map that never holds more than `entries_max`.
    pub fn new(entries_max: usize) -> Expiring<K, V> {
        Expiring::within(entries_max, usize::MAX, |_, _| 0)
    }

    /// An empty map that never holds more than `entries_max`, nor more than `bytes_max` as `bytes_of` counts what an entry
    /// takes.
    pub fn within(
        entries_max: usize,
        bytes_max: usize,
        bytes_of: fn(&K, &V) -> usize,
    ) -> Expiring<K, V> {
        Expiring {
            entries: Mutex::new(Entries {
                by_key: HashMap::new(),
                bytes: 0,
            }),
            entries_max,
            bytes_max,
            bytes_of,
        }
    }

    /// The value of `key`, unless it has expired.
    pub fn find<Q>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = entries.by_key.get(key)?;
        (Instant::now() < entry.expires).then(|| entry.value.clone())
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
        let bytes = (self.bytes_of)(&key, &value);
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.remove(&key);
        let is_full = |entries: &Entries<K, V>| {
            entries.by_key.len() >= self.entries_max
                || entries.bytes.saturating_add(bytes) > self.bytes_max
        };
        if is_full(&entries) {
            entries.retain(|entry| now < entry.expires);
            if is_full(&entries) {
                entries.retain(|_| false);
            }
        }
        if bytes > self.bytes_max {
            return;
        }
        entries.bytes += bytes;
        let expires = now + lifetime;
        let entry = Entry {
            value,
            expires,
            bytes,
        };
        entries.by_key.insert(key, entry);
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.entries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|_| false);
    }
}

#[cfg(test)]
mod tests;

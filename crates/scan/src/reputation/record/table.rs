//! The table of all keys: in parts, each under a lock of its own, each within its share of the bytes.
//!
//! A part that is full forgets those keys that would be forgotten soonest, an eighth at a time: whoever floods it with
//! names or addresses forgets his own first, since nothing else is known of them.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};

use hashbrown::HashMap;

use super::{Class, Entry, Key, Lesson, RecordSettings, Tally, class};

/// Parts of the table.
const PARTS: usize = 16;

/// Keys that a part holds however small its share is.
const KEYS_MIN: usize = 64;

/// What is kept of one key.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Kept {
    pub(super) tally: Tally,
    /// As of when the counters stand.
    pub(super) updated: u32,
    pub(super) first_seen: u32,
    /// What it was called when it was last heard of.
    pub(super) class: Class,
}

/// How much the record holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Keys of which something is known.
    pub keys: usize,
    /// Bytes of memory that they take.
    pub bytes: usize,
}

#[derive(Debug)]
pub(super) struct Table {
    parts: Vec<Mutex<Part>>,
    hasher: RandomState,
    settings: RwLock<RecordSettings>,
}

#[derive(Debug)]
struct Part {
    by_key: HashMap<Key, Kept, RandomState>,
    /// Bytes of names.
    heap_bytes: usize,
}

impl Table {
    pub(super) fn new(settings: RecordSettings) -> Table {
        let hasher = RandomState::new();
        let part = |_| {
            Mutex::new(Part {
                by_key: HashMap::with_hasher(hasher.clone()),
                heap_bytes: 0,
            })
        };
        Table {
            parts: (0..PARTS).map(part).collect(),
            hasher: RandomState::new(),
            settings: RwLock::new(settings),
        }
    }

    pub(super) fn settings(&self) -> RecordSettings {
        *self.settings.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set(&self, settings: RecordSettings) {
        *self
            .settings
            .write()
            .unwrap_or_else(PoisonError::into_inner) = settings;
    }

    pub(super) fn learn(&self, key: Key, lesson: Lesson, now: u32) {
        let settings = self.settings();
        let Some(mut part) = self.part(&key) else {
            return;
        };
        if let Some(kept) = part.by_key.get_mut(&key) {
            kept.learn(&key, lesson, now, &settings);
            return;
        }
        let mut kept = Kept {
            updated: now,
            first_seen: now,
            ..Kept::default()
        };
        kept.learn(&key, lesson, now, &settings);
        part.insert(key, kept, now, &settings);
    }

    /// Puts what a snapshot has of a key.
    pub(super) fn restore(&self, key: Key, kept: Kept, now: u32) {
        let settings = self.settings();
        if kept.forgotten_at(&settings) <= now {
            return;
        }
        if let Some(mut part) = self.part(&key) {
            part.insert(key, kept, now, &settings);
        }
    }

    pub(super) fn entry(&self, key: &Key, now: u32) -> Option<Entry> {
        let settings = self.settings();
        let mut kept = *self.part(key)?.by_key.get(key)?;
        if kept.forgotten_at(&settings) <= now {
            return None;
        }
        let last_seen = kept.updated;
        kept.tally.age(&mut kept.updated, now, settings.half_life);
        let class = kept.class_now(key, now, &settings);
        let until = (class >= Class::Suspect).then(|| {
            let measures = &settings.measures;
            let better = measures.seconds_until_better(key, &kept.tally, class, settings.half_life);
            now.saturating_add(better)
        });
        Some(Entry {
            until,
            reason: class::reason(&settings.measures, key, &kept.tally, class),
            key: key.clone(),
            tally: kept.tally,
            class,
            first_seen: kept.first_seen,
            last_seen,
        })
    }

    pub(super) fn forget(&self, key: &Key) -> bool {
        let Some(mut part) = self.part(key) else {
            return false;
        };
        let known = part.by_key.remove(key).is_some();
        if known {
            part.heap_bytes = part.heap_bytes.saturating_sub(key.heap_bytes());
        }
        known
    }

    pub(super) fn tidy_up(&self, now: u32) {
        let settings = self.settings();
        for part in &self.parts {
            lock(part).retain(|kept| kept.forgotten_at(&settings) > now);
        }
    }

    pub(super) fn usage(&self) -> Usage {
        self.parts.iter().fold(Usage::default(), |usage, part| {
            let part = lock(part);
            Usage {
                keys: usage.keys + part.by_key.len(),
                bytes: usage.bytes + part.bytes(),
            }
        })
    }

    /// Every key, one part after the other: nobody waits longer than one part takes.
    pub(super) fn each_part(&self, mut see: impl FnMut(&mut dyn Iterator<Item = (&Key, &Kept)>)) {
        for part in &self.parts {
            let part = lock(part);
            see(&mut part.by_key.iter());
        }
    }

    fn part(&self, key: &Key) -> Option<MutexGuard<'_, Part>> {
        let hash = self.hasher.hash_one(key);
        let index = usize::try_from(hash % PARTS as u64).ok()?;
        self.parts.get(index).map(lock)
    }
}

impl Kept {
    fn learn(&mut self, key: &Key, lesson: Lesson, now: u32, settings: &RecordSettings) {
        self.tally.age(&mut self.updated, now, settings.half_life);
        self.tally.learn(lesson);
        self.class = self.class_now(key, now, settings);
    }

    fn class_now(&self, key: &Key, now: u32, settings: &RecordSettings) -> Class {
        let known = now.saturating_sub(self.first_seen);
        settings.measures.class(key, &self.tally, self.class, known)
    }

    fn forgotten_at(&self, settings: &RecordSettings) -> u32 {
        self.tally.forgotten_at(self.updated, settings.half_life)
    }
}

impl Part {
    fn bytes(&self) -> usize {
        self.by_key.allocation_size() + self.heap_bytes
    }

    fn insert(&mut self, key: Key, kept: Kept, now: u32, settings: &RecordSettings) {
        self.make_room(&key, now, settings);
        let heap_bytes = key.heap_bytes();
        if self.by_key.insert(key, kept).is_none() {
            self.heap_bytes += heap_bytes;
        }
    }

    /// Forgets until one more key fits.
    fn make_room(&mut self, key: &Key, now: u32, settings: &RecordSettings) {
        let share = settings.memory_max / PARTS;
        for _ in 0..self.by_key.len() {
            let grown = if self.by_key.len() < self.by_key.capacity() {
                self.by_key.allocation_size()
            } else {
                // It doubles when it grows.
                self.by_key.allocation_size() * 2
            };
            if grown + self.heap_bytes + key.heap_bytes() <= share || self.by_key.len() < KEYS_MIN {
                return;
            }
            self.forget_some(now, settings);
        }
    }

    /// Forgets what no longer counts, and of the rest those that would be forgotten soonest: an eighth in all, so that
    /// looking at all of them is paid for by as many that are new.
    fn forget_some(&mut self, now: u32, settings: &RecordSettings) {
        let wanted = self.by_key.len() / 8 + 1;
        let before = self.by_key.len();
        self.retain(|kept| kept.forgotten_at(settings) > now);
        let mut left = wanted.saturating_sub(before - self.by_key.len());
        if left == 0 || left > self.by_key.len() {
            return;
        }
        let mut ends: Vec<u32> = self
            .by_key
            .values()
            .map(|kept| kept.forgotten_at(settings))
            .collect();
        let (_, bound, _) = ends.select_nth_unstable(left - 1);
        let bound = *bound;
        // Of those that end together as many as it takes.
        self.retain(|kept| {
            let goes = left > 0 && kept.forgotten_at(settings) <= bound;
            left -= usize::from(goes);
            !goes
        });
    }

    fn retain(&mut self, mut keep: impl FnMut(&Kept) -> bool) {
        let heap_bytes = &mut self.heap_bytes;
        self.by_key.retain(|key, kept| {
            let is_kept = keep(kept);
            if !is_kept {
                *heap_bytes = heap_bytes.saturating_sub(key.heap_bytes());
            }
            is_kept
        });
    }
}

fn lock(part: &Mutex<Part>) -> MutexGuard<'_, Part> {
    part.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;

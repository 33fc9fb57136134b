//! A map from a million domains to small numbers, in one piece of memory.
//!
//! All names stand one after the other in one buffer; the hash table holds eight bytes for each. Names are hashed
//! with a random key: whoever orders a domain cannot choose where it lands.

use std::fmt;
use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;

/// Keys of at most 255 bytes and the numbers they stand for.
#[derive(Clone, Default)]
pub struct DomainMap {
    /// Of each key, its length in one byte, then itself.
    keys: Vec<u8>,
    slots: HashTable<Slot>,
    hasher: RandomState,
}

#[derive(Clone, Copy)]
struct Slot {
    /// Where the key starts in `keys`.
    start: u32,
    number: u32,
}

/// Why a key was not inserted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InsertError {
    /// It is there, with this number.
    Taken(u32),
    /// It is longer than 255 bytes, or all keys together would be longer than 4 GiB.
    TooLarge,
}

impl DomainMap {
    /// Puts a key in.
    ///
    /// # Errors
    /// If it is in already, or there is no room.
    pub fn insert(&mut self, key: &str, number: u32) -> Result<(), InsertError> {
        let length = u8::try_from(key.len()).map_err(|_| InsertError::TooLarge)?;
        let start = u32::try_from(self.keys.len()).map_err(|_| InsertError::TooLarge)?;
        if let Some(taken) = self.find(key) {
            return Err(InsertError::Taken(taken));
        }
        self.keys.push(length);
        self.keys.extend_from_slice(key.as_bytes());
        let DomainMap {
            keys,
            slots,
            hasher,
        } = self;
        slots.insert_unique(
            hasher.hash_one(key.as_bytes()),
            Slot { start, number },
            |slot| hasher.hash_one(key_at(keys, slot.start)),
        );
        Ok(())
    }

    /// The number of this key.
    pub fn find(&self, key: &str) -> Option<u32> {
        let key = key.as_bytes();
        self.slots
            .find(self.hasher.hash_one(key), |slot| {
                key_at(&self.keys, slot.start) == key
            })
            .map(|slot| slot.number)
    }

    /// How many keys are in.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Bytes of memory that it takes.
    pub fn memory(&self) -> usize {
        self.keys.capacity() + self.slots.allocation_size()
    }

    /// Gives back memory that was taken for growing.
    pub fn shrink(&mut self) {
        self.keys.shrink_to_fit();
        let DomainMap {
            keys,
            slots,
            hasher,
        } = self;
        slots.shrink_to_fit(|slot| hasher.hash_one(key_at(keys, slot.start)));
    }
}

impl fmt::Debug for DomainMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DomainMap({} domains)", self.len())
    }
}

/// The key that starts here; only starts that `insert` gave out are asked for.
fn key_at(keys: &[u8], start: u32) -> &[u8] {
    let rest = keys.get(start as usize..).unwrap_or_default();
    match rest.split_first() {
        Some((&length, rest)) => rest.get(..usize::from(length)).unwrap_or_default(),
        None => &[],
    }
}

#[cfg(test)]
mod tests;

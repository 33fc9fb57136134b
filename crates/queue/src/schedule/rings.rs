//! Rings for round robin, tidied lazily.
//!
//! Whoever is put into a ring gets a stamp that is never used again; an entry whose stamp is not its owner's any more is void.
//! So nothing is ever searched for in a ring, and ids may be used again.

use std::collections::VecDeque;

use super::Schedule;

/// What may be granted a slot, or woken by a timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Unit {
    /// A lane that leads to no known site.
    Lane(u32),
    /// A customer's share of a site.
    Share(u32),
    /// A site (timers only).
    Site(u32),
}

/// A ring of things with stamps; 0 is nobody's stamp.
#[derive(Debug)]
pub(super) struct Ring<T>(VecDeque<(T, u64)>);

impl<T> Default for Ring<T> {
    fn default() -> Ring<T> {
        Ring(VecDeque::new())
    }
}

impl<T: Copy> Ring<T> {
    pub(super) fn push(&mut self, thing: T, stamp: u64) {
        self.0.push_back((thing, stamp));
    }

    pub(super) fn push_front(&mut self, thing: T, stamp: u64) {
        self.0.push_front((thing, stamp));
    }

    pub(super) fn pop(&mut self) -> Option<(T, u64)> {
        let popped = self.0.pop_front();
        if self.0.is_empty() && self.0.capacity() > 64 {
            self.0 = VecDeque::new();
        }
        popped
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Schedule {
    /// A stamp that nobody has.
    pub(super) fn new_stamp(&mut self) -> u64 {
        self.stamp += 1;
        self.stamp
    }
}

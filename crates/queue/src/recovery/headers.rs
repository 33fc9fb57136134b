//! What the headers of segments say of each other: where an earlier one ends, and which holds more than it says.

use std::collections::{BTreeSet, HashMap};
use std::io;

use crate::record::{HEADER_BYTES, SegmentHeader};
use crate::store::{Part, Store};

/// What the headers of the segments say of each other.
#[derive(Default)]
pub(super) struct Headers {
    /// Where segments end that a later one names: what stands behind was refused.
    ends: HashMap<u32, u64>,
    /// Segments that say so of one that holds more.
    pub(super) pins: HashMap<u32, u32>,
    /// Those that have a whole header, in order.
    whole: BTreeSet<u32>,
    /// Those that the disk did not give away.
    unread: BTreeSet<u32>,
}

impl Headers {
    pub(super) fn read(&mut self, store: &Store, number: u32) {
        let mut bytes = [0; HEADER_BYTES];
        let read = store
            .file(number, Part::Log)
            .and_then(|file| file.read_at(0, &mut bytes));
        if read.is_err() {
            self.unread.insert(number);
            return;
        }
        self.unread.remove(&number);
        let Some(header) = SegmentHeader::decode(&bytes) else {
            return;
        };
        self.whole.insert(number);
        if let Ok(before) = u32::try_from(header.before)
            && before != 0
        {
            self.ends.insert(before, header.before_end);
            if header.cut {
                self.pins.insert(number, before);
            }
        }
    }

    /// Where this segment ends if a later one says so. The next later one with a header would be the one to say it.
    pub(super) fn end(&mut self, store: &Store, number: u32) -> io::Result<Option<u64>> {
        for later in self.unread.clone() {
            self.read(store, later);
        }
        if let Some(&end) = self.ends.get(&number) {
            return Ok(Some(end));
        }
        let next = self.whole.range(number.saturating_add(1)..).next();
        let hidden = self.unread.range(number..).next();
        match hidden {
            Some(hidden) if next.is_none_or(|next| hidden < next) => Err(io::Error::other(
                format!("the header of {hidden:08x} cannot be read"),
            )),
            _ => Ok(None),
        }
    }
}

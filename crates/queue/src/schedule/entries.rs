//! The small things that there are many of: parcels in a slab, and the lists that run through it.

use super::{Millis, Waiting};

const CHUNK: usize = 4096;
/// No entry.
const NIL: u32 = u32::MAX;

/// Things by small numbers, in chunks, so that growth copies nothing and wastes at most a chunk.
#[derive(Debug)]
pub(super) struct Slab<T> {
    chunks: Vec<Vec<Option<T>>>,
    free: Vec<u32>,
    len: usize,
}

impl<T> Default for Slab<T> {
    fn default() -> Slab<T> {
        Slab {
            chunks: Vec::new(),
            free: Vec::new(),
            len: 0,
        }
    }
}

impl<T> Slab<T> {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn at(&self, id: u32) -> Option<&T> {
        let id = id as usize;
        self.chunks.get(id / CHUNK)?.get(id % CHUNK)?.as_ref()
    }

    pub(super) fn at_mut(&mut self, id: u32) -> Option<&mut T> {
        let id = id as usize;
        self.chunks
            .get_mut(id / CHUNK)?
            .get_mut(id % CHUNK)?
            .as_mut()
    }

    /// Puts a thing into a free place, or a new one. There are never as many as 2^32: memory ends before.
    pub(super) fn put(&mut self, thing: T) -> u32 {
        self.len += 1;
        if let Some(id) = self.free.pop() {
            let place = id as usize;
            let chunk = self.chunks.get_mut(place / CHUNK);
            if let Some(place) = chunk.and_then(|chunk| chunk.get_mut(place % CHUNK)) {
                *place = Some(thing);
            }
            return id;
        }
        if self.chunks.last().is_none_or(|chunk| chunk.len() == CHUNK) {
            // The first chunk grows as needed: most slabs stay small.
            let room = if self.chunks.is_empty() { 0 } else { CHUNK };
            self.chunks.push(Vec::with_capacity(room));
        }
        let full = (self.chunks.len() - 1) * CHUNK;
        let Some(chunk) = self.chunks.last_mut() else {
            return NIL;
        };
        chunk.push(Some(thing));
        u32::try_from(full + chunk.len() - 1).unwrap_or(NIL)
    }

    pub(super) fn free(&mut self, id: u32) -> Option<T> {
        let place = id as usize;
        let chunk = self.chunks.get_mut(place / CHUNK)?;
        let thing = chunk.get_mut(place % CHUNK)?.take()?;
        self.len -= 1;
        if self.len == 0 {
            *self = Slab::default();
        } else {
            self.free.push(id);
        }
        Some(thing)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        let things = self.chunks.iter().flatten();
        (0u32..)
            .zip(things)
            .filter_map(|(id, thing)| Some((id, thing.as_ref()?)))
    }
}

/// Where a parcel is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Due in its lane, never tried.
    Fresh,
    /// Due in its lane, tried before.
    Again,
    /// Its time has not come.
    Waiting,
    /// Held by an operator.
    Held,
    /// With the caller, to be delivered.
    Out,
    /// With the caller, whose delay is reported.
    Warning,
    /// With the caller, whose end is reported.
    Expiring,
}

impl Place {
    /// Whether the caller has it.
    pub(super) fn is_out(self) -> bool {
        matches!(self, Place::Out | Place::Warning | Place::Expiring)
    }
}

/// A parcel.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) message: u64,
    pub(super) due: Millis,
    /// When a delay is reported; 0 for never, or if it was.
    pub(super) warn: Millis,
    pub(super) expires: Millis,
    pub(super) lane: u32,
    pub(super) recipients: u32,
    before: u32,
    behind: u32,
    pub(super) attempts: u16,
    pub(super) place: Place,
    /// Whether it is held as soon as the caller gives it back.
    pub(super) hold: bool,
    /// Whether the agenda has it.
    pub(super) listed: bool,
}

impl Entry {
    pub(super) fn new(lane: u32, parcel: &Waiting, place: Place) -> Entry {
        Entry {
            message: parcel.message,
            due: parcel.due,
            warn: parcel.warn.unwrap_or_default(),
            expires: parcel.expires,
            lane,
            recipients: parcel.recipients,
            before: NIL,
            behind: NIL,
            attempts: u16::try_from(parcel.attempts).unwrap_or(u16::MAX),
            place,
            hold: false,
            listed: false,
        }
    }

    /// When the agenda looks at it next.
    pub(super) fn listed_at(&self) -> Millis {
        if self.warn == Millis(0) {
            self.expires
        } else {
            self.warn.min(self.expires)
        }
    }
}

/// A list through the slab of entries.
#[derive(Clone, Copy, Debug)]
pub(super) struct List {
    first: u32,
    last: u32,
    pub(super) len: u32,
}

impl Default for List {
    fn default() -> List {
        List {
            first: NIL,
            last: NIL,
            len: 0,
        }
    }
}

impl List {
    pub(super) fn first(&self) -> Option<u32> {
        (self.first != NIL).then_some(self.first)
    }

    pub(super) fn push(&mut self, entries: &mut Slab<Entry>, id: u32) {
        let last = self.last;
        let Some(entry) = entries.at_mut(id) else {
            return;
        };
        entry.before = last;
        entry.behind = NIL;
        match entries.at_mut(last) {
            Some(last) => last.behind = id,
            None => self.first = id,
        }
        self.last = id;
        self.len += 1;
    }

    /// Takes out an entry that is in this list.
    pub(super) fn unlink(&mut self, entries: &mut Slab<Entry>, id: u32) {
        let Some(entry) = entries.at_mut(id) else {
            return;
        };
        let (before, behind) = (entry.before, entry.behind);
        entry.before = NIL;
        entry.behind = NIL;
        match entries.at_mut(before) {
            Some(before) => before.behind = behind,
            None => self.first = behind,
        }
        match entries.at_mut(behind) {
            Some(behind) => behind.before = before,
            None => self.last = before,
        }
        self.len -= 1;
    }
}

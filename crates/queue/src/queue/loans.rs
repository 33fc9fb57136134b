//! Contents that were read from the disk and are lent to deliveries: one copy for all parcels of a message, and so many bytes at
//! a time. Whoever does not fit waits its turn.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::shared::Shared;
use crate::{Envelope, QueuedMessage, ReadError};

/// What the bound is counted in.
const UNIT_BYTES: u64 = 1024;
/// Contents up to this size, or a 64th of all room, are lent without counting: as many as there may be connections are still few
/// bytes, and no small message waits behind large ones whose servers take their time.
const FREE_BYTES_MAX: u64 = 256 * 1024;
const FREE_SHARE: u64 = 64;

/// The contents that are out.
pub(crate) struct Loans {
    room: Arc<Semaphore>,
    units: u32,
    free_bytes_max: u64,
    /// Whoever reads a message holds its place: the others find what was read.
    out: Mutex<HashMap<u64, Arc<Place>>>,
}

type Place = tokio::sync::Mutex<Weak<Loan>>;

/// One content. Its room is free again when the last delivery lets go of it.
struct Loan {
    id: u64,
    envelope: Arc<Envelope>,
    content: Bytes,
    loans: Arc<Loans>,
    _room: Option<OwnedSemaphorePermit>,
}

/// Somebody who reads a message, or gives that up.
struct At<'a> {
    loans: &'a Loans,
    id: u64,
    place: Arc<Place>,
}

impl Drop for At<'_> {
    fn drop(&mut self) {
        // Given up under the lock of the table: of two that drop at the same time the second one sees that it is the last.
        let mut out = self.loans.out();
        self.place = Arc::default();
        tidy(&mut out, self.id);
    }
}

/// Keeps the loan, for as long as there is a handle of the bytes.
struct Lent(Arc<Loan>);

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.0.content
    }
}

impl Loans {
    /// So many bytes at a time.
    pub(crate) fn new(bytes_max: u64) -> Arc<Loans> {
        let units = u32::try_from(bytes_max / UNIT_BYTES)
            .unwrap_or(u32::MAX)
            .max(1);
        Arc::new(Loans {
            room: Arc::new(Semaphore::new(units as usize)),
            units,
            free_bytes_max: FREE_BYTES_MAX.min(bytes_max / FREE_SHARE),
            out: Mutex::default(),
        })
    }

    fn out(&self) -> MutexGuard<'_, HashMap<u64, Arc<Place>>> {
        self.out.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Messages that are remembered.
    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        self.out().len()
    }

    fn at(&self, id: u64) -> At<'_> {
        let place = Arc::clone(self.out().entry(id).or_default());
        At {
            loans: self,
            id,
            place,
        }
    }

    /// One that is larger than all room has it for itself.
    async fn room(&self, bytes: u64) -> Option<OwnedSemaphorePermit> {
        let units = u32::try_from(bytes.div_ceil(UNIT_BYTES)).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.room);
        room.acquire_many_owned(units.clamp(1, self.units))
            .await
            .ok()
    }
}

/// Forgets the place of a message that nobody has, and nobody is about to read: then only the table knows it.
fn tidy(out: &mut HashMap<u64, Arc<Place>>, id: u64) {
    let is_idle = out.get(&id).is_some_and(|place| {
        Arc::strong_count(place) == 1 && place.try_lock().is_ok_and(|loan| loan.strong_count() == 0)
    });
    if is_idle {
        out.remove(&id);
    }
}

impl Loan {
    fn lend(self: Arc<Loan>) -> QueuedMessage {
        QueuedMessage {
            envelope: Arc::clone(&self.envelope),
            content: Bytes::from_owner(Lent(self)),
        }
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        tidy(&mut self.loans.out(), self.id);
    }
}

impl Shared {
    /// The message, read from the disk unless a delivery has it already. Waits until there is room.
    pub(super) async fn borrow(&self, id: u64) -> Result<QueuedMessage, ReadError> {
        let at = self.loans.at(id);
        let mut loan = at.place.lock().await;
        if let Some(loan) = loan.upgrade() {
            return Ok(loan.lend());
        }
        let taken = self.take_loan(id).await?;
        *loan = Arc::downgrade(&taken);
        Ok(taken.lend())
    }

    async fn take_loan(&self, id: u64) -> Result<Arc<Loan>, ReadError> {
        let closed = || ReadError::Fault("the queue is closed".to_owned());
        let store = Arc::clone(&self.store);
        let asked = self.jobs.run(move || store.content_bytes(id));
        let bytes = asked.ok_or_else(closed)?.await.map_err(|_| closed())??;
        let room = match bytes <= self.loans.free_bytes_max {
            true => None,
            false => Some(self.loans.room(bytes).await.ok_or_else(closed)?),
        };
        let store = Arc::clone(&self.store);
        let asked = self.jobs.run(move || store.read(id, true));
        let record = asked.ok_or_else(closed)?.await.map_err(|_| closed())??;
        Ok(Arc::new(Loan {
            id,
            envelope: Arc::new(record.envelope),
            content: record.content,
            loans: Arc::clone(&self.loans),
            _room: room,
        }))
    }
}

#[cfg(test)]
mod tests;

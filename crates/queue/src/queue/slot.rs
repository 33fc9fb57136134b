//! The right to one more connection.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Shared;
use crate::schedule::{SlotId, Take};
use crate::{Entered, LaneKey, Parcel, Quota, SiteFault, SiteLimits, Taken};

/// The right to one more connection for a lane. Dropping it gives it back.
#[derive(Debug)]
pub struct Slot {
    shared: Arc<Shared>,
    id: SlotId,
    lane: LaneKey,
    is_over: bool,
}

impl Slot {
    pub(crate) fn new(shared: Arc<Shared>, id: SlotId, lane: LaneKey) -> Slot {
        Slot {
            shared,
            id,
            lane,
            is_over: false,
        }
    }

    /// The lane that it was granted for.
    pub fn lane(&self) -> &LaneKey {
        &self.lane
    }

    /// It leads to this site, which is held to these limits and shares these quotas with others.
    pub fn enter(&mut self, site: &str, limits: &SiteLimits, quotas: &[Quota]) -> Entered {
        let entered =
            self.shared
                .plan()
                .schedule
                .enter(self.id, site, limits, quotas, self.shared.now());
        self.shared.rouse();
        entered
    }

    /// The next parcel. Before [`Slot::enter`] those of the lane, to fail them all; afterwards the next due of any lane of
    /// the site.
    pub fn take(&mut self) -> Taken {
        let mut plan = self.shared.plan();
        match plan.schedule.take(self.id, self.shared.now()) {
            Take::Parcel(id) => Taken::Parcel(self.shared.parcel(&plan, id, false, false)),
            Take::Wait(wait) => Taken::Wait(wait),
            Take::Nothing => Taken::Nothing,
        }
    }

    /// The same, but waits a little for more, so that a connection is used again.
    pub async fn take_within(&mut self, idle: Duration) -> Option<Parcel> {
        let shared = Arc::clone(&self.shared);
        let end = Instant::now() + idle;
        loop {
            let wake = shared.wake.notified();
            let mut wake = pin!(wake);
            wake.as_mut().enable();
            let left = end.saturating_duration_since(Instant::now());
            let wait = match self.take() {
                Taken::Parcel(parcel) => return Some(parcel),
                Taken::Wait(wait) if wait > left => return None,
                Taken::Wait(wait) => wait,
                Taken::Nothing => left,
            };
            if left.is_zero() || shared.store.health().closed {
                return None;
            }
            drop(tokio::time::timeout(wait, wake).await);
        }
    }

    /// A transaction was finished: the site's window grows.
    pub fn worked(&mut self) {
        self.shared
            .plan()
            .schedule
            .worked(self.id, self.shared.now());
        self.shared.rouse();
    }

    /// The site has too much to do (421, or 4xx to MAIL or in the greeting): its window halves.
    pub fn busy(&mut self) {
        self.shared.plan().schedule.busy(self.id, self.shared.now());
    }

    /// Nobody could be reached: the site, or the lane if none was entered, is left alone, longer each time.
    pub fn failed(mut self, fault: SiteFault) {
        self.is_over = true;
        self.shared
            .plan()
            .schedule
            .failed(self.id, fault, self.shared.now());
        self.shared.rouse();
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if !self.is_over {
            self.shared
                .plan()
                .schedule
                .release(self.id, self.shared.now());
            self.shared.rouse();
        }
    }
}

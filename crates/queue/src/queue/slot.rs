//! The right to one more connection.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::shared::{Plan, Shared};
use crate::schedule::{SlotId, Take};
use crate::{BackOff, Entered, LaneKey, Parcel, Quota, SiteFault, SiteLimits, Taken};

/// The right to one more connection for a lane. Dropping it gives it back.
#[derive(Debug)]
pub struct Slot {
    shared: Arc<Shared>,
    id: SlotId,
    lane: LaneKey,
    is_over: bool,
    /// Rung when there is a parcel for it, while it lingers.
    bell: Arc<Notify>,
    lingers: bool,
}

impl Slot {
    pub(crate) fn new(shared: Arc<Shared>, id: SlotId, lane: LaneKey) -> Slot {
        Slot {
            shared,
            id,
            lane,
            is_over: false,
            bell: Arc::default(),
            lingers: false,
        }
    }

    /// The lane that it was granted for.
    pub fn lane(&self) -> &LaneKey {
        &self.lane
    }

    /// It leads to this site, which is held to these limits and shares these quotas with others.
    pub fn enter(&mut self, site: &str, limits: &SiteLimits, quotas: &[Quota]) -> Entered {
        let now = self.shared.now();
        let mut plan = self.shared.plan();
        let entered = plan.schedule.enter(self.id, site, limits, quotas, now);
        self.shared.let_go(plan);
        entered
    }

    /// The next parcel. Before [`Slot::enter`] those of the lane, to fail them all; afterwards the next due of any lane of
    /// the site.
    pub fn take(&mut self) -> Taken {
        let shared = Arc::clone(&self.shared);
        let mut plan = shared.plan();
        let taken = self.take_from(&mut plan);
        shared.let_go(plan);
        taken
    }

    fn take_from(&mut self, plan: &mut Plan) -> Taken {
        match plan.schedule.take(self.id, self.shared.now()) {
            Take::Parcel(id) => Taken::Parcel(self.shared.parcel(plan, id, false)),
            Take::Wait(wait) => Taken::Wait(wait),
            Take::Nothing => Taken::Nothing,
        }
    }

    /// The same, but waits a little for more, so that a connection is used again.
    pub async fn take_within(&mut self, idle: Duration) -> Option<Parcel> {
        let shared = Arc::clone(&self.shared);
        let end = Instant::now() + idle;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let wait = {
                let mut plan = shared.plan();
                self.stop_lingering(&mut plan);
                let taken = self.take_from(&mut plan);
                if let Taken::Nothing = taken {
                    plan.linger(self.id, &self.bell);
                    self.lingers = true;
                }
                shared.let_go(plan);
                match taken {
                    Taken::Parcel(parcel) => return Some(parcel),
                    Taken::Wait(wait) if wait > left => return None,
                    Taken::Wait(wait) => wait,
                    Taken::Nothing => left,
                }
            };
            if left.is_zero() || shared.store.health().closed {
                return None;
            }
            drop(tokio::time::timeout(wait, self.bell.notified()).await);
        }
    }

    fn stop_lingering(&mut self, plan: &mut Plan) {
        if std::mem::take(&mut self.lingers) {
            plan.stop_lingering(self.id);
        }
    }

    /// A transaction was finished: the site's window grows.
    pub fn worked(&mut self) {
        let mut plan = self.shared.plan();
        plan.schedule.worked(self.id, self.shared.now());
        self.shared.let_go(plan);
    }

    /// The site has too much to do (421, or 4xx to MAIL or in the greeting): its window halves.
    pub fn busy(&mut self) {
        let mut plan = self.shared.plan();
        plan.schedule.busy(self.id, self.shared.now());
        self.shared.let_go(plan);
    }

    /// Nobody could be reached: the site is left alone as its limits say, or the lane if none was entered as `back_off` says,
    /// longer each time.
    pub fn failed(mut self, fault: SiteFault, back_off: BackOff) {
        self.is_over = true;
        let shared = Arc::clone(&self.shared);
        let mut plan = shared.plan();
        self.stop_lingering(&mut plan);
        plan.schedule.failed(self.id, fault, back_off, shared.now());
        shared.let_go(plan);
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        let shared = Arc::clone(&self.shared);
        let mut plan = shared.plan();
        self.stop_lingering(&mut plan);
        plan.schedule.release(self.id, shared.now());
        shared.let_go(plan);
    }
}

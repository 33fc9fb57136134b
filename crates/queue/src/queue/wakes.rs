//! Who is woken when the schedule changes: whoever begins what is due, and connections that wait for one more message.
//!
//! A message wakes one connection of its site, the one that was at work last: the others may be given up. Whoever begins what
//! is due sleeps on unless there is something to grant, or something is due earlier than it knows.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use tokio::sync::Notify;

use super::Queue;
use super::shared::{Plan, Shared};
use super::slot::Slot;
use crate::Task;
use crate::schedule::{Millis, Next, ParcelId, SlotId};

/// Who waits for what.
#[derive(Default)]
pub(super) struct Wakes {
    /// Connections that wait for one more message, by site; the last came last.
    lingering: HashMap<u32, Vec<(SlotId, Arc<Notify>)>>,
    /// Those that are to be woken once the lock is let go.
    bells: Vec<Arc<Notify>>,
    /// When whoever begins what is due looks again by itself; `None` while it is awake.
    looks_at: Option<Millis>,
}

impl Plan {
    /// A slot waits for a parcel of its site.
    pub(super) fn linger(&mut self, slot: SlotId, bell: &Arc<Notify>) {
        if let Some(site) = self.schedule.slot_site(slot) {
            let waiting = self.wakes.lingering.entry(site).or_default();
            waiting.push((slot, Arc::clone(bell)));
        }
    }

    /// It waits no longer.
    pub(super) fn stop_lingering(&mut self, slot: SlotId) {
        let Some(site) = self.schedule.slot_site(slot) else {
            return;
        };
        let lingering = &mut self.wakes.lingering;
        if let Some(waiting) = lingering.get_mut(&site) {
            waiting.retain(|(id, _)| *id != slot);
            if waiting.is_empty() {
                lingering.remove(&site);
            }
        }
    }

    /// A parcel is due now: whoever waits for one of its site is woken.
    pub(super) fn offer(&mut self, parcel: ParcelId) {
        if self.wakes.lingering.is_empty() {
            return;
        }
        let site = self.schedule.parcel_site(parcel);
        let waiting = site.and_then(|site| self.wakes.lingering.get_mut(&site));
        if let Some((_, bell)) = waiting.and_then(Vec::pop) {
            self.wakes.bells.push(bell);
        }
    }
}

impl Shared {
    /// Lets the schedule go after a change, and wakes whoever has something to do by it.
    pub(super) fn let_go(&self, mut plan: MutexGuard<'_, Plan>) {
        let bells = std::mem::take(&mut plan.wakes.bells);
        let is_earlier = match (plan.wakes.looks_at, plan.schedule.wake_at()) {
            (Some(looks_at), Some(wake_at)) => wake_at < looks_at,
            (_, None) | (None, _) => false,
        };
        let begins = is_earlier || plan.schedule.may_grant();
        drop(plan);
        for bell in bells {
            bell.notify_one();
        }
        if begins {
            self.wake.notify_one();
        }
    }

    /// Wakes everybody: what is due may be quite another thing by now.
    pub(crate) fn rouse(&self) {
        let lingering = std::mem::take(&mut self.plan().wakes.lingering);
        for (_, bell) in lingering.into_values().flatten() {
            bell.notify_one();
        }
        self.wake.notify_one();
    }

    /// Something to do, or how long there is nothing.
    pub(crate) fn look(self: &Arc<Shared>) -> Result<Task, Option<Duration>> {
        let mut plan = self.plan();
        let now = self.now();
        plan.wakes.looks_at = None;
        match plan.schedule.next(now) {
            Next::Slot(id) => {
                let lane = plan
                    .schedule
                    .slot_lane(id)
                    .cloned()
                    .ok_or(Some(Duration::ZERO))?;
                Ok(Task::Deliver(Slot::new(Arc::clone(self), id, lane)))
            }
            Next::Warn(id) => Ok(Task::Warn(self.parcel(&plan, id, true))),
            Next::Expire(id) => Ok(Task::Expire(self.parcel(&plan, id, false))),
            Next::Wait(until) => {
                plan.wakes.looks_at = Some(until.unwrap_or(Millis(u64::MAX)));
                Err(until.map(|until| now.until(until)))
            }
        }
    }
}

impl Queue {
    /// Waits for something to do. One caller at a time: who waits is woken, and only one is.
    pub async fn next(&self) -> Task {
        loop {
            let wake = pin!(self.shared.wake.notified());
            if self.shared.store.health().closed {
                // Whoever asks next is to know it too.
                self.shared.wake.notify_one();
                return Task::Closed;
            }
            let until = match self.shared.look() {
                Ok(task) => return self.with_last(task).await,
                Err(until) => until,
            };
            match until {
                None => wake.await,
                Some(wait) => drop(tokio::time::timeout(wait, wake).await),
            }
        }
    }

    /// A report tells what the last attempt met: that lies in the journal, maybe on a disk that is slow.
    async fn with_last(&self, mut task: Task) -> Task {
        if let Task::Warn(parcel) | Task::Expire(parcel) = &mut task {
            let (id, lane) = (parcel.message.0, parcel.lane.clone());
            let first = parcel.recipients.first().copied();
            let shared = Arc::downgrade(&self.shared);
            let look = move || shared.upgrade()?.last(id, &lane, first?);
            if let Some(found) = self.shared.jobs.run(look) {
                parcel.last = found.await.ok().flatten();
            }
        }
        task
    }
}

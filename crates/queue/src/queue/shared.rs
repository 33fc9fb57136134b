//! What all handles, slots and parcels of a queue share: store, schedule, inbox of the writer.
//!
//! Locks are taken in the order schedule, index; nothing is awaited and no large read is made under either.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::Notify;

use super::Recovery;
use super::gather::Inbox;
use super::hot::Hot;
use super::jobs::Jobs;
use super::loans::Loans;
use super::wakes::Wakes;
use crate::index::Index;
use crate::schedule::{Millis, ParcelId, Schedule, Waiting};
use crate::store::Store;
use crate::task::ParcelHold;
use crate::{LaneKey, LastFault, MessageId, Parcel, RecipientState, Suspension};

/// Recipients that go together in one transaction at most (RFC 5321 4.5.3.1.8: a server must take 100).
pub(crate) const PARCEL_RECIPIENTS_MAX: usize = 100;

/// What is past its lifetime when it is read or accepted is tried once more, for so long at most, and no longer than its
/// lifetime: a clock that jumped ahead, or a node that was off for a week, returns nothing untried. It counts from the first
/// start that met it so, whatever follows.
const OVERDUE_GRACE: Duration = Duration::from_secs(3600);

/// The shared state.
pub(crate) struct Shared {
    pub(crate) store: Arc<Store>,
    plan: Mutex<Plan>,
    /// For whoever begins what is due.
    pub(super) wake: Notify,
    inbox: Mutex<Inbox>,
    /// For the writer.
    pub(crate) signal: Condvar,
    /// For whoever waits for longer than a stop may take.
    pub(crate) stopping: Condvar,
    pub(crate) announced: AtomicUsize,
    hot: Mutex<Hot>,
    pub(super) loans: Arc<Loans>,
    pub(crate) jobs: Jobs,
    recovery: Mutex<Recovery>,
    pub(crate) suspensions: Mutex<Vec<Suspension>>,
    /// Held by the one export or import that is under way.
    pub(crate) moving: Mutex<()>,
    /// Whether that one is to take its messages back.
    pub(crate) stop_moving: AtomicBool,
    opened: Instant,
    /// Keeps other processes out.
    _lock: Box<dyn Send + Sync>,
}

/// The schedule, which recipients its parcels hold, and who waits for what.
pub(crate) struct Plan {
    pub(crate) schedule: Schedule,
    parcels: Vec<Few>,
    pub(super) wakes: Wakes,
}

/// Recipients of a parcel: mostly one.
#[derive(Clone, Debug)]
pub(crate) enum Few {
    One(u32),
    Many(Box<[u32]>),
}

impl Few {
    fn new(recipients: &[u32]) -> Few {
        match recipients {
            [one] => Few::One(*one),
            many => Few::Many(many.into()),
        }
    }

    fn to_vec(&self) -> Vec<u32> {
        match self {
            Few::One(one) => vec![*one],
            Few::Many(many) => many.to_vec(),
        }
    }
}

/// What recipients of one parcel have in common: lane, delay, attempts, whether warned, whether held.
type Kind = (u32, u64, u16, bool, bool);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(crate) fn new(store: Arc<Store>, lock: Box<dyn Send + Sync>) -> Shared {
        let schedule = Schedule::new(store.settings.schedule.clone());
        let hot = Hot::new(store.settings.hot_bytes_max);
        let loans = Loans::new(store.settings.lent_bytes_max);
        Shared {
            store,
            plan: Mutex::new(Plan {
                schedule,
                parcels: Vec::new(),
                wakes: Wakes::default(),
            }),
            wake: Notify::new(),
            inbox: Mutex::default(),
            signal: Condvar::new(),
            stopping: Condvar::new(),
            announced: AtomicUsize::new(0),
            hot: Mutex::new(hot),
            loans,
            jobs: Jobs::default(),
            recovery: Mutex::default(),
            suspensions: Mutex::default(),
            moving: Mutex::default(),
            stop_moving: AtomicBool::new(false),
            opened: Instant::now(),
            _lock: lock,
        }
    }

    pub(crate) fn plan(&self) -> MutexGuard<'_, Plan> {
        lock(&self.plan)
    }

    pub(crate) fn inbox(&self) -> MutexGuard<'_, Inbox> {
        lock(&self.inbox)
    }

    pub(crate) fn hot(&self) -> MutexGuard<'_, Hot> {
        lock(&self.hot)
    }

    pub(crate) fn recovery(&self) -> MutexGuard<'_, Recovery> {
        lock(&self.recovery)
    }

    pub(crate) fn suspended(&self) -> MutexGuard<'_, Vec<Suspension>> {
        lock(&self.suspensions)
    }

    /// The time of the schedule: steps of the wall clock do not disturb it.
    pub(crate) fn now(&self) -> Millis {
        Millis(millis(self.opened.elapsed()))
    }

    /// What the schedule has given, as its user sees it.
    pub(crate) fn parcel(self: &Arc<Shared>, plan: &Plan, id: ParcelId, warns: bool) -> Parcel {
        let state = plan.schedule.parcel(id);
        let message = state.map_or(0, |state| state.message);
        let recipients = plan.recipients(id);
        let lane = match state {
            Some(state) => state.lane.clone(),
            None => LaneKey {
                customer: "".into(),
                domain: "".into(),
                nexthop: None,
            },
        };
        Parcel {
            message: MessageId(message),
            attempts: state.map_or(0, |state| state.attempts),
            lane,
            recipients,
            last: None,
            hold: Some(ParcelHold {
                shared: Arc::clone(self),
                id,
                warns,
            }),
        }
    }

    /// What this recipient met, or why its lane was left alone. Reads the disk.
    pub(super) fn last(&self, message: u64, lane: &LaneKey, recipient: u32) -> Option<LastFault> {
        self.store.fetch(message, &[recipient], |_| true);
        let plan = self.plan();
        let index = self.store.index();
        let fate = index
            .slot(message)
            .and_then(|slot| self.store.fate(&index, slot, recipient).ok());
        fate.and_then(|fate| fate.last).or_else(|| {
            let fault = plan.schedule.lane_fault(lane)?;
            let (status, diagnostic, nexthop) =
                (fault.status, fault.detail.clone(), fault.nexthop.clone());
            Some(LastFault {
                status,
                diagnostic,
                nexthop,
            })
        })
    }

    /// Tells the schedule of a message that is in the index: `due` has each recipient that waits, and in how many milliseconds
    /// it is due. If the message is past its lifetime, that is known since `overdue_since`, in milliseconds since 1970 UTC.
    pub(crate) fn enlist(
        &self,
        plan: &mut Plan,
        index: &mut Index,
        (slot, overdue_since): (u32, u64),
        due: &[(u32, u64)],
    ) {
        let Some(message) = index.message(slot) else {
            return;
        };
        let (now, wall) = (self.now(), wall());
        let age = wall.saturating_sub(message.arrived);
        let in_age = |seconds: u32| {
            now.after(Duration::from_millis(
                (u64::from(seconds) * 1000).saturating_sub(age),
            ))
        };
        let warn = message.warning_seconds;
        let lifetime = Duration::from_secs(u64::from(message.lifetime_seconds));
        let is_overdue = millis(lifetime) <= age;
        let expires = if is_overdue {
            let passed = Duration::from_millis(wall.saturating_sub(overdue_since));
            now.after(lifetime.min(OVERDUE_GRACE).saturating_sub(passed))
        } else {
            in_age(message.lifetime_seconds)
        };
        let id = message.id;
        // Recipients of one lane that are due together go together.
        let mut sets: Vec<(Kind, Vec<u32>)> = Vec::new();
        let mut order: Vec<_> = due
            .iter()
            .filter_map(|&(at, delay)| {
                let known = message
                    .recipients
                    .get(at as usize)
                    .filter(|known| !known.state.is_final())?;
                let is_held = known.state == RecipientState::Held;
                let delay = if is_overdue { 0 } else { delay };
                Some((
                    (known.lane, delay, known.attempts, known.warned, is_held),
                    at,
                ))
            })
            .collect();
        order.sort_unstable();
        for (key, at) in order {
            match sets.last_mut() {
                Some((same, set)) if *same == key && set.len() < PARCEL_RECIPIENTS_MAX => {
                    set.push(at);
                }
                _ => sets.push((key, vec![at])),
            }
        }
        for ((lane, delay, attempts, warned, held), recipients) in sets {
            let Some(lane) = index.lane(lane).cloned() else {
                continue;
            };
            let waiting = Waiting {
                message: id,
                recipients: recipients.len() as u32,
                attempts: u32::from(attempts),
                due: now.after(Duration::from_millis(delay)),
                warn: (!warned && !is_overdue && warn != 0).then(|| in_age(warn)),
                expires,
                held,
            };
            plan.add(index, slot, &lane, &waiting, &recipients, now);
        }
    }
}

impl Plan {
    /// The recipients of a parcel.
    pub(crate) fn recipients(&self, parcel: ParcelId) -> Vec<u32> {
        self.parcels
            .get(parcel.0 as usize)
            .map(Few::to_vec)
            .unwrap_or_default()
    }

    /// A parcel has these recipients from now on.
    pub(crate) fn set(&mut self, parcel: ParcelId, recipients: &[u32]) {
        let at = parcel.0 as usize;
        if self.parcels.len() <= at {
            self.parcels.resize(at + 1, Few::One(0));
        }
        if let Some(place) = self.parcels.get_mut(at) {
            *place = Few::new(recipients);
        }
    }

    /// A new parcel.
    pub(crate) fn add(
        &mut self,
        index: &mut Index,
        slot: u32,
        lane: &LaneKey,
        waiting: &Waiting,
        recipients: &[u32],
        now: Millis,
    ) -> ParcelId {
        let parcel = self.schedule.add(lane, waiting, now);
        self.set(parcel, recipients);
        if waiting.due <= now && !waiting.held {
            self.offer(parcel);
        }
        if let Some(message) = index.message_mut(slot) {
            for recipient in recipients {
                if let Some(known) = message.recipients.get_mut(*recipient as usize) {
                    known.parcel = parcel.0;
                }
            }
        }
        parcel
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shared")
    }
}

/// Milliseconds since 1970 UTC: only for what lies on the disk.
pub(crate) fn wall() -> u64 {
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, millis);
    #[cfg(test)]
    let now = now.saturating_add_signed(WALL_STEP.get());
    now
}

#[cfg(test)]
thread_local! {
    /// By how much a test has put the clock of its thread forward, or back.
    pub(crate) static WALL_STEP: std::cell::Cell<i64> = const { std::cell::Cell::new(0) };
}

/// In milliseconds.
pub(crate) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

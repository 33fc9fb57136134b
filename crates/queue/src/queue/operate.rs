//! What operators see and do. These calls read the disk: make them where that may block.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::Ordering;
use std::sync::mpsc;

use bytes::Bytes;

use super::shared::{Plan, Shared, wall};
use super::{Queue, ReadError, Stats};
use crate::codec::clip;
use crate::index::Index;
use crate::journal::{Exporting, Fate};
use crate::limits::{ACTOR_BYTES_MAX, NEXTHOP_BYTES_MAX, REASON_BYTES_MAX};
use crate::schedule::{ParcelId, Waiting};
use crate::{
    Action, Actor, LaneKey, LaneState, Listed, ListedRecipient, MessageId, RecipientState,
    SiteFault, SiteState,
};

/// Messages that a page has room for from the start.
const PAGE_RESERVED: usize = 128;

impl Queue {
    /// Counts.
    pub fn stats(&self) -> Stats {
        let shared = &self.shared;
        let totals = shared.plan().schedule.totals();
        let counts = &shared.store.counts;
        let index = shared.store.index();
        let segments = index.segments.values();
        Stats {
            messages: index.messages(),
            recipients: index.recipients,
            held: index.held,
            due: totals.due,
            lanes: totals.lanes,
            sites: totals.sites,
            connections: totals.connections,
            bytes: segments
                .map(|segment| segment.end + segment.journal_end)
                .sum::<u64>(),
            hot_bytes: shared.hot().bytes(),
            free_bytes: counts.free_bytes.load(Ordering::Relaxed),
            segments: index.segments.len() as u64,
            damaged: counts.damaged.load(Ordering::Relaxed),
            submits: counts.submits.load(Ordering::Relaxed),
            syncs: counts.syncs.load(Ordering::Relaxed),
        }
    }

    /// The messages behind this one, by id, so many at most. Only so many are in memory at a time.
    ///
    /// # Errors
    /// If the disk fails. What is damaged is left out: it was set aside.
    pub fn page(&self, after: Option<MessageId>, limit: usize) -> Result<Vec<Listed>, ReadError> {
        let mut page = Vec::with_capacity(limit.min(PAGE_RESERVED));
        let mut after = after.map(|id| id.0);
        // A page is short only at the end of the queue, whatever is damaged.
        while page.len() < limit {
            let index = self.shared.store.index();
            let ids: Vec<u64> = index.after(after).take(limit - page.len()).collect();
            drop(index);
            let Some(last) = ids.last() else {
                break;
            };
            after = Some(*last);
            for id in ids {
                match self.listed(MessageId(id)) {
                    Ok(listed) => page.extend(listed),
                    Err(ReadError::Gone | ReadError::Damaged(_)) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(page)
    }

    /// A message and how its recipients fare; `None` if it is not in the queue, or any more.
    ///
    /// # Errors
    /// If the disk fails or the record is damaged.
    pub fn listed(&self, id: MessageId) -> Result<Option<Listed>, ReadError> {
        let store = &self.shared.store;
        let record = match store.read(id.0, false) {
            Err(ReadError::Gone) => return Ok(None),
            other => other?,
        };
        let count = record.envelope.recipients.len() as u32;
        let all: Vec<u32> = (0..count).collect();
        store.fetch(id.0, &all, |_| true);
        let index = store.index();
        let Some(slot) = index.slot(id.0) else {
            return Ok(None);
        };
        let fates = (0..count).map(|at| {
            store
                .fate(&index, slot, at)
                .unwrap_or_else(|_| known(&index, slot, at))
        });
        let recipients: Vec<ListedRecipient> = fates.map(listed_recipient).collect();
        let mut open = recipients
            .iter()
            .filter(|recipient| !recipient.state.is_final());
        Ok(Some(Listed {
            id,
            held: open.all(|recipient| recipient.state == RecipientState::Held),
            content_bytes: record.header.content_bytes,
            envelope: record.envelope.into(),
            recipients,
        }))
    }

    /// Header section and body of a message; `None` if it is not in the queue.
    ///
    /// # Errors
    /// If the disk fails or the record is damaged.
    pub fn content(&self, id: MessageId) -> Result<Option<Bytes>, ReadError> {
        match self.shared.store.read(id.0, true) {
            Ok(record) => Ok(Some(record.content)),
            Err(ReadError::Gone) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Does this to all recipients of a message that wait; false if it is not in the queue. Synced before it returns, but for
    /// [`Action::Retry`], which changes nothing that lasts. What is under way is not stopped: its outcome counts.
    ///
    /// # Errors
    /// If it could not be synced: it is in force, but a crash may take it back. If it is being exported: nothing has changed.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "the agreed signature: an action is done with once it is done"
    )]
    pub fn act(&self, id: MessageId, action: Action, by: &Actor) -> Result<bool, ReadError> {
        let done = self.act_on(id, None, &action, by)?;
        Ok(done.is_some())
    }

    /// As [`Queue::act`], but only to these recipients, by their indices in the envelope; `None` for all. Returns those to whom
    /// it was done, or `None` if the message is not in the queue. Recipients that share a transaction under way with others can
    /// be removed, but not be held, released, rerouted or retried without them: they are left out.
    ///
    /// # Errors
    /// As [`Queue::act`].
    pub fn act_on(
        &self,
        id: MessageId,
        recipients: Option<&[u32]>,
        action: &Action,
        by: &Actor,
    ) -> Result<Option<Vec<u32>>, ReadError> {
        let by = clipped(by);
        self.act_by(id, recipients, action, &|_| Some(by.clone()))
    }

    /// Takes a hold of these recipients back: each goes on when it would have, and who changed it last is who did before, as
    /// `before` says. Returns as [`Queue::act_on`].
    ///
    /// # Errors
    /// As [`Queue::act`].
    pub fn unhold(
        &self,
        before: &Listed,
        recipients: &[u32],
    ) -> Result<Option<Vec<u32>>, ReadError> {
        let by = |at: u32| before.recipients.get(at as usize)?.by.clone();
        self.act_by(before.id, Some(recipients), &Action::Unhold, &by)
    }

    fn act_by(
        &self,
        id: MessageId,
        recipients: Option<&[u32]>,
        action: &Action,
        by: &dyn Fn(u32) -> Option<Actor>,
    ) -> Result<Option<Vec<u32>>, ReadError> {
        let Some(done) = self.shared.act(id.0, recipients, action, by)? else {
            return Ok(None);
        };
        if done.is_empty() {
            return Ok(Some(done));
        }
        self.shared.rouse();
        if *action != Action::Retry {
            self.shared.hot().forget(id.0);
            self.shared.flush()?;
        }
        Ok(Some(done))
    }

    /// The recipients of a message that a delivery, or a report on them, has in hand just now.
    pub fn in_hand(&self, id: MessageId) -> Vec<u32> {
        let plan = self.shared.plan();
        let index = self.shared.store.index();
        let message = index.slot(id.0).and_then(|slot| index.message(slot));
        let Some(message) = message else {
            return Vec::new();
        };
        let is_out = |parcel| {
            let state = plan.schedule.parcel(ParcelId(parcel));
            state.is_some_and(|state| state.message == id.0 && state.out)
        };
        let recipients = message.recipients.iter().zip(0..);
        recipients
            .filter(|(known, _)| !known.state.is_final() && is_out(known.parcel))
            .map(|(_, at)| at)
            .collect()
    }

    /// A lane, if anything waits in it, and why it or its site was last left alone.
    pub fn lane(&self, key: &LaneKey) -> Option<(LaneState, Option<SiteFault>)> {
        let plan = self.shared.plan();
        let state = plan.schedule.lane_state(key, self.shared.now())?;
        Some((state, plan.schedule.lane_fault(key).cloned()))
    }

    /// All sites that are remembered, by name.
    pub fn sites(&self) -> Vec<SiteState> {
        self.shared.plan().schedule.site_states(self.shared.now())
    }

    /// Lanes, those with the most recipients first, so many at most.
    pub fn lanes(&self, limit: usize) -> Vec<LaneState> {
        self.shared
            .plan()
            .schedule
            .lane_states(self.shared.now(), limit)
    }
}

impl Shared {
    fn act(
        &self,
        id: u64,
        chosen: Option<&[u32]>,
        action: &Action,
        by: &dyn Fn(u32) -> Option<Actor>,
    ) -> Result<Option<Vec<u32>>, ReadError> {
        let all: Vec<u32>;
        let wanted = match chosen {
            Some(chosen) => chosen,
            None => {
                all = (0..self.store.recipients(id)).collect();
                &all
            }
        };
        self.store
            .fetch(id, wanted, |known| !known.state.is_final());
        let mut plan = self.plan();
        let mut index = self.store.index();
        let Some(slot) = index.slot(id) else {
            return Ok(None);
        };
        if is_exporting(&index, slot) {
            return Err(ReadError::Exporting);
        }
        let wall = wall();
        let mut done = Vec::new();
        for (parcel, (recipients, others)) in open_parcels(&index, slot, chosen) {
            let parcel = match others.is_empty() {
                true => parcel,
                false => match self.part(&mut plan, &mut index, (id, slot), parcel, &recipients) {
                    Some(parcel) => parcel,
                    // It is out: the others in it decide what becomes of it.
                    None if *action == Action::Remove => parcel,
                    None => continue,
                },
            };
            if *action != Action::Retry {
                for recipient in &recipients {
                    self.store
                        .change(&mut index, slot, *recipient, wall, |fate| {
                            change(fate, action, by(*recipient), wall);
                        });
                }
            }
            self.tell_schedule(&mut plan, parcel, id, action);
            done.extend(recipients);
        }
        Ok(Some(done))
    }

    /// Makes a parcel of some recipients of another one, which keeps the others; `None` if that one is out.
    fn part(
        &self,
        plan: &mut Plan,
        index: &mut Index,
        (id, slot): (u64, u32),
        parcel: ParcelId,
        recipients: &[u32],
    ) -> Option<ParcelId> {
        let state = plan
            .schedule
            .parcel(parcel)
            .filter(|state| state.message == id && !state.out)?;
        let lane = state.lane.clone();
        let waiting = Waiting {
            message: id,
            recipients: recipients.len() as u32,
            attempts: state.attempts,
            due: state.due,
            warn: state.warn,
            expires: state.expires,
            held: state.held,
        };
        let mut others = plan.recipients(parcel);
        // They are in ascending order, as they were gathered.
        others.retain(|other| recipients.binary_search(other).is_err());
        plan.set(parcel, &others);
        plan.schedule.resize(parcel, others.len() as u32);
        Some(plan.add(index, slot, &lane, &waiting, recipients, self.now()))
    }

    fn tell_schedule(&self, plan: &mut Plan, parcel: ParcelId, id: u64, action: &Action) {
        let now = self.now();
        let Some(state) = plan
            .schedule
            .parcel(parcel)
            .filter(|state| state.message == id)
        else {
            return;
        };
        let lane = LaneKey {
            nexthop: None,
            ..state.lane.clone()
        };
        match action {
            Action::Retry => plan.schedule.retry(parcel, now),
            Action::Hold => plan.schedule.hold(parcel, now),
            Action::Release => plan.schedule.release_held(parcel, now),
            Action::Unhold => plan.schedule.unhold(parcel, now),
            // One that is out is finished when it comes back.
            Action::Remove => plan.schedule.remove(parcel, now),
            Action::Reroute(nexthop) => {
                let nexthop = nexthop
                    .as_deref()
                    .map(|nexthop| clip(nexthop, NEXTHOP_BYTES_MAX).into());
                plan.schedule
                    .reroute(parcel, &LaneKey { nexthop, ..lane }, now)
            }
        };
    }

    /// Waits until all that was journaled is synced.
    pub(crate) fn flush(&self) -> Result<(), ReadError> {
        let (done, wait) = mpsc::channel();
        {
            let mut inbox = self.inbox();
            if inbox.ended {
                // Nobody is left who would answer.
                return Err(ReadError::Fault("the queue is closed".to_owned()));
            }
            inbox.flush.push(done);
        }
        self.call_writer();
        match wait.recv() {
            Ok(true) => Ok(()),
            Ok(false) => Err(ReadError::Fault(
                "the journal could not be synced".to_owned(),
            )),
            Err(_) => Err(ReadError::Fault("the queue is closed".to_owned())),
        }
    }
}

/// The recipients of one parcel that are meant, and those that are not.
type Meant = (Vec<u32>, Vec<u32>);

/// The parcels of a message that hold a recipient that is meant and waits.
fn open_parcels(index: &Index, slot: u32, chosen: Option<&[u32]>) -> BTreeMap<ParcelId, Meant> {
    let chosen: Option<HashSet<u32>> = chosen.map(|chosen| chosen.iter().copied().collect());
    let mut parcels: BTreeMap<ParcelId, Meant> = BTreeMap::new();
    let recipients = index.message(slot).map(|message| message.recipients.iter());
    for (recipient, at) in recipients.into_iter().flatten().zip(0..) {
        if recipient.state.is_final() {
            continue;
        }
        let (meant, others) = parcels.entry(ParcelId(recipient.parcel)).or_default();
        match chosen.as_ref().is_none_or(|chosen| chosen.contains(&at)) {
            true => meant.push(at),
            false => others.push(at),
        }
    }
    parcels.retain(|_, (meant, _)| !meant.is_empty());
    parcels
}

fn change(fate: &mut Fate, action: &Action, by: Option<Actor>, wall: u64) {
    // The wait goes on from now: the entry gets a new time.
    fate.retry_after = fate
        .retry_after
        .saturating_sub(wall.saturating_sub(fate.at));
    fate.by = by;
    match action {
        Action::Retry => fate.retry_after = 0,
        Action::Hold => fate.state = RecipientState::Held,
        Action::Release => {
            fate.state = RecipientState::Waiting;
            fate.retry_after = 0;
        }
        Action::Unhold => fate.state = RecipientState::Waiting,
        Action::Remove => fate.state = RecipientState::Removed,
        Action::Reroute(nexthop) => {
            fate.rerouted = nexthop
                .as_deref()
                .map(|nexthop| clip(nexthop, NEXTHOP_BYTES_MAX).to_owned());
            fate.retry_after = 0;
        }
    }
}

/// As much of it as is kept.
pub(super) fn clipped(by: &Actor) -> Actor {
    Actor {
        name: clip(&by.name, ACTOR_BYTES_MAX).to_owned(),
        reason: clip(&by.reason, REASON_BYTES_MAX).to_owned(),
    }
}

/// Whether a recipient of the message is held for an export.
pub(super) fn is_exporting(index: &Index, slot: u32) -> bool {
    index.message(slot).is_some_and(|message| {
        let mut recipients = message.recipients.iter();
        recipients.any(|known| known.exporting && !known.state.is_final())
    })
}

/// What memory knows of a recipient whose entry cannot be read.
fn known(index: &Index, slot: u32, at: u32) -> Fate {
    let mut fate = Fate::new();
    if let Some(known) = index
        .message(slot)
        .and_then(|message| message.recipients.get(at as usize))
    {
        (fate.state, fate.attempts, fate.warned) =
            (known.state, u32::from(known.attempts), known.warned);
    }
    fate
}

fn listed_recipient(fate: Fate) -> ListedRecipient {
    let waits = fate.state == RecipientState::Waiting && fate.retry_after > 0;
    ListedRecipient {
        state: fate.state,
        attempts: fate.attempts,
        last: fate.last,
        next_attempt: waits.then(|| fate.at.saturating_add(fate.retry_after)),
        warned: fate.warned,
        rerouted: fate.rerouted,
        by: match fate.exporting {
            Exporting::No => fate.by,
            Exporting::Waited | Exporting::Held => Some(Actor {
                name: "export".to_owned(),
                reason: "it is being exported".to_owned(),
            }),
        },
    }
}

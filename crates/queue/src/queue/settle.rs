//! From outcomes to journal and schedule.

use std::sync::Arc;
use std::time::Duration;

use smtp::Status;

use super::shared::{Shared, millis, wall};
use crate::index::Index;
use crate::schedule::{ParcelId, Waiting};
use crate::task::ParcelHold;
use crate::{LastFault, Parcel, RecipientOutcome, RecipientState};

impl Shared {
    /// A parcel was dropped.
    pub(crate) fn give_back(&self, hold: &ParcelHold) {
        let mut plan = self.plan();
        let index = self.store.index();
        let message = plan.schedule.parcel(hold.id).map(|state| state.message);
        let slot = message.and_then(|id| index.slot(id));
        let before = plan.recipients(hold.id);
        let open = |recipient: &u32| slot.is_some_and(|slot| is_open(&index, slot, *recipient));
        let left: Vec<u32> = before.iter().copied().filter(open).collect();
        let now = self.now();
        if left.is_empty() {
            plan.schedule.finish(hold.id, now);
        } else {
            if left.len() < before.len() {
                // An operator removed the others meanwhile.
                plan.set(hold.id, &left);
                plan.schedule.resize(hold.id, left.len() as u32);
            }
            plan.schedule.untried(hold.id, now);
            plan.offer(hold.id);
        }
        drop(index);
        self.let_go(plan);
    }

    /// What became of a parcel.
    pub(crate) fn settle(
        self: &Arc<Shared>,
        parcel: &Parcel,
        hold: &ParcelHold,
        outcomes: Vec<(u32, RecipientOutcome)>,
    ) {
        let id = parcel.message.0;
        // Few: outcomes are known without the journal, unless an operator did something or a delay was told.
        self.store.fetch(id, &parcel.recipients, |known| {
            hold.warns || known.says_more()
        });
        let mut plan = self.plan();
        let mut index = self.store.index();
        let (now, wall) = (self.now(), wall());
        let slot = index.slot(id);
        let recipients = plan.recipients(hold.id);
        let delay = shortest_delay(&outcomes);
        let mut delayed = Vec::new();
        let mut retry_millis = 0;
        if let Some(after) = delay {
            let until = plan.schedule.delay(hold.id, after, now);
            retry_millis = millis(now.until(until));
        }
        if let Some(slot) = slot {
            for (recipient, outcome) in outcomes {
                if !recipients.contains(&recipient) || index.slot(id) != Some(slot) {
                    continue;
                }
                if let RecipientOutcome::Delayed { .. } = outcome {
                    delayed.push(recipient);
                }
                self.follow(&mut index, slot, recipient, outcome, retry_millis, wall);
            }
        }
        let slot = slot.filter(|slot| index.slot(id) == Some(*slot));
        let open = |recipient: &u32| slot.is_some_and(|slot| is_open(&index, slot, *recipient));
        let delayed: Vec<u32> = delayed
            .into_iter()
            .filter(|recipient| open(recipient))
            .collect();
        let untried: Vec<u32> = recipients
            .into_iter()
            .filter(|recipient| open(recipient) && !delayed.contains(recipient))
            .collect();
        if let Some(slot) = slot.filter(|_| hold.warns) {
            self.mark_warned(&mut index, slot, &untried, wall);
        }
        self.regroup(
            &mut plan,
            &mut index,
            hold.id,
            slot,
            (&delayed, &untried),
            delay.is_some(),
        );
        drop(index);
        self.let_go(plan);
        if slot.is_none() || delay.is_some() {
            self.hot().forget(id);
        }
        self.journaled();
    }

    /// The delay of these was told.
    fn mark_warned(&self, index: &mut Index, slot: u32, recipients: &[u32], wall: u64) {
        for recipient in recipients {
            self.store.change(index, slot, *recipient, wall, |fate| {
                let passed = wall.saturating_sub(fate.at);
                fate.retry_after = fate.retry_after.saturating_sub(passed);
                fate.warned = true;
            });
        }
    }

    /// The recipients of a parcel that stay: those that were delayed keep it.
    fn regroup(
        &self,
        plan: &mut super::shared::Plan,
        index: &mut Index,
        parcel: ParcelId,
        slot: Option<u32>,
        (delayed, untried): (&[u32], &[u32]),
        is_delayed: bool,
    ) {
        let now = self.now();
        match (delayed.is_empty(), untried.is_empty()) {
            (true, true) => plan.schedule.finish(parcel, now),
            (false, _) => {
                plan.set(parcel, delayed);
                plan.schedule.resize(parcel, delayed.len() as u32);
                if let (false, Some(slot)) = (untried.is_empty(), slot) {
                    self.split(plan, index, parcel, slot, untried);
                }
            }
            (true, false) => {
                plan.set(parcel, untried);
                plan.schedule.resize(parcel, untried.len() as u32);
                if !is_delayed {
                    plan.schedule.untried(parcel, now);
                    plan.offer(parcel);
                }
            }
        }
    }

    /// Those of a delayed parcel that were not tried are due at once, as a parcel of their own.
    fn split(
        &self,
        plan: &mut super::shared::Plan,
        index: &mut Index,
        parcel: ParcelId,
        slot: u32,
        untried: &[u32],
    ) {
        let Some(state) = plan.schedule.parcel(parcel) else {
            return;
        };
        let lane = state.lane.clone();
        let now = self.now();
        let waiting = Waiting {
            message: state.message,
            recipients: untried.len() as u32,
            attempts: state.attempts.saturating_sub(1),
            due: now,
            warn: state.warn,
            expires: state.expires,
            held: state.held,
        };
        plan.add(index, slot, &lane, &waiting, untried, now);
    }

    fn follow(
        &self,
        index: &mut Index,
        slot: u32,
        recipient: u32,
        outcome: RecipientOutcome,
        retry_millis: u64,
        wall: u64,
    ) {
        let (state, last) = match outcome {
            RecipientOutcome::Untried => return,
            RecipientOutcome::Delivered { nexthop, reply } => (
                Some(RecipientState::Delivered),
                LastFault {
                    status: Status::OK,
                    diagnostic: reply,
                    nexthop,
                },
            ),
            RecipientOutcome::Failed {
                nexthop,
                status,
                diagnostic,
            } => (
                Some(RecipientState::Failed),
                LastFault {
                    status,
                    diagnostic,
                    nexthop,
                },
            ),
            RecipientOutcome::Delayed {
                nexthop,
                status,
                diagnostic,
                ..
            } => (
                None,
                LastFault {
                    status,
                    diagnostic,
                    nexthop,
                },
            ),
        };
        self.store.outcome(index, slot, recipient, wall, |fate| {
            fate.attempts = fate.attempts.saturating_add(1);
            fate.last = Some(last);
            match state {
                Some(state) => fate.state = state,
                // Held stays held: an operator's word counts more than the attempt that was under way.
                None => fate.retry_after = retry_millis,
            }
        });
    }
}

/// All that are delayed together wait for the first of them.
fn shortest_delay(outcomes: &[(u32, RecipientOutcome)]) -> Option<Duration> {
    let delays = outcomes.iter().filter_map(|(_, outcome)| match outcome {
        RecipientOutcome::Delayed { retry_after, .. } => Some(*retry_after),
        _ => None,
    });
    delays.min()
}

fn is_open(index: &Index, slot: u32, recipient: u32) -> bool {
    let known = index
        .message(slot)
        .and_then(|message| message.recipients.get(recipient as usize));
    known.is_some_and(|known| !known.state.is_final())
}

//! What people see of the schedule, and what the queue must know of a parcel.

use super::entries::Place;
use super::{Millis, ParcelId, Schedule};
use crate::{LaneKey, LaneState, SiteState, Suspended};

/// A parcel as the schedule knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParcelState<'a> {
    /// The caller's name for the message.
    pub message: u64,
    /// Its lane.
    pub lane: &'a LaneKey,
    /// How often it was tried.
    pub attempts: u32,
    /// How many recipients it has.
    pub recipients: u32,
    /// Not before this.
    pub due: Millis,
    /// When its lifetime is over.
    pub expires: Millis,
    /// Whether its delay is still to be reported, and when.
    pub warn: Option<Millis>,
    /// Whether an operator holds it, or will when it comes back.
    pub held: bool,
    /// Whether the caller has it.
    pub out: bool,
}

impl Schedule {
    /// A parcel, if there is one of this number.
    pub fn parcel(&self, parcel: ParcelId) -> Option<ParcelState<'_>> {
        let entry = self.entries.at(parcel.0)?;
        Some(ParcelState {
            message: entry.message,
            lane: &self.lanes.at(entry.lane)?.key,
            attempts: entry.attempts.into(),
            recipients: entry.recipients,
            due: entry.due,
            expires: entry.expires,
            warn: (entry.warn != Millis(0)).then_some(entry.warn),
            held: entry.place == Place::Held || entry.hold,
            out: entry.place.is_out(),
        })
    }

    /// What is suspended.
    pub fn suspensions(&self) -> impl Iterator<Item = &Suspended> {
        self.suspended.iter()
    }

    /// All sites that are remembered, by name. Looks at every lane.
    pub fn site_states(&self, now: Millis) -> Vec<SiteState> {
        let mut waiting = std::collections::HashMap::<u32, u64>::new();
        for (_, lane) in self.lanes.iter() {
            if let Some(share) = lane.share.and_then(|share| self.shares.at(share)) {
                *waiting.entry(share.site).or_default() += lane.recipients;
            }
        }
        let state = |(id, site): (u32, &super::Site)| SiteState {
            site: site.name.to_string(),
            connections: site.slots,
            window: site.window_now(),
            waiting: waiting.get(&id).copied().unwrap_or(0),
            backed_off: (site.until > now).then(|| now.until(site.until)),
            last: site.last.clone(),
            suspended: site.suspended,
        };
        let mut states: Vec<SiteState> = self.sites.iter().map(state).collect();
        states.sort_unstable_by(|a, b| a.site.cmp(&b.site));
        states
    }

    /// Lanes with parcels, those with the most recipients first, so many at most. Looks at every lane.
    pub fn lane_states(&self, now: Millis, limit: usize) -> Vec<LaneState> {
        let used = self.lanes.iter().filter(|(_, lane)| lane.is_used());
        let mut lanes: Vec<_> = used.map(|(_, lane)| lane).collect();
        lanes.sort_unstable_by(|a, b| (b.recipients, &a.key).cmp(&(a.recipients, &b.key)));
        lanes.truncate(limit);
        let state = |lane| self.state_of(lane, now);
        lanes.into_iter().map(state).collect()
    }

    /// One lane, if it is there.
    pub fn lane_state(&self, key: &LaneKey, now: Millis) -> Option<LaneState> {
        let lane = self.lanes.at(*self.lane_ids.get(key)?)?;
        Some(self.state_of(lane, now))
    }

    fn state_of(&self, lane: &super::Lane, now: Millis) -> LaneState {
        let share = lane.share.and_then(|share| self.shares.at(share));
        let site = share.and_then(|share| self.sites.at(share.site));
        let until = site.map_or(lane.until, |site| site.until);
        LaneState {
            lane: lane.key.clone(),
            site: site.map(|site| site.name.to_string()),
            waiting: lane.recipients,
            due: lane.due_recipients,
            backed_off: (until > now).then(|| now.until(until)),
            suspended: lane.suspended || site.is_some_and(|site| site.suspended),
        }
    }

    /// Why a lane, or the site that it leads to, was last left alone.
    pub fn lane_fault(&self, key: &LaneKey) -> Option<&crate::SiteFault> {
        let lane = self.lanes.at(*self.lane_ids.get(key)?)?;
        let share = lane.share.and_then(|share| self.shares.at(share));
        let site = share.and_then(|share| self.sites.at(share.site));
        site.map_or(lane.last.as_deref(), |site| site.last.as_ref())
    }
}

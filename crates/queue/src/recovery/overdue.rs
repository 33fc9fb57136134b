//! What is past its lifetime when it is read: since when that is known lies on the disk, so that no number of restarts makes
//! more of the one try that it still gets (RFC 5321 4.5.4.1).

use super::Recoverer;
use crate::RecipientState;
use crate::index::Index;
use crate::journal::{Entry, Fate};

impl Recoverer {
    /// When a start first found the message past its lifetime, in milliseconds since 1970 UTC: now if none did. `None` while it
    /// has time. `fates` are what is known of its recipients, in their order.
    pub(super) fn overdue_since(
        &self,
        index: &mut Index,
        slot: u32,
        fates: &[(u32, u32, Fate)],
        now: u64,
    ) -> Option<u64> {
        let message = index.message(slot)?;
        let end = message
            .arrived
            .saturating_add(u64::from(message.lifetime_seconds) * 1000);
        if end > now {
            return None;
        }
        let (id, segment) = (message.id, message.segment);
        // What an operator holds does not age.
        let waiting: Vec<u32> = (0..)
            .zip(&message.recipients)
            .filter(|(_, known)| known.state == RecipientState::Waiting)
            .map(|(recipient, _)| recipient)
            .collect();
        let known = |recipient: u32| {
            let at = fates.binary_search_by_key(&recipient, |(recipient, _, _)| *recipient);
            at.ok()
                .and_then(|at| fates.get(at))
                .map(|(_, _, fate)| fate)
        };
        // One from the future was noted by a clock that has been set right since.
        let noted = |recipient: u32| known(recipient)?.overdue.filter(|since| *since <= now);
        let since = waiting.iter().filter_map(|at| noted(*at)).min();
        let since = since.unwrap_or(now);
        for recipient in waiting {
            if noted(recipient).is_some() {
                continue;
            }
            let fate = Fate {
                overdue: Some(since),
                ..known(recipient).cloned().unwrap_or_else(Fate::new)
            };
            let entry = Entry::Fate {
                id,
                recipient,
                fate: fate.clone(),
            };
            let place = self.store.queue_entry(index, segment, &entry);
            index.follow(slot, recipient, &fate, place);
        }
        Some(since)
    }
}

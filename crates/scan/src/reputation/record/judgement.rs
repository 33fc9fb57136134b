//! What follows from what is known: for a client that connects on the scale accept, tempfail, permfail; for a message as
//! points and a class.
//!
//! The nearer key knows better. A network speaks only for addresses of which nothing is known, and never brings a permfail; a
//! proven domain that is good speaks for its messages from wherever nothing bad is known of, and half against the rest.

use std::net::IpAddr;

use super::{Class, Entry, Key, Measures};
use crate::limits::RECORD_NEWCOMER_WAIT;

/// The most points of the record: one short of what it would take to refuse alone.
const POINTS_MAX: f32 = 8.0;

/// The fewest points of the record: what is good outweighs one list, not several.
const POINTS_MIN: f32 = -5.0;

/// What to do with a client, on the scale of IP reputation that users of RPD know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Advice {
    /// Hear it.
    Accept,
    /// Have it try again later.
    Tempfail,
    /// Refuse it.
    Permfail,
}

impl Advice {
    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Advice::Accept => "accept",
            Advice::Tempfail => "tempfail",
            Advice::Permfail => "permfail",
        }
    }
}

/// What to make of a client.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// What to do.
    pub advice: Advice,
    /// What the client is called.
    pub class: Class,
    /// Whose counters decided: its address or its network.
    pub key: Key,
    /// Why, in words.
    pub reason: String,
}

impl Judgement {
    /// What to make of a client whose address is nobody's.
    pub(super) fn nobodys(ip: IpAddr) -> Judgement {
        Judgement {
            advice: Advice::Accept,
            class: Class::Unknown,
            key: Key::address(ip),
            reason: format!(
                "{ip} is an address of a private network, and nothing is counted of these"
            ),
        }
    }
}

/// What to make of a message.
#[derive(Clone, Debug, PartialEq)]
pub struct Opinion {
    /// From -5, a sender whose messages are welcome, to 8.
    pub points: f32,
    /// What its sender is called on the whole.
    pub class: Class,
    /// What each key brought, the address first; those that brought nothing too.
    pub entries: Vec<(Entry, f32)>,
    /// Why, in words: that of the key that brought the most.
    pub reason: String,
}

/// What to make of a client of this address and network.
pub(super) fn client(address: &Entry, network: &Entry, measures: &Measures, now: u32) -> Judgement {
    let judge = |advice, class, of: &Entry| Judgement {
        advice,
        class,
        key: of.key.clone(),
        reason: of.reason.clone(),
    };
    match (address.class, network.class) {
        (Class::Good | Class::Neutral, _) => judge(Advice::Accept, address.class, address),
        (Class::Bad, network) if network != Class::Good && measures.is_hopeless(&address.tally) => {
            judge(Advice::Permfail, Class::Bad, address)
        }
        (Class::Bad, _) => judge(Advice::Tempfail, Class::Bad, address),
        (Class::Suspect, Class::Bad) => judge(Advice::Tempfail, Class::Suspect, address),
        (Class::Suspect, _) => judge(Advice::Accept, Class::Suspect, address),
        (Class::Unknown, Class::Bad) => {
            let waited = u64::from(now.saturating_sub(address.first_seen));
            if waited >= RECORD_NEWCOMER_WAIT.as_secs() {
                judge(Advice::Accept, Class::Suspect, network)
            } else {
                judge(Advice::Tempfail, Class::Suspect, network)
            }
        }
        (Class::Unknown, Class::Suspect) => judge(Advice::Accept, Class::Suspect, network),
        (Class::Unknown, _) => judge(Advice::Accept, Class::Unknown, address),
    }
}

/// What to make of a message whose sender has these keys.
pub(super) fn sender(entries: &[Entry]) -> Opinion {
    let is = |wanted: fn(&Key) -> bool, class: Class| {
        entries
            .iter()
            .any(|entry| wanted(&entry.key) && entry.class == class)
    };
    let is_address = |key: &Key| matches!(key, Key::Address(_));
    let is_domain = |key: &Key| matches!(key, Key::Domain(_));
    let address_known = !is(is_address, Class::Unknown);
    let good_domain = is(is_domain, Class::Good);
    let points = |entry: &Entry| match (&entry.key, entry.class) {
        (Key::Domain(_), Class::Good) => -4.0,
        (Key::Domain(_), Class::Bad) => 6.0,
        (Key::Domain(_), Class::Suspect) => 2.0,
        (Key::Address(_), Class::Good) => -3.0,
        // The address may carry the messages of thousands, of whom a good domain is one. But a message that it has signed can
        // also be sent again from anywhere.
        (Key::Address(_), Class::Bad) if good_domain => 3.0,
        (Key::Address(_), Class::Suspect) if good_domain => 1.0,
        (Key::Network(_), Class::Bad | Class::Suspect) if good_domain => 0.0,
        (Key::Address(_), Class::Bad) => 6.0,
        (Key::Address(_), Class::Suspect) => 2.0,
        (Key::Network(_), Class::Bad) if !address_known => 4.0,
        (Key::Network(_), Class::Suspect) if !address_known => 1.0,
        (Key::Helo(_), Class::Bad) => 3.0,
        (Key::Helo(_), Class::Suspect) => 1.0,
        (Key::Helo(_), Class::Good) => -1.0,
        (Key::ClaimedHelo(_), Class::Suspect) => 1.0,
        _ => 0.0,
    };
    let entries: Vec<(Entry, f32)> = entries
        .iter()
        .map(|entry| (entry.clone(), points(entry)))
        .collect();
    let sum: f32 = entries.iter().map(|(_, points)| points).sum();
    let points = sum.clamp(POINTS_MIN, POINTS_MAX);
    let weightiest = entries.iter().max_by(|(_, a), (_, b)| {
        a.abs()
            .total_cmp(&b.abs())
            .then(std::cmp::Ordering::Greater)
    });
    Opinion {
        points,
        class: class(points, &entries),
        reason: weightiest.map_or_else(String::new, |(entry, _)| entry.reason.clone()),
        entries,
    }
}

/// What a sender is called on the whole.
fn class(points: f32, entries: &[(Entry, f32)]) -> Class {
    if points >= 5.0 {
        Class::Bad
    } else if points >= 1.0 {
        Class::Suspect
    } else if points <= -3.0 {
        Class::Good
    } else if entries
        .iter()
        .all(|(entry, _)| entry.class == Class::Unknown)
    {
        Class::Unknown
    } else {
        Class::Neutral
    }
}

#[cfg(test)]
mod tests;

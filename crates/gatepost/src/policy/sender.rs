//! What follows from the past of a sender before any engine is asked, and once a message would be taken.
//!
//! An allow entry that nobody can forge lifts all of it, and any allow entry the wait of newcomers.

use scan::reputation::record::{Advice, Judgement, Key};

use super::{Kind, ListMatch, Note, Reason, Verdict, allowed, allowed_unforged};

/// What the record of senders brings a client when it connects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AtConnect {
    /// Nothing: the message is judged.
    #[default]
    Note,
    /// Whoever is bad is told to try again later.
    Defer,
    /// Whoever is bad beyond doubt is refused, others that are bad are told to try again later.
    Refuse,
}

/// What lists in the DNS say of a client that connects, beside the marks of the engine.
#[derive(Clone, Debug, PartialEq)]
pub struct ListsAtConnect {
    /// The points of all lists.
    pub points: f32,
    /// Which lists, for the client.
    pub told: String,
    /// From so many points on it is told to try again later.
    pub likely: f32,
    /// From so many on it is refused.
    pub sure: f32,
}

/// Points of lists by which a client is trusted that its network alone speaks against.
const TRUSTED_POINTS: f32 = -3.0;

/// What is known of whoever sends a message that would be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewcomerFacts {
    /// Something is known of its address, its network or its domain, and nothing bad.
    pub is_known: bool,
    /// DKIM or SPF proves a domain, or cannot be known now.
    pub is_proven: bool,
    /// Its address has a name of its own.
    pub has_name: bool,
}

/// What record and lists say to a client that connects: the graver of both. `matched`: what matched it of `[allow]` and
/// `[block]`.
pub fn standing(
    matched: &[ListMatch],
    judgement: &Judgement,
    lists: &ListsAtConnect,
    at_connect: AtConnect,
) -> Verdict {
    if at_connect == AtConnect::Note || allowed_unforged(matched).is_some() {
        return Verdict::ACCEPT;
    }
    let by_record = match judgement.advice {
        Advice::Tempfail
            if lists.points <= TRUSTED_POINTS && matches!(judgement.key, Key::Network(_)) =>
        {
            Advice::Accept
        }
        advice => advice,
    };
    let by_lists = if lists.points >= lists.sure.max(lists.likely) {
        Advice::Permfail
    } else if lists.points >= lists.likely {
        Advice::Tempfail
    } else {
        Advice::Accept
    };
    let is_refused = at_connect == AtConnect::Refuse && by_lists.max(by_record) == Advice::Permfail;
    let (kind, told, detail) = match (by_lists.max(by_record), by_lists >= by_record) {
        (Advice::Accept, _) => return Verdict::ACCEPT,
        (_, true) => (
            if is_refused {
                Kind::Listed
            } else {
                Kind::ListedDefer
            },
            lists.told.clone(),
            format!("{}: {} points", lists.told, lists.points),
        ),
        (_, false) => (
            if is_refused {
                Kind::Reputation
            } else {
                Kind::ReputationDefer
            },
            judgement.key.to_string(),
            judgement.reason.clone(),
        ),
    };
    Verdict::because(Reason {
        told,
        ..Reason::new(kind).with_detail(detail.as_str())
    })
}

/// More came from `who` in a time than is taken.
pub fn over_rate(lists: &[ListMatch], who: &str, detail: &str) -> Verdict {
    if allowed_unforged(lists).is_some() {
        return Verdict::ACCEPT;
    }
    Verdict::because(Reason {
        told: who.to_owned(),
        ..Reason::new(Kind::Rate).with_detail(detail)
    })
}

/// A newcomer is asked to come again.
pub fn come_again(detail: String) -> Verdict {
    Verdict::because(Reason::new(Kind::Greylist).with_detail(detail))
}

/// Whether a message that would be taken is to come again: of a newcomer that proves nothing and whose address has no name,
/// or whom one engine finds likely to send spam, whatever he proves.
pub fn greylists(verdict: &Verdict, lists: &[ListMatch], facts: NewcomerFacts) -> bool {
    let Verdict::Accept { notes } = verdict else {
        return false;
    };
    let is_likely = notes
        .iter()
        .any(|note| matches!(note, Note::LikelyAlone { .. }));
    allowed(lists).is_none()
        && !facts.is_known
        && (is_likely || !facts.is_proven && !facts.has_name)
}

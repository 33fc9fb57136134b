//! What follows from the past of a sender before any engine is asked, and once a message would be taken.
//!
//! An allow entry that nobody can forge lifts all of it.

use scan::reputation::record::{Advice, Judgement};

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

/// What the record says to a client that connects. `lists`: what matched it.
pub fn standing(lists: &[ListMatch], judgement: &Judgement, at_connect: AtConnect) -> Verdict {
    let kind = match (at_connect, judgement.advice) {
        (AtConnect::Note, _) | (_, Advice::Accept) => return Verdict::ACCEPT,
        (AtConnect::Refuse, Advice::Permfail) => Kind::Reputation,
        (AtConnect::Defer | AtConnect::Refuse, _) => Kind::ReputationDefer,
    };
    if allowed_unforged(lists).is_some() {
        return Verdict::ACCEPT;
    }
    Verdict::because(Reason {
        told: judgement.key.to_string(),
        ..Reason::new(kind).with_detail(judgement.reason.as_str())
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

/// Whether a message that would be taken is to come again: of a newcomer that proves nothing, and whose address has no name
/// or whom one engine finds likely to send spam.
pub fn greylists(verdict: &Verdict, lists: &[ListMatch], facts: NewcomerFacts) -> bool {
    let Verdict::Accept { notes } = verdict else {
        return false;
    };
    let is_likely = notes
        .iter()
        .any(|note| matches!(note, Note::LikelyAlone { .. }));
    allowed(lists).is_none()
        && !facts.is_known
        && !facts.is_proven
        && (!facts.has_name || is_likely)
}

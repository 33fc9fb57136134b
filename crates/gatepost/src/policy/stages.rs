//! The verdicts before the message: connect, MAIL and RCPT. Cheap refusals come first.
//!
//! A block list refuses at the first stage that knows what it matches. An allow entry lifts a block only where both
//! are known: one for a recipient cannot lift a block of the client, which was refused before the recipient was named.

use scan::auth::facts::{SpfFact, SpfResult};
use serde::{Deserialize, Serialize};

use super::{Kind, ListMatch, Reason, Verdict, allowed_unforged, blocked, listed};

/// What is known of a recipient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecipientFacts {
    /// The entries that matched the recipient, and those that matched the client and the reverse-path before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lists: Vec<ListMatch>,
    /// Whether we may relay for it.
    pub relay: Relay,
    /// Whether the mailbox exists.
    pub mailbox: MailboxCheck,
}

/// Whether we relay for a recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relay {
    /// A route has the domain.
    Routed,
    /// No route has it, but the client may relay anywhere.
    Trusted,
    /// No route has it.
    Denied,
}

/// What the recipient check says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MailboxCheck {
    /// The route takes any mailbox of its domains, or the check has not been made yet.
    Unchecked,
    /// It exists.
    Known,
    /// It does not, as the file or the nexthop (whose words these are) says.
    Unknown(String),
    /// The nexthop that would know can't be reached.
    NexthopDown(String),
}

/// May this client speak at all? `lists`: what matched the client.
pub fn connect(lists: &[ListMatch]) -> Verdict {
    blocked(lists).map_or(Verdict::ACCEPT, |entry| Verdict::because(listed(entry)))
}

/// May this reverse-path be used? `lists`: what matched the client and the reverse-path; `spf`: what SPF says of it, if that
/// is to count. An allow entry for the client lifts that; one for the reverse-path does not, which may be forged.
pub fn mail(lists: &[ListMatch], spf: Option<&SpfFact>) -> Verdict {
    let verdict = connect(lists);
    let fails = spf.filter(|fact| fact.result == SpfResult::Fail);
    match fails {
        Some(fact) if verdict.is_accept() && allowed_unforged(lists).is_none() => {
            let told = match &fact.explanation {
                Some(explanation) => format!("{}, which says: {explanation}", fact.domain),
                None => fact.domain.clone(),
            };
            let term = fact.term.as_deref().unwrap_or_default();
            Verdict::because(Reason {
                told,
                ..Reason::new(Kind::SpfFail).with_detail(format!("{}: {term}", fact.domain))
            })
        }
        _ => verdict,
    }
}

/// May this recipient be had? Relaying comes first, then lists, then the mailbox: whoever is refused anyway does not
/// learn which mailboxes exist.
pub fn rcpt(facts: &RecipientFacts) -> Verdict {
    if facts.relay == Relay::Denied {
        return Verdict::because(Reason::new(Kind::Relay));
    }
    if let Some(entry) = blocked(&facts.lists) {
        return Verdict::because(listed(entry));
    }
    match &facts.mailbox {
        MailboxCheck::Unchecked | MailboxCheck::Known => Verdict::ACCEPT,
        MailboxCheck::Unknown(detail) => {
            Verdict::because(Reason::new(Kind::Mailbox).with_detail(detail.as_str()))
        }
        MailboxCheck::NexthopDown(detail) => {
            Verdict::because(Reason::new(Kind::NexthopDown).with_detail(detail.as_str()))
        }
    }
}

/// How often a message may pass servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HopLimits {
    /// Any servers (RFC 5321 6.3).
    pub received_max: usize,
    /// This one.
    pub own_max: usize,
}

/// The verdict on the way of a message: whether it goes round in circles, by its Received fields and those of this node.
pub fn hops(received: usize, own: usize, limits: &HopLimits) -> Option<Reason> {
    let detail = if received > limits.received_max {
        format!(
            "{received} Received fields, {} at most",
            limits.received_max
        )
    } else if own > limits.own_max {
        format!(
            "{own} Received fields of this node, {} at most",
            limits.own_max
        )
    } else {
        return None;
    };
    Some(Reason::new(Kind::Loop).with_detail(detail))
}

//! The policy: recorded facts and findings in, verdict out. Pure: no bytes, no I/O, no clock.
//!
//! What it reads and what it gives is serialisable, so that any decision can be replayed, under yesterday's settings
//! or under others. `likelihood` holds the table from engines' scales to unlikely / likely / sure, `kind` the table
//! from reasons to reply codes, `stages` the verdicts before the message, `class` which recipients may share one.
//! The texts of replies are in `crate::replies`.

use serde::{Deserialize, Serialize};

mod class;
mod kind;
mod likelihood;
mod message;
mod sender;
mod stages;

pub use class::{RecipientClass, share};
pub use kind::Kind;
pub use likelihood::{
    DmarcAction, EngineRule, Likelihood, OnFailure, SPAMASSASSIN_SURE_DEFAULT, Settings,
    dmarc_likelihood, likelihood, virus_likelihood,
};
pub use message::{certain, message};
pub(crate) use message::{spam_word, virus_word};
pub use sender::{
    AtConnect, ListsAtConnect, NewcomerFacts, come_again, greylists, over_rate, standing,
};
pub use stages::{HopLimits, MailboxCheck, RecipientFacts, Relay, connect, hops, mail, rcpt};

/// What is done with a message, a recipient or a client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Verdict {
    /// It goes on.
    Accept {
        /// What was noticed but did not change the outcome.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        notes: Vec<Note>,
    },
    /// 5xx.
    Refuse {
        /// Why.
        reason: Reason,
    },
    /// 4xx: try again later.
    Defer {
        /// Why.
        reason: Reason,
    },
}

impl Verdict {
    /// Accepted, with nothing to note.
    pub const ACCEPT: Verdict = Verdict::Accept { notes: Vec::new() };

    /// Refused or deferred, as the kind of the reason has it.
    pub fn because(reason: Reason) -> Verdict {
        if reason.kind.is_transient() {
            Verdict::Defer { reason }
        } else {
            Verdict::Refuse { reason }
        }
    }

    /// Whether it goes on.
    pub fn is_accept(&self) -> bool {
        matches!(self, Verdict::Accept { .. })
    }

    /// Why not, unless it goes on.
    pub fn reason(&self) -> Option<&Reason> {
        match self {
            Verdict::Accept { .. } => None,
            Verdict::Refuse { reason } | Verdict::Defer { reason } => Some(reason),
        }
    }

    /// The outcome in one word: `accept`, `refuse`, `defer`.
    pub fn outcome(&self) -> &'static str {
        match self {
            Verdict::Accept { .. } => "accept",
            Verdict::Refuse { .. } => "refuse",
            Verdict::Defer { .. } => "defer",
        }
    }
}

/// Why a verdict is what it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// The type, from which reply code, status and text follow.
    pub kind: Kind,
    /// For the postmaster: scores, names of viruses, list entries. Never shown to the one who sent the message.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// For the one who sent the message: which virus, which attachment. Empty where nothing may be told.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub told: String,
    /// The engines that led to it, in the order of the findings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub engines: Vec<String>,
}

impl Reason {
    /// A reason of this kind without particulars.
    pub fn new(kind: Kind) -> Reason {
        Reason {
            kind,
            detail: String::new(),
            told: String::new(),
            engines: Vec::new(),
        }
    }

    /// The same with a detail for the postmaster.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Reason {
        self.detail = detail.into();
        self
    }
}

/// What was noticed about a message that goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "note", rename_all = "kebab-case")]
pub enum Note {
    /// An engine could not examine it, and its rule is to go on without it.
    Unexamined {
        /// Its name.
        engine: String,
    },
    /// An engine found it likely spam or a likely virus, and was alone with that.
    LikelyAlone {
        /// Its name.
        engine: String,
    },
    /// An engine would rather have seen it later (rspamd's `greylist` and `soft reject`).
    AskedToWait {
        /// Its name.
        engine: String,
    },
    /// It would have been refused for this, but for an allow list.
    Allowed {
        /// What it would have been refused for.
        kind: Kind,
        /// The entry that let it through.
        list: ListMatch,
    },
}

/// An entry of an allow or block list that matched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListMatch {
    /// Which list.
    pub list: List,
    /// What it matched on.
    pub field: ListField,
    /// The entry as it stands in the configuration.
    pub entry: String,
}

/// Which list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum List {
    /// Lets through what would be refused as spam, for an attachment or by a block list; never a virus.
    Allow,
    /// Refuses.
    Block,
}

/// What a list entry matches on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ListField {
    /// The network of the client.
    Client,
    /// The reverse-path or its domain.
    ReversePath,
    /// The mailbox of the header field From or its domain.
    From,
    /// The forward-path or its domain.
    Recipient,
}

/// What is known of a message beside the findings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageFacts {
    /// The entries that matched the client, the reverse-path, the header field From and the recipients for which this
    /// verdict is made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lists: Vec<ListMatch>,
}

/// The entry that blocks, unless one allows: an allow entry is the exception to a wider block.
fn blocked(lists: &[ListMatch]) -> Option<&ListMatch> {
    if allowed(lists).is_some() {
        return None;
    }
    lists.iter().find(|entry| entry.list == List::Block)
}

/// The first entry that allows.
fn allowed(lists: &[ListMatch]) -> Option<&ListMatch> {
    lists.iter().find(|entry| entry.list == List::Allow)
}

/// The first entry that allows by what nobody can forge. The reverse-path and the header field From are anybody's to write:
/// where they are found not to be authentic, an entry for them is no excuse.
fn allowed_unforged(lists: &[ListMatch]) -> Option<&ListMatch> {
    lists.iter().find(|entry| {
        entry.list == List::Allow && matches!(entry.field, ListField::Client | ListField::Recipient)
    })
}

/// The reason for a refusal by this entry.
fn listed(entry: &ListMatch) -> Reason {
    Reason::new(Kind::List).with_detail(format!("{} on block list: {}", entry.field, entry.entry))
}

impl std::fmt::Display for ListField {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            ListField::Client => "client",
            ListField::ReversePath => "reverse-path",
            ListField::From => "from",
            ListField::Recipient => "recipient",
        })
    }
}

#[cfg(test)]
mod tests;

//! What one engine said of one message: classes on the RPD scale, symbols, reason, time taken, or why it is unavailable.
//!
//! Findings are facts. They are recorded in the decision as they are (serde), so that a policy can be replayed on them;
//! nothing here knows what is refused.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::auth::facts::{Authentication, DmarcPolicy};

/// How an engine rates a message as spam: the scale that users of RPD know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SpamClass {
    /// Confirmed as coming from a trusted source.
    Nonspam,
    /// Nothing incriminating.
    Unknown,
    /// Slightly more distributed than legitimate mail, or the first moments of an outbreak.
    Suspect,
    /// Solicited bulk.
    ValidBulk,
    /// Bulk from sources that are not confirmed as spammers.
    Bulk,
    /// Spam.
    Confirmed,
}

impl SpamClass {
    /// Every class, mildest first.
    pub const ALL: [SpamClass; 6] = [
        SpamClass::Nonspam,
        SpamClass::Unknown,
        SpamClass::Suspect,
        SpamClass::ValidBulk,
        SpamClass::Bulk,
        SpamClass::Confirmed,
    ];

    /// The class as a number, -1 to 100.
    pub fn score(self) -> i8 {
        match self {
            SpamClass::Nonspam => -1,
            SpamClass::Unknown => 0,
            SpamClass::Suspect => 10,
            SpamClass::ValidBulk => 40,
            SpamClass::Bulk => 50,
            SpamClass::Confirmed => 100,
        }
    }
}

/// How an engine rates a message as a carrier of malware.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VirusClass {
    /// Known to be harmless.
    Nonvirus,
    /// Nothing found.
    Unknown,
    /// Somewhat likely.
    Medium,
    /// Likely.
    High,
    /// Found by name or signature.
    Virus,
}

impl VirusClass {
    /// Every class, mildest first.
    pub const ALL: [VirusClass; 5] = [
        VirusClass::Nonvirus,
        VirusClass::Unknown,
        VirusClass::Medium,
        VirusClass::High,
        VirusClass::Virus,
    ];
}

/// A named observation, such as a rule that matched.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Symbol {
    /// The engine's own name of it.
    pub name: String,
    /// What it added to the engine's score, in the engine's own unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f32>,
    /// What it was found on. Never message content beyond a short, printable excerpt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// A score on an engine's own scale.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The message's score.
    pub value: f32,
    /// The score from which the engine itself calls a message spam.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required: Option<f32>,
}

/// An attachment of a kind that is not let through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Banned {
    /// Which attachment: its file name, printable and shortened.
    pub what: String,
    /// What is wrong with it, in words fit for the one who sent it.
    pub why: String,
}

/// The author's domain is not authenticated, and its owner published what is to be done then (DMARC).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyFailure {
    /// The author's domain.
    pub domain: String,
    /// What did not authenticate it, in words fit for the one who sent it.
    pub what_failed: String,
    /// What its owner asks for.
    pub asked: DmarcPolicy,
    /// Why that is not to be held against the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excused_by: Option<Excuse>,
}

/// Whom the operator trusts to hand on messages whose authors can no longer be authenticated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", content = "name", rename_all = "kebab-case")]
pub enum Excuse {
    /// The client is a forwarder.
    Forwarder,
    /// The message is of this mailing list (RFC 2919), whose own domain is authenticated.
    List(String),
    /// This domain found the author authentic, and sealed that (ARC).
    Sealer(String),
}

/// Why an engine gave no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnavailableCause {
    /// Its deadline passed.
    Timeout,
    /// No connection could be made, or it broke.
    Connect,
    /// It answered what its protocol does not allow.
    Protocol,
    /// It said that it cannot examine this message.
    Refused,
    /// Our own fault: its task ended abnormally.
    Panic,
    /// The message exceeds what the engine is configured to take.
    TooLarge,
    /// It failed a moment ago and is left alone for a while.
    BackOff,
}

/// An engine that could not examine the message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unavailable {
    /// The kind of failure.
    pub cause: UnavailableCause,
    /// What happened, for the operator.
    pub detail: String,
}

impl Unavailable {
    /// An engine that is unavailable for `cause`, told by `detail`.
    pub fn new(cause: UnavailableCause, detail: impl Into<String>) -> Unavailable {
        Unavailable {
            cause,
            detail: detail.into(),
        }
    }
}

/// What one engine said of one message.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The engine's name, as in the configuration.
    pub engine: String,
    /// Its rating as spam, if it rates spam.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spam: Option<SpamClass>,
    /// Its rating as malware, if it looks for malware.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub virus: Option<VirusClass>,
    /// The name of what it found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub virus_name: Option<String>,
    /// An attachment of a forbidden kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub banned: Option<Banned>,
    /// Its own score.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<Score>,
    /// Its own advice in its own word, such as rspamd's `add header`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// Its own reference to this verdict, such as RPD's RefID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// What the owner of the author's domain asks to be done, if that is not authenticated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyFailure>,
    /// What is known of the sender's authentication.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authentication: Option<Arc<Authentication>>,
    /// What it observed, bounded in number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub symbols: Vec<Symbol>,
    /// One line that a postmaster understands.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Set when it could not examine the message; every other field is then empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unavailable: Option<Unavailable>,
    /// Set when the verdict was certain before it answered; every other field is then empty.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub not_awaited: bool,
    /// How long it took, in milliseconds.
    pub milliseconds: f32,
}

impl Finding {
    /// An empty finding of `engine`.
    pub fn new(engine: impl Into<String>) -> Finding {
        Finding {
            engine: engine.into(),
            ..Finding::default()
        }
    }

    /// The finding of an engine that could not examine the message.
    pub fn unavailable(engine: impl Into<String>, unavailable: Unavailable) -> Finding {
        Finding {
            engine: engine.into(),
            unavailable: Some(unavailable),
            ..Finding::default()
        }
    }
}

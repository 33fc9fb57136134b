//! What an operator did to the queue: the events `queue-changed`, `queue-exported`, `queue-imported`,
//! `delivery-suspended` and `delivery-resumed`.

use serde::{Deserialize, Serialize};

/// What an operator did to a queued message, or to some of its recipients.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QueueChange {
    /// What was done.
    pub action: QueueAction,
    /// The message in the queue.
    pub queue_id: String,
    /// The reference of the transaction that brought the message.
    pub reference: String,
    /// Without angle brackets; `<>` for the null reverse-path.
    pub reverse_path: String,
    /// The recipients to whom it was done, without angle brackets.
    pub recipients: Vec<String>,
    /// The nexthop that was chosen; none for the configured one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nexthop: Option<String>,
    /// Whoever must be told that it is not delivered was told (RFC 3464).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reported: bool,
    /// Who did it, as the system knows the process that asked.
    pub by: String,
    /// Why, in the operator's words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// What was moved from the queue into a file, or from a file into the queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueMoved {
    /// The file.
    pub file: String,
    /// Import: the node that has written the file, if it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Messages moved.
    pub messages: u64,
    /// Their recipients.
    pub recipients: u64,
    /// Export: messages that were meant and stay in the queue.
    #[serde(default)]
    pub left_out: u64,
    /// Import: stretches of the file that could not be read.
    #[serde(default)]
    pub damaged: u64,
    /// Who did it, as the system knows the process that asked.
    pub by: String,
    /// Why, in the operator's words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// What an operator does to a queued message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QueueAction {
    /// It is tried now.
    Retry,
    /// It is kept back.
    Hold,
    /// It goes on.
    Release,
    /// It is given up.
    Remove,
    /// It goes to another nexthop.
    Reroute,
}

impl QueueAction {
    /// Every action.
    pub const ALL: [QueueAction; 5] = [
        QueueAction::Retry,
        QueueAction::Hold,
        QueueAction::Release,
        QueueAction::Remove,
        QueueAction::Reroute,
    ];

    /// The word in events, paths and labels.
    pub const fn word(self) -> &'static str {
        match self {
            QueueAction::Retry => "retry",
            QueueAction::Hold => "hold",
            QueueAction::Release => "release",
            QueueAction::Remove => "remove",
            QueueAction::Reroute => "reroute",
        }
    }
}

/// What a suspension is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SuspensionKind {
    /// A recipient domain.
    Domain,
    /// The messages of a customer.
    Customer,
    /// A destination.
    Site,
}

impl SuspensionKind {
    /// Every kind.
    pub const ALL: [SuspensionKind; 3] = [
        SuspensionKind::Domain,
        SuspensionKind::Customer,
        SuspensionKind::Site,
    ];

    /// The word in events and requests.
    pub const fn word(self) -> &'static str {
        match self {
            SuspensionKind::Domain => "domain",
            SuspensionKind::Customer => "customer",
            SuspensionKind::Site => "site",
        }
    }
}

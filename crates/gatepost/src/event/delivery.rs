//! What became of a queued message in one attempt: the event `delivery`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::decision::Tls;

/// One transaction that delivered a queued message, or tried to; or the end of its lifetime.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    /// The reference of the transaction that brought the message.
    pub reference: String,
    /// The message in the queue.
    pub queue_id: String,
    /// Whose message it is.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub customer: Arc<str>,
    /// Without angle brackets; `<>` for the null reverse-path.
    pub reverse_path: String,
    /// The recipients that it was about.
    pub recipients: Vec<DeliveredRecipient>,
    /// The nexthop that was spoken to, or was to be.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub nexthop: String,
    /// The encryption of the connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
    /// How the server has proven over TLS who it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<String>,
    /// Bytes of the message.
    pub bytes: u64,
    /// How often delivery was tried, this time included.
    pub attempts: u32,
    /// The final reply was lost, so that the message may arrive twice.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub repeatable: bool,
    /// How long ago the message was accepted, in seconds.
    pub age_seconds: f64,
    /// How long the transaction took, in milliseconds.
    pub milliseconds: f32,
}

/// What became of the message for one recipient.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeliveredRecipient {
    /// The forward-path without angle brackets.
    pub forward_path: String,
    /// What became of it.
    pub result: DeliveryResult,
    /// The enhanced status (RFC 3463).
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub status: String,
    /// The nexthop's reply, or what happened in its place.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reply: String,
}

/// What became of the message for a recipient (the words of RFC 3464 2.3.3 where it has them).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeliveryResult {
    /// The nexthop has it.
    Delivered,
    /// It is tried again.
    Delayed,
    /// It will not be delivered.
    Failed,
    /// It will not be delivered: its lifetime is over.
    Expired,
}

impl DeliveryResult {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            DeliveryResult::Delivered => "delivered",
            DeliveryResult::Delayed => "delayed",
            DeliveryResult::Failed => "failed",
            DeliveryResult::Expired => "expired",
        }
    }
}

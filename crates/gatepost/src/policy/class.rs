//! Which recipients may share one transaction. DATA has one reply, so those whose policy or nexthop differ are told
//! `452 4.5.3` at RCPT (RFC 5321 4.5.3.1.10) and the client opens another transaction for them.
//!
//! With PRDR each recipient has a reply of its own; whether it may still share the way to the nexthop is `serve`'s.

use std::sync::Arc;

use super::{Kind, List, ListMatch, Reason, Settings, Verdict};

/// What recipients must have in common to share a transaction.
#[derive(Clone, Debug, PartialEq)]
pub struct RecipientClass {
    /// The way the message takes: the nexthops of the route and how they are used, as the caller names them.
    pub nexthop: Arc<str>,
    /// By what the verdict is made.
    pub settings: Arc<Settings>,
    /// Whether an allow list names the recipient.
    pub allowed: bool,
    /// Whether result fields are added.
    pub result_fields: bool,
    /// The language of the refusal, of which there is one.
    pub language: Arc<str>,
}

impl RecipientClass {
    /// Whether any of the entries that matched a recipient allows.
    pub fn is_allowed(lists: &[ListMatch]) -> bool {
        lists.iter().any(|entry| entry.list == List::Allow)
    }
}

/// Whether a recipient of class `next` may join a transaction whose recipients are of class `first`.
pub fn share(first: Option<&RecipientClass>, next: &RecipientClass) -> Verdict {
    match first {
        Some(first) if first != next => {
            Verdict::because(Reason::new(Kind::AnotherTransaction).with_detail(format!(
                "{} while the transaction has {}",
                next.nexthop, first.nexthop
            )))
        }
        _ => Verdict::ACCEPT,
    }
}

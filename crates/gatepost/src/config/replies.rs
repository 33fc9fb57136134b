//! `[replies.LANGUAGE]`: texts of refusals that an operator has changed or translated.
//!
//! Only the templates are kept here; the built-in ones and their filling in live in `replies`.

use std::collections::BTreeMap;

/// Templates by language, then by kind; empty where the operator changed nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replies {
    /// By language tag (`en`, `de`, `pt-br`), lower case.
    pub languages: BTreeMap<String, BTreeMap<ReplyKind, String>>,
}

/// Which refusal a template is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReplyKind {
    /// Refused as spam.
    Spam,
    /// Refused for a virus.
    Virus,
    /// Refused for a banned attachment.
    Attachment,
    /// Refused for its size.
    Size,
    /// Refused for an over-long line or a bare newline.
    Line,
    /// Not a domain that we relay for.
    Relay,
    /// No such mailbox.
    Mailbox,
    /// On a block list.
    List,
    /// Against a policy.
    Policy,
    /// An engine that must answer does not.
    EngineUnavailable,
    /// No nexthop can be reached.
    NexthopDown,
}

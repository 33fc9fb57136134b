//! `[[route]]`: for some recipient domains, the nexthop, the recipient check and the policy.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::{EngineRule, Nexthop, NexthopAuth, NexthopOrder, NexthopTimeouts, NexthopTls};
use crate::relay_table::KnownRecipients;

/// One `[[route]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// Its place among the routes, from 0: with it a route is told from another at a glance.
    pub index: usize,
    /// Where it stands: `gatepost.toml:40`, or `embedded`.
    pub origin: String,
    /// The domains as they stand in the file (lists in files unread), for people.
    pub domains: Vec<String>,
    /// Whose domains these are.
    pub customer: Option<String>,
    /// Where messages go; never empty.
    pub nexthops: Vec<Nexthop>,
    /// Which nexthop first.
    pub nexthop_order: NexthopOrder,
    /// TLS towards the nexthops.
    pub nexthop_tls: NexthopTls,
    /// What we log in with at the nexthops.
    pub nexthop_auth: Option<NexthopAuth>,
    /// How long a nexthop may take.
    pub nexthop_timeouts: NexthopTimeouts,
    /// The nexthop is dialled at RCPT time and its replies are passed on.
    pub cut_through: bool,
    /// What the client is told when no nexthop can be reached.
    pub on_nexthop_failure: OnNexthopFailure,
    /// Which recipients exist.
    pub recipients: RecipientCheck,
    /// The language of refusals, a section of `[replies]`.
    pub language: String,
    /// Accepted messages get `X-Gatepost-...` fields.
    pub result_fields: bool,
    /// The rules of all engines that are set up, as they hold for this route.
    pub engines: BTreeMap<String, EngineRule>,
}

/// What the client is told when no nexthop can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnNexthopFailure {
    /// 451 4.4.1: try again.
    Defer,
}

/// How we know which recipients exist.
#[derive(Clone, Debug, PartialEq)]
pub enum RecipientCheck {
    /// All of them.
    Any,
    /// The nexthop is asked by RCPT.
    Callout(Callout),
    /// They stand in a file, read with the configuration.
    Listed(Arc<KnownRecipients>),
}

/// How a nexthop is asked, and how long its answers are remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Callout {
    /// A recipient that exists.
    pub positive_ttl: Duration,
    /// A recipient that does not.
    pub negative_ttl: Duration,
    /// How long the nexthop may take to answer.
    pub timeout: Duration,
}

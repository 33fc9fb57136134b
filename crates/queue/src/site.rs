//! Where lanes go: the words in which delivery tells the schedule how many connections, how fast, and what went wrong.
//!
//! A *site* is what a connection leads to (a nexthop, or the group of hosts that an MX RRset names); it has its own slow
//! start, back-off and limits, shared by all lanes that lead there. How the schedule keeps them is not told here.

use std::sync::Arc;
use std::time::Duration;

use smtp::Status;

/// What the schedule as a whole is held to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at a time, to all sites together.
    pub connections_max: u32,
    /// The seed of the jitter.
    pub seed: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connections_max: 500,
            seed: 0,
        }
    }
}

/// What one site is held to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteLimits {
    /// Connections at a time.
    pub connections_max: u32,
    /// Connections at a time before any has worked (slow start).
    pub connections_first: u32,
    /// Messages over one connection.
    pub parcels_per_connection_max: u32,
    /// How long the site is left alone when nobody there could be reached.
    pub back_off: BackOff,
}

impl Default for SiteLimits {
    fn default() -> SiteLimits {
        SiteLimits {
            connections_max: 20,
            connections_first: 5,
            parcels_per_connection_max: 100,
            back_off: BackOff::default(),
        }
    }
}

/// How long something is left alone: longer each time, between these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackOff {
    /// The first time.
    pub min: Duration,
    /// At most.
    pub max: Duration,
}

impl Default for BackOff {
    fn default() -> BackOff {
        BackOff {
            min: Duration::from_secs(300),
            max: Duration::from_secs(3600),
        }
    }
}

/// A bound that several sites may share: of a route, a pool or a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Whose: `route:..`, `pool:..`, `destination:..`.
    pub key: Arc<str>,
    /// Connections at a time.
    pub connections_max: Option<u32>,
    /// Messages in a time.
    pub rate: Option<Rate>,
}

/// So many messages in such a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Messages.
    pub messages: u32,
    /// In this time.
    pub per: Duration,
}

/// Why nobody at a site could be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteFault {
    /// The enhanced status (RFC 3463).
    pub status: Status,
    /// Which host was tried last.
    pub nexthop: String,
    /// What happened.
    pub detail: String,
}

/// Whether a slot may connect to a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entered {
    /// Connect.
    Go,
    /// The site has all the connections that it may have, or is left alone: drop the slot; the lane waits for the site.
    Full,
}

/// A site as operators see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteState {
    /// Its name.
    pub site: String,
    /// Connections that are open or being opened.
    pub connections: u32,
    /// Connections that it may have now.
    pub window: u32,
    /// Recipients that wait for it.
    pub waiting: u64,
    /// For how long it is left alone from now on.
    pub backed_off: Option<Duration>,
    /// Why.
    pub last: Option<SiteFault>,
    /// Whether an operator suspended it.
    pub suspended: bool,
}

/// A lane as operators see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneState {
    /// Which.
    pub lane: crate::LaneKey,
    /// The site that it led to when it was last planned.
    pub site: Option<String>,
    /// Recipients that wait.
    pub waiting: u64,
    /// Of these, those whose time has come.
    pub due: u64,
    /// For how long it is left alone from now on.
    pub backed_off: Option<Duration>,
    /// Whether an operator suspended it, or its site.
    pub suspended: bool,
}

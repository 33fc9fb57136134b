//! Where messages wait to go: sites and lanes, and what an operator has suspended.

use std::time::Duration;

use queue::{Queue, SiteState, Suspended};
use serde::{Deserialize, Serialize};

use super::messages::now;
use crate::event::SuspensionKind;

/// Sites and lanes that one answer has at most.
pub const DESTINATIONS_MAX: usize = 10_000;

/// Where messages wait to go.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Destinations {
    /// Those with the most recipients first.
    pub sites: Vec<Site>,
    /// Sites that are left out.
    pub more_sites: u64,
    /// Those with the most recipients first.
    pub lanes: Vec<Lane>,
    /// Lanes that are left out.
    pub more_lanes: u64,
    /// What an operator has suspended.
    pub suspensions: Vec<Suspension>,
}

/// What connections lead to: a nexthop, or the mail exchangers of domains.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Site {
    /// Its name: what `suspend --site` takes.
    pub site: String,
    /// Recipients that wait for it.
    pub waiting: u64,
    /// Connections now.
    pub connections: u32,
    /// Connections that it may have now.
    pub connections_max: u32,
    /// For how long it is left alone, since nobody there could be reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_alone_seconds: Option<u64>,
    /// The enhanced status of what went wrong last (RFC 3463).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// What went wrong last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// With which server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nexthop: Option<String>,
    /// An operator has suspended it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub suspended: bool,
}

/// Recipients that wait for the same thing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lane {
    /// The recipient domain.
    pub domain: String,
    /// Whose messages.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub customer: String,
    /// The nexthop that an operator chose for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rerouted: Option<String>,
    /// Where it leads, once that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// Recipients that wait.
    pub waiting: u64,
    /// Of these, those whose time has come.
    pub due: u64,
    /// For how long it is left alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_alone_seconds: Option<u64>,
    /// An operator has suspended its domain, its customer or its site.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub suspended: bool,
}

/// What an operator has suspended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Suspension {
    /// What the name is one of.
    pub kind: SuspensionKind,
    /// What.
    pub name: String,
    /// Who did it.
    pub by: String,
    /// Why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// How long ago.
    pub age_seconds: u64,
}

impl Destinations {
    /// As things are; so many sites and so many lanes.
    pub(super) fn new(queue: &Queue, limit: usize) -> Destinations {
        let mut sites = queue.sites();
        sites.sort_by_key(|site| std::cmp::Reverse(site.waiting));
        let more_sites = sites.len().saturating_sub(limit) as u64;
        sites.truncate(limit);
        let lanes = queue.lanes(limit);
        let more_lanes = queue.stats().lanes.saturating_sub(lanes.len() as u64);
        Destinations {
            sites: sites.into_iter().map(site).collect(),
            more_sites,
            lanes: lanes.into_iter().map(lane).collect(),
            more_lanes,
            suspensions: queue.suspensions().into_iter().map(suspension).collect(),
        }
    }
}

fn site(state: SiteState) -> Site {
    let (status, detail, nexthop) = match state.last {
        None => (None, None, None),
        Some(fault) => (
            Some(fault.status.to_string()),
            Some(fault.detail),
            Some(fault.nexthop),
        ),
    };
    Site {
        site: state.site,
        waiting: state.waiting,
        connections: state.connections,
        connections_max: state.window,
        left_alone_seconds: state.backed_off.map(seconds),
        status,
        detail,
        nexthop: nexthop.filter(|it| !it.is_empty()),
        suspended: state.suspended,
    }
}

fn lane(state: queue::LaneState) -> Lane {
    Lane {
        domain: state.lane.domain.to_string(),
        customer: state.lane.customer.to_string(),
        rerouted: state.lane.nexthop.map(|it| it.to_string()),
        site: state.site,
        waiting: state.waiting,
        due: state.due,
        left_alone_seconds: state.backed_off.map(seconds),
        suspended: state.suspended,
    }
}

fn suspension(suspension: queue::Suspension) -> Suspension {
    let (kind, name) = match suspension.what {
        Suspended::Domain(name) => (SuspensionKind::Domain, name),
        Suspended::Customer(name) => (SuspensionKind::Customer, name),
        Suspended::Site(name) => (SuspensionKind::Site, name),
    };
    Suspension {
        kind,
        name,
        by: suspension.by.name,
        reason: suspension.by.reason,
        age_seconds: now().saturating_sub(suspension.since) / 1000,
    }
}

/// Whole seconds, the last begun one included.
fn seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

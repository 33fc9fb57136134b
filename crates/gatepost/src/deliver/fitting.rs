//! Which connection may carry which message. Lanes of one site share connections, but records and policies (RFC 7672, RFC 8461)
//! are each domain's own, and demands (RFC 8689) each message's.
//!
//! What a server must prove is `security`'s to know; here a connection that is there already is held against it.

use std::sync::Arc;
use std::time::Duration;

use super::connection::Connection;
use super::dial::{Demand, require};
use super::fault::Fault;
use super::nexthops::{Dialling, Source};
use super::plan::{Host, Plan};
use super::security::HostSecurity;
use crate::config::{NexthopTls, Route};
use crate::context::Context;
use crate::expiring::Expiring;

/// Answers kept at one time.
const ANSWERS_MAX: usize = 50_000;
/// How long one is kept: no longer than a plan is at least. A new connection is always made by what holds at that time.
const ANSWERS_KEPT: Duration = Duration::from_secs(60);

/// What servers must prove, as it was found a moment ago; `None` where they must not be used.
pub(super) struct Securities {
    kept: Expiring<Key, Option<Arc<HostSecurity>>>,
}

/// Domain, label of the server, TLS of the route, demand of the message. A server's label names it in full.
type Key = (Arc<str>, Arc<str>, NexthopTls, Demand);

impl Default for Securities {
    fn default() -> Securities {
        Securities {
            kept: Expiring::new(ANSWERS_MAX),
        }
    }
}

/// Whether the connection may carry a message of this demand to the domain of `plan`: it leads to a server of the plan, is made
/// as one of its route would be, and has proven what the domain's records and policies want.
pub(super) async fn fits(
    cx: &Context,
    plan: &Plan,
    connection: &Connection,
    demand: Demand,
) -> bool {
    let label = connection.label();
    let Some(host) = plan.hosts.iter().find(|host| host.label == label) else {
        return false;
    };
    let route = &plan.route.route;
    if !connection.is_made_as(cx.dialling.source_of(route), route.nexthop_auth.as_ref()) {
        return false;
    }
    if !has_own_wishes(host, plan.tls, demand) {
        return true;
    }
    let key = (Arc::clone(&plan.domain), label, plan.tls, demand);
    let kept = &cx.plans.securities.kept;
    let security = match kept.find(&key) {
        Some(security) => security,
        None => {
            let security = require(cx, plan, host, demand).await.ok().map(Arc::new);
            kept.insert(key, security.clone(), ANSWERS_KEPT);
            security
        }
    };
    security.is_some_and(|security| connection.meets(&security))
}

impl Dialling {
    /// Where connections of this route come from.
    pub(super) fn source_of(&self, route: &Route) -> &Source {
        let pool = route.queueing.pool.as_ref();
        pool.and_then(|pool| self.pools.get(pool))
            .unwrap_or(&self.source)
    }
}

/// Whether more than the site's name says must be known. Configured servers are asked for what the route says, which all
/// connections of a site have in common, except by TLSA records.
fn has_own_wishes(host: &Host, tls: NexthopTls, demand: Demand) -> bool {
    let by_records = matches!(tls, NexthopTls::Dane | NexthopTls::DaneOnly);
    host.socket.is_none() && (host.by_mx || by_records || demand.require_tls)
}

/// Whether a fault is the affair of this domain or message alone, so that the site may well serve others.
pub(super) fn is_own(plan: &Plan, demand: Demand, fault: &Fault) -> bool {
    let is_special = demand != Demand::default() || plan.hosts.iter().any(|host| host.by_mx);
    is_special && fault.is_of_security()
}

#[cfg(test)]
mod tests;

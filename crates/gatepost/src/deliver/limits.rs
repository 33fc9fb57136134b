//! How many connections and messages a site may have: from the route, its pool, and the destinations of the configuration.

use std::sync::Arc;

use queue::{BackOff, Quota, SiteLimits};

use super::plan::{Host, Plan};
use crate::config::{Config, Destination, Pool, Rate, Route};
use crate::context::Context;

/// What holds for a plan.
pub(super) struct Limits {
    pub(super) site: SiteLimits,
    pub(super) quotas: Vec<Quota>,
}

/// The limits of `plan` under the configuration in force.
pub(super) fn limits(cx: &Context, plan: &Plan) -> Limits {
    let route = &plan.route.route;
    let queueing = &route.queueing;
    let destination = destination(&cx.config, &plan.domain, &plan.hosts);
    let of = |given: Option<u32>, otherwise: u32| given.unwrap_or(otherwise);
    let most = of(
        destination.and_then(|destination| destination.connections_max),
        queueing.connections_max,
    );
    let first = of(
        destination.and_then(|destination| destination.connections_first),
        queueing.connections_first,
    );
    let per_connection = of(
        destination.and_then(|destination| destination.messages_per_connection),
        queueing.messages_per_connection,
    );
    let mut quotas = Vec::new();
    if let Some(rate) = queueing.rate {
        // A domain has one route only, and that lasts where lines of the file move: a reload leaves what was counted.
        let name = route.domains.first().map_or("", String::as_str);
        quotas.push(quota("route", name, None, Some(rate)));
    }
    if let Some(pool) = pool(&cx.config, plan)
        && (pool.connections_max.is_some() || pool.rate.is_some())
    {
        quotas.push(quota("pool", &pool.name, pool.connections_max, pool.rate));
    }
    if let Some(destination) = destination
        && destination.rate.is_some()
    {
        quotas.push(quota(
            "destination",
            &destination.name,
            None,
            destination.rate,
        ));
    }
    Limits {
        site: SiteLimits {
            connections_max: most,
            connections_first: first.min(most),
            parcels_per_connection_max: per_connection,
            back_off: back_off(route),
        },
        quotas,
    }
}

/// How long what has no server now is left alone.
pub(super) fn back_off(route: &Route) -> BackOff {
    BackOff {
        min: route.queueing.retry_min,
        max: route.queueing.retry_max,
    }
}

/// The pool that a plan's route delivers from.
pub(super) fn pool<'c>(config: &'c Config, plan: &Plan) -> Option<&'c Pool> {
    let name = plan.route.route.queueing.pool.as_ref()?;
    config.pools.iter().find(|pool| pool.name == *name)
}

/// The first `[[destination]]` that covers the recipient domain or one of its servers.
pub(super) fn destination<'c>(
    config: &'c Config,
    domain: &str,
    hosts: &[Host],
) -> Option<&'c Destination> {
    let hosts = hosts.iter().map(|host| &*host.name);
    config
        .destinations
        .covering(std::iter::once(domain).chain(hosts))
}

fn quota(kind: &str, name: &str, connections_max: Option<u32>, rate: Option<Rate>) -> Quota {
    Quota {
        key: Arc::from(format!("{kind}:{name}")),
        connections_max,
        rate: rate.map(|rate| queue::Rate {
            messages: rate.messages,
            per: rate.per,
        }),
    }
}

#[cfg(test)]
mod tests;

//! How a server is talked to: its protocol, our name and addresses, TLS and login, from the route, its pool and the destinations.

use std::sync::Arc;

use smtp::client::{ClientAuth, Protocol};
use smtp::{Domain, ForwardPath};

use super::Dialling;
use crate::config::{Address, Nexthop, NexthopTls, Route};
use crate::deliver::connection::Manner;

/// How to talk to `nexthop`; `None` if it is no server that can be dialled at once.
pub(super) fn manner(
    nexthop: &Nexthop,
    route: &Route,
    dialling: &Dialling,
    tls: NexthopTls,
) -> Option<Manner> {
    let (protocol, name) = match nexthop {
        Nexthop::Smtp { host, .. } => (Protocol::Smtp, host.as_str()),
        Nexthop::Lmtp(Address::Tcp(host, _)) => (Protocol::Lmtp, host.as_str()),
        Nexthop::Lmtp(Address::Unix(_)) => (Protocol::Lmtp, ""),
        // Who delivers by MX makes a plan first, with the queue behind it.
        Nexthop::Maildir(_) | Nexthop::Mx { .. } => return None,
    };
    let label = &Arc::from(nexthop.to_string());
    let server = Server {
        label,
        name,
        protocol,
    };
    Some(dialling.manner(route, server, tls))
}

/// A server, as far as the manner of talking to it depends on it.
#[derive(Clone, Copy)]
pub(in crate::deliver) struct Server<'a> {
    pub(in crate::deliver) label: &'a Arc<str>,
    /// What its certificate must be for.
    pub(in crate::deliver) name: &'a str,
    pub(in crate::deliver) protocol: Protocol,
}

impl Dialling {
    /// The TLS that holds for a domain on this route: what the first `[[destination]]` says that covers it or a nexthop, or else
    /// the route.
    pub fn tls_for(&self, route: &Route, forward_path: &ForwardPath) -> NexthopTls {
        let domain = forward_path.domain().map(Domain::ascii);
        let names = domain.as_deref().into_iter().chain(hosts(route));
        let destination = self.destinations.covering(names);
        destination
            .and_then(|destination| destination.tls)
            .unwrap_or(route.nexthop_tls)
    }

    /// How to talk to a server of this route.
    pub(in crate::deliver) fn manner(
        &self,
        route: &Route,
        server: Server<'_>,
        tls: NexthopTls,
    ) -> Manner {
        let source = self.source_of(route);
        Manner {
            label: Arc::clone(server.label),
            protocol: server.protocol,
            ehlo_name: source.ehlo_name.clone(),
            bind: Arc::clone(&source.bind),
            tls,
            tls_name: server.name.to_owned(),
            connector: match tls {
                NexthopTls::Require => self.verified.clone(),
                _ => self.opportunistic.clone(),
            },
            auth: route.nexthop_auth.as_ref().map(|auth| ClientAuth {
                user: auth.user.clone(),
                password: auth.password.reveal().to_owned(),
                in_clear: false,
            }),
            timeouts: route.nexthop_timeouts,
        }
    }
}

fn hosts(route: &Route) -> impl Iterator<Item = &str> {
    route.nexthops.iter().filter_map(|nexthop| match nexthop {
        Nexthop::Smtp { host, .. } | Nexthop::Lmtp(Address::Tcp(host, _)) => Some(host.as_str()),
        _ => None,
    })
}

//! The reverse names of clients: looked up while the session goes on, remembered, and never waited for long.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use net::resolver::Resolver;
use tokio::task::JoinHandle;

use crate::expiring::Expiring;

/// Clients remembered at one time.
const NAMES_MAX: usize = 100_000;
/// How long a name is remembered. Its own time to live is the resolver's business; this bounds what lies above it.
const NAME_LIFETIME: Duration = Duration::from_secs(600);
/// How long it is remembered that DNS gave no answer.
const FAILURE_LIFETIME: Duration = Duration::from_secs(60);
/// How long a message waits for the name of its client.
const WAIT_MAX: Duration = Duration::from_secs(2);

/// What is remembered of all clients.
#[derive(Debug, Clone)]
pub struct ReverseNames {
    known: Arc<Expiring<IpAddr, Option<Arc<str>>>>,
}

/// The name of one client, now or soon.
#[derive(Debug)]
pub enum ReverseName {
    /// Not asked for.
    Unasked,
    /// Being looked up.
    Pending(JoinHandle<Option<Arc<str>>>),
    /// Known, or known to be missing.
    Known(Option<Arc<str>>),
}

impl Default for ReverseNames {
    fn default() -> ReverseNames {
        ReverseNames { known: Arc::new(Expiring::new(NAMES_MAX)) }
    }
}

impl ReverseNames {
    /// Begins to look up the forward-confirmed name of `ip`.
    pub fn ask(&self, resolver: &Resolver, ip: IpAddr) -> ReverseName {
        if ip.is_loopback() {
            return ReverseName::Known(Some(Arc::from("localhost")));
        }
        if let Some(name) = self.known.find(&ip) {
            return ReverseName::Known(name);
        }
        let (known, resolver) = (Arc::clone(&self.known), resolver.clone());
        ReverseName::Pending(tokio::spawn(async move {
            match resolver.reverse_name(ip).await {
                Ok(name) => {
                    let name: Option<Arc<str>> = name.map(Arc::from);
                    known.insert(ip, name.clone(), NAME_LIFETIME);
                    name
                }
                Err(_) => {
                    known.insert(ip, None, FAILURE_LIFETIME);
                    None
                }
            }
        }))
    }
}

impl ReverseName {
    /// The name, if it is known by now.
    pub fn known(&self) -> Option<&str> {
        match self {
            ReverseName::Known(name) => name.as_deref(),
            ReverseName::Unasked | ReverseName::Pending(_) => None,
        }
    }

    /// The name, waited for a little.
    pub async fn wait(&mut self) -> Option<Arc<str>> {
        if let ReverseName::Pending(lookup) = self {
            let name = tokio::time::timeout(WAIT_MAX, lookup).await.ok().and_then(Result::ok).flatten();
            *self = ReverseName::Known(name);
        }
        match self {
            ReverseName::Known(name) => name.clone(),
            ReverseName::Unasked | ReverseName::Pending(_) => None,
        }
    }
}

#[cfg(test)]
mod tests;

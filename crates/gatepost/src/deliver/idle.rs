//! Connections of the queue's deliveries that wait for the next message to the same site.
//!
//! A site's name holds what its connections have in common. What a domain or message wants beyond that is not looked at here
//! (`fitting`).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::connection::Connection;

/// Connections that wait at one time, to all sites together.
const CONNECTIONS_MAX: usize = 1000;

/// The connections that wait.
#[derive(Default)]
pub struct Idle {
    sites: Mutex<Sites>,
}

#[derive(Default)]
struct Sites {
    waiting: HashMap<Arc<str>, Vec<Connection>>,
    count: usize,
}

impl Idle {
    /// The connection to this site that was used last, if one is alive that has not waited longer than `idle`.
    pub fn take(&self, site: &str, idle: Duration) -> Option<Connection> {
        let mut sites = self.lock();
        let Sites { waiting, count } = &mut *sites;
        let connections = waiting.get_mut(site)?;
        let found = loop {
            let Some(mut connection) = connections.pop() else {
                break None;
            };
            *count = count.saturating_sub(1);
            if connection.idle_since.elapsed() < idle && connection.is_alive() {
                break Some(connection);
            }
        };
        if connections.is_empty() {
            waiting.remove(site);
        }
        found
    }

    /// Puts back connections that were taken and did not fit: each waits as long as it would have.
    pub fn put_back(&self, site: &Arc<str>, connections: Vec<Connection>) {
        if connections.is_empty() {
            return;
        }
        let mut sites = self.lock();
        sites.count += connections.len();
        let waiting = sites.waiting.entry(Arc::clone(site)).or_default();
        waiting.splice(0..0, connections);
    }

    /// Keeps a connection after a transaction that was finished, or takes leave of it.
    pub fn put(&self, site: &Arc<str>, mut connection: Connection, idle: Duration) {
        let mut sites = self.lock();
        if idle.is_zero() || sites.count >= CONNECTIONS_MAX || !connection.is_reusable() {
            drop(sites);
            tokio::spawn(connection.quit());
            return;
        }
        connection.idle_since = Instant::now();
        sites.count += 1;
        let waiting = sites.waiting.entry(Arc::clone(site)).or_default();
        waiting.push(connection);
    }

    /// Takes leave of those that have waited for `idle` or longer.
    pub fn tidy_up(&self, idle: Duration) {
        let mut leaving = Vec::new();
        let mut sites = self.lock();
        sites.waiting.retain(|_, connections| {
            let (stay, leave): (Vec<_>, Vec<_>) = connections
                .drain(..)
                .partition(|connection| connection.idle_since.elapsed() < idle);
            *connections = stay;
            leaving.extend(leave);
            !connections.is_empty()
        });
        sites.count = sites.waiting.values().map(Vec::len).sum();
        drop(sites);
        for connection in leaving {
            tokio::spawn(connection.quit());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Sites> {
        self.sites.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

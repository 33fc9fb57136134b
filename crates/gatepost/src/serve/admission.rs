//! How many connections a listener holds, over all and per client network (IPv4 /24, IPv6 /48).
//!
//! A `Place` is taken before the banner and given back when the connection ends, however it ends.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ipnet::IpNet;

/// The connections of one listener.
#[derive(Debug, Default)]
pub struct Admission {
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    total: usize,
    networks: HashMap<IpNet, usize>,
}

/// Why a connection is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crowded {
    /// The listener holds as many connections as it may.
    Listener,
    /// The client's network does.
    Network,
}

/// One connection's place; dropping it frees the place.
#[derive(Debug)]
pub struct Place {
    admission: Arc<Admission>,
    network: IpNet,
}

impl Admission {
    /// Takes a place for a connection from `ip`.
    pub fn enter(self: &Arc<Self>, ip: IpAddr, total_max: usize, network_max: usize) -> Result<Place, Crowded> {
        let network = net::network::of(ip);
        let mut counts = self.counts();
        if counts.total >= total_max {
            return Err(Crowded::Listener);
        }
        let of_network = counts.networks.entry(network).or_insert(0);
        if *of_network >= network_max {
            // A network at its limit is in the map with at least one connection, unless the limit is zero.
            if *of_network == 0 {
                counts.networks.remove(&network);
            }
            return Err(Crowded::Network);
        }
        *of_network += 1;
        counts.total += 1;
        Ok(Place { admission: Arc::clone(self), network })
    }

    /// The connections held now.
    pub fn total(&self) -> usize {
        self.counts().total
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.admission.counts();
        counts.total = counts.total.saturating_sub(1);
        if let Some(of_network) = counts.networks.get_mut(&self.network) {
            *of_network = of_network.saturating_sub(1);
            if *of_network == 0 {
                counts.networks.remove(&self.network);
            }
        }
    }
}

#[cfg(test)]
mod tests;

//! Connections that lost a race of two families: silence of a moment says that an address is slow, not that its family leads
//! nowhere. The attempt runs on for a while, and only then is its silence held against the family.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::deliver::families::Families;

/// How long the loser may still connect: three times what the first repetition of a lost SYN takes (RFC 6298 section 2).
const PATIENCE: Duration = Duration::from_secs(3);
/// Losers that run on at one time. What is beyond tells nothing about its family.
const LOSERS_MAX: usize = 100;

/// Attempts that are under way, each with the address that it leads to.
pub(super) type Running<T> = FuturesUnordered<BoxFuture<'static, (SocketAddr, io::Result<T>)>>;

/// Room for losers.
pub(super) struct Losers(Arc<Semaphore>);

impl Default for Losers {
    fn default() -> Losers {
        Losers(Arc::new(Semaphore::new(LOSERS_MAX)))
    }
}

impl Losers {
    /// Lets those of `running` that lead to `silent` addresses run on beside the delivery that `winner` carries.
    pub(super) fn watch<T: Send + 'static>(
        &self,
        families: &Arc<Families>,
        running: Running<T>,
        silent: Vec<SocketAddr>,
        winner: SocketAddr,
    ) {
        for address in &silent {
            families.lags(address.ip());
        }
        if silent.is_empty() {
            return;
        }
        if let Ok(permit) = Arc::clone(&self.0).try_acquire_owned() {
            let families = Arc::clone(families);
            tokio::spawn(async move {
                settle(&families, running, silent, winner).await;
                drop(permit);
            });
        }
    }
}

async fn settle<T>(
    families: &Families,
    mut running: Running<T>,
    mut silent: Vec<SocketAddr>,
    winner: SocketAddr,
) {
    let deadline = Instant::now() + PATIENCE;
    while let Ok(Some((address, connected))) =
        tokio::time::timeout_at(deadline, running.next()).await
    {
        let Some(place) = silent.iter().position(|it| *it == address) else {
            continue;
        };
        silent.swap_remove(place);
        match connected {
            Ok(_) => families.leads(address.ip()),
            Err(error) => families.fails(address.ip(), &error),
        }
    }
    for address in silent {
        let text = format!("{address} was silent long after {winner} had answered");
        let error = io::Error::new(io::ErrorKind::TimedOut, text);
        families.fails(address.ip(), &error);
    }
}

#[cfg(test)]
mod tests;

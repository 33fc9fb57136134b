//! Losers that connect late, and those that never do.

use std::net::{IpAddr, Ipv6Addr};

use super::*;
use crate::deliver::families::Family;

fn six(network: u16) -> SocketAddr {
    let ip = Ipv6Addr::new(0x2001, 0xdb8, network, 0, 0, 0, 0, 1);
    SocketAddr::new(IpAddr::from(ip), 25)
}

fn winner() -> SocketAddr {
    "192.0.2.1:25".parse().unwrap()
}

/// Four networks whose connections take so long.
async fn after(connects_in: Duration) -> Arc<Families> {
    let families = Arc::new(Families::new(Arc::new(|_| {})));
    let losers = Losers::default();
    for network in 0..4 {
        let running: Running<()> = FuturesUnordered::new();
        running.push(Box::pin(async move {
            tokio::time::sleep(connects_in).await;
            (six(network), Ok(()))
        }));
        losers.watch(&families, running, vec![six(network)], winner());
        tokio::time::sleep(PATIENCE + Duration::from_secs(1)).await;
    }
    families
}

#[tokio::test(start_paused = true)]
async fn a_family_that_is_slow_is_not_down() {
    assert_eq!(after(Duration::from_millis(900)).await.down(), []);
}

#[tokio::test(start_paused = true)]
async fn a_family_that_stays_silent_is() {
    let down = after(Duration::from_secs(30)).await.down();
    assert_eq!(down.len(), 1);
    assert_eq!(down[0].0, Family::Ipv6);
    assert!(
        down[0].1.contains("was silent long after 192.0.2.1:25"),
        "{down:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn no_more_than_some_run_on() {
    let families = Arc::new(Families::new(Arc::new(|_| {})));
    let losers = Losers::default();
    for network in 0..500 {
        let running: Running<()> = FuturesUnordered::new();
        running.push(Box::pin(std::future::pending()));
        losers.watch(&families, running, vec![six(network)], winner());
    }
    assert_eq!(losers.0.available_permits(), 0);
    tokio::time::sleep(PATIENCE * 2).await;
    assert_eq!(losers.0.available_permits(), LOSERS_MAX);
}

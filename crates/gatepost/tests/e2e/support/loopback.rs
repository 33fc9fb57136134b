//! Loopback addresses that no other test uses at the same time: hosts of MX records listen on port 25, policy hosts on 443,
//! and tests run side by side.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};

use super::daemons::process::is_root;

/// Listens on this port of an address that nobody else listens on.
pub(crate) fn listen(port: u16) -> TcpListener {
    assert!(
        is_root() || port >= 1024,
        "only root may listen on port {port}"
    );
    // Another test may have drawn the same one; sixteen times in a row it has not.
    for _ in 0..16 {
        if let Ok(listener) = TcpListener::bind(SocketAddr::from((address(), port))) {
            return listener;
        }
    }
    panic!("no loopback address has port {port} free");
}

/// An address of 127.16.0.0 to 127.250.255.254 by chance: nobody listens there unless a test made it do so.
pub(crate) fn address() -> Ipv4Addr {
    Ipv4Addr::new(
        127,
        fastrand::u8(16..=250),
        fastrand::u8(..),
        fastrand::u8(1..=254),
    )
}

/// The same as text, for a record.
pub(crate) fn unused_ip() -> IpAddr {
    address().into()
}

//! Places are counted per listener and per network, and always given back.

use super::*;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn limits_hold_for_the_listener_and_for_each_network() {
    let admission = Arc::new(Admission::default());
    let a = admission.enter(ip("192.0.2.1"), 3, 2).unwrap();
    let _b = admission.enter(ip("192.0.2.200"), 3, 2).unwrap();
    assert_eq!(admission.enter(ip("192.0.2.9"), 3, 2).unwrap_err(), Crowded::Network);
    let _c = admission.enter(ip("198.51.100.1"), 3, 2).unwrap();
    assert_eq!(admission.enter(ip("203.0.113.1"), 3, 2).unwrap_err(), Crowded::Listener);
    drop(a);
    assert!(admission.enter(ip("192.0.2.9"), 3, 2).is_ok());
}

#[test]
fn an_ipv6_client_is_counted_by_its_48() {
    let admission = Arc::new(Admission::default());
    let _a = admission.enter(ip("2001:db8:1:2::1"), 9, 1).unwrap();
    assert_eq!(admission.enter(ip("2001:db8:1:ffff::1"), 9, 1).unwrap_err(), Crowded::Network);
    assert!(admission.enter(ip("2001:db8:2::1"), 9, 1).is_ok());
}

#[test]
fn nothing_is_kept_of_clients_that_left() {
    let admission = Arc::new(Admission::default());
    for n in 0..=255 {
        drop(admission.enter(ip(&format!("10.0.{n}.1")), 9, 9).unwrap());
    }
    assert_eq!(admission.enter(ip("10.0.0.1"), 9, 0).unwrap_err(), Crowded::Network);
    assert_eq!(admission.total(), 0);
    assert!(admission.counts().networks.is_empty());
}

//! The way from the address back to the name.

use super::*;
use crate::doctor::Grade;

#[tokio::test]
async fn the_way_back() {
    let zone = Resolver::zone(
        "1.2.0.192.in-addr.arpa. PTR mx.example.net.\n\
         2.2.0.192.in-addr.arpa. PTR other.example.net.\n\
         4.2.0.192.in-addr.arpa. SERVFAIL\n",
    )
    .unwrap();
    for (ip, grade, words) in [
        ("192.0.2.1", Grade::Ok, "agree"),
        ("192.0.2.2", Grade::Warning, "other.example.net"),
        ("192.0.2.3", Grade::Warning, "no PTR"),
        ("192.0.2.4", Grade::Warning, "gives no answer"),
    ] {
        let check = back(&zone, "MX.example.net", ip.parse().unwrap())
            .await
            .unwrap();
        assert_eq!(check.grade, grade, "{ip}");
        assert!(check.text.contains(words), "{}", check.text);
    }
    assert_eq!(back(&zone, "a", "10.1.2.3".parse().unwrap()).await, None);
}

#[test]
fn only_our_own_addresses_can_be_bound() {
    assert_eq!(own("a", "127.0.0.1".parse().unwrap()).grade, Grade::Ok);
    assert_eq!(own("a", "192.0.2.1".parse().unwrap()).grade, Grade::Warning);
}

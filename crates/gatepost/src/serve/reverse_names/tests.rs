//! Names are confirmed, remembered, and not waited for.

use super::*;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_confirmed_name_is_found_and_remembered() {
    let names = ReverseNames::default();
    let resolver = Resolver::zone(
        "1.2.0.192.in-addr.arpa. PTR client.example.net.\nclient.example.net. A 192.0.2.1\n\
         2.2.0.192.in-addr.arpa. PTR liar.example.net.\nliar.example.net. A 198.51.100.1\n",
    )
    .unwrap();
    assert_eq!(names.ask(&resolver, ip("192.0.2.1")).wait().await.as_deref(), Some("client.example.net"));
    assert!(matches!(names.ask(&resolver, ip("192.0.2.1")), ReverseName::Known(Some(_))));
    assert_eq!(names.ask(&resolver, ip("192.0.2.2")).wait().await, None, "not confirmed");
    assert_eq!(names.ask(&resolver, ip("192.0.2.3")).wait().await, None, "no such name");
}

#[tokio::test(start_paused = true)]
async fn dns_that_does_not_answer_is_not_waited_for_twice() {
    let names = ReverseNames::default();
    let resolver = Resolver::zone("9.2.0.192.in-addr.arpa. TIMEOUT\n").unwrap();
    let mut name = names.ask(&resolver, ip("192.0.2.9"));
    let asked = tokio::time::Instant::now();
    assert_eq!(name.wait().await, None);
    assert!(asked.elapsed() <= WAIT_MAX);
}

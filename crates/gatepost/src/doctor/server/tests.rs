//! How a server is named.

use super::*;

#[test]
fn hosts_and_ports() {
    for (text, host, port) in [
        ("mx.example.net", "mx.example.net", 25),
        ("mx.example.net:2525", "mx.example.net", 2525),
        ("192.0.2.1", "192.0.2.1", 25),
        ("2001:db8::1", "2001:db8::1", 25),
        ("[2001:db8::1]", "2001:db8::1", 25),
        ("[2001:db8::1]:587", "2001:db8::1", 587),
    ] {
        assert_eq!(host_and_port(text), Ok((host.to_owned(), port)), "{text}");
    }
    for text in [
        "", ":25", "a:", "a:0", "a:65536", "[::1", "[::1]25", "[x]", "a b",
    ] {
        assert!(host_and_port(text).is_err(), "{text}");
    }
}

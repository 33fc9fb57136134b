//! Impure words in pure and in other places.

use super::check;
use crate::tidy::source::Source;

fn problems(path: &str, text: &str) -> usize {
    let mut problems = Vec::new();
    check(&Source::new(path, text), &mut problems);
    problems.len()
}

#[test]
fn pure_crates_know_no_clock_and_no_socket() {
    let path = "crates/smtp/src/server.rs";
    assert_eq!(problems(path, "let now = std::time::Instant::now();"), 1);
    assert_eq!(problems(path, "use std::net::{IpAddr, TcpStream};"), 1);
    assert_eq!(problems(path, "use std::fs;"), 1);
    assert_eq!(
        problems(path, "use std::net::IpAddr; // no tokio, no Instant"),
        0
    );
}

#[test]
fn tests_and_other_crates_are_free() {
    assert_eq!(
        problems("crates/smtp/src/server/tests.rs", "use std::fs;"),
        0
    );
    assert_eq!(problems("crates/net/src/dns.rs", "use std::fs;"), 0);
    assert_eq!(problems("crates/gatepost/src/policy.rs", "use std::fs;"), 1);
}

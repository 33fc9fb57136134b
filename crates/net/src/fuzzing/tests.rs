use super::*;
use corpus::run;

#[path = "../../../../fuzz/corpus.rs"]
mod corpus;

#[test]
fn proxy_headers() {
    run("proxy", proxy);
}

#[test]
fn tlsa_records() {
    run("tlsa", tlsa);
}

use super::*;
use corpus::run;

#[path = "../../../../fuzz/corpus.rs"]
mod corpus;

#[test]
fn views() {
    run("view", view);
}

#[test]
fn attachments() {
    run("attachment", attachment);
}

#[test]
fn replies_of_daemons() {
    run("daemon_replies", daemon_replies);
}

#[test]
fn addresses() {
    run("address", address);
}

#[test]
fn models() {
    run("model", model);
}

#[test]
fn readings() {
    run("reading", reading);
}

#[test]
fn pages() {
    run("html", html);
}

#[test]
fn conditions() {
    run("condition", condition);
}

#[test]
fn what_senders_publish_and_sign() {
    run("authentication", authentication);
}

#[test]
fn records_of_senders_and_answers_of_lists() {
    run("reputation", reputation);
}

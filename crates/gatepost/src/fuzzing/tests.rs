use super::*;
use corpus::run;

#[path = "../../../../fuzz/corpus.rs"]
mod corpus;

#[test]
fn configurations() {
    run("config", config);
}

#[test]
fn files_of_messages() {
    run("mbox", mbox);
}

#[test]
fn policies_on_tls() {
    run("tls_policy", tls_policy);
}

#[test]
fn filters_of_the_queue() {
    run("queue_filter", queue_filter);
}

#[test]
fn references() {
    run("reference", reference);
}

#[test]
fn reports_on_anything() {
    run("report", reports);
}

#[test]
fn reports_on_dmarc() {
    run("dmarc_report", dmarc_report);
}

#[test]
fn canonical_forms() {
    run("dkim", canonical);
}

#[test]
fn ways() {
    run("hops", way);
}

#[test]
fn edits() {
    run("trace_fields", trace_fields);
}

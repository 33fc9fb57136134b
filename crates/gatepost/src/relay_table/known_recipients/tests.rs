//! Which recipients a list stands for.

use super::*;

fn known(entries: &[&str]) -> KnownRecipients {
    let mut known = KnownRecipients::default();
    for entry in entries {
        assert!(known.insert(entry), "{entry}");
    }
    known
}

fn contains(known: &KnownRecipients, mailbox: &str) -> bool {
    known.contains(&mailbox.parse().unwrap())
}

#[test]
fn local_parts_hold_in_every_domain_and_addresses_in_theirs() {
    let known = known(&["anna", "Bert@Example.ORG", "carla@bücher.example"]);
    for mailbox in [
        "anna@example.org",
        "ANNA@other.example",
        "bert@example.org",
        "BERT@EXAMPLE.org",
        "carla@xn--bcher-kva.example",
        "carla@BÜCHER.example",
    ] {
        assert!(contains(&known, mailbox), "{mailbox}");
    }
    for mailbox in [
        "bert@other.example",
        "ann@example.org",
        "carla@example.org",
        "dora@example.org",
    ] {
        assert!(!contains(&known, mailbox), "{mailbox}");
    }
    assert_eq!(known.len(), 3);
}

#[test]
fn detail_is_folded_unless_nobody_is_left() {
    let known = known(&["anna", "bert+lists@example.org"]);
    assert!(contains(&known, "anna+news@example.org"));
    assert!(contains(&known, "anna+a+b@example.org"));
    assert!(contains(&known, "bert+lists@example.org"));
    assert!(!contains(&known, "bert@example.org"));
    assert!(!contains(&known, "bert+other@example.org"));
    assert!(!contains(&known, "+anna@example.org"));
}

#[test]
fn postmaster_always_exists() {
    assert!(contains(
        &KnownRecipients::default(),
        "PostMaster@example.org"
    ));
    assert!(KnownRecipients::default().is_empty());
}

#[test]
fn a_quoted_at_sign_does_not_pass_for_an_address() {
    let known = known(&[
        "anna@example.org",
        "\"bert@example.org\"",
        "\"a b\"@example.org",
    ]);
    assert!(!contains(&known, "\"anna@example.org\"@other.example"));
    assert!(!contains(&known, "bert@example.org"));
    assert!(contains(&known, "\"bert@example.org\"@other.example"));
    assert!(contains(&known, "\"A B\"@example.org"));
}

#[test]
fn what_is_no_address_is_not_taken() {
    for entry in [
        "",
        "@example.org",
        "a b",
        "anna@",
        "anna@a b",
        "<anna@example.org>",
        "a\0b",
    ] {
        assert!(!KnownRecipients::default().insert(entry), "{entry}");
    }
}

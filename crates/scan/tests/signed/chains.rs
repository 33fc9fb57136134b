//! Chains of ARC, good ones and such as are broken in every way (RFC 8617 section 5.2).

use scan::auth::facts::{ArcFact, ArcResult};

use super::signer::{Key, Recipe};
use super::{MESSAGE, facts, recipe, replaced};

/// A chain of so many sets, each of them right.
fn chain(key: &Key, sets: usize) -> String {
    (1..=sets).fold(MESSAGE.to_owned(), |message, instance| {
        let verdict = if instance == 1 { "none" } else { "pass" };
        recipe(key).seal(instance, verdict, &message)
    })
}

#[track_caller]
fn assert_chain(message: &str, wanted: ArcResult, why: &str) -> ArcFact {
    let fact = facts(message).arc.unwrap();
    let problem = fact.problem.as_deref().unwrap_or_default();
    assert!(
        fact.result == wanted
            && problem.contains(why)
            && (wanted == ArcResult::Pass) == problem.is_empty(),
        "{fact:?}, not {wanted:?} for {why:?}"
    );
    fact
}

#[test]
fn chains_are_good_up_to_fifty_sets() {
    for key in [Key::rsa(), Key::ed25519()] {
        for sets in [1, 2, 3] {
            let fact = assert_chain(&chain(&key, sets), ArcResult::Pass, "");
            assert_eq!(fact.sealers, vec!["one.example"; sets]);
        }
    }
    let key = Key::ed25519();
    assert_chain(&chain(&key, 50), ArcResult::Pass, "");
    assert_chain(&chain(&key, 51), ArcResult::Fail, "more than 50 sets");
}

#[test]
fn a_broken_chain_is_told_with_its_reason() {
    let key = Key::rsa();
    let (one, three) = (chain(&key, 1), chain(&key, 3));
    let fits = "does not fit the header fields";
    let changes = [
        ("Last line", "Last Line", "the body was changed"),
        ("Subject:  A", "Subject: [list] A", fits),
        ("ARC-Seal: i=2;", "X-Gone: i=2;", "an instance is missing"),
        ("ARC-Seal: i=3;", "X-Gone: i=3;", "a set is not whole"),
        ("ARC-Seal: i=3;", "ARC-Seal: i=4;", "an instance is missing"),
        (
            "ARC-Seal: i=3;",
            "ARC-Seal: i=2;",
            "an instance is there twice",
        ),
        (
            "ARC-Seal: i=3;",
            "ARC-Seal: i=0;",
            "a field has no instance",
        ),
        (
            "ARC-Seal: i=3;",
            "ARC-Seal: i=+3;",
            "a field has no instance",
        ),
        ("ARC-Seal: i=3;", "ARC-Seal:", "a field has no instance"),
        (
            "cv=pass; d=one.example",
            "cv=pass; h=from; d=one.example",
            "a seal names fields (h=)",
        ),
        (
            "cv=pass; d=one.example",
            "d=one.example",
            "a seal has no tag cv=",
        ),
        (
            "i=1; one.example; dmarc=pass",
            "i=1; one.example; dmarc=fail",
            "seal 3 of one.example",
        ),
        (
            "i=3; one.example; dmarc=pass",
            "i=3; one.example; dmarc=fail",
            "seal 3 of one.example",
        ),
    ];
    for (old, new, why) in changes {
        assert_chain(&replaced(&three, old, new), ArcResult::Fail, why);
    }
    // Sealers who tell the truth of a broken chain, and such as begin a second one.
    for (instance, verdict) in [(2, "fail"), (2, "none"), (2, "maybe")] {
        let sealed = recipe(&key).seal(instance, verdict, &one);
        assert_chain(&sealed, ArcResult::Fail, "a sealer found the chain broken");
    }
    let begun = recipe(&key).seal(1, "pass", MESSAGE);
    assert_chain(&begun, ArcResult::Fail, "a sealer found the chain broken");
    // Whoever changes the message and seals what he made of it continues the chain (RFC 8617 section 5.1).
    let listed = replaced(&one, "Subject:  A", "Subject: [list] A") + "-- \r\nThe list\r\n";
    assert_chain(&listed, ArcResult::Fail, "the body was changed");
    assert_chain(&recipe(&key).seal(2, "pass", &listed), ArcResult::Pass, "");
    // Keys of seals are asked for as those of signatures.
    for (selector, wanted, why) in [
        ("none", ArcResult::Fail, "there is no key at"),
        ("revoked", ArcResult::Fail, "the key is revoked"),
        ("short", ArcResult::Fail, "the key has 512 bits"),
        ("away", ArcResult::Temperror, "away._domainkey.one.example"),
    ] {
        let sealed = Recipe {
            selector,
            ..recipe(&key)
        }
        .seal(2, "pass", &one);
        assert_chain(&sealed, wanted, why);
    }
    // A signature that signs seals (section 4.1.2), or not the author.
    for (names, why) in [
        ("from:arc-seal", "signs seals"),
        ("to", "does not sign the field From"),
    ] {
        let sealed = Recipe {
            names,
            ..recipe(&key)
        }
        .seal(2, "pass", &one);
        assert_chain(&sealed, ArcResult::Fail, why);
    }
}

//! Messages that another implementation has signed (`tests/authentication/make.pl`), as they are and mutated.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;

use super::facts::*;
use super::*;
use crate::finding::Excuse;
use crate::limits::{DKIM_SIGNATURES_MAX, HEADER_FIELDS_MAX};

/// The keys of the signed messages; those of RFC 8463 appendix A, which it has in its text, behind them.
const ZONE: &str = concat!(
    include_str!("../../tests/authentication/keys.zone"),
    r#"
brisbane._domainkey.football.example.com TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
test._domainkey.football.example.com TXT "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB"
_dmarc.one.example TXT "v=DMARC1; p=reject"
one.example TXT "v=spf1 ip4:192.0.2.1 -all"
mx.one.example TXT "v=spf1 a -all"
mx.one.example A 192.0.2.1
1.2.0.192.in-addr.arpa PTR mx.one.example
"#
);

macro_rules! vector {
    ($name:literal) => {
        include_str!(concat!("../../tests/authentication/", $name))
    };
}

const SIMPLE: &str = vector!("dkim-simple-simple.eml");
const RELAXED: &str = vector!("dkim-relaxed-relaxed.eml");

pub(super) fn specimen(message: &str, ip: &str, helo: &str, reverse_path: &str) -> Specimen {
    Specimen {
        reference: "TEST-REFE-1".to_owned(),
        message: Message::new(Bytes::copy_from_slice(message.as_bytes())),
        client_ip: ip.parse::<IpAddr>().unwrap(),
        client_name: None,
        helo: helo.to_owned(),
        reverse_path: ReversePath::parse_prefix(reverse_path).unwrap().0,
        recipients: Vec::new(),
        authenticated_as: None,
        authentication: Arc::default(),
        hostname: "mx.gateway.example".to_owned(),
        received: Vec::new(),
    }
}

fn engine(zone: &str, trusted: &[&str]) -> Auth {
    Auth::new(AuthSettings {
        name: "auth".to_owned(),
        resolver: Resolver::zone(zone).unwrap(),
        trusted_sealers: trusted.iter().map(|&domain| domain.to_owned()).collect(),
        trusted_forwarders: ["198.51.100.0/24".parse().unwrap()].into_iter().collect(),
        trusted_lists: vec!["lists.one.example".to_owned()],
    })
}

async fn facts(message: &str) -> Authentication {
    let specimen = specimen(
        message,
        "203.0.113.9",
        "mx.other.example",
        "<bounce@other.example>",
    );
    engine(ZONE, &["list.example"]).gather(&specimen).await
}

async fn dkim(message: &str) -> Vec<(DkimResult, String)> {
    let facts = facts(message).await;
    let found = facts.dkim.into_iter();
    found
        .map(|fact| (fact.result, fact.problem.unwrap_or_default()))
        .collect()
}

#[track_caller]
fn assert_one(found: &[(DkimResult, String)], wanted: DkimResult, what: &str) {
    assert!(
        matches!(found, [(result, _)] if *result == wanted),
        "{what}: {found:?}, not {wanted:?}"
    );
}

#[tokio::test]
async fn what_another_implementation_signs_is_good() {
    let good = [
        SIMPLE,
        RELAXED,
        vector!("dkim-simple-relaxed.eml"),
        vector!("dkim-relaxed-simple.eml"),
        vector!("dkim-4096.eml"),
        vector!("dkim-1024.eml"),
    ];
    for message in good {
        assert_one(&dkim(message).await, DkimResult::Pass, message);
    }
    assert_one(
        &dkim(vector!("dkim-768.eml")).await,
        DkimResult::Policy,
        "a short key",
    );
    assert_one(
        &dkim(vector!("dkim-sha1.eml")).await,
        DkimResult::Policy,
        "SHA-1",
    );
}

#[tokio::test]
async fn both_signatures_of_rfc_8463_are_good() {
    let facts = facts(vector!("rfc8463.eml")).await;
    let found: Vec<_> = facts
        .dkim
        .iter()
        .map(|fact| (fact.result, fact.algorithm.as_str(), fact.key_bits))
        .collect();
    assert_eq!(
        found,
        [
            (DkimResult::Pass, "ed25519-sha256", Some(256)),
            (DkimResult::Pass, "rsa-sha256", Some(1024)),
        ]
    );
    assert_eq!(facts.dkim[0].value_start, "/gCrinpc");
    assert_eq!(
        facts.authenticated_domains().collect::<Vec<_>>(),
        ["football.example.com"]
    );
}

/// An identity may be folded anywhere (RFC 6376 section 2.11); changed, the signature no longer fits, but it is read.
#[tokio::test]
async fn a_folded_identity_is_read() {
    let folded = RELAXED.replacen(
        "d=one.example",
        "i=ann=2Bx@mail\r\n .one.example; d=one.example",
        1,
    );
    let found = dkim(&folded).await;
    assert_eq!(found[0].1, "the signature does not fit the header fields");
}

/// What is changed, whether a relaxed signature survives it, and whether a simple one does.
#[tokio::test]
async fn changes_break_a_signature_as_its_form_has_it() {
    use DkimResult::{Fail, Pass};
    let changes: [(&str, &str, DkimResult, DkimResult); 14] = [
        ("last line\r\n", "last line  \r\n", Pass, Fail),
        ("some   between", "some between", Pass, Fail),
        ("\r\n\r\n \r\n\r\n", "\r\n", Pass, Fail),
        ("last line", "Last line", Fail, Fail),
        ("last line", "last\r\nline", Fail, Fail),
        ("  Leading", "Leading", Fail, Fail),
        ("Subject:   A   message", "subject: A message", Pass, Fail),
        (
            "Subject:   A   message",
            "Subject:   A\r\n message",
            Pass,
            Fail,
        ),
        (
            "Subject:   A   message",
            "Subject:   B   message",
            Fail,
            Fail,
        ),
        (
            "X-Same: first\r\nX-Same: second",
            "X-Same: second\r\nX-Same: first",
            Fail,
            Fail,
        ),
        ("X-Same: first", "X-Same: zero\r\nX-Same: first", Pass, Pass),
        (
            "X-Same: second",
            "X-Same: second\r\nX-Same: third",
            Fail,
            Fail,
        ),
        (
            "X-Same: first",
            "X-New: unsigned\r\nX-Same: first",
            Pass,
            Pass,
        ),
        ("ann@one.example", "eve@one.example", Fail, Fail),
    ];
    for (old, new, relaxed, simple) in changes {
        for (message, wanted) in [(RELAXED, relaxed), (SIMPLE, simple)] {
            let changed = message.replacen(old, new, 1);
            assert_ne!(changed, message, "{old:?}");
            let found = dkim(&changed).await;
            assert_one(&found, wanted, &format!("{old:?} to {new:?}"));
        }
    }
}

#[tokio::test]
async fn changed_tags_give_the_result_that_the_standard_has() {
    use DkimResult::{Fail, Neutral, Permerror, Policy};
    let changes: [(&str, &str, DkimResult); 17] = [
        ("v=1;", "v=2;", Neutral),
        ("v=1;", "", Neutral),
        ("v=1;", "v=1; v=1;", Neutral),
        ("a=rsa-sha256", "a=ed25519-sha256", Permerror),
        ("a=rsa-sha256", "a=rsa-sha512", Neutral),
        ("a=rsa-sha256", "a=rsa-sha1", Policy),
        ("c=relaxed/relaxed", "c=simple/relaxed", Fail),
        ("c=relaxed/relaxed", "c=loose", Neutral),
        ("d=one.example", "d=two.example", Permerror),
        (
            "d=one.example",
            "d=one.example; i=ann@two.example",
            Permerror,
        ),
        ("d=one.example", "d=one.example; q=http", Neutral),
        ("d=one.example", "d=one.example; t=2; x=1", Permerror),
        ("d=one.example", "d=one.example; x=1", Neutral),
        ("d=one.example", "d=one.example; l=all", Neutral),
        ("s=large", "s=none", Permerror),
        ("bh=", "bh=AAAA", Fail),
        (" b=", " b=AAAA", Fail),
    ];
    for (old, new, wanted) in changes {
        let changed = RELAXED.replacen(old, new, 1);
        assert_ne!(changed, RELAXED, "{old:?}");
        assert_one(
            &dkim(&changed).await,
            wanted,
            &format!("{old:?} to {new:?}"),
        );
    }
}

#[tokio::test]
async fn keys_that_are_not_there_are_told_apart() {
    let name = "large._domainkey.one.example";
    let cases = [
        ("SERVFAIL", DkimResult::Temperror),
        ("TIMEOUT", DkimResult::Temperror),
        ("A 192.0.2.1", DkimResult::Permerror),
        ("TXT \"v=DKIM1; p=\"", DkimResult::Permerror),
        ("TXT \"v=DKIM2; p=AAAA\"", DkimResult::Permerror),
        ("TXT \"v=DKIM1; k=dsa; p=AAAA\"", DkimResult::Permerror),
        ("TXT \"v=DKIM1; h=sha1; p=AAAA\"", DkimResult::Permerror),
        ("TXT \"v=DKIM1; s=tls; p=AAAA\"", DkimResult::Permerror),
        ("TXT \"v=DKIM1; p=AAAA\"", DkimResult::Permerror),
        ("TXT \"nothing of the kind\"", DkimResult::Permerror),
    ];
    for (record, wanted) in cases {
        let specimen = specimen(RELAXED, "203.0.113.9", "other", "<a@other.example>");
        let facts = engine(&format!("{name} {record}"), &[])
            .gather(&specimen)
            .await;
        assert_eq!(facts.dkim[0].result, wanted, "{record}: {:?}", facts.dkim);
    }
}

#[tokio::test]
async fn of_very_many_signatures_few_are_looked_at() {
    let signature = RELAXED.split("\r\nReceived").next().unwrap();
    let message = format!("{}{RELAXED}", format!("{signature}\r\n").repeat(500));
    let facts = facts(&message).await;
    assert_eq!(
        (facts.dkim.len(), facts.dkim_skipped),
        (DKIM_SIGNATURES_MAX, 501 - DKIM_SIGNATURES_MAX)
    );
    assert!(
        facts
            .dkim
            .iter()
            .all(|fact| fact.result == DkimResult::Pass)
    );
}

#[tokio::test]
async fn with_very_many_fields_no_signature_is_verified() {
    let fields = |count: usize| {
        RELAXED.replacen(
            "\r\n\r\n",
            &format!("\r\n{}\r\n", "X: y\r\n".repeat(count)),
            1,
        )
    };
    assert_one(
        &dkim(&fields(1_000)).await,
        DkimResult::Pass,
        "1,000 fields",
    );
    let found = dkim(&fields(HEADER_FIELDS_MAX)).await;
    assert_one(&found, DkimResult::Neutral, "10,000 fields");
    assert!(found[0].1.contains("too many header fields"), "{found:?}");
}

#[tokio::test]
async fn a_chain_is_good_until_it_is_changed() {
    for (message, sealers) in [
        (vector!("arc-1.eml"), vec!["one.example"]),
        (vector!("arc-2.eml"), vec!["one.example", "list.example"]),
    ] {
        let arc = facts(message).await.arc.unwrap();
        assert_eq!(
            (arc.result, &arc.problem),
            (ArcResult::Pass, &None),
            "{arc:?}"
        );
        assert_eq!(arc.sealers, sealers);
    }
    assert_eq!(facts(RELAXED).await.arc, None);
    let arc = facts(vector!("arc-changed.eml")).await.arc.unwrap();
    assert_eq!(
        (arc.result, arc.problem.as_deref()),
        (ArcResult::Fail, Some("the body was changed"))
    );

    let two = vector!("arc-2.eml");
    let changes = [
        (
            "i=1; a=rsa-sha256; cv=none",
            "i=1; a=rsa-sha256; cv=pass",
            "a sealer found the chain broken",
        ),
        ("cv=pass", "cv=fail", "a sealer found the chain broken"),
        (
            "ARC-Authentication-Results: i=1",
            "ARC-Authentication-Results: i=2",
            "an instance is there twice",
        ),
        (
            "ARC-Authentication-Results: i=2",
            "X-Gone: i=2",
            "a set is not whole",
        ),
        (
            "ARC-Authentication-Results: i=1",
            "X-Gone: i=1",
            "an instance is missing",
        ),
        (
            "ARC-Seal: i=2; a=",
            "ARC-Seal: i=3; a=",
            "an instance is missing",
        ),
        (
            "ARC-Seal: i=2; a=",
            "ARC-Seal: i=2; h=from; a=",
            "a seal names fields (h=)",
        ),
        (
            "i=1; one.example; dmarc=pass",
            "i=1; one.example; dmarc=fail",
            "seal 2 of list.example: the signature does not fit the header fields",
        ),
    ];
    for (old, new, problem) in changes {
        let changed = two.replacen(old, new, 1);
        assert_ne!(changed, two, "{old}");
        let arc = facts(&changed).await.arc.unwrap();
        assert_eq!(
            (arc.result, arc.problem.as_deref()),
            (ArcResult::Fail, Some(problem)),
            "{old}"
        );
    }
}

/// RFC 8617 section 7.2.1: the word of a trusted sealer counts for what it had found before the message was changed.
#[tokio::test]
async fn a_trusted_chain_vouches_for_the_author() {
    let vouched = |trusted: &'static [&'static str], message: &'static str| async move {
        let specimen = specimen(message, "203.0.113.9", "lists", "<bounces@list.example>");
        let finding = engine(ZONE, trusted)
            .examine(Arc::new(specimen))
            .await
            .unwrap();
        let failure = finding.policy.unwrap();
        assert_eq!(
            (failure.domain.as_str(), failure.asked),
            ("one.example", DmarcPolicy::Reject)
        );
        failure.excused_by
    };
    let two = vector!("arc-2.eml");
    assert_eq!(
        vouched(&["one.example", "example"], two).await,
        Some(Excuse::Sealer("one.example".to_owned()))
    );
    // The list alone says that it fails; the first one alone is not the last.
    assert_eq!(vouched(&["list.example"], two).await, None);
    assert_eq!(vouched(&["one.example"], two).await, None);
    assert_eq!(
        vouched(&["one.example", "list.example"], vector!("arc-changed.eml")).await,
        None
    );
}

#[tokio::test]
async fn a_message_from_its_own_server_has_all_there_is() {
    let specimen = Arc::new(specimen(
        RELAXED,
        "192.0.2.1",
        "mx.one.example",
        "<ann@one.example>",
    ));
    let finding = engine(ZONE, &[])
        .examine(Arc::clone(&specimen))
        .await
        .unwrap();
    let facts = specimen.authentication.get().unwrap();
    assert_eq!(finding.authentication.as_ref(), Some(facts));
    assert!(facts.dmarc_passes());
    assert_eq!(finding.policy, None);
    assert_eq!(
        finding.reason,
        "one.example is authenticated by DKIM of one.example"
    );
    let names: Vec<_> = finding
        .symbols
        .iter()
        .map(|symbol| symbol.name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "IPREV_PASS",
            "SPF_HELO_PASS",
            "SPF_PASS",
            "DKIM_VALID",
            "DMARC_PASS"
        ]
    );
    let results = facts.results(
        "mx.gateway.example",
        "ann@one.example",
        "mx.one.example",
        "192.0.2.1",
    );
    assert_eq!(
        results.replace("\r\n\t", " "),
        format!(
            "mx.gateway.example; iprev=pass (mx.one.example) policy.iprev=192.0.2.1; spf=pass smtp.helo=mx.one.example; \
             spf=pass smtp.mailfrom=ann@one.example; dkim=pass header.d=one.example header.s=large header.a=rsa-sha256 \
             header.b={}; dmarc=pass (p=reject) header.from=one.example",
            results::value(&facts.dkim[0].value_start)
        )
    );
}

#[tokio::test]
async fn a_forged_author_is_told_in_words() {
    let message =
        "From: Ann <ann@one.example>\r\nList-Id: Friends <Friends.List.example>\r\n\r\nHi\r\n";
    let specimen = specimen(
        message,
        "203.0.113.9",
        "mail.bad.example",
        "<ann@one.example>",
    );
    let finding = engine(ZONE, &[]).examine(Arc::new(specimen)).await.unwrap();
    assert_eq!(
        finding.reason,
        "one.example is not authenticated and asks for refusal (DMARC): SPF fail for one.example, no DKIM signature"
    );
    let failure = finding.policy.unwrap();
    assert_eq!(
        failure.what_failed,
        "SPF fail for one.example, no DKIM signature"
    );
    assert_eq!(failure.excused_by, None);
    let facts = finding.authentication.unwrap();
    assert_eq!(facts.list_id.as_deref(), Some("friends.list.example"));
    let names: Vec<_> = finding
        .symbols
        .iter()
        .map(|symbol| symbol.name.as_str())
        .collect();
    assert_eq!(
        names,
        ["IPREV_FAIL", "SPF_FAIL", "DKIM_NONE", "DMARC_REJECT"]
    );
}

/// Who may hand on what he did not write: a client of a trusted network, and a list that is what it says.
#[tokio::test]
async fn forwarders_and_lists_are_excused() {
    let excused = |ip: &'static str, list: &'static str, path: &'static str| async move {
        let message = format!("From: Ann <ann@one.example>\r\nList-Id: <{list}>\r\n\r\nHi\r\n");
        let zone = format!(
            "{ZONE}lists.one.example TXT \"v=spf1 ip4:203.0.113.9 -all\"\n\
                            _dmarc.lists.one.example TXT \"v=DMARC1; p=none; psd=n\"\n"
        );
        let specimen = specimen(&message, ip, "mail.example", path);
        let finding = engine(&zone, &[])
            .examine(Arc::new(specimen))
            .await
            .unwrap();
        finding.policy.unwrap().excused_by
    };
    let (there, elsewhere) = ("203.0.113.9", "203.0.113.10");
    let list = "a.lists.one.example";
    let bounces = "<b@lists.one.example>";
    assert_eq!(
        excused("198.51.100.7", "x", "<a@other.example>").await,
        Some(Excuse::Forwarder)
    );
    assert_eq!(
        excused(there, list, bounces).await,
        Some(Excuse::List(list.to_owned()))
    );
    assert_eq!(excused(elsewhere, list, bounces).await, None);
    assert_eq!(excused(there, "a.lists.two.example", bounces).await, None);
}

#[tokio::test]
async fn a_null_reverse_path_is_that_of_the_helo_name() {
    let specimen = specimen(
        "From: <ann@mx.one.example>\r\n\r\n",
        "192.0.2.1",
        "mx.one.example",
        "<>",
    );
    let facts = engine(ZONE, &[]).gather(&specimen).await;
    let spf = facts.spf_mail.as_ref().unwrap();
    assert_eq!(
        (spf.result, spf.domain.as_str(), spf.term.as_deref()),
        (SpfResult::Pass, "mx.one.example", Some("a"))
    );
    assert!(facts.dmarc_passes(), "{facts:?}");
}

#[tokio::test]
async fn the_dns_away_is_never_a_failure() {
    let zone = "one.example SERVFAIL\n_dmarc.one.example SERVFAIL\nlarge._domainkey.one.example SERVFAIL\n\
                9.113.0.203.in-addr.arpa SERVFAIL\nother SERVFAIL\n";
    let specimen = specimen(
        RELAXED,
        "203.0.113.9",
        "mx.other.example",
        "<ann@one.example>",
    );
    let finding = engine(zone, &[]).examine(Arc::new(specimen)).await.unwrap();
    assert_eq!(finding.policy, None);
    let facts = finding.authentication.unwrap();
    assert_eq!(facts.iprev.as_ref().unwrap().result, IprevResult::Temperror);
    assert_eq!(
        facts.spf_mail.as_ref().unwrap().result,
        SpfResult::Temperror
    );
    assert_eq!(facts.dkim[0].result, DkimResult::Temperror);
    assert_eq!(facts.dmarc.as_ref().unwrap().result, DmarcResult::Temperror);
}

/// A key that does not answer could be the one that authenticates: that is no failure either.
#[tokio::test]
async fn an_unknown_key_of_the_author_is_no_failure() {
    let zone =
        "_dmarc.one.example TXT \"v=DMARC1; p=reject\"\nlarge._domainkey.one.example TIMEOUT\n";
    let specimen = specimen(
        RELAXED,
        "203.0.113.9",
        "mx.other.example",
        "<a@other.example>",
    );
    let facts = engine(zone, &[]).gather(&specimen).await;
    assert_eq!(facts.dmarc.unwrap().result, DmarcResult::Temperror);
}

#[test]
fn facts_come_back_from_a_record() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let facts = runtime.block_on(facts(vector!("arc-2.eml")));
    let text = serde_json::to_string(&facts).unwrap();
    assert_eq!(
        serde_json::from_str::<Authentication>(&text).unwrap(),
        facts
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// One changed character anywhere never makes a better result, and never a panic.
    #[test]
    fn one_changed_byte_never_helps(at in 0..3000_usize, byte in 32..127_u8, which in 0..3_usize) {
        let message = [RELAXED, SIMPLE, vector!("arc-2.eml")][which];
        let at = at % message.len();
        let mut bytes = message.as_bytes().to_vec();
        bytes[at] = byte;
        let changed = String::from_utf8(bytes).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let facts = runtime.block_on(facts(&changed));
        let author = changed.lines().find(|line| line.starts_with("From:")).unwrap_or_default();
        if facts.dkim.iter().any(|fact| fact.result == DkimResult::Pass) {
            // The author, which is signed, is as it was: blanks aside where the form says so.
            let words = |line: &str| line.split_whitespace().collect::<String>();
            prop_assert_eq!(words(author), words("From: \"Ann  Author\"   <ann@one.example>"));
        }
    }
}

use proptest::prelude::*;

use super::*;
use crate::auth::facts::{DkimFact, DkimResult, SpfFact, SpfResult};

#[test]
fn a_field_is_read_with_its_comments_and_quotes() {
    let body = " Mx.Example.Com (a (nested\\) comment); more) 1;\r\n\tspf=pass (ok) smtp.mailfrom=\"a b\"@x;\
                 dkim/1 = FAIL reason=\"bad; really\" header.d=example.com;; nonsense; dmarc=none";
    let results = Results::parse(body).unwrap();
    assert_eq!(results.authserv_id, "mx.example.com");
    let methods: Vec<_> = results
        .methods
        .iter()
        .map(|method| (method.name.as_str(), method.result.as_str()))
        .collect();
    assert_eq!(
        methods,
        [("spf", "pass"), ("dkim", "fail"), ("dmarc", "none")]
    );
    assert_eq!(results.methods[0].property("smtp.mailfrom"), Some("a b@x"));
    assert_eq!(results.methods[1].property("header.d"), Some("example.com"));
    assert_eq!(results.methods[1].property("reason"), Some("bad; really"));
    assert_eq!(Results::parse(" (nothing) "), None);
    assert_eq!(Results::parse("= x"), None);
    assert_eq!(
        Results::parse("\"Quoted Name\"; none").unwrap().authserv_id,
        "quoted name"
    );
}

/// What strangers wrote ends no line, no result and no comment.
#[test]
fn words_of_strangers_stay_inside() {
    let facts = Authentication {
        spf_mail: Some(SpfFact {
            result: SpfResult::Permerror,
            domain: "x".to_owned(),
            term: None,
            explanation: None,
            problem: Some("bad) ; dmarc=pass (\r\nX: y".to_owned()),
        }),
        dkim: vec![DkimFact::flawed(DkimResult::Neutral, "a \\ b".to_owned())],
        ..Authentication::default()
    };
    let body = facts.results(
        "us.example",
        "\"a; dkim=pass\"@x.example\r\nBcc: y",
        "h",
        "::1",
    );
    assert_eq!(
        body,
        "us.example;\r\n\tspf=permerror (bad? ; dmarc=pass ? X: y) smtp.mailfrom=\"\\\"a; dkim=pass\\\"@x.example Bcc: y\";\
         \r\n\tdkim=neutral (a ? b)"
    );
    let read = Results::parse(&body).unwrap();
    assert_eq!(read.methods.len(), 2);
}

proptest! {
    #[test]
    fn any_field_is_read(body in "\\PC{0,200}", odd in "[;=()\\\\\" a.]{0,80}") {
        for body in [&body, &odd] {
            if let Some(results) = Results::parse(body) {
                prop_assert!(!results.authserv_id.is_empty() || body.contains('"'));
                prop_assert!(results.methods.len() <= METHODS_MAX);
            }
        }
    }

    #[test]
    fn what_is_written_is_read_again(mail_from in "\\PC{0,60}", helo in "\\PC{0,40}", problem in "\\PC{0,80}") {
        let spf = |domain: &str| Some(SpfFact {
            result: SpfResult::Fail,
            domain: domain.to_owned(),
            term: None,
            explanation: None,
            problem: Some(problem.clone()),
        });
        let facts = Authentication { spf_helo: spf("h"), spf_mail: spf("m"), ..Authentication::default() };
        let body = facts.results("us.example", &format!("a{mail_from}"), &helo, "192.0.2.1");
        prop_assert!(body.is_ascii());
        prop_assert!(body.split("\r\n").skip(1).all(|line| line.starts_with('\t')));
        let read = Results::parse(&body).unwrap();
        let names: Vec<_> = read.methods.iter().map(|method| method.name.as_str()).collect();
        prop_assert_eq!(names, ["spf", "spf", "dkim"]);
    }
}

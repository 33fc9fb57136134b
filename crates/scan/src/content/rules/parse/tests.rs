use proptest::prelude::*;

use super::{Condition, parse};

#[test]
fn conditions_of_every_form() {
    for text in [
        "subject ~ /x/i",
        "not html",
        "A_1 and (not B or C)",
        "count(A, html, subject ~ /x/) >= 2",
        "link(host == \"a\" and not (shown ~ /b/ or port > 80)) and attachment(extension in (\"a\", \"b\"))",
        "header.x-mailer",
        "header.X-Mailer !~ /x/ and header.list-id == \"a.b\"",
        "mailer",
        "date.skew < -3600",
    ] {
        assert!(parse(text).is_ok(), "{text}: {:?}", parse(text).err());
    }
    assert!(matches!(parse("not not html"), Ok(Condition::Flag(_))));
}

#[test]
fn faults_say_where_and_what_to_do() {
    for (text, at, word) in [
        ("", 0, "missing"),
        ("subjct ~ /x/", 0, "no field"),
        ("subject ~ \"x\"", 10, "pattern"),
        ("subject == /x/", 11, "text"),
        ("html html", 5, "complete"),
        ("(html", 5, "`)`"),
        ("html.forms", 10, "number"),
        ("subject ~ /(/", 10, "pattern"),
        ("subject ~ /x/g", 10, "flag"),
        ("link(subject ~ /x/)", 5, "no field"),
        ("host ~ /x/", 0, "no field"),
    ] {
        let fault = parse(text).expect_err(text);
        assert_eq!(fault.at, at, "{text}: {fault:?}");
        assert!(fault.message.contains(word), "{text}: {fault:?}");
        assert!(!fault.remedy.is_empty());
    }
}

#[test]
fn depth_is_bounded() {
    let deep = format!("{}html{}", "(".repeat(5_000), ")".repeat(5_000));
    assert!(parse(&deep).is_err_and(|fault| fault.message.contains("deep")));
}

proptest! {
    #[test]
    fn any_condition_is_read(text in "(subject|html|A|link|count|not|and|or|in|[(),~<>=!]|/x/|\"t\"|3| ){0,20}") {
        let _ = parse(&text);
    }

    #[test]
    fn anything_is_read(text in "\\PC{0,60}") {
        let _ = parse(&text);
    }
}

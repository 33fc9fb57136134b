use std::io::Read as _;

use super::super::observation::Disposition;
use super::super::observation::tests::published;
use super::super::tally::tests::row;
use super::*;
use crate::deliver::tls_reports::document::tests::settings;
use scan::auth::facts::{DkimResult, SpfResult};

fn reported() -> Reported {
    let refused = Row {
        disposition: Disposition::Reject,
        overridden: None,
        spf_aligned: false,
        header_from: "<&>.example.org".to_owned(),
        dkim: vec![("example.net".to_owned(), "s1".to_owned(), DkimResult::Pass)],
        spf: Some(("bounce.example.org".to_owned(), SpfResult::Fail)),
        ..row(2)
    };
    Reported {
        day: 20_000,
        published: published(&["mailto:a@example.org"]),
        rows: [(row(1), 7), (refused, 12)].into(),
    }
}

fn unpacked(gzip: &[u8]) -> String {
    let mut text = String::new();
    flate2::read::GzDecoder::new(gzip)
        .read_to_string(&mut text)
        .unwrap();
    text
}

/// The whole text, as the schema of RFC 9990 appendix A has it.
#[test]
fn the_report_is_as_the_schema_has_it() {
    let reported = reported();
    assert_eq!(reported.messages(), 19);
    let document = reported.document(&settings(), "mx.gate.example").unwrap();
    let xml = unpacked(&document.gzip);
    crate::golden::check(
        "tests/reports/dmarc.xml",
        &xml.replace(env!("CARGO_PKG_VERSION"), "VERSION"),
    );
    let end = document
        .file_name
        .strip_prefix("mx.gate.example!example.org!1728000000!1728086399!");
    assert!(
        end.is_some_and(|end| end.ends_with(".xml.gz")),
        "{}",
        document.file_name
    );
    // Another record of the same domain and day is another report.
    let other = Reported {
        published: published(&["mailto:b@example.org"]),
        ..reported
    };
    let other = other.document(&settings(), "mx.gate.example").unwrap();
    assert_ne!(
        (document.id, document.file_name),
        (other.id, other.file_name)
    );
}

#[test]
fn the_message_carries_the_document() {
    let document = reported().document(&settings(), "mx.gate.example").unwrap();
    let to = "a@example.org".parse().unwrap();
    let time = Timestamp::from_second(1_728_090_000).unwrap();
    let message = message(
        &settings(),
        "mx.gate.example",
        "example.org",
        &to,
        &document,
        time,
    );
    let view = scan::message::Message::new(message.into());
    let view = view.view();
    let attached = view.leaves().nth(1).unwrap();
    assert_eq!(attached.content(), document.gzip.as_slice());
    let subject = format!(
        "Report Domain: example.org Submitter: example.com Report-ID: <{}>",
        document.id
    );
    assert_eq!(view.subject(), Some(subject.as_str()));
}

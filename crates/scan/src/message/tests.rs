use bytes::Bytes;
use proptest::prelude::*;

use super::*;

fn fields(text: &'static str) -> Vec<(String, String)> {
    let message = Message::new(Bytes::from_static(text.as_bytes()));
    message
        .header_fields()
        .map(|field| {
            let body = String::from_utf8_lossy(field.body).into_owned();
            (field.name.to_owned(), body)
        })
        .collect()
}

fn pair(name: &str, body: &str) -> (String, String) {
    (name.to_owned(), body.to_owned())
}

#[test]
fn header_section_ends_before_the_empty_line() {
    let message = Message::new(Bytes::from_static(b"A: 1\r\nB: 2\r\n\r\nbody\r\n"));
    assert_eq!(message.header_section(), b"A: 1\r\nB: 2\r\n");
    assert_eq!(message.body(), b"body\r\n");
}

#[test]
fn a_message_may_have_no_header_or_no_body() {
    let no_header = Message::new(Bytes::from_static(b"\r\nbody"));
    assert_eq!(
        (no_header.header_section(), no_header.body()),
        (&b""[..], &b"body"[..])
    );
    let no_body = Message::new(Bytes::from_static(b"A: 1\r\n"));
    assert_eq!(
        (no_body.header_section(), no_body.body()),
        (&b"A: 1\r\n"[..], &b""[..])
    );
    let nothing = Message::new(Bytes::new());
    assert_eq!(nothing.header_fields().count(), 0);
}

#[test]
fn folded_fields_are_kept_whole() {
    assert_eq!(
        fields("Subject: a\r\n b\r\n\tc\r\nTo : d\r\n\r\nX: not a field\r\n"),
        [pair("Subject", " a\r\n b\r\n\tc"), pair("To", " d")]
    );
}

#[test]
fn what_is_no_field_is_passed_over() {
    assert_eq!(
        fields(
            "From a@b Mon Jan 1 00:00:00 2026\nno colon\n: no name\nA:1\n caf\u{e9}: x\nB\u{e9}: 2\nC:\n\n"
        ),
        [pair("A", "1\n caf\u{e9}: x"), pair("C", "")]
    );
}

#[test]
fn ranges_cover_the_fields() {
    let bytes = Bytes::from_static(b"A: 1\r\n 2\r\nB: 3\r\n\r\n");
    let message = Message::new(bytes.clone());
    let covered: Vec<&[u8]> = message
        .header_fields()
        .map(|field| &bytes[field.range])
        .collect();
    assert_eq!(covered, [&b"A: 1\r\n 2\r\n"[..], b"B: 3\r\n"]);
}

proptest! {
    #[test]
    fn any_bytes_divide_without_loss(bytes in proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b':'), Just(b' '), any::<u8>()], 0..400)) {
        let message = Message::new(Bytes::from(bytes.clone()));
        prop_assert!(message.header_section().len() + message.body().len() <= bytes.len());
        prop_assert!(bytes.starts_with(message.header_section()));
        prop_assert!(bytes.ends_with(message.body()));
        let mut end = 0;
        for field in message.header_fields() {
            prop_assert!(field.range.start >= end && field.range.end <= message.header_section().len());
            prop_assert!(!field.name.is_empty());
            end = field.range.end;
        }
    }
}

use proptest::prelude::*;

use super::*;

fn written(reply: &Reply) -> String {
    let mut out = Vec::new();
    reply.write_to(&mut out);
    String::from_utf8(out).expect("replies are ASCII")
}

#[test]
fn code_and_status_stand_on_each_line() {
    let reply = Reply::new(550, Status::NOT_AUTHORISED, "no\nreally not\n");
    assert_eq!(
        written(&reply),
        "550-5.7.1 no\r\n550-5.7.1 really not\r\n550 5.7.1\r\n"
    );
    assert_eq!(reply.to_string(), "550 5.7.1 no really not");
}

#[test]
fn without_text_the_blank_remains() {
    assert_eq!(written(&Reply::new(354, None, "")), "354 \r\n");
}

#[test]
fn contradicting_status_is_left_out() {
    assert_eq!(
        written(&Reply::new(250, Status::NOT_AUTHORISED, "ok")),
        "250 ok\r\n"
    );
    assert_eq!(written(&Reply::new(354, Status::OK, "go")), "354 go\r\n");
}

#[test]
fn text_cannot_forge_lines() {
    let reply = Reply::new(550, None, "a\r\n250 ok\rb\0\u{85}\u{7f}ü");
    assert_eq!(written(&reply), "550-a\r\n550 250 ok b   ?\r\n");
    let mut utf8 = Vec::new();
    reply.write_utf8_to(&mut utf8);
    assert_eq!(
        String::from_utf8(utf8).unwrap(),
        "550-a\r\n550 250 ok b   ü\r\n"
    );
}

#[test]
fn long_text_breaks_at_a_blank() {
    let words = "word ".repeat(200);
    let out = written(&Reply::new(250, Status::OK, words.trim_end()));
    for line in out.split_terminator("\r\n") {
        assert!(line.len() + 2 <= REPLY_LINE_BYTES_MAX);
        assert!(line.ends_with("word"), "{line:?}");
    }
}

#[test]
fn a_word_that_just_fits_is_not_broken() {
    let text = format!("{} x", "a".repeat(REPLY_LINE_BYTES_MAX - 6));
    let out = written(&Reply::new(250, None, text));
    assert_eq!(out.lines().next().unwrap().len(), REPLY_LINE_BYTES_MAX - 2);
    assert!(out.ends_with("250 x\r\n"));
}

#[test]
fn classes() {
    assert!(Reply::new(354, None, "").is_positive());
    assert!(Reply::new(421, None, "").is_transient());
    assert!(Reply::new(554, None, "").is_permanent());
    assert!(!Reply::new(554, None, "").is_transient());
}

#[test]
#[should_panic(expected = "not a reply code")]
fn a_wrong_code_is_our_fault() {
    let _ = Reply::new(600, None, "");
}

proptest! {
    #[test]
    fn every_reply_is_well_formed(code in 200u16..600, subject in 0u16..1000, detail in 0u16..1000, text in "\\PC{0,600}[\\x00-\\xff ]{0,1200}") {
        let status = Class::from_digit(code / 100).map(|class| Status::new(class, subject, detail));
        let mut out = Vec::new();
        Reply::new(code, status, text).write_to(&mut out);
        prop_assert!(out.ends_with(b"\r\n"));
        let out = String::from_utf8(out).unwrap();
        let lines: Vec<&str> = out.split_terminator("\r\n").collect();
        prop_assert!(lines.len() <= REPLY_LINES_MAX);
        let prefix = status.map_or(String::new(), |status| status.to_string());
        for (at, line) in lines.iter().enumerate() {
            prop_assert!(line.len() + 2 <= REPLY_LINE_BYTES_MAX);
            prop_assert!(line.bytes().all(|byte| matches!(byte, b' '..=b'~')));
            let separator = if at + 1 == lines.len() { ' ' } else { '-' };
            let expected = format!("{code}{separator}{prefix}");
            prop_assert!(line.starts_with(&expected));
        }
    }
}

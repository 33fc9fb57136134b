//! Replies of every shape, cut anywhere; garbage; the bounds.

use proptest::prelude::*;

use super::*;

/// All replies in `bytes`, given at once, and the error that ended it.
fn parse(bytes: &[u8]) -> (Vec<Reply>, Option<MalformedReply>) {
    parse_pieces(&[bytes])
}

fn parse_pieces(pieces: &[&[u8]]) -> (Vec<Reply>, Option<MalformedReply>) {
    let mut parser = ReplyParser::new();
    let mut replies = Vec::new();
    for piece in pieces {
        let mut input = *piece;
        loop {
            match parser.next(&mut input) {
                Ok(Some(reply)) => replies.push(reply),
                Ok(None) => break,
                Err(error) => return (replies, Some(error)),
            }
        }
        assert!(input.is_empty());
    }
    (replies, None)
}

fn one(bytes: &[u8]) -> Reply {
    let (mut replies, error) = parse(bytes);
    assert_eq!(error, None);
    assert_eq!(replies.len(), 1, "{replies:?}");
    replies.remove(0)
}

#[test]
fn code_status_and_text() {
    assert_eq!(
        one(b"250 2.1.0 Ok\r\n"),
        Reply::new(250, Status::MAIL_ACCEPTED, "Ok")
    );
    assert_eq!(one(b"250 Ok\r\n"), Reply::new(250, None, "Ok"));
    assert_eq!(
        one(b"250 2.1.0\r\n"),
        Reply::new(250, Status::MAIL_ACCEPTED, "")
    );
    assert_eq!(one(b"250 \r\n"), Reply::new(250, None, ""));
    assert_eq!(one(b"250\r\n"), Reply::new(250, None, ""));
    assert_eq!(one(b"250 Ok\n"), Reply::new(250, None, "Ok"));
    assert_eq!(one(b"354 2.0.0 go\r\n"), Reply::new(354, None, "2.0.0 go"));
}

#[test]
fn a_status_of_another_class_is_text() {
    assert_eq!(
        one(b"550 4.2.1 full\r\n"),
        Reply::new(550, None, "4.2.1 full")
    );
    assert_eq!(
        one(b"220 1.2.3.4 ready\r\n"),
        Reply::new(220, None, "1.2.3.4 ready")
    );
}

#[test]
fn lines_are_joined_and_repeated_statuses_dropped() {
    assert_eq!(
        one(b"550-5.7.1 no\r\n550-5.7.1 really\r\n550 not\r\n"),
        Reply::new(550, Status::NOT_AUTHORISED, "no\nreally\nnot")
    );
    assert_eq!(one(b"250-\r\n250\r\n"), Reply::new(250, None, "\n"));
}

#[test]
fn text_is_cleaned() {
    assert_eq!(
        one(b"250 a\0b\tc\x1b[1m\xff\r\n").text(),
        "a?b c?[1m\u{fffd}"
    );
    assert_eq!(
        one("250 gr\u{fc}\u{df}\r\n".as_bytes()).text(),
        "gr\u{fc}\u{df}"
    );
    assert_eq!(one(b"250 a\rb\r\n").text(), "a?b");
}

#[test]
fn what_is_no_reply_is_refused() {
    for garbage in [
        "\r\n",
        "25\r\n",
        "hello\r\n",
        "199 a\r\n",
        "600 a\r\n",
        "250:a\r\n",
        "2x0 a\r\n",
        " 250 a\r\n",
    ] {
        let (replies, error) = parse(garbage.as_bytes());
        assert_eq!(replies, [], "{garbage:?}");
        assert!(
            matches!(error, Some(MalformedReply::NoCode(_))),
            "{garbage:?}: {error:?}"
        );
    }
    let (_, error) = parse(&[&[b'h'; 500][..], b"\n"].concat());
    assert_eq!(
        error,
        Some(MalformedReply::NoCode("h".repeat(NO_CODE_BYTES_SHOWN)))
    );
    let (_, error) = parse(b"250-a\r\n251 b\r\n");
    assert_eq!(error, Some(MalformedReply::CodesDiffer(250, 251)));
}

#[test]
fn lines_are_bounded_with_and_without_an_end() {
    let line = |bytes: usize| [b"250 ", &vec![b'a'; bytes - 6][..], b"\r\n"].concat();
    assert_eq!(
        one(&line(REPLY_LINE_BYTES_ACCEPTED_MAX)).text().len(),
        REPLY_LINE_BYTES_ACCEPTED_MAX - 6
    );
    let long = line(REPLY_LINE_BYTES_ACCEPTED_MAX + 1);
    assert_eq!(parse(&long).1, Some(MalformedReply::LineTooLong));
    let pieces: Vec<&[u8]> = long.chunks(7).collect();
    assert_eq!(parse_pieces(&pieces).1, Some(MalformedReply::LineTooLong));

    let mut parser = ReplyParser::new();
    let endless = (0..10_000).find_map(|_| parser.next(&mut &b"a"[..]).err());
    assert_eq!(endless, Some(MalformedReply::LineTooLong));
    assert!(parser.line.capacity() <= 2 * REPLY_LINE_BYTES_ACCEPTED_MAX);
}

#[test]
fn the_number_of_lines_is_bounded() {
    let reply = |lines: usize| {
        b"250-a\r\n"
            .repeat(lines - 1)
            .into_iter()
            .chain(*b"250 b\r\n")
            .collect::<Vec<_>>()
    };
    assert_eq!(
        one(&reply(REPLY_LINES_MAX)).lines().count(),
        REPLY_LINES_MAX
    );
    assert_eq!(
        parse(&reply(REPLY_LINES_MAX + 1)).1,
        Some(MalformedReply::TooManyLines)
    );
}

/// Bytes that are often nearly replies, in pieces.
fn pieces() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let piece = prop_oneof![
        4 => "[2-5][0-9]{2}[ -](([245]\\.[0-9]{1,3}\\.[0-9]{1,4}) )?[a-z ]{0,9}\r\n".prop_map(String::into_bytes),
        3 => "250[ -](2\\.1\\.0 )?[a-z]{0,3}\r?\n".prop_map(String::into_bytes),
        1 => "[0-9 .\r\n-]{0,9}".prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..9),
    ];
    prop::collection::vec(piece, 0..9)
}

proptest! {
    #[test]
    fn cuts_make_no_difference(pieces in pieces(), cut in 1_usize..9) {
        let bytes = pieces.concat();
        let whole = parse(&bytes);
        let cut: Vec<&[u8]> = bytes.chunks(cut).collect();
        prop_assert_eq!(parse_pieces(&cut), whole);
    }

    #[test]
    fn what_is_written_is_read(
        code in 200_u16..600,
        subject in 0_u16..1000,
        detail in 0_u16..1000,
        lines in prop::collection::vec("[a-zA-Z<>@=/:;,-][ -~]{0,60}", 1..9),
    ) {
        let status = Class::from_digit(code / 100).map(|class| Status::new(class, subject, detail));
        let reply = Reply::new(code, status, lines.join("\n"));
        let mut wire = Vec::new();
        reply.write_to(&mut wire);
        prop_assert_eq!(one(&wire), reply);
    }

    #[test]
    fn no_control_character_gets_through(text in prop::collection::vec(any::<u8>(), 0..200)) {
        let bytes = [b"250 ", &text[..], b"\r\n"].concat();
        for reply in parse(&bytes).0 {
            prop_assert!(!reply.lines().any(|line| line.contains(char::is_control)), "{:?}", reply);
        }
    }
}

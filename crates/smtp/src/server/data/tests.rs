use super::*;

const BOUNDS: Bounds = Bounds {
    message_bytes_max: 1 << 20,
    header_bytes_max: 1 << 20,
    normalise: false,
};

const NORMALISE: Bounds = Bounds {
    normalise: true,
    ..BOUNDS
};

/// The slices as they come, and what follows the end of the data.
fn slices(wire: &str, bounds: Bounds) -> (Vec<String>, Option<String>, Decoder) {
    let mut decoder = Decoder::with_dots();
    let mut input = wire.as_bytes();
    let mut slices = Vec::new();
    let after = loop {
        match decoder.next(&mut input, bounds) {
            Piece::Content(slice) => slices.push(String::from_utf8_lossy(slice).into_owned()),
            Piece::End => break Some(String::from_utf8_lossy(input).into_owned()),
            Piece::More => break None,
            Piece::TooMuch => panic!("too much"),
        }
    };
    (slices, after, decoder)
}

#[test]
fn a_message_without_dots_is_one_slice() {
    let (slices, after, decoder) = slices("a: b\r\n\r\nc\r\nd\r\n.\r\nQUIT\r\n", BOUNDS);
    assert_eq!(slices, ["a: b\r\n\r\nc\r\nd\r\n"]);
    assert_eq!(after.as_deref(), Some("QUIT\r\n"));
    let content = decoder.content();
    assert_eq!(
        (content.bytes, content.header_bytes, content.lines),
        (14, 6, 4)
    );
    assert!(!content.eight_bit && content.defect.is_none());
}

#[test]
fn slices_break_at_stuffed_dots_alone() {
    let (slices, after, _) = slices("a\r\n..b.c\r\n.d\r\n...\r\n.\r\n", BOUNDS);
    assert_eq!(slices, ["a\r\n", ".b.c\r\n", "d\r\n", "..\r\n"]);
    assert_eq!(after.as_deref(), Some(""));
}

#[test]
fn nothing_but_crlf_dot_crlf_ends_data() {
    for newline in ["\n", "\r", "\r\r", "\n\r", "\n\n", "\r\r\n\n"] {
        for other in ["\n", "\r", "\r\r", "\n\r", "\n\n", "\r\n"] {
            for wire in [
                format!("a{newline}.{other}MAIL FROM:<x@y>\r\n"),
                format!("a\r\n.{newline}x"),
            ] {
                for bounds in [BOUNDS, NORMALISE] {
                    let (_, after, decoder) = slices(&wire, bounds);
                    assert_eq!(after, None, "{wire:?}");
                    assert_eq!(decoder.defect().is_some(), !bounds.normalise, "{wire:?}");
                }
            }
        }
    }
}

#[test]
fn a_dot_behind_a_normalised_newline_is_content() {
    let (slices, after, _) = slices("a\n.\nb\r.\r\n..c\n..d\r\n.\r\n", NORMALISE);
    assert_eq!(slices.concat(), "a\r\n.\r\nb\r\n.\r\n.c\r\n..d\r\n");
    assert_eq!(after.as_deref(), Some(""));
}

#[test]
fn a_dot_before_a_bare_newline_is_dropped() {
    // RFC 5321 4.5.2: something other than CRLF follows it.
    let (slices, after, _) = slices("a\r\n.\nb\r\n.\rc\r\n.\r\n", NORMALISE);
    assert_eq!(slices.concat(), "a\r\n\r\nb\r\n\r\nc\r\n");
    assert_eq!(after.as_deref(), Some(""));
}

#[test]
fn content_stops_at_a_defect() {
    let (slices, after, decoder) = slices("a\r\nb\nc\r\n.\r\nNOOP\r\n", BOUNDS);
    assert_eq!(slices.concat(), "a\r\nb");
    assert_eq!(after.as_deref(), Some("NOOP\r\n"));
    assert_eq!(decoder.defect(), Some(Defect::BareNewline));
}

#[test]
fn the_longest_line() {
    let longest = "x".repeat(LINE_BYTES_MAX - 2);
    let (taken, _, decoder) = slices(&format!("{longest}\r\n.{longest}\r\n.\r\n"), BOUNDS);
    assert_eq!(decoder.defect(), None);
    assert_eq!(taken.concat().len(), 2 * LINE_BYTES_MAX);
    let (taken, after, decoder) = slices(&format!("{longest}x\r\n.\r\n"), BOUNDS);
    assert_eq!(decoder.defect(), Some(Defect::LineTooLong));
    assert_eq!(taken.concat(), longest);
    assert_eq!(after.as_deref(), Some(""));
}

#[test]
fn the_largest_message_and_header_section() {
    let small = Bounds {
        message_bytes_max: 12,
        header_bytes_max: 6,
        normalise: false,
    };
    for (wire, defect) in [
        ("a: b\r\n\r\ncd\r\n.\r\n", None),
        ("a: b\r\n\r\ncde\r\n.\r\n", Some(Defect::TooLarge)),
        ("a: b\r\n\r\ncdefg\r\n.\r\n", Some(Defect::TooLarge)),
        ("a: bc\r\n\r\n.\r\n", Some(Defect::HeaderTooLarge)),
        ("a: bcde\r\n\r\n.\r\n", Some(Defect::HeaderTooLarge)),
        ("\r\n1234567890\r\n.\r\n", Some(Defect::TooLarge)),
        ("\r\n12345678\r\n.\r\n", None),
    ] {
        let (_, after, decoder) = slices(wire, small);
        assert_eq!(decoder.defect(), defect, "{wire:?}");
        assert_eq!(after.as_deref(), Some(""), "{wire:?}");
    }
}

#[test]
fn nul_and_eight_bit_pass() {
    let mut decoder = Decoder::with_dots();
    let mut input = &b"\0\xff\r\n.\r\n"[..];
    assert_eq!(
        decoder.next(&mut input, BOUNDS),
        Piece::Content(b"\0\xff\r\n")
    );
    assert_eq!(decoder.next(&mut input, BOUNDS), Piece::End);
    assert!(decoder.content().eight_bit);
}

#[test]
fn chunks_may_part_cr_and_lf_but_not_end_between() {
    let mut decoder = Decoder::default();
    let mut input = &b".\r"[..];
    assert_eq!(decoder.next(&mut input, BOUNDS), Piece::Content(b"."));
    assert_eq!(decoder.next(&mut input, BOUNDS), Piece::More);
    let mut input = &b"\nx\r"[..];
    assert_eq!(decoder.next(&mut input, BOUNDS), Piece::Content(b"\r\n"));
    assert_eq!(decoder.next(&mut input, BOUNDS), Piece::Content(b"x"));
    assert_eq!(decoder.next(&mut input, BOUNDS), Piece::More);
    assert_eq!(decoder.finish(BOUNDS), None);
    assert_eq!(decoder.defect(), Some(Defect::BareNewline));
}

#[test]
fn data_without_end_is_given_up() {
    let mut decoder = Decoder::with_dots();
    decoder.refuse(Defect::TooLarge);
    decoder.excess_bytes = EXCESS_BYTES_MAX;
    let mut input = &b"xx\r\n"[..];
    assert_eq!(decoder.next(&mut input, BOUNDS), Piece::More);
    let mut input = &b"x"[..];
    assert_eq!(decoder.next(&mut input, BOUNDS), Piece::TooMuch);
}

use bytes::Bytes;
use proptest::prelude::*;

use super::{content, head, text};
use crate::view::Encoding;

fn decoded(raw: &str, encoding: Encoding) -> String {
    let content = content(&Bytes::copy_from_slice(raw.as_bytes()), encoding);
    String::from_utf8_lossy(&content).into_owned()
}

#[test]
fn base64_as_clients_read_it() {
    for (raw, expected) in [
        ("aGVsbG8=", "hello"),
        ("aGVs\r\nbG8=\r\n", "hello"),
        ("aGVsbG8", "hello"),
        ("aGVs!bG8=", "hello"),
        ("\u{feff}aGVsbG8=", "hello"),
        ("aGVs*\0bG8=", "hello"),
        ("aGVsbG8=aGVsbG8=", "hellohello"),
        ("", ""),
        ("!", ""),
    ] {
        assert_eq!(decoded(raw, Encoding::Base64), expected, "{raw:?}");
    }
}

#[test]
fn quoted_printable_as_clients_read_it() {
    for (raw, expected) in [
        ("a=3Db", "a=b"),
        ("a=3db", "a=b"),
        ("soft=\r\nbreak", "softbreak"),
        ("soft=  \r\nbreak", "softbreak"),
        ("soft=\nbreak", "softbreak"),
        ("blanks  \t\r\nend", "blanks\r\nend"),
        ("kept=20\r\n", "kept \r\n"),
        ("broken =ZZ = ==41 =4", "broken =ZZ = =A =4"),
        ("end=", "end"),
    ] {
        assert_eq!(decoded(raw, Encoding::QuotedPrintable), expected, "{raw:?}");
    }
}

#[test]
fn charsets() {
    assert_eq!(text(b"gr\xfcn", Some("ISO-8859-1")), "grün");
    assert_eq!(text(b"\xc4\xe3\xba\xc3", Some("gb2312")), "你好");
    assert_eq!(text(b"\x1b$B%O%m!<\x1b(B", Some("iso-2022-jp")), "ハロー");
    assert_eq!(text("grün".as_bytes(), None), "grün");
    assert_eq!(text("grün".as_bytes(), Some("UTF-8")), "grün");
    assert_eq!(text(b"gr\xfcn", Some("no-such-charset")), "gr\u{fffd}n");
    assert!(matches!(
        text(b"plain", Some("windows-1252")),
        std::borrow::Cow::Borrowed("plain")
    ));
}

proptest! {
    #[test]
    fn any_bytes_decode(raw in prop::collection::vec(any::<u8>(), 0..300), length in 0_usize..300) {
        let raw = Bytes::from(raw);
        for encoding in [Encoding::Identity, Encoding::Base64, Encoding::QuotedPrintable] {
            prop_assert!(content(&raw, encoding).len() <= raw.len());
            prop_assert!(head(&raw, encoding, length).len() <= length);
        }
    }

    #[test]
    fn quoted_printable_round_trip(original in prop::collection::vec(any::<u8>(), 0..200)) {
        let raw: String = original.iter().map(|byte| format!("={byte:02X}")).collect();
        let decoded = content(&Bytes::from(raw), Encoding::QuotedPrintable);
        prop_assert_eq!(decoded.as_ref(), original.as_slice());
    }

    #[test]
    fn any_charset_is_text(content in prop::collection::vec(any::<u8>(), 0..60), charset in "[a-zA-Z0-9_-]{0,50}") {
        let _ = text(&content, Some(&charset));
    }
}

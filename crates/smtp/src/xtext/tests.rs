use proptest::prelude::*;

use super::*;

#[test]
fn decodes_escapes() {
    assert_eq!(decode("a+2Bb+3Dc+20d").as_deref(), Some("a+b=c d"));
    assert_eq!(decode("").as_deref(), Some(""));
    assert_eq!(
        decode_utf8_addr("us\\x{E9}r@ex.example").as_deref(),
        Some("usér@ex.example")
    );
    assert_eq!(decode_utf8_addr("usér@b").as_deref(), Some("usér@b"));
}

#[test]
fn refuses_what_could_forge_lines() {
    for text in [
        "a+0Db", "+0A", "+00", "+7F", "+80", "a b", "a=b", "+", "+4", "+4G", "é", "a\tb",
    ] {
        assert_eq!(decode(text), None, "{text:?}");
    }
    for text in [
        "\\x{0A}",
        "\\x{D800}",
        "\\x{110000}",
        "\\x{}",
        "\\x",
        "\\",
        "\\x{4",
        "a b",
        "+41",
        "\\x{000041A}",
    ] {
        assert_eq!(decode_utf8_addr(text), None, "{text:?}");
    }
}

proptest! {
    #[test]
    fn printable_ascii_survives(text in "[ -~]{0,80}") {
        let encoded = encode(&text);
        prop_assert!(encoded.bytes().all(|b| b.is_ascii_graphic()));
        prop_assert_eq!(decode(&encoded), Some(text));
    }

    #[test]
    fn unicode_survives(text in "\\PC{0,60}") {
        let encoded = encode_utf8_addr(&text);
        prop_assert!(encoded.bytes().all(|b| b.is_ascii_graphic()));
        prop_assert_eq!(decode_utf8_addr(&encoded), Some(text));
    }

    #[test]
    fn any_text_is_decoded_or_refused(text in "[\\x00-\\xff+x{}\\\\]{0,60}") {
        for decoded in [decode(&text), decode_utf8_addr(&text)].into_iter().flatten() {
            prop_assert!(!decoded.chars().any(char::is_control));
        }
    }
}

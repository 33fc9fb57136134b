use proptest::prelude::*;

use super::{beginning, compile, source, with_ascii_classes};

#[test]
fn classes_are_of_ascii() {
    assert_eq!(
        with_ascii_classes(r"\bx[\b\d.]\\b\s."),
        r"(?-u:\b)x[\b0-9.]\\b[ \t\r\n](?-u:.)"
    );
    let pattern = compile(&source(r"\bviagra\b", "i", 0).expect("flags"), 0).expect("pattern");
    assert!(pattern.is_match("für VIAGRA?".as_bytes()));
    assert!(!pattern.is_match(b"viagras"));
}

/// What takes exponential time elsewhere or cannot be matched in linear time is linear or refused.
#[test]
fn patterns_that_are_refused() {
    for pattern in [
        "(?=x)",
        r"(a)\1",
        "(",
        "[",
        "x{100000}",
        "([a-zé]{100}){100}",
        "*",
    ] {
        let result = compile(pattern, 3);
        assert!(result.is_err_and(|fault| fault.at == 3), "{pattern}");
    }
    assert!(source("x", "g", 0).is_err());
    let nested = compile("(a*)*b", 0).expect("linear here");
    assert!(!nested.is_match("a".repeat(100_000).as_bytes()));
}

#[test]
fn beginnings_end_at_gaps() {
    for (given, kept) in [
        ("ab.{0,60}cd", "ab"),
        ("a(?:b|c.*d)e", "a(?:b|c)"),
        ("ax{2}by{4}z", "ax{2}by"),
        ("(?:ab?c){1,9}d", "ab?c"),
        ("x*abc", ""),
        ("a|b+c|d", "[abd]"),
    ] {
        let same = compile(kept, 0).expect(kept);
        let beginning = compile(&beginning(given), 0).expect(given);
        for text in [
            "", "ab", "abcd", "ac", "axxby", "axb", "abc", "d", "cc", "ae",
        ] {
            let expected = same.find(text.as_bytes()).map(|found| found.range());
            let found = beginning.find(text.as_bytes()).map(|found| found.range());
            assert_eq!(found, expected, "{given}: {text}");
        }
    }
}

proptest! {
    /// What matches a pattern has its beginning.
    #[test]
    fn beginnings_match_no_less(pattern in "([a-c]|\\.|[ab]{1,2}\\{[0-3],[4-9]\\}|\\[[a-c]\\]|\\(a\\|b\\)\\{5\\}){1,5}", text in "[a-c]{0,30}") {
        if let (Ok(given), Ok(loose)) = (compile(&pattern, 0), compile(&beginning(&pattern), 0)) {
            prop_assert!(!given.is_match(text.as_bytes()) || loose.is_match(text.as_bytes()), "{} {}", pattern, text);
        }
    }
}

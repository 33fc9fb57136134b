use proptest::prelude::*;

use super::{compile, loosened, source, with_ascii_classes};

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
fn bounds_are_loosened() {
    for (given, loose) in [
        ("a.{0,60}b", "a.*b"),
        ("[^.]{1,9}x{2}y{2,3}z{4,}", "[^.]+x{2}y{2,3}z+"),
        (r"\{0,60}[{0,60}]\\{0,9}", r"\{0,60}[{0,60}]\\*"),
        (r"[\]{0,9}]a{9}", r"[\]{0,9}]a+"),
        ("(?:a{5}|b){0,7}?", "(?:a+|b)*?"),
    ] {
        assert_eq!(loosened(given), loose);
    }
}

proptest! {
    /// What matches a pattern matches the looser one.
    #[test]
    fn loosened_patterns_match_no_less(pattern in "([a-c]|\\.|[ab]{1,2}\\{[0-3],[4-9]\\}|\\[[a-c]\\]|\\(a\\|b\\)\\{5\\}){1,5}", text in "[a-c]{0,30}") {
        if let (Ok(given), Ok(loose)) = (compile(&pattern, 0), compile(&loosened(&pattern), 0)) {
            prop_assert!(!given.is_match(text.as_bytes()) || loose.is_match(text.as_bytes()), "{} {}", pattern, text);
        }
    }
}

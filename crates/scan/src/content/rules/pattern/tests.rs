use super::{compile, source, with_ascii_classes};

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

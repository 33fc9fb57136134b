use proptest::prelude::*;

use super::{Token, words};

#[test]
fn every_kind_of_word() {
    let tokens: Vec<Token> =
        words("from.name !~ /a\\/\\b[x]\\\\/is and\n# why\n(X_1 >= -0.5, \"q\\\"\")")
            .expect("words")
            .into_iter()
            .map(|word| word.token)
            .collect();
    let name = |name: &str| Token::Name(name.to_owned());
    let pattern = Token::Pattern {
        pattern: "a/\\b[x]\\\\".to_owned(),
        flags: "is".to_owned(),
    };
    let expected = [
        name("from.name"),
        Token::Sign("!~"),
        pattern,
        name("and"),
        Token::Sign("("),
        name("X_1"),
        Token::Sign(">="),
        Token::Number(-0.5),
        Token::Sign(","),
        Token::Text("q\"".to_owned()),
        Token::Sign(")"),
    ];
    assert_eq!(tokens, expected);
}

#[test]
fn a_whole_condition() {
    let count = words("subject ~ /^x/i and not A or link(host in (\"a\", \"b\")) # end")
        .map(|words| words.len());
    assert_eq!(count, Ok(17));
}

#[test]
fn faults_say_where() {
    for (text, at) in [("a ~ /x", 4), ("a == \"x", 5), ("a & b", 2), ("1-2", 0)] {
        assert_eq!(words(text).map_err(|fault| fault.at), Err(at), "{text}");
    }
}

proptest! {
    /// The words stand in their order and within the text, or the fault does.
    #[test]
    fn any_text_has_words_or_a_fault(text in "([a-z_.]{1,4}|[(),~<>=!]|/[^/\n]{0,4}/?i?|\"[^\n]{0,4}\"?|-?[0-9.]{1,4}|#[a-z ]{0,3}\n| |é){0,16}") {
        match words(&text) {
            Ok(words) => {
                prop_assert!(words.is_sorted_by_key(|word| word.at));
                prop_assert!(words.iter().all(|word| text.is_char_boundary(word.at)));
            }
            Err(fault) => prop_assert!(fault.at <= text.len() && text.is_char_boundary(fault.at)),
        }
    }
}

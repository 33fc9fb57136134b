//! Snippets of Rust that would lead a search for words or braces astray.

use super::{Function, Source};

fn code(text: &str) -> String {
    Source::new("src/a.rs", text).code
}

fn functions(text: &str) -> Vec<(String, usize, usize)> {
    let source = Source::new("src/a.rs", text);
    let found = source.functions().into_iter();
    found
        .map(|Function { name, line, lines }| (name.to_owned(), line, lines))
        .collect()
}

#[test]
fn comments_are_blanked() {
    assert_eq!(code("a // fn b() {\nc"), "a            \nc");
    assert_eq!(code("a /* { /* } */ { */ b"), "a                   b");
    assert_eq!(code("/* never closed {"), " ".repeat(17));
}

#[test]
fn literals_keep_only_their_quotes() {
    assert_eq!(code(r#"f("{\"}")"#), r#"f("    ")"#);
    assert_eq!(code(r##"r#"a " b"# + c"##), r##"r#"     "# + c"##);
    assert_eq!(code(r#"b"{" + c"}""#), r#"b" " + c" ""#);
    assert_eq!(code("\"never closed {"), "\"              ");
}

#[test]
fn characters_differ_from_lifetimes() {
    assert_eq!(
        code("'{' '\\'' '\\u{7d}' '\"' b'}'"),
        "' ' '  ' '      ' ' ' b' '"
    );
    assert_eq!(code("fn a<'b>(c: &'b str)"), "fn a<'b>(c: &'b str)");
    assert_eq!(
        code("'outer: loop { break 'outer }"),
        "'outer: loop { break 'outer }"
    );
}

#[test]
fn a_mask_is_as_long_as_its_file() {
    for text in [
        "'é' \"日本\" // ü\nx",
        "'\\",
        "'",
        "r#\"",
        "b'",
        "/*",
        "\"\\",
    ] {
        assert_eq!(code(text).len(), text.len(), "{text}");
    }
}

#[test]
fn functions_are_measured_from_keyword_to_brace() {
    let text = "
/// Text.
pub(crate) const fn one() -> u8 { 1 }
trait T {
    fn declared(&self, a: [u8; 4]) -> bool;
    fn provided(&self) {
        let s = \"}\";
    }
}
";
    let expected = [("one".to_owned(), 3, 1), ("provided".to_owned(), 6, 3)];
    assert_eq!(functions(text), expected);
}

#[test]
fn inner_functions_and_closures_count_within_the_outer() {
    let text = "fn outer() {
    let f = |x| { x };
    fn inner() {
    }
    if a { b } else { c }
}";
    let expected = [("outer".to_owned(), 1, 6), ("inner".to_owned(), 3, 2)];
    assert_eq!(functions(text), expected);
}

#[test]
fn function_types_are_no_functions() {
    assert_eq!(functions("type F = fn(u8) -> u8; struct S { f: fn() }"), []);
}

#[test]
fn words_carry_their_lines() {
    let source = Source::new("src/a.rs", "a::b\n// c\nd_e(1)");
    let words: Vec<_> = source.words().collect();
    assert_eq!(words, [(1, "a"), (1, "b"), (3, "d_e"), (3, "1")]);
}

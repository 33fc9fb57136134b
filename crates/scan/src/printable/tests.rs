use proptest::prelude::*;

use super::*;

#[test]
fn control_characters_go_and_blanks_fold() {
    assert_eq!(printable("  a\r\n\tb\0c\u{1b}[1m  ", 100), "a bc[1m");
    assert_eq!(printable_bytes(b"a\xffb", 100), "a\u{fffd}b");
}

#[test]
fn the_cut_is_on_a_character_border() {
    assert_eq!(printable("a\u{e9}\u{e9}", 4), "a\u{e9}");
    assert_eq!(printable("abc def", 4), "abc");
}

#[test]
fn names_are_listed_up_to_five() {
    assert_eq!(bracketed([]), "");
    assert_eq!(bracketed(["A", "B"]), " (A, B)");
    assert_eq!(
        bracketed(["A", "B", "C", "D", "E", "F", "G"]),
        " (A, B, C, D, E, ...)"
    );
}

proptest! {
    #[test]
    fn any_bytes_become_one_bounded_line(bytes in proptest::collection::vec(any::<u8>(), 0..300), max in 0usize..100) {
        let text = printable_bytes(&bytes, max);
        prop_assert!(text.len() <= max);
        prop_assert!(!text.chars().any(char::is_control));
    }
}

use proptest::prelude::*;

use super::{FoldFacts, LOOK_ALIKES, fold, read_as_latin};

fn folded(text: &str) -> (String, FoldFacts) {
    let mut facts = FoldFacts::default();
    let folded = fold(text, 1_000, &mut facts);
    (folded, facts)
}

#[test]
fn the_table_is_in_order() {
    assert!(LOOK_ALIKES.is_sorted_by(|a, b| a.0 < b.0));
    assert!(
        LOOK_ALIKES
            .iter()
            .all(|(_, latin)| latin.is_ascii_alphabetic())
    );
}

#[test]
fn blanks_collapse_and_lines_stay() {
    assert_eq!(folded("  a \t b\r\n\r\n c\u{a0}\u{a0}d  ").0, "a b\nc d");
    assert_eq!(folded("  a \t b\r\n\r\n c ").0, "a b\nc");
}

#[test]
fn what_shows_nothing_goes() {
    let (text, facts) = folded("via\u{200b}gra pa\u{ad}per \u{feff}x");
    assert_eq!(text, "viagra paper x");
    assert_eq!(facts.zero_width_in_words, 1);
    assert_eq!(facts.soft_hyphens, 1);
    assert_eq!(facts.invisible, 2);
}

#[test]
fn joiners_of_persian_and_emoji_are_in_order() {
    let (_, facts) = folded("می\u{200c}خواهم 👩\u{200d}💻");
    assert_eq!(facts.zero_width_in_words, 0);
    assert_eq!(facts.invisible, 2);
}

#[test]
fn look_alikes_are_read_as_latin_in_mixed_words_only() {
    // The second word is Russian; its letters all have Latin twins.
    let (text, facts) = folded("Pаypаl сор");
    assert_eq!(text, "Paypal сор");
    assert_eq!(facts.mixed_script_words, 1);
}

#[test]
fn units_are_no_trick() {
    for unit in ["5 µm", "10 kΩ", "βGal", "Δt"] {
        assert_eq!(folded(unit).1.mixed_script_words, 0, "{unit}");
    }
}

#[test]
fn styles_become_plain() {
    let (text, facts) = folded("𝐁𝐨𝐥𝐝 ｆｕｌｌ ﬁne");
    assert_eq!(text, "Bold full fine");
    assert_eq!(facts.stylised_letters, 8);
}

#[test]
fn labels_that_read_as_latin() {
    assert_eq!(read_as_latin("аррӏе").as_deref(), Some("apple"));
    assert_eq!(read_as_latin("bücher"), None);
    assert_eq!(read_as_latin("apple"), None);
}

proptest! {
    #[test]
    fn folding_is_bounded_and_settled(text in "\\PC{0,200}", bytes_max in 0_usize..300) {
        let mut facts = FoldFacts::default();
        let once = fold(&text, bytes_max, &mut facts);
        prop_assert!(once.len() <= bytes_max);
        prop_assert!(!once.contains("  "));
        prop_assert_eq!(once.trim(), once.as_str());
    }
}

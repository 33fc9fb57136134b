use proptest::prelude::*;

use super::{Name, SHOWN_CHARACTERS_MAX, shown};

fn extensions(name: &str) -> (String, String) {
    let read = Name::read(name);
    (read.inner_extension, read.extension)
}

#[test]
fn extensions_as_the_system_sees_them() {
    for (name, inner, extension) in [
        ("a.exe", "", "exe"),
        ("a.PDF.Exe", "pdf", "exe"),
        ("a.pdf   .exe", "pdf", "exe"),
        ("a.pdf..exe", "pdf", "exe"),
        ("a.exe...", "", "exe"),
        ("a.exe \u{a0}", "", "exe"),
        ("a.e\u{200d}xe", "", "exe"),
        ("dir.com/readme", "", ""),
        ("dir\\a.js", "", "js"),
        ("dir/", "", ""),
        ("a.b.c/", "b", "c"),
        ("noextension", "", ""),
        (".hidden", "", "hidden"),
        ("", "", ""),
        ("...", "", ""),
        ("ÄÖ.ÉXE", "", "éxe"),
    ] {
        let expected = (inner.to_owned(), extension.to_owned());
        assert_eq!(extensions(name), expected, "{name:?}");
    }
}

#[test]
fn tricks() {
    assert!(Name::read("a.pdf\u{a0}\u{2003}\t .exe").is_pushed_away);
    assert!(!Name::read("a b.exe").is_pushed_away);
    assert!(Name::read("a\u{202e}fdp.exe").is_reversed);
    assert!(!Name::read("תמונה.jpg").is_reversed);
}

#[test]
fn names_are_shown_safely() {
    assert_eq!(shown("a\r\nb\u{202e}\u{0}.exe"), "a b.exe");
    assert_eq!(shown("  a     b  "), "a b");
    let long = shown(&format!("{}.exe", "x".repeat(5_000)));
    assert_eq!(long.chars().count(), SHOWN_CHARACTERS_MAX);
    assert!(long.starts_with("xxx") && long.contains("..."));
    let long = shown(&format!("{}.exe", "x".repeat(100)));
    assert!(long.ends_with(".exe"), "{long}");
}

proptest! {
    #[test]
    fn any_name(name in any::<String>()) {
        let read = Name::read(&name);
        prop_assert!(!read.extension.contains('.'));
        let shown = shown(&name);
        prop_assert!(shown.chars().count() <= SHOWN_CHARACTERS_MAX);
        prop_assert!(!shown.chars().any(char::is_control));
    }
}

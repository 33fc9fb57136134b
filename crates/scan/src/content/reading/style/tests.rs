use proptest::prelude::*;

use super::super::color::Paint;
use super::{Declared, STYLE_RULES_MAX, Sheet, Size};

#[test]
fn declarations_that_hide() {
    assert_eq!(
        Declared::parse("DISPLAY : None !important").is_none,
        Some(true)
    );
    assert_eq!(
        Declared::parse("display:none;display:block").is_none,
        Some(false)
    );
    assert_eq!(
        Declared::parse("visibility:hidden").is_invisible,
        Some(true)
    );
    assert_eq!(Declared::parse("opacity:0").is_transparent, Some(true));
    assert_eq!(Declared::parse("opacity:.8").is_transparent, Some(false));
    for gone in [
        "transform:scale(0)",
        "transform: rotate(3deg) scaleY( 0.01 )",
        "scale: 0",
        "filter: opacity(0%)",
        "clip-path:circle(0)",
        "clip-path: inset(100%)",
        "-x:y;clip-path: ellipse(0 0 at 50% 50%)",
    ] {
        assert_eq!(Declared::parse(gone).is_transparent, Some(true), "{gone}");
    }
    for shown in [
        "transform:scale(0.9)",
        "transform:scale(1,0.9)",
        "transform:rotate(0)",
        "filter:blur(0) opacity(.9)",
        "clip-path:inset(10%)",
        "clip-path:circle(50%)",
        "scale:1",
    ] {
        assert_ne!(Declared::parse(shown).is_transparent, Some(true), "{shown}");
    }
    assert!(Declared::parse("position:absolute;left:-9999px").is_off_screen());
    assert!(Declared::parse("text-indent:-999em").is_off_screen());
    assert!(!Declared::parse("left:-9999px").is_off_screen());
    assert!(!Declared::parse("position:absolute;left:10px").is_off_screen());
    let flat = Declared::parse("max-height:0px;overflow:hidden");
    assert_eq!((flat.is_flat, flat.clips), (Some(true), Some(true)));
    assert_eq!(
        Declared::parse("max-width:600px;height:100%").is_flat,
        Some(false)
    );
}

#[test]
fn sizes() {
    for (text, size) in [
        ("font-size:1px", Size::Pixels(1.0)),
        ("font-size: 0", Size::Pixels(0.0)),
        ("font-size:.5em", Size::Factor(0.5)),
        ("font-size:50%", Size::Factor(0.5)),
        ("font:bold 700 12px/1.5 Arial", Size::Pixels(12.0)),
        ("font:0/0 a", Size::Pixels(0.0)),
        ("font-size:small", Size::Pixels(13.0)),
    ] {
        assert_eq!(Declared::parse(text).size, Some(size), "{text}");
    }
    assert_eq!(Declared::parse("font-size:inherit").size, None);
}

#[test]
fn colours() {
    let declared = Declared::parse("color:#FFF;background:url(x.png) no-repeat");
    assert_eq!(declared.color, Some(Paint::Rgb(255, 255, 255)));
    assert_eq!(declared.background, Some(Paint::Unknown));
}

#[test]
fn rules_apply_by_tag_class_and_id() {
    let mut sheet = Sheet::default();
    sheet.add(
        "<!-- /* x { */ p{color:red} .Hide, td.q{display:none} #i { font-size:0 } a b{display:none}
         a:hover{display:none} @media (max-width:600px){ .m{display:none} .n{x:y} } @import 'x'; .z{opacity:0} -->",
    );
    assert_eq!(sheet.of("div", "x hide", "").is_none, Some(true));
    assert_eq!(sheet.of("td", "q", "").is_none, Some(true));
    assert_eq!(sheet.of("div", "q", "").is_none, None);
    assert_eq!(sheet.of("div", "", "I").size, Some(Size::Pixels(0.0)));
    assert_eq!(sheet.of("p", "", "").color, Some(Paint::Rgb(255, 0, 0)));
    assert_eq!(sheet.of("b", "m", ""), Declared::default());
    assert_eq!(sheet.of("a", "", ""), Declared::default());
    assert_eq!(sheet.of("i", "z", "").is_transparent, Some(true));
}

#[test]
fn rules_are_bounded() {
    let mut sheet = Sheet::default();
    let many: String = (0..10_000)
        .map(|n| format!(".c{n}{{display:none}}"))
        .collect();
    sheet.add(&many);
    sheet.add(&many);
    assert_eq!(sheet.rules.len(), STYLE_RULES_MAX);
}

proptest! {
    #[test]
    fn any_sheet_is_read(text in "[a-z.#{}@;:/*!,0-9 -]{0,300}") {
        let mut sheet = Sheet::default();
        sheet.add(&text);
        let _ = sheet.of("a", "b c", "d");
        let _ = Declared::parse(&text);
    }
}

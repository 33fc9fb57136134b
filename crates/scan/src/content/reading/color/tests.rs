use proptest::prelude::*;

use super::{Paint, attribute, background, paint};

#[test]
fn ways_to_write_a_colour() {
    for text in [
        "#fff",
        "#FFFFFF",
        "#ffff",
        "rgb(255, 255,255)",
        "rgb(100% 100% 100%)",
        "white",
        "rgba(255,255,255,.9)",
    ] {
        assert_eq!(paint(&text.to_ascii_lowercase()), Paint::WHITE, "{text}");
    }
    for text in ["transparent", "#0000", "#ffffff00", "rgba(1,2,3,0)"] {
        assert_eq!(paint(text), Paint::Transparent, "{text}");
    }
    for text in ["", "#12", "#ggg", "currentcolor", "rgb(1,2)", "#ééé"] {
        assert_eq!(paint(text), Paint::Unknown, "{text}");
    }
    assert_eq!(attribute("FFFFFF"), Paint::WHITE);
    assert_eq!(background("no-repeat #000 top"), Paint::BLACK);
    assert_eq!(background("#fff url(x.png)"), Paint::Unknown);
}

#[test]
fn what_vanishes() {
    assert!(Paint::Rgb(254, 254, 250).vanishes_on(Paint::WHITE));
    assert!(!Paint::Rgb(230, 230, 230).vanishes_on(Paint::WHITE));
    assert!(Paint::Transparent.vanishes_on(Paint::Unknown));
    assert!(!Paint::WHITE.vanishes_on(Paint::Unknown));
}

proptest! {
    /// What is read as a colour is one in whatever way it is written.
    #[test]
    fn any_text_is_a_paint(text in "(#|rgb\\(|rgba\\()?[0-9a-fé%,. /-]{0,20}\\)?", r in any::<u8>(), g in any::<u8>(), b in any::<u8>()) {
        for read in [paint(&text), attribute(&text), background(&text)] {
            prop_assert!(!read.vanishes_on(Paint::Unknown) || read == Paint::Transparent);
        }
        let rgb = Paint::Rgb(r, g, b);
        prop_assert_eq!(paint(&format!("#{r:02x}{g:02x}{b:02x}")), rgb);
        prop_assert_eq!(attribute(&format!("{r:02X}{g:02X}{b:02X}")), rgb);
        prop_assert_eq!(background(&format!("rgb({r}, {g} {b})")), rgb);
        prop_assert!(rgb.vanishes_on(rgb));
    }
}

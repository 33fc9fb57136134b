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

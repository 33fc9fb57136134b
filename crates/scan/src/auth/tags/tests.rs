use proptest::prelude::*;

use super::*;

#[test]
fn a_list_gives_its_values() {
    let tags = Tags::parse("v=1; a = rsa-sha256;\r\n\th=From : To;  b=dz\r\n dz==;").unwrap();
    assert_eq!(tags.first(), Some(("v", "1")));
    assert_eq!(tags.value("a"), Some("rsa-sha256"));
    assert_eq!(tags.value("b"), Some("dz\r\n dz=="));
    assert_eq!(tags.value("B"), None);
    let words: Vec<_> = tags.words("h").unwrap().collect();
    assert_eq!(words, ["From", "To"]);
}

#[test]
fn what_is_no_list_is_told() {
    for text in ["a", "a=1; a=2", "=1", "1=a", "a b=1", "ä=1"] {
        assert_eq!(Tags::parse(text), None, "{text}");
    }
    assert_eq!(Tags::parse(" ; "), Some(Tags::default()));
    let many = (0..100).map(|index| format!("t{index}=1;"));
    assert_eq!(Tags::parse(&many.collect::<String>()), None);
}

#[test]
fn a_lenient_list_keeps_the_first_of_each_tag() {
    let tags = Tags::lenient("v=DMARC1; nonsense; p = none ; p=reject; =; sp=");
    assert_eq!(tags.value("p"), Some("none"));
    assert_eq!(tags.value("sp"), Some(""));
}

#[test]
fn base64_is_read_as_it_is_folded() {
    assert_eq!(base64("aGFs\r\n\tbG8="), Some(b"hallo".to_vec()));
    assert_eq!(base64("aGFsbG8"), Some(b"hallo".to_vec()));
    assert_eq!(base64(""), Some(Vec::new()));
    for wrong in ["a", "a=", "aG=s", "aG!s", "ä"] {
        assert_eq!(base64(wrong), None, "{wrong}");
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "[ -~\r\n\t]{0,200}") {
        if let Some(tags) = Tags::parse(&text)
            && let Some((name, value)) = tags.first() {
                prop_assert_eq!(tags.value(name), Some(value));
                prop_assert_eq!(Tags::lenient(&text).value(name), Some(value.trim_matches(is_blank)));
            }
        let _ = base64(&text);
    }
}

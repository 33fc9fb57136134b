use proptest::prelude::*;

use super::*;

/// RFC 9989 section 4.10.
#[test]
fn eight_names_are_asked_for_at_most() {
    let asked: Vec<_> = names("a.b.c.d.e.f.g.h.i.j.mail.example.com").collect();
    assert_eq!(
        asked,
        [
            "a.b.c.d.e.f.g.h.i.j.mail.example.com",
            "g.h.i.j.mail.example.com",
            "h.i.j.mail.example.com",
            "i.j.mail.example.com",
            "j.mail.example.com",
            "mail.example.com",
            "example.com",
            "com",
        ]
    );
    assert_eq!(
        names("mail.example.com").collect::<Vec<_>>(),
        ["mail.example.com", "example.com", "com"]
    );
    assert_eq!(names("com").collect::<Vec<_>>(), ["com"]);
    assert_eq!(
        names("a.b.c.d.e.f.example.com").nth(1),
        Some("b.c.d.e.f.example.com")
    );
}

#[test]
fn the_organisation_is_found_as_the_rfc_has_it() {
    let walked = |found: &[(&str, &str)]| -> Vec<(String, Record)> {
        let found = found.iter();
        found
            .map(|(domain, text)| ((*domain).to_owned(), Record::parse(text).unwrap()))
            .collect()
    };
    let start = "a.mail.example.com";
    let plain = "v=DMARC1; p=none";
    let (yes, no) = ("v=DMARC1; p=none; psd=y", "v=DMARC1; p=none; psd=n");
    for (found, wanted) in [
        (
            vec![("mail.example.com", plain), ("example.com", plain)],
            "example.com",
        ),
        (vec![("mail.example.com", no)], "mail.example.com"),
        (vec![("com", yes)], "example.com"),
        (
            vec![("mail.example.com", plain), ("com", yes)],
            "example.com",
        ),
        (vec![("example.com", yes)], "mail.example.com"),
        (vec![(start, yes)], start),
        (vec![(start, no)], start),
        (vec![], start),
    ] {
        assert_eq!(organizational(&walked(&found), start), wanted, "{found:?}");
    }
}

proptest! {
    #[test]
    fn any_name_is_walked_to_its_end(domain in "[a-z.]{0,60}") {
        let asked: Vec<_> = names(&domain).collect();
        prop_assert!((1..=8).contains(&asked.len()));
        prop_assert_eq!(asked[0], domain.as_str());
        prop_assert!(asked.iter().all(|name| domain.ends_with(name)));
    }
}

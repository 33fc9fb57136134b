use proptest::prelude::*;

use super::{LINK_BYTES_MAX, Link, Place, registrable};

fn link(text: &str) -> Link {
    Link::parse(text, Place::Href).unwrap_or_else(|| panic!("{text} leads nowhere"))
}

fn shown(text: &str, shown: &str) -> Link {
    Link {
        shown: Some(shown.to_owned()),
        ..link(text)
    }
}

#[test]
fn links_are_read_as_browsers_do() {
    for (text, host) in [
        ("https://Example.COM/a?b#c", "example.com"),
        ("  https:\\\\example.com\\a", "example.com"),
        ("http:example.com", "example.com"),
        ("//example.com/", "example.com"),
        ("ht\ntps://exa\tmple.com", "example.com"),
        ("https://ex%61mple.com.", "example.com"),
        ("https://user:pw@example.com:8443/", "example.com"),
        ("https://bücher.example/", "xn--bcher-kva.example"),
        ("http://0x7f.1/", "127.0.0.1"),
        ("http://3232235777/", "192.168.1.1"),
        ("http://0300.0250.1.1/", "192.168.1.1"),
        ("http://[2001:db8::1]:80/", "[2001:db8::1]"),
    ] {
        assert_eq!(link(text).host.as_deref(), Some(host), "{text}");
    }
}

#[test]
fn what_leads_nowhere() {
    for text in [
        "",
        "#top",
        "page.html",
        "/a/b",
        "?q",
        "http://",
        "http://a b/",
        "http://[::1/",
    ] {
        assert_eq!(Link::parse(text, Place::Href), None, "{text}");
    }
}

#[test]
fn parts_of_a_link() {
    let link = link("https://a@www.shop.example.co.uk:8443/x/y?q=1&r#f");
    assert_eq!(link.registrable.as_deref(), Some("example.co.uk"));
    assert_eq!(link.port, Some(8443));
    assert_eq!((link.path.as_str(), link.query.as_str()), ("/x/y", "q=1&r"));
    assert!(link.has_userinfo && link.is_web() && !link.is_address());
    assert_eq!(link.url(), "https://www.shop.example.co.uk:8443/x/y?q=1&r");
}

#[test]
fn schemes_without_a_host() {
    let link = link("data:text/html;base64,PGI+");
    assert_eq!(link.scheme, "data");
    assert_eq!(link.host, None);
    assert_eq!(link.path, "text/html;base64,PGI+");
}

#[test]
fn disguised_addresses() {
    assert!(link("http://0x7f.1/").is_disguised_address);
    assert!(!link("http://127.0.0.1/").is_disguised_address);
    assert!(link("http://127.0.0.1/").is_address());
    assert!(link("http://[::1]/").is_address());
    assert!(!link("http://localhost/").is_address());
}

#[test]
fn look_alike_hosts() {
    assert_eq!(
        link("https://www.аррӏе.com/").imitates().as_deref(),
        Some("www.apple.com")
    );
    assert_eq!(link("https://bücher.example/").imitates(), None);
    assert_eq!(link("https://apple.com/").imitates(), None);
}

#[test]
fn shown_text_that_misleads() {
    assert!(shown("https://evil.example/", "https://www.bank.com/login").misleads());
    assert!(shown("https://evil.example/", "www.bank.com").misleads());
    assert!(shown("http://198.51.100.7/", "bank.com").misleads());
    for text in [
        "https://www.evil.example/x",
        "Click here",
        "node.js",
        "see www.bank.com for more",
        "service@bank.com",
    ] {
        assert!(!shown("https://evil.example/", text).misleads(), "{text}");
    }
}

#[test]
fn shorteners_and_hosting() {
    assert!(link("https://bit.ly/3x").is_shortened());
    assert!(link("https://www.tinyurl.com/3x").is_shortened());
    assert!(!link("https://orbit.ly/3x").is_shortened());
    assert!(link("https://evil.github.io/").is_hosted());
    assert!(!link("https://github.com/").is_hosted());
}

#[test]
fn redirectors_show_where_they_lead() {
    let target = |text| link(text).redirects_to();
    assert_eq!(
        target("https://www.google.com/url?q=https%3A%2F%2Fevil.example%2Fx&sa=D").as_deref(),
        Some("evil.example")
    );
    assert_eq!(
        target("https://track.example/r/http://evil.example/x").as_deref(),
        Some("evil.example")
    );
    assert_eq!(target("https://shop.example/?page=https"), None);
    assert_eq!(target("https://shop.example/"), None);
}

#[test]
fn registrable_domains() {
    for (host, domain) in [
        ("www.example.com", Some("example.com")),
        ("example.com.", Some("example.com")),
        ("a.b.example.co.uk", Some("example.co.uk")),
        ("evil.github.io", Some("evil.github.io")),
        ("com", None),
        ("192.0.2.1", None),
    ] {
        assert_eq!(registrable(host).as_deref(), domain, "{host}");
    }
}

proptest! {
    #[test]
    fn any_text_is_read(text in "\\PC{0,100}") {
        if let Some(link) = Link::parse(&text, Place::Text) {
            prop_assert!(link.path.len() <= LINK_BYTES_MAX);
            let _ = (link.imitates(), link.redirects_to(), link.is_hosted(), link.misleads());
            // What was read once is read alike again.
            if link.is_web() {
                let again = Link::parse(&link.url(), Place::Text);
                prop_assert_eq!(again.and_then(|again| again.host), link.host);
            }
        }
    }

    #[test]
    fn anything_like_a_link_is_read(text in "(https?|ftp|data):[/\\\\]{0,3}[a-z0-9.@:%\\[\\]-]{0,30}[/?#][ -~]{0,30}") {
        if let Some(link) = Link::parse(&text, Place::Text) {
            let _ = (link.imitates(), link.redirects_to(), link.is_shortened());
        }
    }
}

//! Responses of PLAIN and LOGIN.

use super::*;

#[test]
fn base64_vectors() {
    // RFC 4648 section 10.
    let vectors = [
        ("", ""),
        ("f", "Zg=="),
        ("fo", "Zm8="),
        ("foo", "Zm9v"),
        ("foob", "Zm9vYg=="),
        ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ];
    for (plain, encoded) in vectors {
        assert_eq!(base64(plain.as_bytes()), encoded);
    }
    assert_eq!(base64(&[0xfb, 0xff, 0xfe]), "+//+");
}

#[test]
fn a_long_response_waits_for_its_challenge() {
    let capabilities = Capabilities {
        auth: vec!["PLAIN".into()],
        ..Capabilities::default()
    };
    let auth = ClientAuth {
        user: "u".repeat(255),
        password: "p".repeat(255),
        in_clear: false,
    };
    assert_eq!(
        begin(&capabilities, &auth),
        Some(("AUTH PLAIN".to_owned(), Step::Plain))
    );
    let (response, step) = respond(Step::Plain, &auth).unwrap();
    assert_eq!(response.len(), 684);
    assert_eq!(step, Step::Done);
    assert_eq!(respond(step, &auth), None);
}

use proptest::prelude::*;

use super::*;

#[test]
fn base64_of_rfc_4648() {
    for (text, bytes) in [
        ("", ""),
        ("Zg==", "f"),
        ("Zm8=", "fo"),
        ("Zm9v", "foo"),
        ("Zm9vYg==", "foob"),
        ("Zm9vYmE=", "fooba"),
        ("Zm9vYmFy", "foobar"),
    ] {
        assert_eq!(
            base64::decode(text.as_bytes()).as_deref(),
            Some(bytes.as_bytes())
        );
    }
    for text in [
        "Z", "Zg", "Zg=", "Z===", "====", "Zh==", "Zm9=", "Zm9v\n", "Zg==Zg==", "Z g=", "Zm9_",
    ] {
        assert_eq!(base64::decode(text.as_bytes()), None, "{text:?}");
    }
}

#[test]
fn plain_has_three_parts() {
    let credentials = plain("admin\0user\0secret").unwrap();
    assert_eq!(credentials.authorization_identity, "admin");
    assert_eq!(credentials.authentication_identity, "user");
    assert_eq!(credentials.password, "secret");
    for response in ["", "user", "user\0secret", "a\0b\0c\0d"] {
        assert_eq!(plain(response), None, "{response:?}");
    }
}

#[test]
fn the_password_is_not_printed() {
    let credentials = plain("\0user\0hunter2").unwrap();
    let printed = format!("{credentials:?} {credentials:#?}");
    assert!(printed.contains("user") && !printed.contains("hunter2"));
}

proptest! {
    #[test]
    fn any_response_is_decoded_or_refused(text in prop::collection::vec(any::<u8>(), 0..60)) {
        if let Some(bytes) = base64::decode(&text) {
            prop_assert_eq!(bytes.len(), text.len() / 4 * 3 - text.iter().filter(|b| **b == b'=').count());
        }
    }
}

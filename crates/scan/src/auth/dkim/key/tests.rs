use proptest::prelude::*;

use super::*;

const RSA: &str = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/\
                   byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l\
                   /K4w3QIDAQAB";

/// RFC 6376 appendix A and RFC 8463 appendix A.
#[test]
fn keys_are_read_in_both_dresses() {
    let key = Key::parse(&format!("v=DKIM1; p={RSA}; t=y:s")).unwrap();
    assert_eq!(
        (key.algorithm, key.bits, key.testing, key.strict),
        (Algorithm::Rsa, 1024, true, true)
    );
    // The bare RSAPublicKey that RFC 6376 literally asks for.
    let bare = super::super::super::tags::base64(RSA).unwrap();
    let (inner, bits) = rsa(&bare).unwrap();
    assert_eq!((rsa(&inner), bits), (Some((inner.clone(), 1024)), 1024));
    let key = Key::parse(
        "k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=; h=sha1:sha256; s=tls:email",
    )
    .unwrap();
    assert_eq!(
        (key.algorithm, key.bits, key.testing, key.strict),
        (Algorithm::Ed25519, 256, false, false)
    );
}

#[test]
fn what_is_no_key_is_told() {
    for (text, problem) in [
        ("p=", "the key is revoked"),
        ("v=DKIM1", "the key has no p="),
        ("p=!", "the key is no base64"),
        ("p=AAAA", "the key is no RSA key"),
        ("k=ed25519; p=AAAA", "the key is no Ed25519 key"),
        ("k=x; p=AAAA", "the key is of an unknown kind"),
        ("h=sha1; p=AAAA", "the key is not for SHA-256"),
        ("s=tls; p=AAAA", "the key is not for e-mail"),
        ("p=AAAA; v=DKIM1", "the key is of another version"),
        ("p", "the key is no list of tags"),
    ] {
        assert_eq!(Key::parse(text).unwrap_err().problem, problem, "{text}");
    }
}

proptest! {
    #[test]
    fn any_der_is_read(mut der in prop::collection::vec(any::<u8>(), 0..80), like in any::<bool>()) {
        if like {
            der.splice(0..0, [0x30, 0x40, 0x02, 0x20]);
        }
        if let Some((key, bits)) = rsa(&der) {
            prop_assert!(key.len() <= der.len() && bits <= der.len() * 8);
        }
    }
}

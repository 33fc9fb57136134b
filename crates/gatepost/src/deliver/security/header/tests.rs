use super::*;

#[test]
fn the_field_is_found_in_the_header_section_alone() {
    for (message, found) in [
        ("TLS-Required: No\r\n\r\n", true),
        ("From: a\r\ntls-required:no\r\nTo: b\r\n\r\nx", true),
        ("TLS-Required : \tNO \r\n", true),
        ("TLS-Required: Yes\r\n\r\n", false),
        ("TLS-Required: No, really\r\n\r\n", false),
        ("TLS-Required:\r\n\r\n", false),
        ("X-TLS-Required: No\r\n\r\n", false),
        ("Subject: x\r\n TLS-Required: No\r\n\r\n", false),
        ("Subject: x\r\n\r\nTLS-Required: No\r\n", false),
        ("", false),
    ] {
        assert_eq!(is_tls_optional(message.as_bytes()), found, "{message:?}");
    }
}

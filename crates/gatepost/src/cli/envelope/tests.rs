//! Addresses as operators type them.

use super::*;

#[test]
fn reverse_paths() {
    for (text, wire) in [
        ("<>", "<>"),
        ("", "<>"),
        ("anna@example.org", "<anna@example.org>"),
        ("<anna@example.org>", "<anna@example.org>"),
        (" \"a b\"@example.org ", "<\"a b\"@example.org>"),
        ("anna@[192.0.2.1]", "<anna@[192.0.2.1]>"),
    ] {
        assert_eq!(reverse_path(text).unwrap().to_wire(), wire, "{text}");
    }
    assert_eq!(reverse_path("anna").unwrap_err(), "it has no @ and domain");
    assert!(reverse_path("<anna@>").is_err());
}

#[test]
fn forward_paths() {
    for (text, wire) in [
        ("postmaster", "<Postmaster>"),
        ("<Postmaster>", "<Postmaster>"),
        ("postmaster@example.org", "<postmaster@example.org>"),
        ("änne@bücher.example", "<änne@bücher.example>"),
    ] {
        assert_eq!(forward_path(text).unwrap().to_wire(), wire, "{text}");
    }
    assert!(forward_path("<>").is_err());
}

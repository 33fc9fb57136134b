//! The body of the fuzz target `dkim`: the canonical form of any message is one (RFC 6376 3.4.2, 3.4.4).
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "what does not hold panics"
)]

use super::canonical::{body_hash, field, fields};

/// A message: its fields are parts of it, in order; to make one canonical twice changes nothing; and what a server on the way may
/// change about blanks and line ends leaves a signature whole.
pub fn canonical(message: &[u8]) {
    let end = memchr::memmem::find(message, b"\r\n\r\n").map_or(message.len(), |at| at + 2);
    let (header_section, body) = message.split_at(end);
    let mut rest = header_section;
    for each in fields(header_section) {
        let at = memchr::memmem::find(rest, each.whole).expect("a field is a part of the message");
        rest = &rest[at + each.whole.len()..];
        let (mut once, mut twice) = (Vec::new(), Vec::new());
        field(each.whole, &mut once);
        field(&once, &mut twice);
        assert_eq!(once, twice);
        assert!(once.ends_with(b"\r\n"));
        assert!(memchr::memchr2(b'\r', b'\n', &once) == Some(once.len() - 2));
    }
    let hash = body_hash(body);
    assert_eq!(hash.len(), 32);
    assert_eq!(body_hash(&[body, b"\r\n"].concat()), hash);
    assert_eq!(body_hash(&[body, b"\r\n\r\n"].concat()), hash);
    let mut blanks = Vec::with_capacity(body.len() * 2);
    let mut rest = body;
    while let Some(at) = memchr::memmem::find(rest, b"\r\n") {
        blanks.extend(&rest[..at]);
        blanks.extend(b"\t \r\n");
        rest = &rest[at + 2..];
    }
    blanks.extend(rest);
    assert_eq!(body_hash(&blanks), hash);
}

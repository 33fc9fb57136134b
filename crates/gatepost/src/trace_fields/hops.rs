//! How many servers a message has passed, and how often this one, by its Received fields (RFC 5321 6.3).

use scan::message::Message;

use crate::reference::Reference;

/// The way of a message so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hops {
    /// Received fields.
    pub received: usize,
    /// Those that the node of this name has written: they name it, and have a reference for an id.
    pub own: usize,
}

/// Counts the Received fields of a message, and those of the node `hostname`. Anybody can write either: too many only ever
/// have a message refused.
pub fn hops(message: &Message, hostname: &str) -> Hops {
    let mut hops = Hops::default();
    for field in message.header_fields() {
        if field.name.eq_ignore_ascii_case("Received") {
            hops.received += 1;
            hops.own += usize::from(is_own(field.body, hostname));
        }
    }
    hops
}

/// `by HOSTNAME ... id REFERENCE`, as [`received`](super::received) writes it.
fn is_own(body: &[u8], hostname: &str) -> bool {
    let mut words = body
        .split(|byte| byte.is_ascii_whitespace())
        .filter(|word| !word.is_empty());
    let named = words.by_ref().any(|word| word == b"by")
        && words
            .next()
            .is_some_and(|word| word.eq_ignore_ascii_case(hostname.as_bytes()));
    let id = words.by_ref().any(|word| word == b"id");
    let word = words.next().unwrap_or_default();
    let reference = word.strip_suffix(b";").unwrap_or(word);
    named
        && id
        && std::str::from_utf8(reference).is_ok_and(|word| word.parse::<Reference>().is_ok())
}

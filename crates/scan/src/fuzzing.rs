//! The bodies of the fuzz targets, here so that the tests run them over the seed corpora in `fuzz/corpus` and over
//! mutations of them.
//!
//! Each takes any bytes and panics if something does not hold that must.

use bytes::Bytes;
use memchr::memmem;

use crate::address::Address;
use crate::finding::{Finding, Unavailable};
use crate::limits::{DETAIL_BYTES_MAX, NAME_BYTES_MAX, SYMBOLS_MAX};
use crate::view::{AUTHORS_MAX, DEPTH_MAX, Encoding, NAMES_MAX, PARTS_MAX, View};
use crate::{clamav, ctasd, icap, rspamd, sophos, spamassassin};

pub use crate::attachment::fuzzing::attachment;
pub use crate::auth::fuzzing::authentication;
pub use crate::content::classifier::fuzzing::model;
pub use crate::content::fuzzing::{condition, html, reading};
pub use crate::reputation::fuzzing::reputation;

#[cfg(test)]
mod tests;

/// Bytes of a reason or of an error text: some names and details, with the words around them.
const TEXT_BYTES_MAX: usize = 2_000;

/// A message: its parts are bounded, and none has more content than the message has bytes.
pub fn view(bytes: &[u8]) {
    let message = Bytes::copy_from_slice(bytes);
    let view = View::parse(&message);
    let parts = view.parts();
    assert!(!parts.is_empty() && parts.len() <= PARTS_MAX);
    assert!(view.authors().len() <= AUTHORS_MAX);
    for (index, part) in parts.iter().enumerate() {
        assert!(part.depth() <= DEPTH_MAX + 1);
        let container = part.container();
        assert!(container.is_none_or(|container| container < index));
        let outer = container.and_then(|container| parts.get(container));
        assert_eq!(part.depth(), outer.map_or(0, |outer| outer.depth() + 1));
        assert!(part.file_names().len() <= NAMES_MAX);
        // Before the content is there, and after.
        let head = part.head(7);
        assert!(head.len() <= 7);
        let content = part.content();
        assert!(content.len() <= part.raw().len());
        assert!(part.encoding() != Encoding::Identity || content.starts_with(&head));
        assert!(content.starts_with(&part.head(7)));
        let _ = part.text();
    }
    let content: usize = view.leaves().map(|part| part.raw().len()).sum();
    assert!(content <= message.len());
}

/// The reply of a daemon, of whichever it may be: what is read of it is bounded and printable.
pub fn daemon_replies(bytes: &[u8]) {
    clamav::fuzz(bytes);
    ctasd::fuzz(bytes);
    icap::fuzz(bytes);
    rspamd::fuzz(bytes);
    sophos::fuzz(bytes);
    spamassassin::fuzz(bytes);
}

/// The address of a daemon: what is read is written alike.
pub fn address(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(address) = text.parse::<Address>() {
        match &address {
            Address::Tcp(host, port) => assert!(!host.is_empty() && *port > 0),
            Address::Unix(path) => assert!(path.is_absolute()),
        }
        assert_eq!(address.to_string().parse(), Ok(address));
    }
}

/// The header lines and what follows the empty line behind them.
pub(crate) fn sections(reply: &[u8]) -> (&[u8], &[u8]) {
    let end = memmem::find(reply, b"\r\n\r\n").map_or(reply.len(), |at| at + 4);
    reply.split_at_checked(end).unwrap_or((reply, b""))
}

/// Checks what an engine makes of a reply or a message.
pub(crate) fn is_bounded(result: Result<Finding, Unavailable>) {
    let finding = match result {
        Ok(finding) => finding,
        Err(why) => return is_text(&why.detail, TEXT_BYTES_MAX),
    };
    is_text(&finding.reason, TEXT_BYTES_MAX);
    let names = [&finding.virus_name, &finding.reference];
    names.into_iter().flatten().for_each(|name| is_name(name));
    if let Some(action) = &finding.action {
        is_text(action, NAME_BYTES_MAX);
    }
    let score = finding.score.into_iter();
    assert!(score.clone().all(|score| score.value.is_finite()));
    assert!(score.flat_map(|score| score.required).all(f32::is_finite));
    if let Some(banned) = &finding.banned {
        is_text(&banned.what, TEXT_BYTES_MAX);
        is_text(&banned.why, TEXT_BYTES_MAX);
    }
    assert!(finding.symbols.len() <= SYMBOLS_MAX);
    for symbol in &finding.symbols {
        // Some engines put a word before a name that the daemon gave.
        is_text(&symbol.name, "FAIL_".len() + NAME_BYTES_MAX);
        assert!(symbol.score.is_none_or(f32::is_finite));
        if let Some(detail) = &symbol.detail {
            is_detail(detail);
        }
    }
}

pub(crate) fn is_name(name: &str) {
    assert!(!name.is_empty());
    is_text(name, NAME_BYTES_MAX);
}

pub(crate) fn is_detail(detail: &str) {
    is_text(detail, DETAIL_BYTES_MAX);
}

/// One line, printable and bounded.
fn is_text(text: &str, bytes_max: usize) {
    assert!(text.len() <= bytes_max, "{} bytes: {text}", text.len());
    assert!(!text.contains(char::is_control), "{text:?}");
}

//! The hosts that a message links to, for lists of domains: whatever follows `http://` or `https://` in its text parts.
//!
//! What a link shows and whether it lies is not judged here.

use memchr::memmem;

use crate::limits::LIST_DOMAINS_MAX;
use crate::message::Message;

/// Bytes of all text parts that are looked through.
const TEXT_BYTES_MAX: usize = 512 * 1024;

/// Bytes of a host.
const HOST_BYTES_MAX: usize = 253;

/// The hosts in their order, each once, in lower case; as many as lists are asked about.
pub(super) fn hosts(message: &Message) -> Vec<String> {
    let mut hosts: Vec<String> = Vec::new();
    let mut left = TEXT_BYTES_MAX;
    for part in message.view().leaves().filter(|part| part.is_text()) {
        let text = part.text();
        let bytes = text.as_bytes();
        let looked_at = bytes.get(..bytes.len().min(left)).unwrap_or_default();
        left -= looked_at.len();
        gather(looked_at, &mut hosts);
        if left == 0 || hosts.len() >= LIST_DOMAINS_MAX {
            break;
        }
    }
    hosts
}

fn gather(text: &[u8], hosts: &mut Vec<String>) {
    for at in memmem::find_iter(text, b"://") {
        if hosts.len() >= LIST_DOMAINS_MAX {
            return;
        }
        let (before, behind) = (
            text.get(..at).unwrap_or_default(),
            text.get(at + 3..).unwrap_or_default(),
        );
        let scheme_is = |scheme: &[u8]| {
            before.len() >= scheme.len()
                && before
                    .get(before.len() - scheme.len()..)
                    .is_some_and(|end| end.eq_ignore_ascii_case(scheme))
        };
        if !scheme_is(b"http") && !scheme_is(b"https") {
            continue;
        }
        if let Some(host) = host(behind)
            && !hosts.contains(&host)
        {
            hosts.push(host);
        }
    }
}

/// The host at the beginning of an authority (RFC 3986 section 3.2): what stands before an `@` is no host, however much it
/// looks like one.
fn host(authority: &[u8]) -> Option<String> {
    let is_end = |byte: &u8| {
        matches!(
            byte,
            b'/' | b'?' | b'#' | b'"' | b'\'' | b'<' | b'>' | b'\\'
        ) || byte.is_ascii_whitespace()
    };
    let bounded = authority.get(..authority.len().min(4 * HOST_BYTES_MAX))?;
    let end = bounded.iter().position(is_end).unwrap_or(bounded.len());
    let authority = bounded.get(..end)?;
    let host = match memchr::memrchr(b'@', authority) {
        Some(at) => authority.get(at + 1..)?,
        None => authority,
    };
    let host = host.split(|byte| *byte == b':').next()?;
    let host = str::from_utf8(host).ok()?;
    let host = host.trim_end_matches(|c: char| !c.is_alphanumeric());
    let is_host = host.len() <= HOST_BYTES_MAX
        && host.contains('.')
        && host
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '-' | '.' | '_'));
    is_host.then(|| host.to_lowercase())
}

#[cfg(test)]
mod tests;

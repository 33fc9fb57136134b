//! Paths on the command line, written as people write them: with or without angle brackets.

use smtp::{ForwardPath, Mailbox, ReversePath};

/// A reverse-path; `<>` is the null one.
///
/// # Errors
/// Why it is none.
pub(super) fn reverse_path(text: &str) -> Result<ReversePath, String> {
    match bare(text) {
        "" => Ok(ReversePath::Null),
        address => mailbox(address).map(ReversePath::Mailbox),
    }
}

/// A forward-path; `Postmaster` without a domain is one too (RFC 5321 4.5.1).
///
/// # Errors
/// Why it is none.
pub(super) fn forward_path(text: &str) -> Result<ForwardPath, String> {
    let address = bare(text);
    if address.eq_ignore_ascii_case("postmaster") {
        return Ok(ForwardPath::Postmaster);
    }
    mailbox(address).map(ForwardPath::Mailbox)
}

fn bare(text: &str) -> &str {
    let text = text.trim();
    match text
        .strip_prefix('<')
        .and_then(|text| text.strip_suffix('>'))
    {
        Some(path) => path,
        None => text,
    }
}

fn mailbox(address: &str) -> Result<Mailbox, String> {
    address.parse::<Mailbox>().map_err(|error| {
        if address.contains('@') {
            error.to_string()
        } else {
            "it has no @ and domain".to_owned()
        }
    })
}

#[cfg(test)]
mod tests;

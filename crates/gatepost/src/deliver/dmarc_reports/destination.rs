//! Whom a report may go to (RFC 9990 section 4): the addresses that the record names, if they are of the same organisation, or if
//! the domain there says that it takes reports on this one.

use net::resolver::{DnsError, Resolver};
use smtp::{Domain, Mailbox};

use super::observation::Published;

/// Destinations of one report (RFC 9990 section 3.5.4 asks for two at least).
const DESTINATIONS_MAX: usize = 4;

/// The DNS does not tell; later it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unknown;

/// The mailboxes that take reports on the record.
///
/// # Errors
/// [`Unknown`] if none is sure, and one could be when the DNS answers again.
pub async fn destinations(
    resolver: &Resolver,
    published: &Published,
) -> Result<Vec<Mailbox>, Unknown> {
    let named = published.record.report_uris.iter();
    let mut found = Vec::new();
    let mut unknown = false;
    for mailbox in named.filter_map(|uri| mailbox(uri)).take(DESTINATIONS_MAX) {
        match takes(resolver, published, &mailbox).await {
            Ok(true) => found.push(mailbox),
            Ok(false) => {}
            Err(Unknown) => unknown = true,
        }
    }
    if found.is_empty() && unknown {
        return Err(Unknown);
    }
    Ok(found)
}

/// The mailbox of a `mailto:` URI without header fields; other schemes are nobody's to use (RFC 9990 section 3.5).
fn mailbox(uri: &str) -> Option<Mailbox> {
    let (scheme, address) = uri.split_once(':')?;
    let address = address.split('?').next()?;
    if !scheme.eq_ignore_ascii_case("mailto") || address.contains('%') {
        return None;
    }
    address.parse().ok()
}

/// Whether a mailbox may have reports on the record. Outside of the organisation, its domain must say so: else anybody could have
/// strangers flooded.
async fn takes(
    resolver: &Resolver,
    published: &Published,
    mailbox: &Mailbox,
) -> Result<bool, Unknown> {
    let Domain::Name(_) = &mailbox.domain else {
        return Ok(false);
    };
    let host = mailbox.domain.ascii();
    if is_within(&host, &published.organizational_domain) {
        return Ok(true);
    }
    let name = format!("{}._report._dmarc.{host}", published.record.domain);
    match resolver.txt(&name).await {
        Ok(texts) => Ok(texts.iter().any(|text| is_consent(text))),
        Err(DnsError::NoSuchName | DnsError::NoRecord) => Ok(false),
        Err(DnsError::Temporary { .. }) => Err(Unknown),
    }
}

/// `v=DMARC1`, whatever follows.
fn is_consent(text: &str) -> bool {
    let version = text.split(';').next().unwrap_or(text);
    version.split_once('=').is_some_and(|(name, value)| {
        name.trim().eq_ignore_ascii_case("v") && value.trim() == "DMARC1"
    })
}

fn is_within(host: &str, domain: &str) -> bool {
    let above = host.strip_suffix(domain);
    above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
}

#[cfg(test)]
mod tests;

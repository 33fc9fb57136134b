//! Whom a report may go to (RFC 9990 section 4): the addresses that the record names, if they are of the same organisation, or if
//! the domain there says that it takes reports on this one; which may also say at which of its addresses.

use net::resolver::{DnsError, Resolver};
use smtp::{Domain, Mailbox};

use super::observation::Published;

/// Destinations of one report (RFC 9990 section 3.5.4 asks for two at least).
pub const DESTINATIONS_MAX: usize = 4;
/// A name in the DNS, written with dots (RFC 1035 section 2.3.4).
const NAME_BYTES_MAX: usize = 253;

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
        match taker(resolver, published, mailbox).await {
            // Several addresses may be led to the same one.
            Ok(Some(taker)) if !found.contains(&taker) => found.push(taker),
            Ok(_) => {}
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
    let uri = uri.split('!').next()?;
    let (scheme, address) = uri.split_once(':')?;
    let address = address.split('?').next()?;
    if !scheme.eq_ignore_ascii_case("mailto") || address.contains('%') {
        return None;
    }
    address.parse().ok()
}

/// Who takes reports on the record in place of this mailbox: as a rule itself. Outside of the organisation its domain must say so:
/// else anybody could have strangers flooded.
async fn taker(
    resolver: &Resolver,
    published: &Published,
    mailbox: Mailbox,
) -> Result<Option<Mailbox>, Unknown> {
    let Domain::Name(_) = &mailbox.domain else {
        return Ok(None);
    };
    let host = mailbox.domain.ascii().into_owned();
    if is_within(&host, &published.organizational_domain) {
        return Ok(Some(mailbox));
    }
    let name = format!("{}._report._dmarc.{host}", published.record.domain);
    if name.len() > NAME_BYTES_MAX {
        return Ok(None);
    }
    let texts = match resolver.txt(&name).await {
        Ok(texts) => texts,
        Err(DnsError::NoSuchName | DnsError::NoRecord) => return Ok(None),
        Err(DnsError::Temporary { .. }) => return Err(Unknown),
    };
    let consents: Vec<Consent> = texts.iter().filter_map(|text| consent(text)).collect();
    match consents.iter().find(|consent| **consent != Consent::Given) {
        None if consents.is_empty() => Ok(None),
        None => Ok(Some(mailbox)),
        // A third domain named here has not consented: neither address gets a report then.
        Some(Consent::Instead(other)) => {
            let is_there = other.domain.ascii().eq_ignore_ascii_case(&host);
            Ok(is_there.then(|| other.clone()))
        }
        Some(_) => Ok(None),
    }
}

/// What a record `_report._dmarc` says.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Consent {
    /// Reports are taken.
    Given,
    /// They are taken here.
    Instead(Mailbox),
    /// They are taken somewhere that is not understood.
    Elsewhere,
}

/// `v=DMARC1` first, and perhaps `rua` (RFC 9990 section 4, steps 6 and 9).
fn consent(text: &str) -> Option<Consent> {
    let mut tags = text.split(';').filter_map(|tag| {
        let (name, value) = tag.split_once('=')?;
        Some((name.trim(), value.trim()))
    });
    let (name, version) = tags.next()?;
    if !name.eq_ignore_ascii_case("v") || version != "DMARC1" {
        return None;
    }
    let instead = tags.find(|(name, _)| name.eq_ignore_ascii_case("rua"));
    let Some((_, uris)) = instead else {
        return Some(Consent::Given);
    };
    let first = uris.split(',').find_map(|uri| mailbox(uri.trim()));
    Some(first.map_or(Consent::Elsewhere, Consent::Instead))
}

fn is_within(host: &str, domain: &str) -> bool {
    let above = host.strip_suffix(domain);
    above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
}

#[cfg(test)]
mod tests;

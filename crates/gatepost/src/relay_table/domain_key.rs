//! The one form of a domain under which it is looked up, however it was written.
//!
//! Lower-case A-labels without the trailing dot (RFC 5890 2.3.2.1, UTS 46); an address literal is written anew
//! (RFC 5321 4.1.3).

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};

/// RFC 5321 4.5.3.1.2.
const DOMAIN_BYTES_MAX: usize = 255;
/// RFC 1035 2.3.4.
const LABEL_BYTES_MAX: usize = 63;

/// The key of a domain name or address literal; `None` if no domain is written like that.
///
/// Letters of any case, U-labels and A-labels, and one trailing dot give the same key.
pub fn domain_key(domain: &str) -> Option<Cow<'_, str>> {
    if domain.len() > 4 * DOMAIN_BYTES_MAX {
        return None;
    }
    if let Some(literal) = domain.strip_prefix('[') {
        return literal_key(literal.strip_suffix(']')?).map(Cow::Owned);
    }
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    let key = match domain {
        _ if !domain.is_ascii() => unicode_key(domain)?,
        _ if domain.bytes().any(|b| b.is_ascii_uppercase()) => {
            Cow::Owned(domain.to_ascii_lowercase())
        }
        _ => Cow::Borrowed(domain),
    };
    is_domain_name(&key).then_some(key)
}

fn unicode_key(domain: &str) -> Option<Cow<'_, str>> {
    let ascii = Uts46::new().to_ascii(
        domain.as_bytes(),
        AsciiDenyList::EMPTY,
        Hyphens::Allow,
        DnsLength::Ignore,
    );
    // A dot of another script may have become the trailing dot.
    ascii.ok().map(|ascii| match ascii.strip_suffix('.') {
        Some(bare) => Cow::Owned(bare.to_owned()),
        None => ascii,
    })
}

fn literal_key(content: &str) -> Option<String> {
    const TAG: &str = "ipv6:";
    let ip = match content.split_at_checked(TAG.len()) {
        Some((tag, ip)) if tag.eq_ignore_ascii_case(TAG) => {
            IpAddr::V6(ip.parse::<Ipv6Addr>().ok()?)
        }
        _ => IpAddr::V4(content.parse::<Ipv4Addr>().ok()?),
    };
    Some(match ip {
        IpAddr::V4(ip) => format!("[{ip}]"),
        IpAddr::V6(ip) => format!("[ipv6:{ip}]"),
    })
}

/// Labels of letters, digits, hyphens and, as the DNS has them, underscores.
fn is_domain_name(key: &str) -> bool {
    let label = |label: &str| {
        (1..=LABEL_BYTES_MAX).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    key.len() <= DOMAIN_BYTES_MAX && key.split('.').all(label)
}

#[cfg(test)]
mod tests;

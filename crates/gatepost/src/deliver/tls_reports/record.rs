//! The TXT record `_smtp._tls.DOMAIN`, by which a domain asks for reports (RFC 8460 section 3).

use smtp::Mailbox;

use crate::deliver::https::Resource;
use crate::deliver::sts::record::{fields_behind, split};

/// Places that one domain may have reports sent to.
const DESTINATIONS_MAX: usize = 10;
/// Bytes of a URI.
const URI_BYTES_MAX: usize = 1024;

/// Where a report goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// By message.
    Mailto(Mailbox),
    /// By POST over HTTPS.
    Https(Resource),
}

/// Where the domain with these TXT records wants reports sent; nowhere, unless exactly one of them is of this kind and well
/// formed. URIs of other schemes are passed over.
pub fn destinations(records: &[String]) -> Vec<Destination> {
    let mut ours = records
        .iter()
        .filter_map(|record| fields_behind(record, "v=TLSRPTv1"));
    let (Some(fields), None) = (ours.next(), ours.next()) else {
        return Vec::new();
    };
    let fields = split(fields).unwrap_or_default();
    let uris = fields
        .iter()
        .filter(|(name, _)| *name == "rua")
        .flat_map(|(_, value)| value.split(','));
    uris.take(DESTINATIONS_MAX)
        .filter_map(|uri| destination(uri.trim()))
        .collect()
}

fn destination(uri: &str) -> Option<Destination> {
    if uri.len() > URI_BYTES_MAX {
        return None;
    }
    let (scheme, rest) = uri.split_once(':')?;
    if scheme.eq_ignore_ascii_case("mailto") {
        let mailbox = rest.split('?').next().and_then(decoded)?;
        return mailbox.parse().ok().map(Destination::Mailto);
    }
    if scheme.eq_ignore_ascii_case("https") {
        return resource(rest.strip_prefix("//")?).map(Destination::Https);
    }
    None
}

/// `HOST[:PORT][/PATH]`, as it is behind the scheme. No user names, no addresses in place of names: certificates are for names.
fn resource(rest: &str) -> Option<Resource> {
    let path_at = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(path_at);
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, port.parse().ok().filter(|port| *port != 0)?),
        None => (authority, 443),
    };
    let is_label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    let is_name = host.len() <= 253
        && host.split('.').all(is_label)
        && host.contains(|character: char| character.is_ascii_alphabetic());
    let path = path.split('#').next().unwrap_or_default();
    let path = match path.as_bytes().first() {
        Some(b'/') => path.to_owned(),
        _ => format!("/{path}"),
    };
    let is_path = path.bytes().all(|byte| byte.is_ascii_graphic());
    (is_name && is_path).then(|| Resource {
        host: host.to_ascii_lowercase(),
        port,
        path,
    })
}

/// Percent-encoding (RFC 3986 section 2.1) undone: a comma, a semicolon or an exclamation mark of an address comes that way.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16);
        let (high, low) = (digit()?, digit()?);
        bytes.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests;

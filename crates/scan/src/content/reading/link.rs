//! Links of a message, read as browsers read them (WHATWG URL, sections 3.5 and 4.4) rather than as RFC 3986 writes them:
//! backslashes are slashes, line ends vanish, numbers of any base are addresses.
//!
//! Nothing here asks the DNS; what a host is known for is the business of the reputation engine.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::fold;

/// Bytes of a link that are read; browsers take more, people write less.
pub const LINK_BYTES_MAX: usize = 2 * 1024;

/// Bytes kept of the text that is shown for a link.
pub const SHOWN_BYTES_MAX: usize = 200;

/// Where a link stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// A link to follow: `<a href>` or `<area href>`.
    Href,
    /// A picture or other file that is fetched to show the message.
    Image,
    /// Where a form sends what is filled in.
    Form,
    /// A frame or an embedded object.
    Frame,
    /// An address in mere text, which clients make a link of.
    Text,
    /// A link that is followed without a click: `<meta http-equiv=refresh>` or `<base href>`.
    Automatic,
}

/// A link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The scheme in lower case; `http` for an address in text without one.
    pub scheme: String,
    /// The host in lower case as A-labels, an IPv4 address in dotted decimal, an IPv6 address in brackets. None for
    /// schemes without a host.
    pub host: Option<String>,
    /// The port, if one is given.
    pub port: Option<u16>,
    /// The path with its leading slash; for schemes without a host, what follows the colon.
    pub path: String,
    /// The query without the question mark.
    pub query: String,
    /// The registrable domain of the host: one label below its public suffix, the private part of the list included.
    pub registrable: Option<String>,
    /// The text shown for it, folded, if it is a link to follow.
    pub shown: Option<String>,
    /// Where it stands.
    pub place: Place,
    /// Whether it names a user before the host, as in `https://bank.example@198.51.100.7/`.
    pub has_userinfo: bool,
    /// Whether the host is an address written so that people do not see it is one: `0x7f.1`, `3232235777`.
    pub is_disguised_address: bool,
}

impl Link {
    /// The link that `text` is as a browser would follow it; `None` if it leads nowhere (relative, or only a fragment).
    pub fn parse(text: &str, place: Place) -> Option<Link> {
        let text = cleaned(text);
        let text = text.as_ref();
        let colon = text.find([':', '/', '?', '#', '\\'])?;
        let (scheme, rest) = text.split_at(colon);
        let is_scheme = rest.starts_with(':')
            && scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
        if is_scheme {
            let scheme = scheme.to_ascii_lowercase();
            let rest = rest.get(1..).unwrap_or_default();
            return match scheme.as_str() {
                "http" | "https" | "ftp" | "ws" | "wss" => special(scheme, rest, place),
                _ => Some(Link::opaque(scheme, rest, place)),
            };
        }
        // A link without a scheme but with a host; mail has no base, so that clients take the web.
        let is_relative_to_scheme = colon == 0
            && rest.len() >= 2
            && rest.bytes().take(2).all(|b| matches!(b, b'/' | b'\\'));
        is_relative_to_scheme
            .then(|| special("http".to_owned(), rest, place))
            .flatten()
    }

    fn opaque(scheme: String, rest: &str, place: Place) -> Link {
        Link {
            scheme,
            host: None,
            port: None,
            path: rest.to_owned(),
            query: String::new(),
            registrable: None,
            shown: None,
            place,
            has_userinfo: false,
            is_disguised_address: false,
        }
    }

    /// Whether it leads to the web.
    pub fn is_web(&self) -> bool {
        matches!(self.scheme.as_str(), "http" | "https")
    }

    /// Whether the host is an IP address.
    pub fn is_address(&self) -> bool {
        self.host.is_some() && self.registrable.is_none() && {
            let host = self.host.as_deref().unwrap_or_default();
            host.starts_with('[') || host.parse::<Ipv4Addr>().is_ok()
        }
    }

    /// Whether the host is written with A-labels (RFC 5890).
    pub fn is_international(&self) -> bool {
        let host = self.host.as_deref().unwrap_or_default();
        host.split('.').any(|label| label.starts_with("xn--"))
    }

    /// What the host reads as, if it is made of letters that look like Latin ones and are not.
    pub fn imitates(&self) -> Option<String> {
        if !self.is_international() {
            return None;
        }
        let (host, _) = idna::domain_to_unicode(self.host.as_deref()?);
        let mut has_look_alike = false;
        let labels: Vec<String> = host
            .split('.')
            .map(|label| match fold::read_as_latin(label) {
                Some(read) => {
                    has_look_alike = true;
                    read
                }
                None => label.to_owned(),
            })
            .collect();
        has_look_alike.then(|| labels.join("."))
    }

    /// Whether its host is a link shortener.
    pub fn is_shortened(&self) -> bool {
        let is_listed = |name: &Option<String>| name.as_deref().is_some_and(is_shortener);
        is_listed(&self.host) || is_listed(&self.registrable)
    }

    /// Whether everybody can have pages on its host: its public suffix belongs to the private part of the list, as
    /// `github.io` and `web.app` do.
    pub fn is_hosted(&self) -> bool {
        self.host
            .as_deref()
            .filter(|_| self.registrable.is_some())
            .and_then(|host| psl::suffix(host.as_bytes()))
            .is_some_and(|suffix| suffix.typ() == Some(psl::Type::Private))
    }

    /// The registrable domain or address that the shown text claims, if it looks like an address of the web.
    pub fn claims(&self) -> Option<String> {
        let shown = self.shown.as_deref()?.trim();
        claimed_host(shown)
    }

    /// Whether the text shown for it names another place than where it leads.
    pub fn misleads(&self) -> bool {
        let Some(claimed) = self.claims() else {
            return false;
        };
        let leads_to = self.registrable.as_ref().or(self.host.as_ref());
        self.is_web() && leads_to.is_some_and(|place| *place != claimed)
    }

    /// The host of a whole web address that stands in the query or path, as redirectors take it.
    pub fn redirects_to(&self) -> Option<String> {
        let tail = format!("{}?{}", self.path, self.query);
        let lower = tail.to_ascii_lowercase();
        let decoded = lower.replace("%3a", ":").replace("%2f", "/");
        let at = decoded.find("=http").map(|at| at + 1).or_else(|| {
            let at = decoded.get(1..)?.find("/http")?;
            Some(at + 2)
        })?;
        let rest = decoded.get(at..)?;
        let rest = rest.split(['&', ' ']).next().unwrap_or_default();
        let inner = Link::parse(rest, self.place).filter(Link::is_web)?;
        inner.host
    }

    /// The whole link, as text for rules.
    pub fn url(&self) -> String {
        let mut url = format!("{}:", self.scheme);
        if let Some(host) = &self.host {
            url.push_str("//");
            url.push_str(host);
        }
        if let Some(port) = self.port {
            url.push(':');
            url.push_str(&port.to_string());
        }
        url.push_str(&self.path);
        if !self.query.is_empty() {
            url.push('?');
            url.push_str(&self.query);
        }
        url
    }
}

/// The registrable domain of `host`, a name in lower case as A-labels.
pub fn registrable(host: &str) -> Option<String> {
    let host = host.trim_end_matches('.');
    if host.parse::<Ipv4Addr>().is_ok() || host.starts_with('[') {
        return None;
    }
    let domain = psl::domain_str(host)?;
    // A suffix that the list does not know is a top-level domain by its default rule; file names end in such ones too.
    Some(domain.to_owned())
}

/// Whether the last label of `host` is a top-level domain of the public suffix list.
pub(super) fn has_known_suffix(host: &str) -> bool {
    psl::suffix(host.as_bytes()).is_some_and(|suffix| suffix.is_known())
}

/// Bytes that browsers leave out, and the blanks around.
fn cleaned(text: &str) -> std::borrow::Cow<'_, str> {
    let text = text.trim_matches(|char: char| char <= ' ');
    let mut end = text.len().min(LINK_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let text = text.get(..end).unwrap_or_default();
    if text.contains(['\t', '\r', '\n']) {
        text.replace(['\t', '\r', '\n'], "").into()
    } else {
        text.into()
    }
}

/// A link of a scheme with a host; `rest` follows the colon.
fn special(scheme: String, rest: &str, place: Place) -> Option<Link> {
    let rest = rest.trim_start_matches(['/', '\\']);
    let end = rest.find(['/', '\\', '?', '#']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    let (userinfo, host_port) = match authority.rfind('@') {
        Some(at) => (
            authority.get(..at),
            authority.get(at + 1..).unwrap_or_default(),
        ),
        None => (None, authority),
    };
    let (host, port) = divide_port(host_port);
    let (host, is_disguised_address) = host_of(host)?;
    let rest = rest.split('#').next().unwrap_or_default();
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    Some(Link {
        registrable: registrable(&host),
        scheme,
        host: Some(host),
        port,
        path: path.replace('\\', "/"),
        query: query.to_owned(),
        shown: None,
        place,
        has_userinfo: userinfo.is_some(),
        is_disguised_address,
    })
}

fn divide_port(host_port: &str) -> (&str, Option<u16>) {
    match host_port.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port.parse().ok()),
        _ => (host_port, None),
    }
}

/// The host as A-labels or as an address, and whether an address was disguised.
fn host_of(host: &str) -> Option<(String, bool)> {
    if let Some(inner) = host.strip_prefix('[') {
        let address: Ipv6Addr = inner.strip_suffix(']')?.parse().ok()?;
        return Some((format!("[{address}]"), false));
    }
    let host = percent_decoded(host);
    let host = match host.is_ascii() {
        true => host.to_ascii_lowercase(),
        false => idna::domain_to_ascii(&host).ok()?,
    };
    let host = host.trim_end_matches('.');
    let is_plausible = !host.is_empty()
        && host.len() <= 253
        && host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'));
    if !is_plausible {
        return None;
    }
    match numeric_address(host) {
        Some(address) => {
            let written = address.to_string();
            let is_disguised = written != host;
            Some((written, is_disguised))
        }
        None => Some((host.to_owned(), false)),
    }
}

fn percent_decoded(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = |byte: &u8| {
            char::from(*byte)
                .to_digit(16)
                .and_then(|digit| u8::try_from(digit).ok())
        };
        if let (b'%', [high, low, after @ ..]) = (first, tail)
            && let (Some(high), Some(low)) = (hex(high), hex(low))
        {
            decoded.push(high << 4 | low);
            rest = after;
        } else {
            decoded.push(*first);
            rest = tail;
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// The address that `host` is to browsers: one to four numbers, decimal, octal or hexadecimal, of which the last fills
/// the rest (WHATWG URL, IPv4 parser).
fn numeric_address(host: &str) -> Option<Ipv4Addr> {
    let numbers: Vec<u32> = host
        .split('.')
        .map(number)
        .collect::<Option<Vec<u32>>>()
        .filter(|numbers| (1..=4).contains(&numbers.len()))?;
    let (last, first) = numbers.split_last()?;
    let mut address = 0_u64;
    for (index, number) in first.iter().enumerate() {
        if *number > 255 {
            return None;
        }
        address |= u64::from(*number) << (24 - 8 * index);
    }
    if u64::from(*last) >= 1_u64 << (32 - 8 * first.len()) {
        return None;
    }
    u32::try_from(address | u64::from(*last))
        .ok()
        .map(Ipv4Addr::from)
}

fn number(text: &str) -> Option<u32> {
    match text.as_bytes() {
        [] => None,
        [b'0', b'x' | b'X', ..] => u32::from_str_radix(text.get(2..)?, 16).ok(),
        [b'0', _, ..] => u32::from_str_radix(text, 8).ok(),
        _ if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
        _ => None,
    }
}

/// The registrable domain or address that `shown` names if it is an address of the web, or begins with one.
fn claimed_host(shown: &str) -> Option<String> {
    let word = shown.split_whitespace().next()?;
    if word.len() < shown.trim().len() || word.contains('@') {
        return None;
    }
    let lower = word.to_ascii_lowercase();
    let link = if lower.starts_with("http:") || lower.starts_with("https:") {
        Link::parse(&lower, Place::Text)?
    } else {
        Link::parse(&format!("http://{lower}"), Place::Text)?
    };
    let host = link.host.as_deref()?;
    if link.is_address() {
        return host.contains('.').then(|| host.to_owned());
    }
    // `Rev.2` and `node.js` have dots as well.
    (host.contains('.') && has_known_suffix(host)).then_some(link.registrable)?
}

fn is_shortener(name: &str) -> bool {
    SHORTENERS
        .lines()
        .any(|line| !line.starts_with('#') && line == name)
}

const SHORTENERS: &str = include_str!("shorteners.txt");

#[cfg(test)]
mod tests;

//! Names: from text to what the DNS asks for, and back (RFC 1035 section 2.3.1, RFC 5890).

use hickory_resolver::proto::ProtoError;
use hickory_resolver::proto::rr::Name;

use super::DnsError;

/// A domain name as the DNS has it: A-labels (RFC 5890 section 2.3.2.1), lower case, no final dot. `None` if it can be none.
pub fn ascii_name(domain: &str) -> Option<String> {
    let name = name(domain).ok()?;
    Some(text(&name)).filter(|text| !text.is_empty())
}

/// A name as the DNS writes it; U-labels become A-labels (RFC 5891). What can be no name cannot be
/// found.
pub(super) fn name(text: &str) -> Result<Name, DnsError> {
    let text = text.strip_suffix('.').unwrap_or(text);
    // A backslash would begin an escape of zone files, which no name from SMTP or a configuration
    // means.
    if text.is_empty() || text.contains('\\') {
        return Err(DnsError::NoSuchName);
    }
    Name::from_utf8(format!("{text}."))
        .or_else(|_| octets(text))
        .map_err(|_| DnsError::NoSuchName)
}

/// A name that is no host name, with its characters as they are: "any binary string whatever can be used as the label of any
/// resource record" (RFC 2181 section 11), and SPF asks for names that macros made.
fn octets(text: &str) -> Result<Name, ProtoError> {
    let is_printable = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
    if !text.bytes().all(is_printable) {
        return Err(ProtoError::from("not US-ASCII"));
    }
    let mut name = Name::from_labels(text.split('.').map(str::as_bytes))?;
    name.set_fqdn(true);
    Ok(name)
}

/// A name as we write it: A-labels, lower case, no final dot. Labels with a dot or with what can't be printed in them are
/// escaped (RFC 4343 section 2.1), and cannot be asked for again.
pub(super) fn text(name: &Name) -> String {
    let plain = |byte: &u8| (*byte == b' ' || byte.is_ascii_graphic()) && !b".\\".contains(byte);
    let mut text = if name.iter().all(|label| label.iter().all(plain)) {
        let labels: Vec<_> = name.iter().map(String::from_utf8_lossy).collect();
        labels.join(".")
    } else {
        name.to_ascii()
    };
    text.make_ascii_lowercase();
    if text.ends_with('.') {
        text.pop();
    }
    text
}

pub(super) fn is_localhost(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    let last = host.rsplit('.').next().unwrap_or(host);
    last.eq_ignore_ascii_case("localhost")
}

/// Letters, digits, hyphens; underscores too, since real hosts have them. It goes into header
/// fields and logs.
pub(super) fn is_host_name(name: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    name.split('.').all(is_label)
}

//! Values with a form of their own: sizes, durations, addresses, networks, names.
//!
//! Pure functions from text to value; each fault names its remedy.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ipnet::IpNet;
use scan::address::{Address, AddressError};
use smtp::Mailbox;

use super::error::Fault;

/// A size: digits and a unit, `50MiB`. Plain digits are bytes.
pub(super) fn bytes(text: &str) -> Result<u64, Fault> {
    let remedy = "write digits and one of B, kB, MB, GB, KiB, MiB, GiB, such as \"50MiB\"";
    let fault = || Fault::new(format!("`{text}` is not a size"), remedy);
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = match text.get(digits.len()..).unwrap_or_default().trim() {
        "" | "B" => 1,
        "kB" | "KB" => 1000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err(fault()),
    };
    let number: u64 = all_digits(digits).ok_or_else(fault)?;
    number.checked_mul(unit).ok_or_else(fault)
}

/// A duration: digits and a unit, several from large to small: `30s`, `1h30m`. Plain digits are seconds.
pub(super) fn duration(text: &str) -> Result<Duration, Fault> {
    let remedy = "write digits and one of ms, s, m, h, d, such as \"30s\" or \"1h30m\"";
    let fault = || Fault::new(format!("`{text}` is not a duration"), remedy);
    let mut rest = text.trim();
    let mut total = Duration::ZERO;
    let mut unit_before = u64::MAX;
    if rest.is_empty() {
        return Err(fault());
    }
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        let letters = after
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let unit = match unit.trim() {
            "ms" => 1,
            "s" => 1000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "" if number.len() == text.trim().len() => 1000,
            _ => return Err(fault()),
        };
        let number: u64 = all_digits(number).ok_or_else(fault)?;
        let milliseconds = number.checked_mul(unit).ok_or_else(fault)?;
        total = total
            .checked_add(Duration::from_millis(milliseconds))
            .filter(|_| unit < unit_before)
            .ok_or_else(fault)?;
        unit_before = unit;
        rest = after;
    }
    Ok(total)
}

/// A network in CIDR form, or one address.
pub(super) fn network(text: &str) -> Result<IpNet, Fault> {
    if let Ok(ip) = text.parse::<IpAddr>() {
        return Ok(IpNet::from(ip));
    }
    let network: IpNet = text.parse().map_err(|_| {
        Fault::new(
            format!("`{text}` is not a network"),
            "write an address and a prefix length, such as \"192.0.2.0/24\" or \"2001:db8::/32\"",
        )
    })?;
    let trunc = network.trunc();
    if trunc != network {
        return Err(Fault::new(
            format!("`{text}` has bits set beyond its prefix length"),
            format!(
                "write \"{trunc}\" for the network, or \"{}\" for the one address",
                network.addr()
            ),
        ));
    }
    Ok(network)
}

/// An address to listen on.
pub(super) fn socket(text: &str) -> Result<SocketAddr, Fault> {
    text.parse().map_err(|_| {
        let remedy = match text.strip_prefix(':').or(text.strip_prefix("*:")) {
            Some(port) if all_digits::<u16>(port).is_some() => {
                format!("write \"0.0.0.0:{port}\" and \"[::]:{port}\" for all addresses")
            }
            _ if text.parse::<IpAddr>().is_ok() => {
                "add the port, such as \"127.0.0.1:25\" or \"[::1]:25\"".to_owned()
            }
            _ => {
                "write an IP address and a port, such as \"127.0.0.1:25\" or \"[::]:25\"".to_owned()
            }
        };
        Fault::new(format!("`{text}` is not an address to listen on"), remedy)
    })
}

/// A name server: an address, with or without the port.
pub(super) fn nameserver(text: &str) -> Result<SocketAddr, Fault> {
    let plain = text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, 53));
    plain.or_else(|_| text.parse()).map_err(|_| {
        Fault::new(
            format!("`{text}` is not the address of a name server"),
            "write its IP address, such as \"192.0.2.53\" or \"[2001:db8::53]:5353\"",
        )
    })
}

/// Where a daemon listens: `HOST:PORT` or `unix:PATH`.
pub(super) fn address(text: &str) -> Result<Address, Fault> {
    text.parse::<Address>().map_err(|error| {
        let shown = text.escape_debug();
        if error == AddressError::Path {
            return Fault::new(format!("`{shown}` has no absolute path"), ADDRESS_REMEDY);
        }
        let error = error.to_string();
        let (fault, remedy) = error.split_once(": ").unwrap_or((&error, ADDRESS_REMEDY));
        Fault::new(format!("`{shown}`: {fault}"), remedy)
    })
}

const ADDRESS_REMEDY: &str =
    "write \"127.0.0.1:3310\", \"[::1]:3310\" or \"unix:/run/clamav/clamd.ctl\"";

/// A name of a host, or an IPv4 address.
pub(super) fn host_name(text: &str) -> Result<String, Fault> {
    if is_host_name(text) && text.parse::<IpAddr>().is_err() {
        return Ok(text.to_ascii_lowercase());
    }
    Err(Fault::new(
        format!("`{text}` is not a host name"),
        "write a full name of letters, digits, hyphens and dots, such as \"mx.example.net\"",
    ))
}

/// A name of ours: it goes into logs and metrics as it is.
pub(super) fn name(text: &str) -> Result<String, Fault> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if !text.is_empty() && text.len() <= 64 && text.chars().all(allowed) {
        return Ok(text.to_owned());
    }
    Err(Fault::new(
        format!("`{}` is not a name", text.escape_debug()),
        "use 1 to 64 letters, digits, `.`, `-` and `_`",
    ))
}

/// Text without control characters other than a newline.
pub(super) fn text(text: &str) -> Result<String, Fault> {
    let clean = text.chars().all(|c| !c.is_control() || c == '\n');
    if !text.trim().is_empty() && clean && text.len() <= 2000 {
        return Ok(text.to_owned());
    }
    Err(Fault::new(
        "the text is empty, longer than 2000 bytes, or holds control characters",
        "write one or a few lines of plain text, or leave the key out",
    ))
}

/// A mailbox with a domain.
pub(super) fn mailbox(text: &str) -> Result<Mailbox, Fault> {
    text.parse().map_err(|_| {
        Fault::new(
            format!("`{}` is not a mailbox", text.escape_debug()),
            "write a local-part and a domain, such as \"postmaster@example.net\"",
        )
    })
}

/// A file name extension, lower case without its dot.
pub(super) fn extension(text: &str) -> Result<String, Fault> {
    let bare = text.strip_prefix('.').unwrap_or(text);
    if !bare.is_empty() && bare.len() <= 32 && bare.chars().all(char::is_alphanumeric) {
        return Ok(bare.to_lowercase());
    }
    Err(Fault::new(
        format!("`{}` is not a file name extension", text.escape_debug()),
        "write letters and digits only, such as \"iso\"",
    ))
}

/// Letters, digits, hyphens and underscores in labels of at most 63: an IPv4 address passes too.
fn is_host_name(text: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    text.len() <= 253 && text.split('.').all(label)
}

/// A number of digits alone: no sign, no blank.
fn all_digits<N: std::str::FromStr>(text: &str) -> Option<N> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

#[cfg(test)]
mod tests;

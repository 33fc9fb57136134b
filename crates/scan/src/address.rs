//! Where a daemon listens: a TCP address or a unix domain socket, as written in the configuration.

use std::fmt;
use std::net::Ipv6Addr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Where a daemon listens. Written `127.0.0.1:3310`, `[::1]:3310`, `clamd.example:3310` or `unix:/run/clamav/clamd.ctl`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    /// A host (a name, an IPv4 address, or an IPv6 address without brackets) and a port.
    Tcp(String, u16),
    /// The path of a unix domain socket.
    Unix(PathBuf),
}

/// An address that cannot be read. Its text names the fault and the remedy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressError {
    /// No port is given.
    Port,
    /// The host is empty or no name.
    Host,
    /// An IPv6 address stands without brackets, or the brackets hold something else.
    Brackets,
    /// The path of a unix domain socket is not absolute.
    Path,
}

impl std::error::Error for AddressError {}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            AddressError::Port => {
                "address without a port from 1 to 65535: write host:port, such as 127.0.0.1:3310"
            }
            AddressError::Host => "address without a valid host: write host:port or unix:/path",
            AddressError::Brackets => "IPv6 addresses are written in brackets, such as [::1]:3310",
            AddressError::Path => {
                "unix: wants an absolute path, such as unix:/run/clamav/clamd.ctl"
            }
        })
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Address, AddressError> {
        if let Some(path) = text.strip_prefix("unix:") {
            let path = Path::new(path);
            let usable = path.is_absolute() && !text.contains('\0');
            return usable
                .then(|| Address::Unix(path.to_owned()))
                .ok_or(AddressError::Path);
        }
        if let Some(rest) = text.strip_prefix('[') {
            let (host, port) = rest.split_once(']').ok_or(AddressError::Brackets)?;
            host.parse::<Ipv6Addr>()
                .map_err(|_| AddressError::Brackets)?;
            let port = port.strip_prefix(':').ok_or(AddressError::Port)?;
            return Ok(Address::Tcp(host.to_owned(), parse_port(port)?));
        }
        if text.parse::<Ipv6Addr>().is_ok() {
            return Err(AddressError::Brackets);
        }
        let (host, port) = text.rsplit_once(':').ok_or(AddressError::Port)?;
        if host.contains(':') {
            return Err(AddressError::Brackets);
        }
        if !is_host(host) {
            return Err(AddressError::Host);
        }
        Ok(Address::Tcp(host.to_owned(), parse_port(port)?))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Tcp(host, port) if host.contains(':') => write!(f, "[{host}]:{port}"),
            Address::Tcp(host, port) => write!(f, "{host}:{port}"),
            Address::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// Letters, digits, hyphens and underscores in labels: an IPv4 address is one too.
fn is_host(host: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    host.len() <= 253 && host.strip_suffix('.').unwrap_or(host).split('.').all(label)
}

fn parse_port(text: &str) -> Result<u16, AddressError> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    let port = text.parse().ok().filter(|&port| digits && port > 0);
    port.ok_or(AddressError::Port)
}

#[cfg(test)]
mod tests;

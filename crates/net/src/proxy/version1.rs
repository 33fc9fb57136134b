//! Version 1 of the PROXY protocol: one line of text (`proxy-protocol.txt` section 2.1).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{Header, Invalid, Step};

/// `PROXY UNKNOWN` and CRLF, the shortest line.
pub(super) const BYTES_MIN: usize = 15;

/// The longest line, CRLF included (section 2.1).
const BYTES_MAX: usize = 107;

const PREFIX: &[u8] = b"PROXY ";

pub(super) fn parse(bytes: &[u8]) -> Result<Step, Invalid> {
    if !bytes
        .iter()
        .zip(PREFIX)
        .all(|(byte, expected)| byte == expected)
    {
        return Err(Invalid::Signature);
    }
    let window = &bytes[..bytes.len().min(BYTES_MAX)];
    let Some(cr) = window.iter().position(|byte| matches!(byte, b'\r' | b'\n')) else {
        // Both CR and LF are still to come.
        return need(window, 2);
    };
    match window.get(cr..) {
        Some([b'\r', b'\n', ..]) => {
            let line = window.get(PREFIX.len()..cr).ok_or(Invalid::Signature)?;
            Ok(Step::Done(addresses(line)?, cr + 2))
        }
        Some([b'\r']) => need(window, 1),
        _ => Err(Invalid::Line),
    }
}

/// At least `ending` bytes more; before that, what the shortest line lacks.
fn need(seen: &[u8], ending: usize) -> Result<Step, Invalid> {
    if seen.len() + ending > BYTES_MAX {
        return Err(Invalid::Line);
    }
    Ok(Step::Need(ending.max(BYTES_MIN.saturating_sub(seen.len()))))
}

/// The line without prefix and CRLF: `TCP4 192.0.2.1 198.51.100.1 56324 25`.
fn addresses(line: &[u8]) -> Result<Header, Invalid> {
    let line = std::str::from_utf8(line).map_err(|_| Invalid::Address)?;
    let mut words = line.split(' ');
    let protocol = words.next().unwrap_or_default();
    if protocol == "UNKNOWN" {
        // What follows must be ignored, whatever it is.
        return Ok(Header::default());
    }
    let ip: fn(&str) -> Option<IpAddr> = match protocol {
        "TCP4" => |word| word.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
        "TCP6" => |word| word.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        _ => return Err(Invalid::Kind),
    };
    let mut next = || words.next().ok_or(Invalid::Address);
    let source = ip(next()?).ok_or(Invalid::Address)?;
    let destination = ip(next()?).ok_or(Invalid::Address)?;
    let source_port = port(next()?).ok_or(Invalid::Address)?;
    let destination_port = port(next()?).ok_or(Invalid::Address)?;
    if words.next().is_some() {
        return Err(Invalid::Address);
    }
    Ok(Header::between(
        SocketAddr::new(source, source_port),
        SocketAddr::new(destination, destination_port),
    ))
}

/// Decimal, without sign or leading zeros.
fn port(word: &str) -> Option<u16> {
    let canonical =
        word.bytes().all(|byte| byte.is_ascii_digit()) && (word == "0" || !word.starts_with('0'));
    if canonical { word.parse().ok() } else { None }
}

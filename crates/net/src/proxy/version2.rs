//! Version 2 of the PROXY protocol: a binary header (`proxy-protocol.txt` section 2.2).
//!
//! What follows the addresses (TLVs: names, certificates, a checksum) is read over, never looked
//! into.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{Header, Invalid, Step};
use crate::limits::PROXY_HEADER_BYTES_MAX;

const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";

/// Signature, version and command, family and transport, length.
pub(super) const FIXED_BYTES: usize = 16;

pub(super) fn parse(bytes: &[u8]) -> Result<Step, Invalid> {
    if !bytes
        .iter()
        .zip(&SIGNATURE)
        .all(|(byte, expected)| byte == expected)
    {
        return Err(Invalid::Signature);
    }
    let Some((fixed, rest)) = bytes.split_first_chunk::<FIXED_BYTES>() else {
        return Ok(Step::Need(FIXED_BYTES - bytes.len()));
    };
    let [.., command, family, high, low] = *fixed;
    let local = match command {
        0x20 => true,
        0x21 => false,
        _ => return Err(Invalid::Kind),
    };
    let length = usize::from(u16::from_be_bytes([high, low]));
    if FIXED_BYTES + length > PROXY_HEADER_BYTES_MAX {
        return Err(Invalid::Length);
    }
    // LOCAL comes with any family, or none: it must be ignored.
    let layout = if local {
        Layout::None
    } else {
        Layout::of(family)?
    };
    if length < layout.bytes() {
        return Err(Invalid::Address);
    }
    match rest.get(..length) {
        Some(rest) => Ok(Step::Done(layout.header(rest), FIXED_BYTES + length)),
        None => Ok(Step::Need(length - rest.len())),
    }
}

/// How the addresses lie behind the fixed part.
#[derive(Clone, Copy)]
enum Layout {
    /// UNSPEC, or a family whose addresses say nothing to us.
    None,
    Ipv4,
    Ipv6,
    /// Two paths: of a client on the balancer's own machine.
    Unix,
}

impl Layout {
    /// All that the protocol assigns. SMTP runs over streams, so datagrams (0x12, 0x22, 0x32) are
    /// as wrong as what is unassigned.
    fn of(family: u8) -> Result<Layout, Invalid> {
        match family {
            0x00 => Ok(Layout::None),
            0x11 => Ok(Layout::Ipv4),
            0x21 => Ok(Layout::Ipv6),
            0x31 => Ok(Layout::Unix),
            _ => Err(Invalid::Kind),
        }
    }

    fn bytes(self) -> usize {
        match self {
            Layout::None => 0,
            Layout::Ipv4 => 12,
            Layout::Ipv6 => 36,
            Layout::Unix => 216,
        }
    }

    fn header(self, bytes: &[u8]) -> Header {
        let header = match self {
            Layout::None | Layout::Unix => None,
            Layout::Ipv4 => addresses::<4>(bytes, |octets| Ipv4Addr::from(octets).into()),
            Layout::Ipv6 => addresses::<16>(bytes, |octets| Ipv6Addr::from(octets).into()),
        };
        header.unwrap_or_default()
    }
}

/// Source, destination, source port, destination port. `None` cannot be: the length was checked.
fn addresses<const N: usize>(bytes: &[u8], ip: fn([u8; N]) -> IpAddr) -> Option<Header> {
    let (source, bytes) = bytes.split_first_chunk::<N>()?;
    let (destination, bytes) = bytes.split_first_chunk::<N>()?;
    let (source_port, bytes) = bytes.split_first_chunk::<2>()?;
    let (destination_port, _) = bytes.split_first_chunk::<2>()?;
    let at =
        |octets: &[u8; N], port: &[u8; 2]| SocketAddr::new(ip(*octets), u16::from_be_bytes(*port));
    Some(Header::between(
        at(source, source_port),
        at(destination, destination_port),
    ))
}

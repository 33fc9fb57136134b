//! The PROXY protocol, versions 1 and 2 (HAProxy's `proxy-protocol.txt`): which client a load
//! balancer speaks for.
//!
//! [`parse`] is pure and incremental; [`read`] drives it over a connection and takes not one byte
//! more than the header, because what follows is the client's (a TLS handshake, or SMTP). Who may
//! send such a header, and how long to wait for it, is the listener's affair: take it from trusted
//! networks only, for it is believed.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncReadExt};

mod version1;
mod version2;

/// Whose connection it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// The client. `None`: the balancer speaks for itself (health check), or does not know; the
    /// addresses of the connection itself hold.
    pub source: Option<SocketAddr>,
    /// The address that the client connected to; `None` as for `source`.
    pub destination: Option<SocketAddr>,
}

/// What the first bytes of a connection hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parsed {
    /// Not all of the header: at least this many more bytes belong to it.
    Need(usize),
    /// A header.
    Header {
        /// What it says.
        header: Header,
        /// Its length in bytes; what follows is not part of it.
        bytes: usize,
    },
    /// No PROXY header, or a broken one.
    Invalid(Invalid),
}

/// Why bytes are no PROXY header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invalid {
    /// They begin like neither version.
    Signature,
    /// Version 1: longer than 107 bytes, or not ended by CRLF.
    Line,
    /// Version 1: not `TCP4`, `TCP6` or `UNKNOWN`; version 2: an unassigned version, command,
    /// family or transport.
    Kind,
    /// Version 1: an address or port that is none; version 2: too short for the addresses of its
    /// family.
    Address,
    /// Version 2: longer than 4 KiB.
    Length,
}

/// Reads a header from the front of `bytes`, which may hold less than all of it, or more.
pub fn parse(bytes: &[u8]) -> Parsed {
    let parsed = match bytes.first() {
        None => Ok(Step::Need(version1::BYTES_MIN.min(version2::FIXED_BYTES))),
        Some(b'P') => version1::parse(bytes),
        Some(_) => version2::parse(bytes),
    };
    match parsed {
        Ok(Step::Need(more)) => Parsed::Need(more),
        Ok(Step::Done(header, bytes)) => Parsed::Header { header, bytes },
        Err(invalid) => Parsed::Invalid(invalid),
    }
}

/// Reads a header from a connection, and leaves all that follows it there. It has no deadline of
/// its own: the caller has one for whatever the client must say first.
///
/// # Errors
/// `ErrorKind::InvalidData` for anything but a header, `ErrorKind::UnexpectedEof` if the connection
/// ends in it, and those of the connection.
pub async fn read<R: AsyncRead + Unpin>(stream: &mut R) -> io::Result<Header> {
    let mut seen = Vec::new();
    loop {
        let more = match parse(&seen) {
            Parsed::Header { header, .. } => return Ok(header),
            Parsed::Invalid(invalid) => {
                return Err(io::Error::new(io::ErrorKind::InvalidData, invalid));
            }
            Parsed::Need(more) => more,
        };
        let known = seen.len();
        seen.resize(known + more, 0);
        // Whatever came is looked at again, so that a client of SMTP is found out by its first
        // byte.
        let taken = stream.read(&mut seen[known..]).await?;
        if taken == 0 {
            let text = format!("the connection ended after {known} bytes of a PROXY header");
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, text));
        }
        seen.truncate(known + taken);
    }
}

/// The body of the fuzz target `proxy`: any bytes, in any pieces, within the promises of [`parse`].
#[cfg(any(test, feature = "fuzzing"))]
pub fn fuzz(bytes: &[u8]) {
    let whole = parse(bytes);
    let mut known = 0;
    // As `read` does: never more than is needed, so what is seen at the end is the header and
    // nothing else.
    let stepped = loop {
        match parse(&bytes[..known]) {
            Parsed::Need(more) => {
                assert!(more > 0 && known + more <= crate::limits::PROXY_HEADER_BYTES_MAX);
                if known + more > bytes.len() {
                    break None;
                }
                known += more;
            }
            parsed => break Some(parsed),
        }
    };
    match (whole, stepped) {
        (
            Parsed::Header {
                header,
                bytes: length,
            },
            Some(stepped),
        ) => {
            assert_eq!(
                stepped,
                Parsed::Header {
                    header,
                    bytes: length
                }
            );
            assert_eq!(known, length);
            assert_eq!(parse(&bytes[..length]), stepped);
        }
        (Parsed::Invalid(_), None) => {}
        (Parsed::Invalid(_), Some(stepped)) => assert!(matches!(stepped, Parsed::Invalid(_))),
        (Parsed::Need(_), stepped) => assert_eq!(stepped, None),
        (Parsed::Header { .. }, None) => panic!("a header that cannot be read step by step"),
    }
}

/// What a version's parser found: bytes still missing, or the header and its length.
enum Step {
    Need(usize),
    Done(Header, usize),
}

impl Header {
    /// Mapped addresses (`::ffff:192.0.2.1`) are what balancers on dual-stack sockets write for
    /// IPv4.
    fn between(source: SocketAddr, destination: SocketAddr) -> Header {
        let canonical =
            |address: SocketAddr| SocketAddr::new(address.ip().to_canonical(), address.port());
        Header {
            source: Some(canonical(source)),
            destination: Some(canonical(destination)),
        }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Invalid::Signature => "no PROXY header",
            Invalid::Line => "PROXY header that is not one line of at most 107 bytes ended by CRLF",
            Invalid::Kind => "PROXY header of an unknown version, command or protocol",
            Invalid::Address => "PROXY header without valid addresses and ports",
            Invalid::Length => "PROXY header of more than 4 KiB",
        })
    }
}

impl std::error::Error for Invalid {}

#[cfg(test)]
mod tests;

//! The bounds of this crate: each with a name, a unit, and where it comes from.
//!
//! SMTP's own limits live in the crate `smtp`; those of a listener or route are settings.

/// Bits of an IPv4 address that make the network by which clients are counted: the longest prefix that is routed between
/// providers.
pub const IPV4_PREFIX_BITS: u8 = 24;

/// Bits of an IPv6 address that make the network by which clients are counted: what one site may hold (RFC 6177 section 2),
/// so that a client does not become another by moving inside its own.
pub const IPV6_PREFIX_BITS: u8 = 48;

/// Bytes of plaintext that may wait for encryption on a connection that we accepted: one TLS record (RFC 8446 5.1).
pub const TLS_SEND_BUFFER_BYTES_MAX: usize = 16 * 1024;

/// Seconds that a TLS handshake may take. A client of SMTP gets no more for a whole command than RFC 5321 4.5.3.2 allows;
/// a handshake is a few packets, and a minute is long for them.
pub const TLS_HANDSHAKE_SECONDS_MAX: u64 = 60;

/// TLS sessions that a connector remembers so as to resume them: nexthops are few.
pub const TLS_CLIENT_SESSIONS_MAX: usize = 256;

/// Bytes of a PEM file with certificates or a key. A chain is a few KiB; the system's bundle of roots about 256 KiB.
pub const PEM_FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Bytes of a PROXY header. Version 2 could announce 64 KiB; addresses and the known TLVs fit in a tenth of this.
pub const PROXY_HEADER_BYTES_MAX: usize = 4096;

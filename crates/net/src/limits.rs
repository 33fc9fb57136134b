//! The bounds of this crate: each with a name, a unit, and where it comes from.
//!
//! SMTP's own limits live in the crate `smtp`; those of a listener or route are settings.

/// Bits of an IPv4 address that make the network by which clients are counted: the longest prefix
/// that is routed between providers.
pub const IPV4_PREFIX_BITS: u8 = 24;

/// Bits of an IPv6 address that make the network by which clients are counted: what one site may
/// hold (RFC 6177 section 2), so that a client does not become another by moving inside its own.
pub const IPV6_PREFIX_BITS: u8 = 48;

/// Bytes that may wait, encrypted, until a client that we accepted takes them: about one TLS record
/// (RFC 8446 section 5.1).
pub const TLS_SEND_BUFFER_BYTES_MAX: usize = 16 * 1024;

/// Seconds that a TLS handshake may take. RFC 5321 section 4.5.3.2.7 gives a client five minutes for
/// a command; a handshake is a few packets, and a minute is long for them.
pub const TLS_HANDSHAKE_SECONDS_MAX: u64 = 60;

/// TLS sessions that a connector remembers so as to resume them: nexthops are few.
pub const TLS_CLIENT_SESSIONS_MAX: usize = 256;

/// TLSA records of one server that are looked at (RFC 7671 section 8 has two while keys change).
pub const TLSA_RECORDS_MAX: usize = 64;

/// Certificates behind the server's own that are compared with TLSA records: chains have two or
/// three.
pub const CHAIN_CERTIFICATES_MAX: usize = 16;

/// Bytes of a PEM file with certificates or a key. A chain is a few KiB; the system's bundle of
/// roots about 256 KiB.
pub const PEM_FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Bytes of a PROXY header. Version 2 could announce 64 KiB; addresses and the known TLVs fit in a
/// tenth of this.
pub const PROXY_HEADER_BYTES_MAX: usize = 4096;

/// Seconds that a nameserver has to answer one try. A client waits for several look-ups in turn
/// (RFC 5321 4.5.3.2 gives it minutes for all of them), so a server that takes longer counts as one
/// that does not answer.
pub const DNS_TIMEOUT_SECONDS: u64 = 2;

/// Tries per look-up.
pub const DNS_TRIES: usize = 2;

/// Answers that the DNS cache holds, negative ones among them.
pub const DNS_CACHE_ANSWERS_MAX: u64 = 10_000;

/// Seconds that an answer is believed, whatever its TTL: a day.
pub const DNS_POSITIVE_SECONDS_MAX: u64 = 86_400;

/// Seconds that the absence of a record is believed, whatever the zone says: an hour (RFC 2308
/// section 5 advises one to three).
pub const DNS_NEGATIVE_SECONDS_MAX: u64 = 3_600;

/// Names of one address that are confirmed: who controls a reverse zone can list thousands (as RFC
/// 7208 section 4.6.4 bounds them at 10).
pub const DNS_REVERSE_NAMES_MAX: usize = 5;

/// CNAMEs that are followed for one answer (RFC 1034 section 3.6.2 leaves the number open); more are
/// taken for a loop.
pub const DNS_ALIASES_MAX: usize = 8;

/// Records of one answer that are looked at. Large mail providers publish a dozen exchangers with a
/// dozen addresses each.
pub const DNS_RECORDS_MAX: usize = 200;

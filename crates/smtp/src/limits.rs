//! Every bound of the protocol code: its name, its unit, and the RFC section it comes from.
//!
//! RFC 5321 4.5.3.1 lists the sizes that a server must take *at least*; where the world needs
//! more, ours are larger. Bounds that an operator may set are defaults here (`_DEFAULT`).

/// Bytes of one line, CRLF included: commands and mail data alike. RFC 5321 4.5.3.1.4 and
/// 4.5.3.1.6 ask for 512 and 1,000 at least; AUTH alone needs 12,288 base64 digits in theory
/// (RFC 4954 4), which no PLAIN or LOGIN exchange comes near.
pub const LINE_BYTES_MAX: usize = 8192;

/// Bytes of one command line, CRLF included (RFC 5321 4.5.3.1.4).
pub const COMMAND_LINE_BYTES_MAX: usize = LINE_BYTES_MAX;

/// Bytes of one line of a reply, code and CRLF included (RFC 5321 4.5.3.1.5).
pub const REPLY_LINE_BYTES_MAX: usize = 512;

/// Lines of one reply. RFC 5321 4.2.1 sets no bound; EHLO answers are the longest in use.
pub const REPLY_LINES_MAX: usize = 128;

/// Bytes of one line of a peer's reply, line end included: four times what RFC 5321 4.5.3.1.5
/// allows it, as some servers put long links there.
pub const REPLY_LINE_BYTES_ACCEPTED_MAX: usize = 4 * REPLY_LINE_BYTES_MAX;

/// Commands that our client sends ahead of their replies. RFC 2920 3.1 forbids a client to write so
/// much that both sides wait for each other: these many replies fit any socket's buffer.
pub const PIPELINED_COMMANDS_MAX: usize = 128;

/// Bytes of one chunk that our client collects for BDAT (RFC 3030 2).
pub const CHUNK_BYTES: usize = 256 * 1024;

/// Bytes of a path with its angle brackets. RFC 5321 4.5.3.1.3 asks for 256 at least; a
/// local-part and a domain of full length already need more.
pub const PATH_BYTES_MAX: usize = 516;

/// Bytes of a local-part, without quoting. RFC 5321 4.5.3.1.1 asks for 64 at least; VERP, SRS and
/// BATV reverse-paths are longer, and refusing them would lose mail.
pub const LOCAL_PART_BYTES_MAX: usize = 256;

/// Bytes of a domain (RFC 5321 4.5.3.1.2).
pub const DOMAIN_BYTES_MAX: usize = 255;

/// Bytes of one label of a domain (RFC 1035 2.3.4).
pub const LABEL_BYTES_MAX: usize = 63;

/// Bytes of an ENVID, as encoded (RFC 3461 4.4).
pub const ENVID_BYTES_MAX: usize = 100;

/// Bytes of an ORCPT, address type included, as encoded (RFC 3461 4.2).
pub const ORCPT_BYTES_MAX: usize = 500;

/// Digits of a SIZE value (RFC 1870 4).
pub const SIZE_DIGITS_MAX: usize = 20;

/// Parameters after one path: far more than all extensions define together (RFC 5321 4.1.1.11).
pub const PARAMETERS_MAX: usize = 32;

/// Bytes of a message (RFC 1870; RFC 5321 4.5.3.1.7 asks for 64 KiB at least).
pub const MESSAGE_BYTES_MAX_DEFAULT: u64 = 50 * 1024 * 1024;

/// Recipients of one transaction (RFC 5321 4.5.3.1.8 asks for 100 at least).
pub const RECIPIENTS_MAX_DEFAULT: usize = 1000;

/// Bytes of a header section, from the first byte to its empty line.
pub const HEADER_BYTES_MAX_DEFAULT: usize = 1024 * 1024;

/// Commands that failed (5xx) in one session before it is closed with 421 (RFC 5321 4.2.5, 4.3.2).
pub const BAD_COMMANDS_MAX_DEFAULT: u16 = 10;

/// Transactions of one session: LIMITS MAILMAX (RFC 9422 4.1). Far more than a relay with a kept
/// connection needs before it may well open another.
pub const TRANSACTIONS_MAX_DEFAULT: u32 = 10_000;

/// Transactions in a row that end without mail data (MAIL, RSET, MAIL, RSET, ...) before the
/// session is closed (RFC 5321 7.8 permits it). RFC 9422 MAILMAX counts all, this only idle ones.
pub const EMPTY_TRANSACTIONS_MAX: u16 = 100;

/// Commands in a row that move nothing (NOOP, RSET, HELP, VRFY, EHLO) before the session is
/// closed. Mail data, whatever becomes of it, sets the count back (RFC 5321
/// 4.1.1.9, 7.8).
pub const IDLE_COMMANDS_MAX: u16 = 100;

/// Recipients refused in one transaction before RCPT is answered 421: a dictionary attack
/// (RFC 5321 7.3 speaks of address harvesting).
pub const REFUSED_RECIPIENTS_MAX: u16 = 1000;

/// Failed AUTH commands of one session (RFC 4954 4 and 9 permit the server to limit them).
pub const AUTH_FAILURES_MAX: u8 = 3;

/// Bytes of an authentication response after base64 decoding, each of PLAIN's three parts being
/// at most 255 bytes (RFC 4616 2).
pub const CREDENTIALS_BYTES_MAX: usize = 3 * 255 + 2;

/// Digits of a chunk size in BDAT (RFC 3030 2 sets none): 20 hold any `u64`.
pub const CHUNK_SIZE_DIGITS_MAX: usize = 20;

/// Bytes of a command line that is too long before the session gives up waiting for its end.
pub const ENDLESS_COMMAND_BYTES_MAX: u32 = 1024 * 1024;

/// Bytes of mail data read behind a defect, only to find the end and tell the client, before the
/// session gives up. Honest clients without SIZE do send messages far over a limit.
pub const EXCESS_BYTES_MAX: u64 = 1024 * 1024 * 1024;

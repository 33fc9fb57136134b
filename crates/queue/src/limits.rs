//! The limits of what the queue keeps, by name and unit.

/// Bytes of a diagnostic that are kept (RFC 3464 2.3.6 leaves it open; a reply line has 512, RFC 5321 4.5.3.1.5).
pub const DIAGNOSTIC_BYTES_MAX: usize = 512;
/// Bytes of a nexthop's name that are kept: a domain (RFC 5321 4.5.3.1.2) with scheme and port.
pub const NEXTHOP_BYTES_MAX: usize = 300;
/// Bytes of an actor's name that are kept.
pub const ACTOR_BYTES_MAX: usize = 192;
/// Bytes of an actor's reason that are kept.
pub const REASON_BYTES_MAX: usize = 256;
/// Bytes of one coded envelope.
pub const ENVELOPE_BYTES_MAX: usize = 16 << 20;
/// Recipients of one message.
pub const RECIPIENTS_MAX: usize = 100_000;
/// Bytes of one payload in a journal: all of the above, with numbers.
pub const JOURNAL_PAYLOAD_BYTES_MAX: usize = 2048;
/// Messages that share one sync.
pub const GROUP_MESSAGES_MAX: usize = 1024;
/// Bytes that share one sync, unless one message alone has more.
pub const GROUP_BYTES_MAX: u64 = 32 << 20;
/// Bytes of one damaged record that are set aside.
pub const CORRUPT_BYTES_MAX: u64 = 1 << 20;
/// Damaged records that are set aside in one run.
pub const CORRUPT_FILES_MAX: u64 = 1000;
/// Files that are kept open for reading and journaling.
pub const OPEN_FILES_MAX: usize = 256;
/// Bytes that a segment may reach: offsets in memory have 32 bits.
pub const SEGMENT_BYTES_MAX: u64 = 1 << 30;
/// Suspensions in force.
pub const SUSPENSIONS_MAX: usize = 10_000;

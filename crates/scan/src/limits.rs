//! Every bound of this crate: its name, its unit, and where it comes from.

use std::time::Duration;

/// How long an engine is waited for by default.
pub const ENGINE_DEADLINE: Duration = Duration::from_secs(10);

/// How long a whole wave may take by default. A client waits 10 minutes for the reply to its final dot
/// (RFC 5321 section 4.5.3.2.6); ours has to come far sooner.
pub const WAVE_DEADLINE: Duration = Duration::from_secs(30);

/// Messages that a daemon is given at a time by default.
pub const CONNECTIONS_MAX: usize = 16;

/// The largest message that a daemon is given by default, in bytes.
pub const MESSAGE_SIZE_MAX: u64 = 50 * 1024 * 1024;

/// The largest message that SpamAssassin is given by default, in bytes: what spamc itself takes.
pub const SPAMASSASSIN_MESSAGE_SIZE_MAX: u64 = 500 * 1024;

/// How long a connection to a daemon may take to be established.
pub const CONNECT_DEADLINE: Duration = Duration::from_secs(5);

/// How long an idle connection is kept. Shorter than clamd's `IdleTimeout` of 30 seconds.
pub const IDLE_MAX: Duration = Duration::from_secs(25);

/// How long a daemon that failed is left alone at first; each further failure doubles it.
pub const BACK_OFF_MIN: Duration = Duration::from_secs(1);

/// The longest time that a daemon is left alone.
pub const BACK_OFF_MAX: Duration = Duration::from_secs(60);

/// Examinations in a row that have to fail on an open connection until a daemon counts as down: a single message that
/// it chokes on is not a dead daemon. A connection that cannot be made counts at once.
pub const FAILURES_MAX: u32 = 3;

/// Symbols kept of one finding.
pub const SYMBOLS_MAX: usize = 100;

/// Bytes of a name, an action or a reference that a daemon reports.
pub const NAME_BYTES_MAX: usize = 256;

/// Bytes of the detail of a symbol or of an error text that a daemon reports.
pub const DETAIL_BYTES_MAX: usize = 200;

/// Bytes of one line of a daemon's reply.
pub const REPLY_LINE_BYTES_MAX: usize = 8 * 1024;

/// Lines of a daemon's reply.
pub const REPLY_LINES_MAX: usize = 1_000;

/// Bytes of a daemon's whole reply.
pub const REPLY_BYTES_MAX: usize = 1024 * 1024;

/// Bytes of all `Rcpt` fields of a request to rspamd, whose HTTP parser takes 80 KiB of header.
pub const RECIPIENT_FIELDS_BYTES_MAX: usize = 48 * 1024;

/// How long the lists of a round in the DNS are waited for by default.
pub const LISTS_DEADLINE: Duration = Duration::from_secs(3);

/// Rounds in a row in which a list in the DNS has to fail until it is left out.
pub const LIST_FAILURES_MAX: u32 = 3;

/// How long a list in the DNS that failed is left out at first; each further failure doubles it.
pub const LIST_BACK_OFF_MIN: Duration = Duration::from_secs(60);

/// The longest time that a list in the DNS is left out before it is tried again.
pub const LIST_BACK_OFF_MAX: Duration = Duration::from_secs(3600);

/// How often the test points of a list in the DNS are looked at (RFC 5782 section 5).
pub const LIST_TRIAL_INTERVAL: Duration = Duration::from_secs(3600);

/// Domains of one kind, such as those of links, that lists in the DNS are asked about, of one message.
pub const LIST_DOMAINS_MAX: usize = 16;

/// A list that fails several messages at once has failed once: failures within this time count as one.
pub const LIST_FAILURE_SPACING: Duration = Duration::from_secs(1);

/// Questions to lists in the DNS for one message, of all lists together: each has its share.
pub const LIST_QUESTIONS_MAX: usize = 250;

/// Labels of a domain by which lists in the DNS are asked about it: `a.b.example.co.uk` by its last four, and by the three that were
/// registered, since which of them is listed depends on the list.
pub const LIST_LABELS_MAX: usize = 4;

/// How long it takes by default until what is known of a sender counts half.
pub const RECORD_HALF_LIFE: Duration = Duration::from_secs(7 * 86_400);

/// Bytes that the record of senders may take by default.
pub const RECORD_MEMORY_MAX: usize = 64 * 1024 * 1024;

/// Bad messages of one address or domain from which on it may be called bad, by default.
pub const RECORD_VOLUME_MIN: f32 = 10.0;

/// The share of bad messages from which on a sender is called bad, by default.
pub const RECORD_BAD_SHARE: f32 = 0.8;

/// How long a sender has to be known until it can be called good: whoever warms up addresses for a campaign has them for hours.
pub const RECORD_GOOD_AGE: Duration = Duration::from_secs(2 * 86_400);

/// How long an unknown address of a bad network is put off when it connects. A server that is really new tries again and
/// is heard then; its messages are examined as all are.
pub const RECORD_NEWCOMER_WAIT: Duration = Duration::from_secs(30 * 60);

/// Terms of SPF records that ask the DNS, for one question (RFC 7208 section 4.6.4).
pub const SPF_TERMS_MAX: usize = 10;

/// Of these, those that find nothing (RFC 7208 section 4.6.4).
pub const SPF_VOID_TERMS_MAX: usize = 2;

/// Mail exchangers of one `mx` (RFC 7208 section 4.6.4).
pub const SPF_EXCHANGERS_MAX: usize = 10;

/// Reverse names of a client that `ptr` and `%{p}` look at (RFC 7208 section 4.6.4).
pub const SPF_REVERSE_NAMES_MAX: usize = 10;

/// Bytes of the explanation that a domain gives for a refusal: it has to fit into a reply line (RFC 5321 section
/// 4.5.3.1.5).
pub const SPF_EXPLANATION_BYTES_MAX: usize = 400;

/// Header fields of a message that signatures are looked for in and verified over: honest messages have some hundred. What a
/// signature signs may stand at the end (RFC 6376 section 5.4.2), so that none is verified on a message with more.
pub const HEADER_FIELDS_MAX: usize = 10_000;

/// DKIM signatures of a message that are verified, half of them the uppermost (of those who passed it on last), half the
/// lowermost (of its author): honest messages have up to four. RFC 6376 section 8.4 wants a
/// bound.
pub const DKIM_SIGNATURES_MAX: usize = 10;

/// Bytes of a field with a signature: RSA of 4096 bits and many names in `h=` take two KiB.
pub const DKIM_FIELD_BYTES_MAX: usize = 16 * 1024;

/// Bits that an RSA key of DKIM needs at least (RFC 8301 section 3.2).
pub const DKIM_RSA_BITS_MIN: usize = 1024;

/// Names in `h=` of one signature.
pub const DKIM_SIGNED_FIELDS_MAX: usize = 500;

/// Bytes of the header fields that one signature signs.
pub const DKIM_SIGNED_BYTES_MAX: usize = 1024 * 1024;

/// ARC sets of a message (RFC 8617 section 4.2.1).
pub const ARC_SETS_MAX: usize = 50;

/// Author domains of one message that DMARC is asked for. RFC 9989 section 5.3.1 asks for one; honest messages have no more. With
/// more, DMARC is `permerror`.
pub const DMARC_AUTHOR_DOMAINS_MAX: usize = 4;

/// How long SPF, DKIM, ARC and iprev may each take with their look-ups: less than the deadline of the engine together with
/// what follows, so that it always answers.
pub const AUTH_LOOKUPS_DEADLINE: Duration = Duration::from_secs(6);

/// How long DMARC may take after these.
pub const AUTH_DMARC_DEADLINE: Duration = Duration::from_secs(3);

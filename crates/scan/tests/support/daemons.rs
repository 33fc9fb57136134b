//! Real daemons for tests: clamd, spamd, rspamd and c-icap from their Debian packages, each with a configuration of its
//! own in a directory that the test gives, on loopback ports and unix domain sockets, ended when dropped.
//!
//! Standard library only, so that any crate's tests can take these files in:
//! `#[path = "../../scan/tests/support/daemons.rs"] mod daemons;`. Whatever is missing fails the test and is named.

#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    reason = "each test takes the daemons that it needs"
)]

mod c_icap;
mod clamd;
pub mod process;
mod rspamd;
mod spamd;

#[allow(unused_imports, reason = "each test takes the daemons that it needs")]
pub use {c_icap::CIcap, clamd::Clamd, rspamd::Rspamd, spamd::Spamd};

/// The EICAR anti-virus test file, which every scanner knows.
pub const EICAR: &str = concat!(
    r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-",
    "ANTIVIRUS-TEST-FILE!$H+H*"
);

/// The Generic Test for Unsolicited Bulk Email, which every content filter knows.
pub const GTUBE: &str = concat!(
    "XJS*C4JDBQADN1.NSBN3*2IDNEN*",
    "GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
);

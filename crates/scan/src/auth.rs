//! Sender authentication: SPF (RFC 7208).

pub mod facts;
pub mod spf;

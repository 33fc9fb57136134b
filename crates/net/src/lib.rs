//! DNS, TLS, the PROXY protocol and sockets: what touches the network below SMTP and the engines'
//! protocols.
//!
//! One file per noun. A connection is a [`stream::Stream`]; [`socket`] opens it, [`proxy`] reads
//! whose it is, [`tls`] secures it. [`network`] groups addresses, [`resolver`] names them. Nothing
//! here knows SMTP, and nothing decides.

#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
pub mod limits;
pub mod network;
pub mod proxy;
pub mod resolver;
pub mod socket;
pub mod stream;
pub mod tls;

//! The bodies of the fuzz targets, here so that the tests run them over the seed corpora in `fuzz/corpus` and over
//! mutations of them.
//!
//! Each takes any bytes and panics if something does not hold that must.

pub use crate::proxy::fuzz as proxy;
pub use crate::tls::dane::fuzz as tlsa;

#[cfg(test)]
mod tests;

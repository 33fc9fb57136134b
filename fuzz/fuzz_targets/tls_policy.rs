//! Policies on TLS and the records that announce them. What is checked stands in `gatepost::fuzzing::tls_policy`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| gatepost::fuzzing::tls_policy(bytes));

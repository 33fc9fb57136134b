//! TLSA records and certificates. What is checked stands in `net::fuzzing::tlsa`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| net::fuzzing::tlsa(bytes));

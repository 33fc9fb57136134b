//! The PROXY header of a connection. What is checked stands in `net::fuzzing::proxy`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| net::fuzzing::proxy(bytes));

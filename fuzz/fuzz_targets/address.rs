//! Addresses of daemons. What is checked stands in `scan::fuzzing::address`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| scan::fuzzing::address(bytes));

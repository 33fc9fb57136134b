//! The MIME view of a message. What is checked stands in `scan::fuzzing::view`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| scan::fuzzing::view(bytes));

//! The HTML of a message. What is checked stands in `scan::fuzzing::html`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| scan::fuzzing::html(bytes));

//! Attachments and archives. What is checked stands in `scan::fuzzing::attachment`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| scan::fuzzing::attachment(bytes));

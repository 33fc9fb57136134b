//! A message as its reader sees it, and what the rules say of it. What is checked stands in `scan::fuzzing::reading`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| scan::fuzzing::reading(bytes));

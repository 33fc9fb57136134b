//! Rule files and conditions. What is checked stands in `scan::fuzzing::condition`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| scan::fuzzing::condition(bytes));

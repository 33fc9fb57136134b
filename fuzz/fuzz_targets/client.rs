//! A whole client session. What is checked stands in `smtp::fuzzing::client`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| smtp::fuzzing::client(bytes));

//! Paths and mailboxes. What is checked stands in `smtp::fuzzing::path`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| smtp::fuzzing::path(bytes));

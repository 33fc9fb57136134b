//! A whole server session, cut in different ways. What is checked stands in `smtp::fuzzing::session`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| smtp::fuzzing::session(bytes));

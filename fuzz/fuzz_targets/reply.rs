//! Replies, written and read. What is checked stands in `smtp::fuzzing::reply`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| smtp::fuzzing::reply(bytes));

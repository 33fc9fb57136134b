//! The small files of the queue. What is checked stands in `queue::fuzzing::notes`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| queue::fuzzing::notes(bytes));

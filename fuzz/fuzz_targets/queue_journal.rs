//! Journals of the queue. What is checked stands in `queue::fuzzing::journal`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| queue::fuzzing::journal(bytes));

//! Files that move messages of a queue to another node. What is checked stands in `queue::fuzzing::export_file`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| queue::fuzzing::export_file(bytes));

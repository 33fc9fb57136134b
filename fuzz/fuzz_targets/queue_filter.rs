//! Filters of the queue. What is checked stands in `gatepost::fuzzing::queue_filter`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| gatepost::fuzzing::queue_filter(bytes));

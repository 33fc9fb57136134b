//! The way of a message by its Received fields. What is checked stands in `gatepost::fuzzing::way`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| gatepost::fuzzing::way(bytes));

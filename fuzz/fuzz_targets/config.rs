//! The configuration. What is checked stands in `gatepost::fuzzing::config`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| gatepost::fuzzing::config(bytes));

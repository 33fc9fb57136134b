//! Reports on messages that could not be delivered. What is checked stands in `gatepost::fuzzing::reports`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| gatepost::fuzzing::reports(bytes));

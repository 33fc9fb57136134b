//! Messages of a file. What is checked stands in `gatepost::fuzzing::mbox`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| gatepost::fuzzing::mbox(bytes));

//! References. What is checked stands in `gatepost::fuzzing::reference`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| gatepost::fuzzing::reference(bytes));

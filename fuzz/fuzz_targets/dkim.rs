//! The canonical form that DKIM signs. What is checked stands in `gatepost::fuzzing::canonical`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| gatepost::fuzzing::canonical(bytes));

//! The data of DATA. What is checked stands in `smtp::fuzzing::data`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| smtp::fuzzing::data(bytes));

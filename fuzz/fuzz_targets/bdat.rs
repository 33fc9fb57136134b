//! The data of BDAT. What is checked stands in `smtp::fuzzing::bdat`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| smtp::fuzzing::bdat(bytes));

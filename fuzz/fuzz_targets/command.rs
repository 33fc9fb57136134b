//! One command line. What is checked stands in `smtp::fuzzing::command`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| smtp::fuzzing::command(bytes));

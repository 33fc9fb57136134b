//! A model file of the classifier. What is checked stands in `scan::fuzzing::model`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| scan::fuzzing::model(bytes));

//! The edits on a header section. What is checked stands in `gatepost::fuzzing::trace_fields`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| gatepost::fuzzing::trace_fields(bytes));

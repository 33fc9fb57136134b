//! Aggregate reports on DMARC. What is checked stands in `gatepost::fuzzing::dmarc_report`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| gatepost::fuzzing::dmarc_report(bytes));

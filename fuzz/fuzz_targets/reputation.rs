//! The record of senders on the disk, and what lists in the DNS answer. What is checked stands in `scan::fuzzing::reputation`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| scan::fuzzing::reputation(bytes));

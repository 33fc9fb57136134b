//! What the daemons answer. What is checked stands in `scan::fuzzing::daemon_replies`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| scan::fuzzing::daemon_replies(bytes));

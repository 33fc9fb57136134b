//! What senders publish and sign: SPF, DMARC, DKIM, ARC. What is checked stands in `scan::fuzzing::authentication`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| scan::fuzzing::authentication(bytes));

//! Segments, envelopes and sidecars of the queue. What is checked stands in `queue::fuzzing::segment`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| queue::fuzzing::segment(bytes));

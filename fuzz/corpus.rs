//! Runs the body of a fuzz target over its seeds in `fuzz/corpus` and over mutations of them, in the ordinary tests of
//! the crate that has it, with proptest in libFuzzer's place.
//!
//! A part of those tests by `#[path]`, not a crate: what they share needs neither a dependency nor a feature that way.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use proptest::sample::Index;

/// Runs `target` over the seeds of that name, and over at least 400 mutations.
pub(crate) fn run(name: &str, target: fn(&[u8])) {
    let seeds = seeds(name);
    for seed in &seeds {
        target(seed);
    }
    let default = ProptestConfig::default();
    let config = ProptestConfig {
        // PROPTEST_CASES asks for more.
        cases: default.cases.max(400),
        failure_persistence: None,
        ..default
    };
    proptest!(config, |(bytes in mutated(seeds))| target(&bytes));
}

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/corpus")
        .join(target);
    let mut seeds: Vec<Vec<u8>> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| fs::read(entry.unwrap().path()).unwrap())
        .collect();
    assert!(seeds.len() >= 5, "{target}: too few seeds");
    seeds.sort();
    seeds
}

/// A seed with some bytes replaced, inserted or removed, or with the tail of another.
fn mutated(seeds: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let interesting = prop::sample::select(b"\r\n. <>@\"\\\0\xff\xfe:=+5".to_vec());
    let byte = prop_oneof![interesting, any::<u8>()];
    let edit = (any::<Index>(), 0..3u8, byte);
    let seeds = prop::sample::select(seeds);
    (
        seeds.clone(),
        seeds,
        any::<Index>(),
        any::<bool>(),
        prop::collection::vec(edit, 0..8),
    )
        .prop_map(|(mut bytes, other, splice, joined, edits)| {
            if joined && !bytes.is_empty() {
                bytes.truncate(splice.index(bytes.len()));
                bytes.extend_from_slice(&other[splice.index(other.len() + 1)..]);
            }
            for (at, kind, byte) in edits {
                let at = at.index(bytes.len() + 1);
                match kind {
                    0 => bytes.insert(at, byte),
                    1 if at < bytes.len() => bytes[at] = byte,
                    _ if at < bytes.len() => {
                        bytes.remove(at);
                    }
                    _ => {}
                }
            }
            bytes
        })
}

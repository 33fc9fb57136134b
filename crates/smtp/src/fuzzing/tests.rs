use std::fs;
use std::path::Path;

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

fn corpus(target: &str) -> Vec<Vec<u8>> {
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

fn run(name: &str, target: fn(&[u8])) {
    let seeds = corpus(name);
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

#[test]
fn commands() {
    run("command", command);
}

#[test]
fn replies() {
    run("reply", reply);
}

#[test]
fn paths() {
    run("path", path);
}

#[test]
fn mail_data() {
    run("data", data);
}

#[test]
fn chunks() {
    run("bdat", bdat);
}

#[test]
fn sessions() {
    run("session", session);
}

proptest! {
    #[test]
    fn newlines_and_dots_in_every_order(choice: u8, wire in "[\r\n.x\r\n]{0,40}(\r\n\\.\r\n)?") {
        let mut bytes = vec![choice];
        bytes.extend_from_slice(wire.as_bytes());
        data(&bytes);
        bytes.insert(1, choice % 3);
        bdat(&bytes);
    }
}

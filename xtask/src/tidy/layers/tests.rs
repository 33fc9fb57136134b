//! The layer table itself, and crates that break it.

use super::{LAYERS, check_crate, inherits_lints};
use crate::workspace::{Crate, Dependency};

fn problems(name: &str, dependencies: &[(&str, bool, bool)]) -> Vec<String> {
    let dependencies = dependencies
        .iter()
        .map(|&(name, is_ours, is_dev)| Dependency {
            name: name.to_owned(),
            is_dev,
            is_ours,
        });
    let member = Crate {
        name: name.to_owned(),
        manifest: "Cargo.toml".to_owned(),
        dependencies: dependencies.collect(),
    };
    let mut problems = Vec::new();
    check_crate(&member, &mut problems);
    problems
}

#[test]
fn the_table_has_no_circles() {
    fn depth(name: &str, hops: usize) {
        assert!(hops < LAYERS.len(), "{name} is part of a circle");
        let (_, uses) = LAYERS.iter().find(|(layer, _)| *layer == name).unwrap();
        uses.iter().for_each(|used| depth(used, hops + 1));
    }
    LAYERS.iter().for_each(|(name, _)| depth(name, 0));
}

#[test]
fn nothing_may_use_the_binary() {
    assert!(LAYERS.iter().all(|(_, uses)| !uses.contains(&"gatepost")));
    assert_eq!(problems("xtask", &[("gatepost", true, false)]).len(), 1);
}

#[test]
fn a_layer_never_looks_up_or_sideways() {
    assert_eq!(problems("net", &[("smtp", true, false)]).len(), 1);
    assert_eq!(problems("net", &[("smtp", true, true)]).len(), 1);
    assert_eq!(
        problems("scan", &[("smtp", true, false), ("net", true, false)]).len(),
        0
    );
}

#[test]
fn pure_crates_stay_pure_outside_their_tests() {
    assert_eq!(problems("smtp", &[("tokio", false, false)]).len(), 1);
    assert_eq!(problems("smtp", &[("tokio", false, true)]).len(), 0);
    assert_eq!(problems("net", &[("tokio", false, false)]).len(), 0);
}

#[test]
fn a_crate_without_a_layer_is_told() {
    assert_eq!(problems("common", &[]).len(), 1);
}

#[test]
fn lints_are_inherited_by_their_own_section_only() {
    assert!(inherits_lints("[lints]\nworkspace = true\n"));
    assert!(!inherits_lints("[lints]\n\n[package]\nworkspace = true\n"));
    assert!(!inherits_lints("[package]\nname = \"a\"\n"));
}

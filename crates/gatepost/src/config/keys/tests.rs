//! The declared keys hold together.

use std::collections::HashSet;

use super::*;

#[test]
fn names_are_unique_and_well_formed() {
    let mut scopes = HashSet::new();
    for scope in super::scopes() {
        assert!(scopes.insert(scope.name), "{}", scope.name);
        let mut names = HashSet::new();
        for key in scope.keys {
            assert!(
                names.insert(key.name),
                "{} twice in {}",
                key.name,
                scope.title
            );
            let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
            assert!(key.name.bytes().all(allowed), "{}", key.name);
            assert!(key.doc.ends_with('.'), "{}: {}", key.name, key.doc);
            assert!(!key.doc.contains(['|', '\n']), "{}", key.name);
        }
    }
}

#[test]
fn tables_name_scopes_that_exist_and_none_is_orphaned() {
    let named: HashSet<&str> = scopes()
        .flat_map(|scope| scope.keys)
        .filter_map(|key| match key.kind {
            Kind::Table(name)
            | Kind::Tables(name)
            | Kind::NamedTables(name)
            | Kind::ToggleOrTable(name) => Some(name),
            _ => None,
        })
        .collect();
    let declared: HashSet<&str> = scopes()
        .map(|scope| scope.name)
        .filter(|name| !name.is_empty())
        .collect();
    assert_eq!(named, declared);
}

#[test]
fn there_is_a_key_for_every_kind_of_reply() {
    let keys: Vec<&str> = scope("replies.LANGUAGE")
        .unwrap()
        .keys
        .iter()
        .map(|key| key.name)
        .collect();
    assert_eq!(
        keys,
        crate::policy::Kind::ALL.map(crate::config::replies::key_of)
    );
}

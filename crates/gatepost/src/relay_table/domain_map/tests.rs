//! What goes in comes out, in little memory.

use super::*;

#[test]
fn finds_what_was_inserted_and_nothing_else() {
    let mut map = DomainMap::default();
    assert!(map.is_empty() && map.find("a").is_none());
    for number in 0..10_000 {
        assert_eq!(
            map.insert(&format!("d{number}.example"), number % 7),
            Ok(())
        );
    }
    map.shrink();
    for number in 0..10_000 {
        assert_eq!(map.find(&format!("d{number}.example")), Some(number % 7));
        assert_eq!(map.find(&format!("e{number}.example")), None);
    }
    assert_eq!(map.len(), 10_000);
    assert_eq!(map.insert("d3.example", 5), Err(InsertError::Taken(3)));
    assert_eq!(map.insert(&"x".repeat(256), 1), Err(InsertError::TooLarge));
    assert_eq!(map.insert(&"x".repeat(255), 9), Ok(()));
    assert_eq!(map.find(&"x".repeat(255)), Some(9));
    assert_eq!(map.insert("", 4), Ok(()));
    assert_eq!(map.find(""), Some(4));
}

/// A million domains of 20 bytes are to fit into 64 MB.
#[test]
fn a_domain_takes_its_name_and_little_more() {
    let mut map = DomainMap::default();
    for number in 0..200_000 {
        map.insert(&format!("customer{number:06}.test"), 0).unwrap();
    }
    map.shrink();
    let per_domain = map.memory() / map.len();
    assert!(
        per_domain <= 20 + 44,
        "{per_domain} bytes for each domain of 19 bytes"
    );
}

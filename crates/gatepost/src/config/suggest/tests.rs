//! What counts as near enough to be meant.

use super::*;

#[test]
fn distance_counts_edits() {
    let cases = [
        ("", "", 0),
        ("bind", "bind", 0),
        ("bind", "binds", 1),
        ("bidn", "bind", 1),
        ("", "abc", 3),
        ("abc", "", 3),
        ("kitten", "sitting", 3),
        ("Bind", "bind", 0),
    ];
    for (word, candidate, expected) in cases {
        let chars: Vec<char> = word.to_lowercase().chars().collect();
        assert_eq!(distance(&chars, candidate), expected, "{word} {candidate}");
    }
}

#[test]
fn nearest_finds_what_was_meant_and_nothing_else() {
    let keys = ["name", "bind", "message_size_max", "connections_max"];
    assert_eq!(nearest("binds", keys), Some("bind"));
    assert_eq!(nearest("mesage_size_max", keys), Some("message_size_max"));
    assert_eq!(nearest("connection_max", keys), Some("connections_max"));
    assert_eq!(nearest("NAME", keys), Some("name"));
    assert_eq!(nearest("colour", keys), None);
    assert_eq!(nearest(&"x".repeat(100_000), keys), None);
}

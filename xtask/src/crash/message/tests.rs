//! What is sent is recognised, and only that.

use super::{number_of_unharmed, wire};

/// As a server takes it: without the final dot and without stuffed dots.
fn received(wire: &[u8]) -> Vec<u8> {
    let lines = wire.split_inclusive(|&byte| byte == b'\n');
    let lines = lines.filter(|line| *line != b".\r\n".as_slice());
    lines
        .flat_map(|line| line.strip_prefix(b".").unwrap_or(line).to_vec())
        .collect()
}

#[test]
fn every_message_is_known_by_its_number() {
    for number in 0..200 {
        let content = received(&wire(9, number));
        assert_eq!(number_of_unharmed(9, &content), Ok(number));
    }
}

#[test]
fn one_wrong_byte_is_seen_and_fields_on_top_are_not() {
    let content = received(&wire(9, 5));
    let mut harmed = content.clone();
    *harmed.last_mut().unwrap() = b'!';
    assert!(number_of_unharmed(9, &harmed).is_err());
    assert!(number_of_unharmed(9, &content[..content.len() - 2]).is_err());
    assert!(number_of_unharmed(8, &content).is_err());
    let traced = [b"Received: by mx; now\r\n".as_slice(), &content].concat();
    assert_eq!(number_of_unharmed(9, &traced), Ok(5));
}

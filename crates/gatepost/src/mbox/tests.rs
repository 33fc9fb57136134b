//! One file, many messages, every kind of line end; and nothing that the bytes say may make it hold more than it should.

use std::io::Cursor;

use proptest::prelude::*;

use super::*;

fn read(bytes: &[u8]) -> Vec<Stored> {
    read_max(bytes, 1 << 20)
}

fn read_max(bytes: &[u8], bytes_max: u64) -> Vec<Stored> {
    Messages::new(Cursor::new(bytes), bytes_max)
        .collect::<io::Result<_>>()
        .unwrap()
}

fn texts(bytes: &[u8]) -> Vec<String> {
    let texts = read(bytes).into_iter();
    texts
        .map(|stored| String::from_utf8(stored.bytes).unwrap())
        .collect()
}

#[test]
fn a_file_is_one_message() {
    let [stored] = &*read(b"Subject: a\r\n\r\nb\r\n") else {
        panic!("one message");
    };
    assert_eq!(stored.number, None);
    assert_eq!(stored.bytes, b"Subject: a\r\n\r\nb\r\n");
    assert_eq!(stored.bytes_total, stored.bytes.len() as u64);
    assert!(!stored.was_unix);
}

#[test]
fn a_file_of_unix_becomes_crlf() {
    let [stored] = &*read(b"Subject: a\n\nFrom here on\n\nFrom x@y Thu Aug 22 17:19:48 2002\n.")
    else {
        panic!("one message: the file does not begin as an mbox");
    };
    assert_eq!(
        stored.bytes,
        b"Subject: a\r\n\r\nFrom here on\r\n\r\nFrom x@y Thu Aug 22 17:19:48 2002\r\n.\r\n"
    );
    assert!(stored.was_unix);
}

#[test]
fn a_bare_lf_among_crlf_stays_a_defect() {
    assert_eq!(texts(b"A: b\r\n\r\nc\nd\r\n"), ["A: b\r\n\r\nc\nd\r\n"]);
    assert_eq!(texts(b"A: b\n\nc\r\nd\n"), ["A: b\r\n\r\nc\r\nd\r\n"]);
}

#[test]
fn nothing_is_an_empty_message() {
    assert_eq!(texts(b""), [""]);
}

#[test]
fn an_mbox_is_cut_at_its_separators() {
    let mbox = b"From a@b.example Thu Aug 22 17:19:48 2002\nA: 1\n\none\n\n\
        From c@d.example  Fri Jan  2 09:01 2026\nA: 2\n\n>From the top\n>>From quoted\n> From not\n\nFrom me to you\nFrom x at 10:00\n\n";
    let messages = read(mbox);
    let addresses: Vec<_> = messages
        .iter()
        .map(|stored| stored.envelope_address.clone().unwrap())
        .collect();
    assert_eq!(addresses, ["a@b.example", "c@d.example"]);
    assert_eq!(
        messages
            .iter()
            .map(|stored| stored.number)
            .collect::<Vec<_>>(),
        [Some(1), Some(2)]
    );
    assert_eq!(
        texts(mbox),
        [
            "A: 1\r\n\r\none\r\n",
            "A: 2\r\n\r\nFrom the top\r\n>From quoted\r\n> From not\r\n\r\nFrom me to you\r\nFrom x at 10:00\r\n",
        ]
    );
}

#[test]
fn a_separator_needs_an_empty_line_before_it() {
    let text =
        "From a@b Thu Aug 22 17:19:48 2002\nA: 1\n\none\nFrom c@d Thu Aug 22 17:19:48 2002\n";
    assert_eq!(
        texts(text.as_bytes()),
        ["A: 1\r\n\r\none\r\nFrom c@d Thu Aug 22 17:19:48 2002\r\n"]
    );
}

#[test]
fn what_is_too_large_is_counted_and_not_kept() {
    let mut mbox = b"From a@b Thu Aug 22 17:19:48 2002\n".to_vec();
    mbox.extend(std::iter::repeat_n(b'x', 300_000));
    mbox.extend_from_slice(b"\n\nFrom c@d Thu Aug 22 17:19:48 2002\nB: 2\n");
    let messages = read_max(&mbox, 1000);
    let sizes: Vec<_> = messages
        .iter()
        .map(|stored| (stored.bytes.len(), stored.bytes_total))
        .collect();
    assert_eq!(sizes, [(0, 300_002), (6, 6)]);
}

proptest! {
    #[test]
    fn any_bytes_end_in_a_line_end_and_within_bounds(bytes in proptest::collection::vec(prop_oneof![
        Just(b"From a@b Thu Aug 22 17:19:48 2002\n".to_vec()),
        Just(b"\n".to_vec()), Just(b"\r\n".to_vec()), Just(b">From ".to_vec()), Just(b"From ".to_vec()),
        proptest::collection::vec(any::<u8>(), 0..20),
    ], 0..40), bytes_max in 0..200_u64) {
        let bytes = bytes.concat();
        for stored in read_max(&bytes, bytes_max) {
            prop_assert!(stored.bytes.is_empty() || stored.bytes.ends_with(b"\n"));
            prop_assert!(stored.bytes.len() as u64 <= bytes_max);
            prop_assert!(stored.bytes_total <= bytes.len() as u64 * 2 + 2);
        }
    }
}

use proptest::prelude::*;
use ring::digest::digest;

use super::*;

fn sha256(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(digest(&SHA256, bytes).as_ref().to_vec())
}

fn hash(form: Form, body: &[u8]) -> Option<Vec<u8>> {
    form.body_hashes(body, &[None]).hashes.remove(0)
}

/// RFC 6376 section 3.4.5.
#[test]
fn the_examples_of_the_rfc_come_out() {
    let mut out = Vec::new();
    Form::Relaxed.field(b"A", b" X", &mut out);
    out.extend(b"\r\n");
    Form::Relaxed.field(b"B ", b" Y\t\r\n\tZ  ", &mut out);
    assert_eq!(out, b"a:X\r\nb:Y Z");
    let mut out = Vec::new();
    Form::Simple.field(b"B ", b" Y\t\r\n\tZ  ", &mut out);
    assert_eq!(out, b"B : Y\t\r\n\tZ  ");

    let body = b" C \r\nD \t E\r\n\r\n\r\n";
    assert_eq!(hash(Form::Relaxed, body), sha256(b" C\r\nD E\r\n"));
    assert_eq!(hash(Form::Simple, body), sha256(b" C \r\nD \t E\r\n"));
}

#[test]
fn bodies_end_as_they_should() {
    assert_eq!(hash(Form::Simple, b""), sha256(b"\r\n"));
    assert_eq!(hash(Form::Simple, b"\r\n\r\n"), sha256(b"\r\n"));
    assert_eq!(hash(Form::Simple, b"a"), sha256(b"a\r\n"));
    assert_eq!(hash(Form::Relaxed, b""), sha256(b""));
    assert_eq!(hash(Form::Relaxed, b" \r\n\t\r\n"), sha256(b""));
    assert_eq!(hash(Form::Relaxed, b"a"), sha256(b"a\r\n"));
    assert_eq!(
        hash(Form::Relaxed, b"\r\na \n b\r\n"),
        sha256(b"\r\na \n b\r\n")
    );
}

#[test]
fn a_part_of_a_body_is_hashed_on_the_way() {
    let body = b"0123456789\r\n";
    let hashes =
        Form::Simple.body_hashes(body, &[Some(4), None, Some(12), Some(13), Some(0), Some(4)]);
    assert_eq!(hashes.length, 12);
    assert_eq!(
        hashes.hashes,
        [
            sha256(b"0123"),
            sha256(body),
            sha256(body),
            None,
            sha256(b""),
            sha256(b"0123")
        ]
    );
}

/// The standard's own words, done slowly.
fn relaxed_slowly(body: &[u8]) -> Vec<u8> {
    let text: String = body.iter().map(|byte| char::from(*byte)).collect();
    let mut lines: Vec<String> = text
        .split("\r\n")
        .map(|line| {
            let words = line.split([' ', '\t']).filter(|word| !word.is_empty());
            let mut folded = words.collect::<Vec<_>>().join(" ");
            if line.starts_with([' ', '\t']) && !folded.is_empty() {
                folded.insert(0, ' ');
            }
            folded
        })
        .collect();
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    let text: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    text.chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap())
        .collect()
}

proptest! {
    #[test]
    fn any_body_has_its_canonical_form(parts in prop::collection::vec(
        prop::sample::select(&["a", "b", " ", "\t", "\r\n", "\r", "\n", "\r\n\r\n"]), 0..60), length in 0..80_u64
    ) {
        let body = parts.concat().into_bytes();
        let canonical = relaxed_slowly(&body);
        let hashes = Form::Relaxed.body_hashes(&body, &[None, Some(length)]);
        prop_assert_eq!(hashes.length, canonical.len() as u64);
        prop_assert_eq!(&hashes.hashes[0], &sha256(&canonical));
        let part = canonical.get(..usize::try_from(length).unwrap());
        prop_assert_eq!(&hashes.hashes[1], &part.and_then(sha256));
    }
}

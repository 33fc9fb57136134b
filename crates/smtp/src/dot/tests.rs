//! The encoder against a decoder written from RFC 5321 section 4.5.2 alone, one byte at a time.

use proptest::prelude::*;

use super::*;

fn encode(chunks: &[&[u8]]) -> Vec<u8> {
    let mut encoder = Encoder::new();
    let mut out = Vec::new();
    for chunk in chunks {
        encoder.encode(chunk, &mut out);
    }
    encoder.finish(&mut out);
    out
}

/// What a strict receiver makes of `wire`: the content, and what follows the end of the data.
fn decode(wire: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut content = Vec::new();
    let mut rest = wire;
    loop {
        if let Some(after) = rest.strip_prefix(b".\r\n") {
            return Some((content, after));
        }
        let line = rest.windows(2).position(|pair| pair == b"\r\n")? + 2;
        let (line, after) = rest.split_at(line);
        content.extend_from_slice(line.strip_prefix(b".").unwrap_or(line));
        rest = after;
    }
}

/// What the encoder promises to deliver: CRLF line ends only, the last line ended too.
fn strict(content: &[u8]) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::new();
    let mut bytes = content.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\r' => {
                bytes.next_if_eq(&b'\n');
                out.extend_from_slice(b"\r\n");
            }
            b'\n' => out.extend_from_slice(b"\r\n"),
            _ => out.push(byte),
        }
    }
    if !out.is_empty() && !out.ends_with(b"\r\n") {
        out.extend_from_slice(b"\r\n");
    }
    out
}

#[test]
fn lines_that_begin_with_a_dot_get_another() {
    assert_eq!(
        encode(&[b".a\r\n.\r\n..\r\nb.\r\n"]),
        b"..a\r\n..\r\n...\r\nb.\r\n.\r\n"
    );
}

#[test]
fn the_last_line_is_ended() {
    assert_eq!(encode(&[]), b".\r\n");
    assert_eq!(encode(&[b"a"]), b"a\r\n.\r\n");
    assert_eq!(encode(&[b"a\r"]), b"a\r\n.\r\n");
    assert_eq!(encode(&[b"a\r\n"]), b"a\r\n.\r\n");
    assert_eq!(encode(&[b"."]), b"..\r\n.\r\n");
}

#[test]
fn no_bare_newline_gets_out_to_smuggle_an_end_of_data() {
    for smuggled in [
        &b"a\n.\r\nb"[..],
        b"a\r.\r\nb",
        b"a\n.\nb",
        b"a\r.\rb",
        b"a\r\n.\nb",
        b"a\r\n.\rb",
    ] {
        assert_eq!(
            encode(&[smuggled]),
            b"a\r\n..\r\nb\r\n.\r\n",
            "{smuggled:?}"
        );
    }
}

#[test]
fn a_dot_after_a_cut_is_seen() {
    assert_eq!(encode(&[b"a\r\n", b".b\r\n"]), b"a\r\n..b\r\n.\r\n");
    assert_eq!(encode(&[b"a\r", b"\n.b\r\n"]), b"a\r\n..b\r\n.\r\n");
    assert_eq!(encode(&[b"a", b".b\r\n"]), b"a.b\r\n.\r\n");
    assert_eq!(encode(&[b"a\r", b"", b".b"]), b"a\r\n..b\r\n.\r\n");
}

#[test]
fn only_what_leaves_unchanged_passes() {
    assert!(!needs_stuffing(b""));
    assert!(!needs_stuffing(b"a\r\nb.\r\n"));
    assert!(!needs_stuffing(b"no line end"));
    for changed in [&b".a"[..], b"a\r\n.b\r\n", b"a\nb", b"\n", b"a\rb"] {
        assert!(needs_stuffing(changed), "{changed:?}");
    }
    let mut encoder = Encoder::new();
    assert!(encoder.pass(b"a\r"));
    assert!(!encoder.pass(b"b"), "the CR would be a bare one");
    assert!(encoder.pass(b"\nb"));
    let mut out = Vec::new();
    encoder.finish(&mut out);
    assert_eq!(out, b"\r\n.\r\n");
}

#[test]
fn blocks_join_without_a_seam() {
    for before in BLOCK_BYTES - 4..BLOCK_BYTES + 4 {
        let mut content = vec![b'x'; before];
        content.extend_from_slice(b"\r\n.\r\ny\r\n");
        let wire = encode(&[&content]);
        assert_eq!(decode(&wire), Some((content.clone(), &b""[..])), "{before}");
        assert_eq!(wire.len(), content.len() + 1 + END.len(), "{before}");
        assert!(needs_stuffing(&content));
    }
}

/// Content in which line ends and dots meet often, cut in pieces.
fn pieces() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let byte = prop_oneof![
        4 => Just(b'.'),
        4 => Just(b'\r'),
        4 => Just(b'\n'),
        2 => Just(b'a'),
        1 => any::<u8>(),
    ];
    let piece = prop_oneof![
        3 => prop::collection::vec(byte, 0..12),
        1 => Just(b"\r\n".to_vec()),
        1 => Just(vec![b'z'; BLOCK_BYTES - 1]),
    ];
    prop::collection::vec(piece, 0..12)
}

proptest! {
    #[test]
    fn what_is_decoded_is_what_was_encoded(pieces in pieces()) {
        let chunks: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
        let content = chunks.concat();
        let wire = encode(&chunks);
        prop_assert_eq!(decode(&wire), Some((strict(&content), &b""[..])));
        // However it is cut.
        prop_assert_eq!(&wire, &encode(&[&content]));
    }

    #[test]
    fn what_passes_is_what_encoding_leaves_alone(pieces in pieces()) {
        let mut encoder = Encoder::new();
        for piece in &pieces {
            let mut copy = encoder.clone();
            let mut out = Vec::new();
            copy.encode(piece, &mut out);
            let before = encoder.clone();
            if encoder.pass(piece) {
                prop_assert_eq!(&out, piece);
            } else {
                prop_assert_ne!(&out, piece);
                prop_assert_eq!(&encoder, &before);
            }
            encoder = copy;
        }
    }
}

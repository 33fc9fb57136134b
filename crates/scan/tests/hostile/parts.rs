//! Messages whose division into parts is dear.

use super::Kind;

pub(crate) const KINDS: &[Kind] = &[
    ("multiparts in one another", |bytes| multiparts(bytes / 60)),
    ("messages in one another", |bytes| messages(bytes / 31)),
    ("lines that may be delimiters", |bytes| {
        let mut message = multiparts(90);
        message.extend("--\r\n".repeat(bytes / 4).bytes());
        message
    }),
    ("lines that are nearly delimiters", |bytes| {
        let mut message = multiparts(90);
        message.extend("--boundary-of-leve\r\n".repeat(bytes / 20).bytes());
        message
    }),
    ("parts without a content", |bytes| {
        let mut message = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n".to_vec();
        message.extend("--b\r\n\r\n".repeat(bytes / 7).bytes());
        message
    }),
    ("parts with long boundaries that all begin alike", |bytes| {
        let boundary = "b".repeat(900);
        let mut message = Vec::new();
        for level in 0..bytes / 2_000 {
            message.extend(
                format!("Content-Type: multipart/mixed; boundary={boundary}{level}\r\n\r\n--{boundary}{level}\r\n")
                    .bytes(),
            );
        }
        message
    }),
    ("alternatives that hold no HTML", |bytes| {
        let mut message = b"Content-Type: multipart/alternative; boundary=b\r\n\r\n".to_vec();
        message.extend("--b\r\n\r\nx\r\n".repeat(bytes / 10).bytes());
        message
    }),
    ("a digest", |bytes| {
        let mut message = b"Content-Type: multipart/digest; boundary=b\r\n\r\n".to_vec();
        message.extend(
            "--b\r\n\r\nSubject: x\r\n\r\nx\r\n"
                .repeat(bytes / 25)
                .bytes(),
        );
        message
    }),
];

/// A message of so many levels.
pub(crate) const DEEP: &[Kind] = &[
    ("multiparts", multiparts),
    ("messages", messages),
    ("multiparts and messages by turns", by_turns),
    ("encoded messages", encoded_messages),
];

fn multiparts(levels: usize) -> Vec<u8> {
    let level = |level: usize| {
        format!(
            "Content-Type: multipart/mixed; boundary=boundary-of-level-{level}\r\n\r\n--boundary-of-level-{level}\r\n"
        )
    };
    (0..levels).map(level).collect::<String>().into_bytes()
}

fn messages(levels: usize) -> Vec<u8> {
    "Content-Type: message/rfc822\r\n\r\n"
        .repeat(levels)
        .into_bytes()
}

fn by_turns(levels: usize) -> Vec<u8> {
    let level = |level: usize| {
        format!(
            "Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\nContent-Type: message/rfc822\r\n\r\n"
        )
    };
    (0..levels / 2).map(level).collect::<String>().into_bytes()
}

/// Quoted-printable in itself: an `=` is three bytes at the next level, so that there is none but in the field.
fn encoded_messages(levels: usize) -> Vec<u8> {
    "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
        .repeat(levels)
        .into_bytes()
}

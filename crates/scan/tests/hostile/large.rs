//! Messages of which one thing is very large, or there is very much of it: a megabyte of tags, ten thousand parts, a hundred
//! thousand links. The sizes named here are those of the larger of the two messages that are compared.

use super::Kind;

/// Bytes of the smaller message.
pub(crate) const BYTES: usize = 250_000;

pub(crate) const KINDS: &[Kind] = &[
    ("a megabyte of tags in one another", |n| {
        html(&"<div>".repeat(n / 5))
    }),
    ("a megabyte of tags by turns", |n| {
        html(&"<b><table><i><td>".repeat(n / 17))
    }),
    ("an attribute of a megabyte", |n| {
        html(&format!("<p title='{}'>x</p>", "a&amp;".repeat(n / 6)))
    }),
    ("a link of a megabyte", |n| {
        html(&format!(
            "<a href='http://a.example/{}'>x</a>",
            "b/".repeat(n / 2)
        ))
    }),
    ("a host of a megabyte", |n| {
        html(&format!(
            "<a href='http://{}example'>x</a>",
            "b.".repeat(n / 2)
        ))
    }),
    ("a style of a megabyte", |n| {
        html(&format!("<p style='{}'>x</p>", "color:red;".repeat(n / 10)))
    }),
    ("100,000 links in HTML", |n| {
        let link = |number: usize| format!("<a href=http://h{number}.example/{number}>x</a>");
        html(&(0..n / 10).map(link).collect::<String>())
    }),
    ("100,000 links in text", |n| {
        let link = |number: usize| format!("http://h{number}.example/{number} ");
        text("8bit", &(0..n / 10).map(link).collect::<String>())
    }),
    ("10,000 parts", |n| {
        let mut message = String::from("Content-Type: multipart/mixed; boundary=b\r\n\r\n");
        for number in 0..n / 100 {
            message.push_str(&format!(
                "--b\r\nContent-Type: text/plain; name=\"{number}.txt\"\r\n\r\n{number:040}\r\n"
            ));
        }
        message.push_str("--b--\r\n");
        message.into_bytes()
    }),
    // RFC 2231 section 3.
    ("10,000 segments of a parameter", |n| {
        let segment = |number: usize| format!("; filename*{number}*=%41b");
        let segments: String = (0..n / 100).map(segment).collect();
        format!("Content-Disposition: attachment{segments}\r\n\r\nx").into_bytes()
    }),
    ("10,000 segments of a parameter, the last first", |n| {
        let segment = |number: usize| format!("; filename*{number}=b");
        let segments: String = (0..n / 100).rev().map(segment).collect();
        format!("Content-Disposition: attachment{segments}\r\n\r\nx").into_bytes()
    }),
    // RFC 2047.
    ("a megabyte of encoded-words", |n| {
        field("Subject", "=?utf-8?b?0L/RgNC40LLQtdGC?=\r\n ", n)
    }),
    ("an encoded-word of a megabyte", |n| {
        format!("Subject: =?utf-8?q?{}?=\r\n\r\n", "=D0=BF".repeat(n / 6)).into_bytes()
    }),
    ("encoded-words in a display name", |n| {
        field("From", "=?utf-8?q?=41?= ", n)
    }),
    // RFC 5322 section 3.2.2.
    ("comments in one another", |n| field("From", "(", n)),
    ("comments in one another, in the way of a message", |n| {
        field("Received", "from a (", n)
    }),
    ("comments in one another, in a media type", |n| {
        field("Content-Type", "text/(", n)
    }),
    ("comments in one another, in a date", |n| {
        field("Date", "Mon, (", n)
    }),
    ("comments in one another, in results", |n| {
        field("Authentication-Results", "example.com (\"", n)
    }),
    ("message identifiers", |n| {
        field("References", "<a@example.com>\r\n ", n)
    }),
    ("base64 in one line of five megabytes", |n| {
        text("base64", &"QUJD".repeat(n * 5 / 4))
    }),
    ("quoted-printable in one line of five megabytes", |n| {
        text("quoted-printable", &"=C3=A9".repeat(n * 5 / 6))
    }),
];

fn html(body: &str) -> Vec<u8> {
    format!("From: ann@example.com\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{body}")
        .into_bytes()
}

fn text(encoding: &str, body: &str) -> Vec<u8> {
    format!(
        "From: ann@example.com\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Transfer-Encoding: {encoding}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// One field of so many bytes.
fn field(name: &str, piece: &str, bytes: usize) -> Vec<u8> {
    format!("{name}: {}x\r\n\r\nx", piece.repeat(bytes / piece.len())).into_bytes()
}

use bytes::Bytes;

use super::link::Place;
use super::{Oddity, Reading};
use crate::message::Message;

fn reading(text: &str) -> Reading {
    Reading::of(&Message::new(Bytes::from(text.replace('\n', "\r\n"))))
}

const ALTERNATIVE: &str = "From: a@example.org
Subject: =?utf-8?b?SGVsbG8=?=
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary=b

--b
Content-Type: text/plain

plain http://plain.example/
--b
Content-Type: text/html; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

<p>Gr=FC=DFe</p><i hidden>secret</i><a href=3D'https://x.example/'>go</a>
--b--
";

#[test]
fn html_is_taken_in_place_of_plain_text() {
    let reading = reading(ALTERNATIVE);
    assert_eq!(reading.visible(), "Grüße\ngo");
    assert_eq!(reading.plain(), Some("plain http://plain.example/"));
    assert_eq!(reading.hidden(), "secret");
    assert_eq!(reading.subject(), "Hello");
    assert_eq!(reading.links().len(), 1);
    assert!(reading.has_html());
    assert_eq!(reading.oddities(), [Oddity::NeedlesslyEncodedSubject]);
}

#[test]
fn plain_text_with_its_links() {
    let reading = reading(
        "From: a@example.org\n\nSee HTTPS://a.example/x. or (www.b.example), xhttp://c.example/\n",
    );
    let links: Vec<String> = reading.links().iter().map(|link| link.url()).collect();
    assert_eq!(links, ["https://a.example/x", "http://www.b.example"]);
    assert!(reading.links().iter().all(|link| link.place == Place::Text));
    assert_eq!(reading.plain(), None);
    assert!(!reading.has_html());
}

#[test]
fn parts_of_a_mixed_message_are_all_read() {
    let reading = reading(
        "From: a@example.org
Content-Type: multipart/mixed; boundary=m

--m

first
--m
Content-Type: text/html

<b>second</b>
--m
Content-Type: message/rfc822

From: b@example.org

inner
--m
Content-Type: text/html; name=a.htm
Content-Disposition: attachment; filename=a.htm

<form action='https://f.example/'><input type=password></form><script>var b=atob('x');document.write(b)</script>
--m--
",
    );
    assert_eq!(reading.visible(), "second\nfirst");
    assert!(reading.enclosed().contains("inner"));
    let file = reading.attachments().first().expect("a file");
    assert_eq!((file.forms, file.password_inputs), (1, 1));
    assert!(file.obfuscates && !file.smuggles && file.is_html);
    assert_eq!(reading.html().forms, 0);
    assert!(reading.links().iter().any(|link| link.place == Place::Form));
}

#[test]
fn oddities_of_texts() {
    let reading = reading(
        "From: a@example.org
Content-Type: text/plain; charset=us-ascii
Content-Transfer-Encoding: base64

aGVsbG8gd29ybGQ=
",
    );
    assert_eq!(reading.visible(), "hello world");
    assert_eq!(reading.oddities(), [Oddity::NeedlessBase64]);
}

#[test]
fn nothing_at_all_is_read_too() {
    let empty = reading("");
    assert_eq!((empty.visible(), empty.subject()), ("", ""));
}

/// A thousand multiparts in one another, and a header section of a hundred thousand fields: what is kept is bounded.
#[test]
fn deep_and_long_messages_are_bounded() {
    let mut deep = String::from("From: a@example.org\n");
    for level in 0..1_000 {
        deep.push_str(&format!(
            "Content-Type: multipart/mixed; boundary=b{level}\n\n--b{level}\n"
        ));
    }
    deep.push_str("\nhttp://a.example/\n");
    let deep = reading(&deep);
    assert!(deep.visible().len() < 200_000);
    assert!(deep.defects().contains(&"MIME_OVER_DEEP"));
    let long = reading(&"X-A: b\n".repeat(100_000));
    assert_eq!(long.header().fields.len(), super::header::FIELDS_MAX);
}

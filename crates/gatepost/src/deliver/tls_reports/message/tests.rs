use super::super::document::tests::{reported, settings};
use super::*;

#[test]
fn the_message_is_a_multipart_report() {
    let settings = settings();
    let document = reported().document(&settings, "mx.example.com").unwrap();
    let letterhead = Letterhead {
        settings: &settings,
        node: "mx.example.com",
        domain: "example.net",
        to: &"reports@example.net".parse().unwrap(),
        time: Timestamp::from_second(1_728_090_000).unwrap(),
    };
    let text = String::from_utf8(message(&letterhead, &document)).unwrap();
    assert!(!text.replace("\r\n", "").contains(['\r', '\n']));
    assert!(text.lines().all(|line| line.len() <= 78), "{text}");
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let head = head.replace("\r\n ", " ");
    for field in [
        "From: tls-reports@example.com",
        "To: reports@example.net",
        "Date: Sat, 5 Oct 2024 01:00:00 +0000",
        "Message-ID: <1728000000.example.net@mx.example.com>",
        "Subject: Report Domain: example.net Submitter: example.com Report-ID: \
         <1728000000.example.net@mx.example.com>",
        "TLS-Report-Domain: example.net",
        "TLS-Report-Submitter: example.com",
        "TLS-Required: No",
        "Auto-Submitted: auto-generated",
        "MIME-Version: 1.0",
        "Content-Type: multipart/report; report-type=\"tlsrpt\"; boundary=\"=_tlsrpt_1925a30ca80\"",
    ] {
        assert!(head.lines().any(|line| line == field), "{field}\n{head}");
    }
    let parts: Vec<&str> = body.split("--=_tlsrpt_1925a30ca80").collect();
    assert_eq!(parts.len(), 4, "{body}");
    assert_eq!(parts[3], "--\r\n");
    let (part_head, encoded) = parts[2].split_once("\r\n\r\n").unwrap();
    assert!(part_head.contains("Content-Type: application/tlsrpt+gzip\r\n"));
    assert!(part_head.contains(&document.file_name));
    // A gzip begins so, whoever makes it.
    assert!(encoded.starts_with("H4sI"), "{encoded}");
}

#[test]
fn base64_is_as_the_rfc_has_it() {
    let encoded = |bytes: &[u8]| {
        let mut text = String::new();
        base64_lines(bytes, &mut text);
        text
    };
    for (bytes, expected) in [
        ("", ""),
        ("f", "Zg==\r\n"),
        ("fo", "Zm8=\r\n"),
        ("foo", "Zm9v\r\n"),
        ("foob", "Zm9vYg==\r\n"),
        ("foobar", "Zm9vYmFy\r\n"),
    ] {
        assert_eq!(encoded(bytes.as_bytes()), expected);
    }
    assert_eq!(encoded(&[0xff, 0xfe, 0xfb]), "//77\r\n");
    let long = encoded(&[0; 100]);
    assert_eq!(long.lines().map(str::len).collect::<Vec<_>>(), [76, 60]);
}

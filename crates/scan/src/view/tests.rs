use bytes::Bytes;
use proptest::prelude::*;

use super::{
    AUTHORS_MAX, DEPTH_MAX, Defect, Disposition, Encoding, FIELD_BYTES_MAX, Kind, NAMES_MAX,
    PARTS_MAX, View,
};

fn view(message: impl AsRef<[u8]>) -> View {
    View::parse(&Bytes::copy_from_slice(message.as_ref()))
}

/// The type and the content of each leaf.
fn leaves(view: &View) -> Vec<(&str, String)> {
    view.leaves()
        .map(|part| {
            let content = String::from_utf8_lossy(part.content()).into_owned();
            (part.media_type(), content)
        })
        .collect()
}

fn names(fields: &str) -> Vec<String> {
    let view = view(format!("From: a@example.com\r\n{fields}\r\n\r\nx"));
    view.parts()[0].file_names().to_vec()
}

const MIXED: &str = "From: =?utf-8?q?J=C3=B6rg?= <joerg@example.com>, Ann <ann@example.org>\r\n\
    Subject: =?iso-8859-1?q?Gr=FC=DFe?= aus\r\n Bonn\r\n\
    Content-Type: multipart/mixed; boundary=\"out er\"\r\n\
    \r\n\
    preamble\r\n\
    --out er\r\n\
    Content-Type: multipart/alternative;\r\n\tboundary=inner\r\n\
    \r\n\
    --inner\r\n\
    Content-Type: text/plain; charset=iso-8859-1\r\n\
    Content-Transfer-Encoding: quoted-printable\r\n\
    \r\n\
    Sch=F6ne=20\r\nGr=FC=\r\n=DFe\r\n\
    --inner  \r\n\
    Content-Type: text/html; charset=utf-8\r\n\
    \r\n\
    <p>hello</p>\r\n\
    --inner--\r\n\
    epilogue\r\n\
    --out er\r\n\
    Content-Type: APPLICATION/PDF; name=\"a.pdf\"\r\n\
    Content-Disposition: attachment; filename=\"report.pdf\"\r\n\
    Content-Transfer-Encoding: BASE64\r\n\
    \r\n\
    JVBE\r\nRi0x\r\n\
    --out er--\r\n";

#[test]
fn mixed_message() {
    let view = view(MIXED);
    let outline: Vec<_> = view
        .parts()
        .iter()
        .map(|part| {
            (
                part.depth(),
                part.kind(),
                part.media_type(),
                part.container(),
            )
        })
        .collect();
    assert_eq!(
        outline,
        [
            (0, Kind::Multipart, "multipart/mixed", None),
            (1, Kind::Multipart, "multipart/alternative", Some(0)),
            (2, Kind::Leaf, "text/plain", Some(1)),
            (2, Kind::Leaf, "text/html", Some(1)),
            (1, Kind::Leaf, "application/pdf", Some(0)),
        ]
    );
    assert_eq!(view.defects(), []);
    assert_eq!(view.subject(), Some("Grüße aus Bonn"));
    let authors: Vec<_> = view
        .authors()
        .iter()
        .map(|author| (author.display_name.as_deref(), author.address.as_deref()))
        .collect();
    assert_eq!(
        authors,
        [
            (Some("Jörg"), Some("joerg@example.com")),
            (Some("Ann"), Some("ann@example.org"))
        ]
    );
    let text = &view.parts()[2];
    assert_eq!(text.text(), "Schöne \r\nGrüße");
    assert_eq!(text.charset(), Some("iso-8859-1"));
    assert_eq!(text.encoding(), Encoding::QuotedPrintable);
    let file = &view.parts()[4];
    assert_eq!(file.content().as_ref(), b"%PDF-1");
    assert_eq!(file.file_names(), ["report.pdf", "a.pdf"]);
    assert_eq!(file.disposition(), Disposition::Attachment);
    assert!(
        file.header_section()
            .starts_with(b"Content-Type: APPLICATION")
    );
}

#[test]
fn bare_line_feeds_divide_alike() {
    let with_crlf = view(MIXED);
    let with_lf = view(MIXED.replace("\r\n", "\n"));
    assert_eq!(with_lf.parts().len(), with_crlf.parts().len());
    assert_eq!(with_lf.parts()[2].text(), "Schöne \nGrüße");
    assert_eq!(with_lf.parts()[4].content(), with_crlf.parts()[4].content());
}

#[test]
fn plain_messages() {
    let view = view("From: a@example.com\r\n\r\nhello\r\n");
    assert_eq!(leaves(&view), [("text/plain", "hello\r\n".to_owned())]);
    assert_eq!(view.defects(), []);

    for bytes in ["", "\r\n", "\n", ":", "--", "no fields at all"] {
        let view = self::view(bytes);
        assert_eq!(view.parts().len(), 1, "{bytes:?}");
        assert_eq!(view.defects(), [Defect::MissingFrom], "{bytes:?}");
    }
}

/// An outer delimiter ends an inner multipart that was never closed: what follows must not go unseen.
#[test]
fn unclosed_inner_multipart() {
    let view = view(
        "From: a@example.com\r\nContent-Type: multipart/mixed; boundary=OUT\r\n\r\n\
         --OUT\r\nContent-Type: multipart/alternative; boundary=IN\r\n\r\n\
         --IN\r\n\r\nhello\r\n\
         --OUT\r\nContent-Type: application/octet-stream; name=evil.exe\r\n\r\nMZ\r\n--OUT--\r\n",
    );
    assert_eq!(
        leaves(&view),
        [
            ("text/plain", "hello".to_owned()),
            ("application/octet-stream", "MZ".to_owned())
        ]
    );
    assert_eq!(view.defects(), [Defect::UnclosedMultipart]);
}

#[test]
fn boundary_that_begins_another() {
    // The inner boundary begins with the outer one: the innermost that fits counts.
    let view = view(
        "From: a@example.com\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
         --b\r\nContent-Type: multipart/mixed; boundary=bb\r\n\r\n\
         --bb\r\n\r\none\r\n--bb\r\n\r\ntwo\r\n--bb--\r\n--b\r\n\r\nthree\r\n--b--\r\n",
    );
    let depths: Vec<_> = view.leaves().map(|part| part.depth()).collect();
    assert_eq!(depths, [2, 2, 1]);
    assert_eq!(view.defects(), []);
}

#[test]
fn parts_without_body_or_header() {
    let view = view(
        "From: a@example.com\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
         --b\r\nContent-Type: image/png; name=a.png\r\n--b\r\n--b\r\n\r\n\r\n--b--",
    );
    assert_eq!(
        leaves(&view),
        [
            ("image/png", String::new()),
            ("text/plain", String::new()),
            ("text/plain", String::new())
        ]
    );
}

#[test]
fn broken_multiparts() {
    let missing = view("From: a@example.com\r\nContent-Type: multipart/mixed\r\n\r\nx");
    assert_eq!(missing.defects(), [Defect::MissingBoundary]);
    assert_eq!(leaves(&missing), [("multipart/mixed", "x".to_owned())]);

    let empty = view("From: a@example.com\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\nx");
    assert!(empty.defects().contains(&Defect::EmptyMultipart));
    assert_eq!(leaves(&empty), [("multipart/mixed", "x".to_owned())]);

    let encoded = view(
        "From: a@example.com\r\nContent-Transfer-Encoding: base64\r\n\
         Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--",
    );
    assert_eq!(encoded.defects(), [Defect::EncodedMultipart]);
    assert_eq!(leaves(&encoded), [("text/plain", "x".to_owned())]);
}

#[test]
fn messages_inside() {
    let view = view(
        "From: a@example.com\r\nContent-Type: multipart/digest; boundary=b\r\n\r\n\
         --b\r\n\r\nFrom: inner@example.com\r\nSubject: x\r\n\r\nbody\r\n\
         --b\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n\
         Q29udGVudC1UeXBlOiB0ZXh0L2h0bWwNCg0KaGk=\r\n--b--\r\n",
    );
    let kinds: Vec<_> = view
        .parts()
        .iter()
        .map(|part| (part.kind(), part.container(), part.depth()))
        .collect();
    assert_eq!(
        kinds,
        [
            (Kind::Multipart, None, 0),
            (Kind::Message, Some(0), 1),
            (Kind::Leaf, Some(1), 2),
            (Kind::Message, Some(0), 1),
            (Kind::Leaf, Some(3), 2),
        ]
    );
    assert_eq!(
        leaves(&view),
        [
            ("text/plain", "body".to_owned()),
            ("text/html", "hi".to_owned())
        ]
    );
    assert_eq!(view.authors().len(), 1, "only the outer From counts");
}

#[test]
fn encoded_messages_in_one_another_end() {
    let mut message = b"From: a@example.com\r\n\r\nbody".to_vec();
    for _ in 0..6 {
        let mut outer =
            b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
                .to_vec();
        outer.extend(
            String::from_utf8_lossy(&message)
                .replace('=', "=3D")
                .bytes(),
        );
        message = outer;
    }
    let view = view(&message);
    assert!(view.defects().contains(&Defect::EncodedMessages));
    assert!(view.is_cut_short());
    assert_eq!(view.parts().len(), 4);
}

#[test]
fn file_names() {
    let table: &[(&str, &[&str])] = &[
        ("Content-Type: text/plain; name=a.txt", &["a.txt"]),
        ("Content-Type: text/plain; name=\"a b.txt\"", &["a b.txt"]),
        (
            "Content-Disposition: attachment; filename*=utf-8''%e2%82%ac.exe",
            &["€.exe"],
        ),
        (
            "Content-Disposition: attachment;\r\n filename*0*=utf-8''a%20;\r\n filename*1=\"b.e\";\r\n filename*2=xe",
            &["a b.exe"],
        ),
        (
            "Content-Type: a/b; name=\"=?utf-8?B?ZXZpbC5leGU=?=\"",
            &["evil.exe"],
        ),
        (
            "Content-Type: a/b; name=evil.exe\r\nContent-Disposition: inline; filename=good.txt",
            &["good.txt", "evil.exe"],
        ),
        (
            "Content-Disposition: attachment; filename=good.txt\r\nContent-Disposition: attachment; filename=evil.exe",
            &["good.txt", "evil.exe"],
        ),
        ("content-type : a/b ; NAME = \"x.y\"", &["x.y"]),
        ("Content-Type: text/plain", &[]),
    ];
    for (fields, expected) in table {
        assert_eq!(names(fields), *expected, "{fields}");
    }
}

#[test]
fn repeated_fields() {
    let view = view(
        "From: a@example.com\r\nFrom: b@example.com\r\nContent-Type: text/html\r\n\
         Content-Type: text/plain\r\n\r\nx",
    );
    assert_eq!(view.defects(), [Defect::RepeatedField]);
    assert_eq!(view.authors().len(), 2);
    assert_eq!(view.parts()[0].media_type(), "text/html");
}

#[test]
fn fields_are_bounded() {
    let many = "a@example.com,".repeat(FIELD_BYTES_MAX);
    let names: String = (0..100)
        .map(|n| format!("; name*{n}*=x; filename=n{n}"))
        .collect();
    let view = view(format!(
        "From: {many}\r\nContent-Disposition: attachment{names}\r\n\r\nx"
    ));
    assert_eq!(view.defects(), [Defect::FieldTooLong]);
    assert_eq!(view.authors().len(), AUTHORS_MAX);
    assert!(view.parts()[0].file_names().len() <= NAMES_MAX);
}

#[test]
fn header_of_16_mib() {
    let mut message = b"From: a@example.com\r\nX-Long: ".to_vec();
    message.resize(8 << 20, b'x');
    message.extend_from_slice(b"\r\n");
    message.extend_from_slice(&b"X-Many: y\r\n".repeat(700_000));
    message.extend_from_slice(b"\r\nbody");
    let view = view(&message);
    assert_eq!(leaves(&view), [("text/plain", "body".to_owned())]);
    assert_eq!(view.defects(), []);
}

#[test]
fn deep_multiparts() {
    for levels in [1_000, 100_000] {
        let mut message = String::from("From: a@example.com\r\n");
        for level in 0..levels {
            message += &format!(
                "Content-Type: multipart/mixed; boundary=b{level}x\r\n\r\n--b{level}x\r\n"
            );
        }
        message += "\r\nbody\r\n";
        let view = view(&message);
        assert!(view.defects().contains(&Defect::OverDeep), "{levels}");
        assert_eq!(view.parts().len(), DEPTH_MAX + 1, "{levels}");
    }
}

#[test]
fn deep_messages() {
    for levels in [1_000, 100_000] {
        let message = "Content-Type: message/rfc822\r\n\r\n".repeat(levels);
        let view = view(&message);
        assert!(view.defects().contains(&Defect::OverDeep), "{levels}");
        assert_eq!(view.parts().len(), DEPTH_MAX + 1, "{levels}");
    }
}

#[test]
fn depth_just_within_the_limit() {
    let message = "Content-Type: message/rfc822\r\n\r\n".repeat(DEPTH_MAX) + "From: x\r\n\r\nbody";
    let view = view(&message);
    assert_eq!(view.defects(), [Defect::MissingFrom]);
    assert_eq!(leaves(&view), [("text/plain", "body".to_owned())]);
}

#[test]
fn many_parts() {
    let multipart = |count: usize| {
        let parts = "--b\r\n\r\nx\r\n".repeat(count);
        view(format!(
            "From: a@example.com\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n{parts}--b--\r\n"
        ))
    };
    let full = multipart(PARTS_MAX - 1);
    assert_eq!(full.parts().len(), PARTS_MAX);
    assert_eq!(full.defects(), []);
    let over = multipart(100_000);
    assert_eq!(over.parts().len(), PARTS_MAX);
    assert!(over.defects().contains(&Defect::TooManyParts));
}

/// mail-parser searches the rest of the message for each boundary that never comes.
#[test]
fn boundaries_that_never_come() {
    let part = "--b\r\nContent-Type: multipart/mixed; boundary=never\r\n\r\nx\r\n";
    let view = view(format!(
        "From: a@example.com\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n{}",
        part.repeat(200_000)
    ));
    assert_eq!(view.parts().len(), PARTS_MAX);
    assert!(view.defects().contains(&Defect::EmptyMultipart));
}

/// Each line is compared with each of a hundred open boundaries, until the budget is used up.
#[test]
fn lines_that_are_nearly_boundaries() {
    let mut message = String::from("From: a@example.com\r\n");
    for level in 0..DEPTH_MAX - 1 {
        message +=
            &format!("Content-Type: multipart/mixed; boundary=b{level}x\r\n\r\n--b{level}x\r\n");
    }
    message += "\r\n";
    message += &"--b\r\n".repeat(200_000);
    message += "--b98x\r\n\r\nlast\r\n--b0x\r\n\r\nunseen";
    let view = view(&message);
    assert!(view.defects().contains(&Defect::TooManyBoundaryLines));
    assert!(view.is_cut_short());
    let last = view.leaves().last().expect("some leaf");
    assert!(
        last.content().starts_with(b"last"),
        "the innermost still counts"
    );
}

#[test]
fn head_is_the_beginning_of_content() {
    let view = view(MIXED);
    for part in view.leaves() {
        for length in [0, 1, 2, 3, 5, 1_000] {
            let head = part.head(length);
            let content = super::decode::content(part.raw(), part.encoding());
            assert_eq!(head, content.slice(..content.len().min(length)));
        }
    }
}

/// Pieces of which MIME structures are made, so that random ones nest.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::sample::select(vec![
            "Content-Type: multipart/mixed; boundary=a\r\n",
            "Content-Type: multipart/digest; boundary=\"aa\"\r\n",
            "Content-Type: message/rfc822\r\n",
            "Content-Transfer-Encoding: base64\r\n",
            "Content-Transfer-Encoding: quoted-printable\n",
            "Content-Disposition: attachment; filename*0*=utf-8''%; filename*1=\"",
            "From: \"a\" <a@example.com>, (",
            "Subject: =?utf-8?q?=?= =?x?b?a?=\r\n",
            "--a\r\n",
            "--aa\r\n",
            "--a--\r\n",
            "--aa--",
            "\r\n",
            "\n",
            " ",
            "=",
            "=3D=\r\n",
            "aGVsbG8=",
        ])
        .prop_map(|piece| piece.as_bytes().to_vec()),
        prop::collection::vec(any::<u8>(), 0..12),
    ]
}

proptest! {
    #[test]
    fn any_message_can_be_viewed(pieces in prop::collection::vec(piece(), 0..60)) {
        crate::fuzzing::view(&pieces.concat());
    }

    #[test]
    fn any_bytes_can_be_viewed(message in prop::collection::vec(any::<u8>(), 0..400)) {
        let view = View::parse(&Bytes::from(message));
        prop_assert!(!view.parts().is_empty());
    }

    #[test]
    fn any_parameter_can_be_read(body in "[a-z*=;\"' %0-9?()\\\\\r\n-]{0,80}") {
        let view = view(format!("Content-Type: {body}\r\nContent-Disposition: {body}\r\nFrom: {body}\r\n\r\n"));
        prop_assert!(view.parts()[0].file_names().len() <= NAMES_MAX);
    }
}

use super::*;
use crate::parameters::Offered;
use crate::path::PathError;
use crate::{ForwardPath, ReversePath};

const OFFERED: Offered = Offered {
    smtputf8: true,
    dsn: true,
    prdr: true,
    auth: true,
    require_tls: true,
};

#[test]
fn verbs_are_known_in_any_case() {
    for verb in Verb::ALL {
        let line = verb.as_str().to_lowercase() + " x";
        let parsed = CommandLine::parse(line.as_bytes()).unwrap();
        assert_eq!(
            parsed,
            CommandLine {
                verb,
                argument: "x"
            }
        );
    }
    for line in ["", " ", "EHL", "EHLOX", "MAILFROM:<a@b>", " EHLO x"] {
        let parsed = CommandLine::parse(line.as_bytes()).unwrap();
        assert_eq!(parsed.verb, Verb::Unknown, "{line:?}");
    }
}

#[test]
fn blanks_at_the_end_do_not_matter() {
    let parsed = CommandLine::parse(b"DATA   ").unwrap();
    assert_eq!((parsed.verb, parsed.argument), (Verb::Data, ""));
}

#[test]
fn lines_with_control_characters_are_none() {
    for line in [
        &b"NOOP\0"[..],
        b"NOOP\nx",
        b"NOOP\rx",
        b"NOOP\t",
        b"NOOP\x7f",
        b"\xff",
        b"NOOP \xc3",
        b"NOOP \x80",
        "RCPT TO:<a\u{8d}b@c.example>".as_bytes(),
        "NOOP é".as_bytes(),
        "EHLO\u{a0}x".as_bytes(),
    ] {
        assert_eq!(
            CommandLine::parse(line),
            Err(CommandError::Line),
            "{line:?}"
        );
    }
}

#[test]
fn one_blank_behind_the_colon_is_tolerated() {
    assert!(mail("FROM:<a@b.example>", OFFERED).is_ok());
    assert!(mail("from: <a@b.example>", OFFERED).is_ok());
    let brackets = Err(CommandError::ReversePath(PathError::Brackets));
    assert_eq!(mail("FROM:  <a@b.example>", OFFERED), brackets);
    assert_eq!(
        mail("FROM :<a@b.example>", OFFERED),
        Err(CommandError::Argument)
    );
    assert_eq!(mail("", OFFERED), Err(CommandError::Argument));
    assert_eq!(mail("FROM", OFFERED), Err(CommandError::Argument));
    assert_eq!(
        mail("TO:<a@b.example>", OFFERED),
        Err(CommandError::Argument)
    );
    assert_eq!(mail("FROM:<>", OFFERED).unwrap().0, ReversePath::Null);
    let to = rcpt("TO: <postmaster>", OFFERED, false).unwrap().0;
    assert_eq!(to, ForwardPath::Postmaster);
}

#[test]
fn non_ascii_paths_need_smtputf8() {
    let refused = Err(CommandError::NonAsciiPath);
    assert_eq!(mail("FROM:<é@b.example>", OFFERED), refused);
    assert!(mail("FROM:<é@b.example> SMTPUTF8", OFFERED).is_ok());
    assert!(mail("FROM:<a@xn--bcher-kva.example>", OFFERED).is_ok());
    let refused = Err(CommandError::NonAsciiPath);
    assert_eq!(rcpt("TO:<a@bücher.example>", OFFERED, false), refused);
    assert_eq!(
        rcpt("TO:<a@b.example> ORCPT=utf-8;é@b", OFFERED, false),
        refused
    );
    assert!(rcpt("TO:<a@bücher.example>", OFFERED, true).is_ok());
    // RFC 6533 3: this form of it is ASCII.
    let escaped = rcpt("TO:<a@b.example> ORCPT=utf-8;\\x{E9}@b", OFFERED, false);
    assert_eq!(escaped.unwrap().1.orcpt.as_deref(), Some("utf-8;é@b"));
    assert_eq!(vrfy("é", OFFERED), Err(CommandError::NonAsciiPath));
    assert_eq!(vrfy("é SMTPUTF8", OFFERED), Ok("é"));
}

#[test]
fn chunk_sizes() {
    let chunk = |size, last| Ok(Chunk { size, last });
    assert_eq!(bdat("0"), chunk(0, false));
    assert_eq!(bdat("86 last"), chunk(86, true));
    assert_eq!(bdat("99999999999999999999"), chunk(u64::MAX, false));
    assert_eq!(bdat(""), Err(CommandError::ArgumentMissing));
    for argument in [
        "-1",
        "+1",
        "1x",
        "LAST",
        "1 FIRST",
        "1 LAST x",
        "999999999999999999999",
        "0x10",
    ] {
        assert_eq!(bdat(argument), Err(CommandError::Argument), "{argument}");
    }
}

#[test]
fn xclient_attributes() {
    let attributes = xclient(
        "NAME=spike+2Eexample addr=IPV6:2001:db8::1 LOGIN=[UNAVAILABLE] HELO=[tempunavail]",
    )
    .unwrap();
    assert_eq!(
        attributes,
        [
            (XclientAttribute::Name, Some("spike.example".into())),
            (XclientAttribute::Addr, Some("IPV6:2001:db8::1".into())),
            (XclientAttribute::Login, None),
            (XclientAttribute::Helo, None),
        ]
    );
    for argument in ["NAME", "COLOUR=red", "NAME=a+0Ab", "=x"] {
        assert_eq!(xclient(argument), Err(CommandError::Argument), "{argument}");
    }
    let many = "PORT=1 ".repeat(9);
    assert_eq!(xclient(&many), Err(CommandError::Argument));
    assert_eq!(xclient(""), Err(CommandError::ArgumentMissing));
}

#[test]
fn names_of_clients() {
    assert_eq!(hello("client.example"), Ok("client.example"));
    assert_eq!(hello("my pc_(1)!"), Ok("my pc_(1)!"));
    assert_eq!(hello(""), Err(CommandError::ArgumentMissing));
    assert_eq!(hello("café"), Err(CommandError::Argument));
    assert_eq!(hello(&"a".repeat(256)), Err(CommandError::Argument));
}

#[test]
fn http_is_recognised() {
    assert!(is_http_request(b"GET / HTTP/1.1"));
    assert!(is_http_request(b"POST /x HTTP/1.1"));
    assert!(!is_http_request(b"HELP"));
    assert!(!is_http_request(b"GETAWAY"));
}

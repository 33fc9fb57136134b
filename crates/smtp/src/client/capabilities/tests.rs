//! What an EHLO reply offers, as peers write it.

use super::*;

fn parse(lines: &str) -> Capabilities {
    Capabilities::parse(&Reply::new(250, None, lines))
}

#[test]
fn every_keyword_in_any_case() {
    let capabilities = parse(
        "mx.example.net at your service\nPipelining\nSIZE 1000\n8bitmime\nSMTPUTF8\nDSN\nCHUNKING\n\
         ENHANCEDSTATUSCODES\nRequireTLS\nSTARTTLS\nAUTH plain LOGIN\nAUTH=LOGIN CRAM-MD5\nPRDR\n\
         LIMITS MAILMAX=5 RCPTMAX=20 RCPTDOMAINMAX=1 OTHER=3\nVRFY\nX-ANY thing",
    );
    let expected = Capabilities {
        extended: true,
        name: "mx.example.net".into(),
        starttls: true,
        auth: vec!["PLAIN".into(), "LOGIN".into(), "CRAM-MD5".into()],
        pipelining: true,
        size: true,
        size_max: Some(1000),
        eight_bit_mime: true,
        smtputf8: true,
        dsn: true,
        chunking: true,
        enhanced_status_codes: true,
        prdr: true,
        require_tls: true,
        mail_max: Some(5),
        rcpt_max: Some(20),
        rcpt_domain_max: Some(1),
    };
    assert_eq!(capabilities, expected);
}

#[test]
fn a_size_without_a_limit() {
    for line in [
        "SIZE",
        "SIZE 0",
        "SIZE huge",
        "SIZE 99999999999999999999999",
    ] {
        let capabilities = parse(&format!("mx\n{line}"));
        assert!(capabilities.size, "{line}");
        assert_eq!(capabilities.size_max, None, "{line}");
    }
    assert!(!parse("mx\nSIZEABLE").size);
}

#[test]
fn limits_out_of_range_are_none() {
    for line in [
        "LIMITS RCPTMAX=0",
        "LIMITS RCPTMAX=1000000",
        "LIMITS RCPTMAX",
        "LIMITS RCPTMAX=a",
    ] {
        assert_eq!(parse(&format!("mx\n{line}")).rcpt_max, None, "{line}");
    }
}

#[test]
fn the_greeting_is_no_keyword() {
    assert!(!parse("PIPELINING").pipelining);
}

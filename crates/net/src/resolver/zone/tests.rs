//! Lines of zone texts: records, aliases, broken names, errors with their line.

use proptest::prelude::*;

use super::*;

fn ask(text: &str, name: &str, kind: Kind) -> Result<Vec<Answer>, DnsError> {
    let answered = Zone::parse(text).unwrap().ask(name, kind)?;
    Ok(answered.value)
}

fn texts(texts: &[&str]) -> Result<Vec<Answer>, DnsError> {
    Ok(texts
        .iter()
        .map(|text| Answer::Text((*text).to_owned()))
        .collect())
}

fn ips(ips: &[&str]) -> Result<Vec<Answer>, DnsError> {
    Ok(ips
        .iter()
        .map(|ip| Answer::Ip(ip.parse().unwrap()))
        .collect())
}

#[test]
fn records_are_found_by_name_and_type() {
    let zone = "
        ; hosts
        mx.example.net.      A     192.0.2.1
        MX.Example.NET 300 IN A    192.0.2.2  ; another
        mx.example.net  in   aaaa  2001:db8::1
    ";
    assert_eq!(
        ask(zone, "mx.example.net", Kind::A),
        ips(&["192.0.2.1", "192.0.2.2"])
    );
    assert_eq!(
        ask(zone, "mx.example.net", Kind::Aaaa),
        ips(&["2001:db8::1"])
    );
    assert_eq!(
        ask(zone, "mx.example.net", Kind::Mx),
        Err(DnsError::NoRecord)
    );
    assert_eq!(
        ask(zone, "other.example.net", Kind::A),
        Err(DnsError::NoSuchName)
    );
    // RFC 8020: what has names below it exists; a name that only ends alike is none of them.
    for (name, error) in [
        ("example.net", DnsError::NoRecord),
        ("ample.net", DnsError::NoSuchName),
    ] {
        assert_eq!(ask(zone, name, Kind::A), Err(error), "{name}");
    }
}

#[test]
fn strings_keep_what_is_quoted() {
    let zone = r#"
        example.net TXT "v=spf1 ip4:192.0.2.0/24; " -all ; comment
        example.net TXT "say \"yes\" \\" ""
    "#;
    assert_eq!(
        ask(zone, "example.net", Kind::Txt),
        texts(&["v=spf1 ip4:192.0.2.0/24; -all", "say \"yes\" \\"])
    );
}

#[test]
fn aliases_are_followed_and_loops_are_not() {
    let zone = "
        www.example.net CNAME web.example.net
        web.example.net CNAME host.example.net
        host.example.net A 192.0.2.1
        loop.example.net CNAME pool.example.net
        pool.example.net CNAME loop.example.net
        lost.example.net CNAME nowhere.example.net
    ";
    assert_eq!(ask(zone, "www.example.net", Kind::A), ips(&["192.0.2.1"]));
    let error = ask(zone, "loop.example.net", Kind::A).unwrap_err();
    assert_eq!(
        error.to_string(),
        "DNS gives no answer: more than 8 CNAMEs, or a loop of them"
    );
    assert_eq!(
        ask(zone, "lost.example.net", Kind::A),
        Err(DnsError::NoSuchName)
    );
}

#[test]
fn broken_names_fail_for_every_type() {
    let zone = "down.example SERVFAIL\nslow.example TIMEOUT\nalias.example CNAME slow.example\n";
    for (name, detail) in [
        ("down.example", "the nameserver says Server Failure"),
        ("slow.example", "timeout"),
        ("alias.example", "timeout"),
    ] {
        for kind in [Kind::A, Kind::Aaaa, Kind::Ptr, Kind::Txt, Kind::Mx] {
            assert_eq!(
                ask(zone, name, kind),
                Err(DnsError::Temporary {
                    detail: detail.to_owned()
                })
            );
        }
    }
}

#[test]
fn errors_name_the_line() {
    for (line, expected) in [
        (
            "example.net",
            "line 2: a type is missing: write NAME TYPE DATA",
        ),
        (
            "example.net 300 IN",
            "line 2: a type is missing: write NAME TYPE DATA",
        ),
        (
            "example.net A 2001:db8::1",
            "line 2: \"2001:db8::1\" is not an IPv4 address",
        ),
        (
            "example.net AAAA 192.0.2.1",
            "line 2: \"192.0.2.1\" is not an IPv6 address",
        ),
        (
            "example.net A",
            "line 2: A has too much data, or too little",
        ),
        (
            "example.net A 192.0.2.1 192.0.2.2",
            "line 2: A has too much data, or too little",
        ),
        (
            "example.net TIMEOUT 5",
            "line 2: TIMEOUT has too much data, or too little",
        ),
        (
            "example.net MX ten mx.example.net",
            "line 2: \"ten\" is not a preference",
        ),
        (
            "example.net MX 65536 mx.example.net",
            "line 2: \"65536\" is not a preference",
        ),
        (
            "example.net CNAME a..b",
            "line 2: \"a..b\" is no domain name",
        ),
        (". A 192.0.2.1", "line 2: \".\" is no domain name"),
        (
            "example.net TXT \"open",
            "line 2: a quotation mark is not closed",
        ),
        (
            "_25._tcp.example.net TLSA 3 1 1 0g",
            "line 2: \"0g\" is not hexadecimal",
        ),
        (
            "_25._tcp.example.net TLSA 3 1 1 012",
            "line 2: \"012\" is not hexadecimal",
        ),
        (
            "_25._tcp.example.net TLSA 3 1 1",
            "line 2: TLSA has too much data, or too little",
        ),
        (
            "example.net SRV 0 0 25 mx.example.net",
            "line 2: unknown type SRV: one of A AAAA CNAME MX PTR SECURE SERVFAIL TIMEOUT TLSA TXT",
        ),
    ] {
        assert_eq!(
            Zone::parse(&format!("\n{line}\n")).unwrap_err().to_string(),
            expected,
            "{line:?}"
        );
    }
}

proptest! {
    #[test]
    fn any_text_is_taken_or_told(text in "([a-z.]{0,9}[ \t](IN )?(A|TXT|MX|CNAME|TLSA|SECURE)[ \t][0-9a-z.\"\\\\;\\PC]{0,20}\n){0,4}") {
        if let Ok(zone) = Zone::parse(&text) {
            for name in zone.owners.keys() {
                for kind in [Kind::A, Kind::Txt, Kind::Mx, Kind::Tlsa, Kind::Cname] {
                    let _ = zone.ask(name, kind);
                }
            }
        }
    }

    #[test]
    fn a_quoted_string_comes_back(text in "[^\r\n\u{b}\u{c}\u{85}\u{2028}\u{2029}]{1,40}") {
        let quoted = text.replace('\\', "\\\\").replace('"', "\\\"");
        prop_assert_eq!(ask(&format!("example.net TXT \"{quoted}\""), "example.net", Kind::Txt), texts(&[&text]));
    }
}

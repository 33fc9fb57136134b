//! Each form of value, right and wrong.

use super::*;

#[test]
fn sizes() {
    for (text, expected) in [
        ("0", 0),
        ("100", 100),
        ("100B", 100),
        ("1kB", 1000),
        ("50MiB", 50 << 20),
        ("2 GiB", 2 << 30),
        ("3GB", 3_000_000_000),
    ] {
        assert_eq!(bytes(text), Ok(expected), "{text}");
    }
    for text in [
        "",
        "MiB",
        "-1",
        "+1",
        "1.5MiB",
        "50M",
        "50mib",
        "99999999999GiB",
        "1 2",
    ] {
        assert!(bytes(text).is_err(), "{text}");
    }
}

#[test]
fn durations() {
    for (text, milliseconds) in [
        ("0s", 0),
        ("250ms", 250),
        ("30s", 30_000),
        ("45", 45_000),
        ("5m", 300_000),
        ("5min", 300_000),
        ("1h30m", 5_400_000),
        ("1d 2h", 93_600_000),
    ] {
        assert_eq!(
            duration(text),
            Ok(Duration::from_millis(milliseconds)),
            "{text}"
        );
    }
    for text in [
        "",
        "s",
        "-1s",
        "1.5s",
        "1m1h",
        "1s1s",
        "30s5",
        "9999999999999999999d",
        "5 x",
    ] {
        assert!(duration(text).is_err(), "{text}");
    }
}

#[test]
fn networks() {
    assert_eq!(network("192.0.2.1"), Ok("192.0.2.1/32".parse().unwrap()));
    assert_eq!(
        network("2001:db8::/32"),
        Ok("2001:db8::/32".parse().unwrap())
    );
    let fault = network("192.0.2.1/24").unwrap_err();
    assert!(fault.remedy.contains("192.0.2.0/24"), "{}", fault.remedy);
    for text in ["", "192.0.2", "192.0.2.0/33", "example.org", "::/129"] {
        assert!(network(text).is_err(), "{text}");
    }
}

#[test]
fn sockets_and_nameservers() {
    assert!(socket("127.0.0.1:0").is_ok());
    assert!(socket("[::]:25").is_ok());
    assert!(
        socket(":25")
            .unwrap_err()
            .remedy
            .contains("\"0.0.0.0:25\" and \"[::]:25\"")
    );
    assert!(
        socket("127.0.0.1")
            .unwrap_err()
            .remedy
            .contains("add the port")
    );
    assert!(socket("localhost:25").is_err());
    assert_eq!(
        nameserver("192.0.2.53"),
        Ok("192.0.2.53:53".parse().unwrap())
    );
    assert_eq!(nameserver("[::1]:5353"), Ok("[::1]:5353".parse().unwrap()));
    assert!(nameserver("dns.example").is_err());
}

#[test]
fn addresses_round_trip() {
    for text in [
        "127.0.0.1:3310",
        "[::1]:3310",
        "clamd.example:3310",
        "unix:/run/clamd.ctl",
    ] {
        assert_eq!(address(text).unwrap().to_string(), text);
    }
    for text in [
        "",
        "127.0.0.1",
        "::1:3310",
        "host:0",
        "host:70000",
        "host:+1",
        ":3310",
        "unix:x",
        "a b:1",
    ] {
        assert!(address(text).is_err(), "{text}");
    }
}

#[test]
fn names_and_texts() {
    assert_eq!(host_name("MX.Example.NET"), Ok("mx.example.net".to_owned()));
    for text in [
        "",
        "192.0.2.1",
        "a..b",
        "-a.example",
        "a b",
        &"a".repeat(64),
        "mx.example.",
    ] {
        assert!(host_name(text).is_err(), "{text}");
    }
    assert!(name("inbound-1").is_ok());
    for text in ["", "a b", "ä", "a\"b", &"a".repeat(65)] {
        assert!(name(text).is_err(), "{text}");
    }
    assert!(super::text("two\nlines").is_ok());
    assert!(
        super::text(" ").is_err()
            && super::text("a\tb").is_err()
            && super::text(&"a".repeat(2001)).is_err()
    );
    assert!(mailbox("postmaster@example.net").is_ok());
    assert!(
        mailbox("postmaster").is_err()
            && mailbox("@a.example").is_err()
            && mailbox("a b@c.example").is_err()
    );
    assert_eq!(extension(".ISO"), Ok("iso".to_owned()));
    assert!(extension("").is_err() && extension("a/b").is_err());
}

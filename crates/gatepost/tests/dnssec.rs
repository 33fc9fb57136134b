//! What the resolver says is secure, with a real validating name server (unbound) and zones that are signed, unsigned, broken, or
//! silent.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test that can't go on fails"
)]

#[path = "e2e/support.rs"]
mod support;

use net::resolver::{DnsError, Dnssec, Resolver};
use support::dns::{Dns, Zones};

const RECORDS: &str = "@ MX 10 mx\nmx A 192.0.2.1\nmx AAAA 2001:db8::1\nwww CNAME mx\nout CNAME mx.plain.test.\n\
                       _25._tcp.mx TLSA 3 1 1 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n\
                       text TXT \"a\"";

fn server() -> Dns {
    Zones::new()
        .signed("signed.test", RECORDS)
        .unsigned("plain.test", RECORDS)
        .bogus("bogus.test", RECORDS)
        .silent("silent.test")
        .start()
}

fn resolver(dns: &Dns, dnssec: Dnssec) -> Resolver {
    let resolver = Resolver::from_nameservers(&[dns.address()]).unwrap();
    assert!(resolver.is_local());
    resolver.with_dnssec(dnssec)
}

#[tokio::test]
async fn answers_are_secure_where_signatures_prove_them_and_only_if_asked_for() {
    let dns = server();
    for (dnssec, zone, secure) in [
        (Dnssec::Trust, "signed.test", true),
        (Dnssec::Off, "signed.test", false),
        (Dnssec::Trust, "plain.test", false),
    ] {
        let resolver = resolver(&dns, dnssec);
        let mx = resolver.mx_answer(zone).await.unwrap();
        assert_eq!((mx.value.len(), mx.secure), (1, secure), "MX of {zone}");
        let host = format!("mx.{zone}");
        let ips = resolver.ip_by_family(&host).await;
        assert_eq!(ips.ipv4.unwrap().secure, secure, "A of {host}");
        assert_eq!(ips.ipv6.unwrap().secure, secure, "AAAA of {host}");
        let tlsa = resolver.tlsa(25, &host).await.unwrap();
        assert_eq!((tlsa.value.len(), tlsa.secure), (1, secure));
        assert_eq!(tlsa.value[0].data.len(), 32);
        let alias = resolver
            .ip_by_family(&format!("www.{zone}"))
            .await
            .ipv4
            .unwrap();
        assert_eq!((alias.name, alias.secure), (host, secure));
    }
}

#[tokio::test]
async fn an_alias_out_of_a_signed_zone_is_not_secure_though_its_own_record_is() {
    let dns = server();
    let resolver = resolver(&dns, Dnssec::Trust);
    let led = resolver.ip_by_family("out.signed.test").await.ipv4.unwrap();
    assert_eq!((led.name.as_str(), led.secure), ("mx.plain.test", false));
    let alias = resolver.alias("out.signed.test").await.unwrap();
    assert_eq!(
        (alias.value.as_str(), alias.secure),
        ("mx.plain.test", true)
    );
}

#[tokio::test]
async fn what_is_not_there_is_told_apart_from_what_does_not_exist() {
    let dns = server();
    for dnssec in [Dnssec::Off, Dnssec::Trust] {
        let resolver = resolver(&dns, dnssec);
        for zone in ["signed.test", "plain.test"] {
            let text = format!("text.{zone}");
            assert_eq!(resolver.mx_answer(&text).await, Err(DnsError::NoRecord));
            let gone = format!("gone.{zone}");
            assert_eq!(resolver.mx_answer(&gone).await, Err(DnsError::NoSuchName));
            assert_eq!(resolver.tlsa(25, &text).await, Err(DnsError::NoSuchName));
        }
    }
}

/// RFC 7672 2.1.1: what fails to validate is no absence. Nothing may be concluded from it.
#[tokio::test]
async fn wrong_signatures_and_silence_are_temporary() {
    let dns = server();
    let resolver = resolver(&dns, Dnssec::Trust);
    for zone in ["bogus.test", "silent.test"] {
        let mx = resolver.mx_answer(zone).await.unwrap_err();
        assert!(matches!(mx, DnsError::Temporary { .. }), "{zone}: {mx}");
        let tlsa = resolver.tlsa(25, &format!("mx.{zone}")).await.unwrap_err();
        assert!(matches!(tlsa, DnsError::Temporary { .. }), "{zone}: {tlsa}");
    }
}

//! The peers themselves: that a signed zone is proven, a spoiled one refused and a silent one silent, that Exim takes messages
//! and the policy host serves its policy. When these fail, look here first and not at the gateway.

use crate::support::authority::{Authority, Issued};
use crate::support::daemons::process::program;
use crate::support::dns::{Dns, Zones};
use crate::support::exim::Exim;
use crate::support::hostile_dns::HostileDns;
use crate::support::message;
use crate::support::policy_host::{PolicyHost, policy};
use crate::support::programs::{curl, run, swaks};

/// What drill shows of the answer, with DNSSEC asked for.
fn drill(port: u16, arguments: &[&str]) -> String {
    let drill = program(&["/usr/bin/drill"], "ldnsutils");
    let port = port.to_string();
    let mut all = vec!["-D", "-p", &port, "@127.0.0.1"];
    all.extend(arguments);
    run(&drill, &all, b"").text
}

fn ask(dns: &Dns, arguments: &[&str]) -> String {
    drill(dns.address().port(), arguments)
}

#[test]
fn the_name_server_proves_what_is_signed() {
    let records = "@ IN MX 10 mx\nmx IN A 127.0.0.9\n_25._tcp.mx IN TLSA 3 1 1 ABCD";
    let dns = Zones::new()
        .signed("signed.example", records)
        .unsigned("unsigned.example", records)
        .bogus("bogus.example", records)
        .start();
    let proven = ask(&dns, &["mx", "signed.example"]);
    assert!(
        proven.contains("flags: qr rd ra ad") && proven.contains("10 mx.signed.example."),
        "{proven}"
    );
    // That there is none is proven too.
    let denied = ask(&dns, &["tlsa", "_25._tcp.other.signed.example"]);
    assert!(
        denied.contains("NXDOMAIN") && denied.contains(" ad "),
        "{denied}"
    );
    let unproven = ask(&dns, &["tlsa", "_25._tcp.mx.unsigned.example"]);
    assert!(
        unproven.contains("3 1 1 abcd") && !unproven.contains(" ad "),
        "{unproven}"
    );
    for question in [
        ["mx", "bogus.example"],
        ["a", "mx.bogus.example"],
        ["tlsa", "_25._tcp.mx.bogus.example"],
    ] {
        let bogus = ask(&dns, &question);
        assert!(bogus.contains("SERVFAIL"), "{bogus}");
    }
    let unknown = ask(&dns, &["a", "nowhere.example.org"]);
    assert!(unknown.contains("NXDOMAIN"), "{unknown}");
}

#[test]
fn the_hostile_name_server_lies() {
    let hostile = HostileDns::start();
    let port = hostile.address().port();
    for (name, sign) in [
        ("servfail.example", "SERVFAIL"),
        ("refused.example", "REFUSED"),
        ("loop.example", "CNAME\tloop2.example."),
        ("chain7.example", "CNAME\tchain8.example."),
        ("many.example", "499 1f3.many.example."),
        ("oversized.example", "MX\t2000 7d0.oversized.example."),
        ("nowhere.example", "NXDOMAIN"),
    ] {
        let said = drill(port, &["-b", "65000", "mx", name]);
        assert!(said.contains(sign), "{name}: {said}");
    }
}

#[test]
fn exim_delivers_what_it_takes() {
    let folder = tempfile::tempdir().unwrap();
    let (chain, key) = Issued::by_itself(&["exim.test"]).files(folder.path(), "exim");
    let main = format!(
        "tls_certificate = {}\ntls_privatekey = {}\n",
        chain.display(),
        key.display()
    );
    let exim = Exim::start(folder.path(), &main);
    let address = exim.address();
    let server = address.ip().to_string();
    let port = address.port().to_string();
    let arguments = [
        "--server",
        &server,
        "--port",
        &port,
        "--tls",
        "--from",
        "ann@example.net",
        "--to",
        "bob@example.com",
    ];
    swaks(&arguments, &message("to Exim")).expect_success();
    let delivered = exim.one();
    assert!(
        delivered.contains("Return-path: <ann@example.net>")
            && delivered.contains("as we said.")
            && delivered.contains("with esmtps"),
        "{delivered}"
    );
}

#[test]
fn the_policy_host_serves_its_policy() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let file = authority.file(folder.path()).display().to_string();
    let issued = authority.issue(&["mta-sts.example.com"]);
    let host = PolicyHost::start(&issued, &policy("enforce", &["mx.example.com"]));
    let resolve = format!("mta-sts.example.com:443:{}", host.ip());
    let fetch = |url: &str| {
        // Its own certificate store is left out: the authority alone is trusted.
        run(
            &program(&["/usr/bin/curl"], "curl"),
            &[
                "--silent",
                "--show-error",
                "--fail",
                "--cacert",
                &file,
                "--resolve",
                &resolve,
                url,
            ],
            b"",
        )
    };
    let text = fetch("https://mta-sts.example.com/.well-known/mta-sts.txt").expect_success();
    assert!(
        text.contains("mode: enforce\r\nmx: mx.example.com\r\n"),
        "{text}"
    );
    assert_eq!(host.asked(), 1);
    host.publish("");
    fetch("https://mta-sts.example.com/.well-known/mta-sts.txt").expect_refusal(&["404"]);
    let expired = authority.issue_expired(&["mta-sts.example.com"]);
    let host = PolicyHost::start(&expired, &policy("none", &[]));
    let resolve = format!("mta-sts.example.com:443:{}", host.ip());
    let arguments = [
        "--cacert",
        &file,
        "--resolve",
        &resolve,
        "https://mta-sts.example.com/",
    ];
    let refused = curl(&arguments, b"");
    refused.expect_refusal(&["certificate"]);
}

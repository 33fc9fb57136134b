//! REQUIRETLS (RFC 8689): a message that demands it goes only to servers that prove themselves and offer it, and is returned
//! where there is none; `TLS-Required: No` asks for the opposite.

use std::path::PathBuf;

use crate::support::authority::{Authority, Issued};
use crate::support::certificates::Certificate;
use crate::support::dns::{Dns, Zones};
use crate::support::gateway::{Gateway, Setup};
use crate::support::message;
use crate::support::programs::python;
use crate::support::reports::report;
use crate::support::sink::{Manner, Sink};

/// A client that asks for REQUIRETLS, which no ordinary one does.
const CLIENT: &str = "
import smtplib, ssl, sys
host, port, recipient = sys.argv[1:]
with smtplib.SMTP(host, int(port), local_hostname='python.example.net', timeout=30) as client:
    client.starttls(context=ssl._create_unverified_context())
    client.ehlo()
    assert client.has_extn('requiretls'), client.esmtp_features
    client.sendmail('ann@example.net', [recipient], sys.stdin.buffer.read(), mail_options=['REQUIRETLS'])
";

struct Demanding {
    gateway: Gateway,
    sink: Sink,
    reports: Sink,
    _dns: Dns,
    _folder: tempfile::TempDir,
}

impl Demanding {
    /// A server of that manner for mx.tls.example in a signed zone, with these TLSA data if any.
    fn start(manner: Manner, authority: &Authority, tlsa: Option<String>) -> Demanding {
        let folder = tempfile::tempdir().unwrap();
        let (sink, reports) = (manner.start_as_host(), Sink::smtp());
        let mut records = format!("@ IN MX 10 mx\nmx IN A {}\n", sink.ip());
        if let Some(data) = tlsa {
            records.push_str(&format!("_25._tcp.mx IN TLSA {data}\n"));
        }
        let dns = Zones::new().signed("tls.example", &records).start();
        let own = Certificate::make(folder.path(), "mx.gatepost.test");
        let ca_file: PathBuf = authority.file(folder.path());
        let gateway = Setup::new()
            .node("trusted_networks = [\"127.0.0.0/8\"]")
            .nameserver(dns.address())
            .listener(&format!(
                "requiretls = true\ntls = {{ certificates = [{}] }}",
                own.entry()
            ))
            .more(&format!(
                "[tls_policy]\nca_file = \"{}\"",
                ca_file.display()
            ))
            .route_for("*", "mx", "retry_min = \"1s\"\nretry_max = \"2s\"")
            .route_for(
                "example.net",
                reports.nexthop(),
                "cut_through = false\nnexthop_tls = \"opportunistic\"",
            )
            .start();
        Demanding {
            gateway,
            sink,
            reports,
            _dns: dns,
            _folder: folder,
        }
    }

    fn send(&self) {
        let address = self.gateway.address();
        let arguments = [
            &address.ip().to_string(),
            &address.port().to_string(),
            "bob@tls.example",
        ]
        .map(str::to_owned);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        python(CLIENT, &arguments, &message("for TLS only")).expect_success();
    }
}

fn proven(authority: &Authority) -> (Issued, Option<String>) {
    let issued = authority.issue(&["mx.tls.example"]);
    let tlsa = issued.tlsa();
    (issued, Some(tlsa))
}

#[test]
fn a_server_that_proves_itself_and_offers_it_is_told_of_it() {
    let authority = Authority::new();
    let (issued, tlsa) = proven(&authority);
    let manner = Manner::smtp().tls(&issued).offers("REQUIRETLS");
    let it = Demanding::start(manner, &authority, tlsa);
    it.send();
    let received = it.sink.one();
    assert!(received.is_encrypted);
    assert!(received.mail.contains(" REQUIRETLS"), "{}", received.mail);
    it.gateway.await_empty_queue();
    assert_eq!(it.reports.received(), []);
}

#[test]
fn a_server_that_does_not_offer_it_gets_nothing() {
    let authority = Authority::new();
    let (issued, tlsa) = proven(&authority);
    let it = Demanding::start(Manner::smtp().tls(&issued), &authority, tlsa);
    it.send();
    let attempt = it.gateway.attempt("bob@tls.example", "failed");
    // RFC 8689 5: 5.7.30, REQUIRETLS support required.
    assert_eq!(attempt.status, "5.7.30", "{attempt:#?}");
    assert_eq!(it.sink.count("MAIL"), 0, "{:?}", it.sink.commands());
}

#[test]
fn a_server_that_proves_nothing_gets_nothing() {
    let authority = Authority::new();
    let nobody = Issued::by_itself(&["mx.tls.example"]);
    let offers = |manner: Manner| manner.offers("REQUIRETLS");
    // RFC 3463 3.8: 4.7.5, cryptographic failure. Both can be mended, so that it is waited for.
    for (name, manner) in [
        ("clear", offers(Manner::smtp())),
        ("self-signed", offers(Manner::smtp().tls(&nobody))),
    ] {
        let it = Demanding::start(manner, &authority, None);
        it.send();
        let attempt = it.gateway.attempt("bob@tls.example", "delayed");
        assert_eq!(attempt.status, "4.7.5", "{name}: {attempt:#?}");
        assert_eq!(it.sink.count("MAIL"), 0, "{name}: {:?}", it.sink.commands());
        assert_eq!(it.reports.received(), [], "{name}");
    }
}

#[test]
fn a_route_without_tls_can_never_have_it() {
    let authority = Authority::new();
    let (issued, tlsa) = proven(&authority);
    let manner = Manner::smtp().tls(&issued).offers("REQUIRETLS");
    let it = Demanding::start(manner, &authority, tlsa);
    it.gateway.edit(
        "domains = [\"*\"]",
        "domains = [\"*\"]\nnexthop_tls = \"off\"",
    );
    assert!(it.gateway.command(&["reload"]).status.success());
    it.send();
    let attempt = it.gateway.attempt("bob@tls.example", "failed");
    assert_eq!(attempt.status, "5.7.30", "{attempt:#?}");
    assert_eq!(it.sink.count("MAIL"), 0, "{:?}", it.sink.commands());
}

#[test]
fn its_report_does_not_leave_in_clear_what_was_for_tls_only() {
    let authority = Authority::new();
    let (issued, tlsa) = proven(&authority);
    let it = Demanding::start(Manner::smtp().tls(&issued), &authority, tlsa);
    it.send();
    it.gateway.attempt("bob@tls.example", "failed");
    // RFC 8689 5: a report goes with REQUIRETLS too, or holds no more than the header section.
    let received = it.reports.received();
    for received in received {
        let report = report(&received.content);
        assert!(
            !report["returned"].as_str().unwrap().contains("as we said"),
            "{report:#}"
        );
    }
}

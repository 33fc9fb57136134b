//! MTA-STS (RFC 8461) with a real policy host: a policy in force lets messages go only to the servers that it names and that
//! prove their name, one under test changes nothing, and what cannot be fetched is no policy.

use crate::support::authority::{Authority, Issued};
use crate::support::dns::{Dns, Zones};
use crate::support::gateway::{Gateway, Setup};
use crate::support::loopback;
use crate::support::message;
use crate::support::policy_host::{PolicyHost, policy};
use crate::support::sink::{Manner, Sink};

/// A domain with a policy, its only server, and a gateway that trusts the authority of both.
struct Strict {
    gateway: Gateway,
    sink: Sink,
    host: PolicyHost,
    _dns: Dns,
    _folder: tempfile::TempDir,
}

/// Who shows which certificate.
struct Shown<'a> {
    /// By the server that takes messages; none: no STARTTLS.
    server: Option<&'a Issued>,
    /// By the policy host.
    host: &'a Issued,
}

impl Strict {
    fn start(authority: &Authority, shown: &Shown<'_>, policy: &str) -> Strict {
        let folder = tempfile::tempdir().unwrap();
        let ca_file = authority.file(folder.path());
        let manner = match shown.server {
            Some(issued) => Manner::smtp().tls(issued),
            None => Manner::smtp(),
        };
        let sink = manner.start_as_host();
        let host = PolicyHost::start(shown.host, policy);
        let records = format!(
            "@ IN MX 10 mx\nmx IN A {}\nmta-sts IN A {}\n_mta-sts IN TXT \"v=STSv1; id=1;\"",
            sink.ip(),
            host.ip()
        );
        let dns = Zones::new().unsigned("sts.example", &records).start();
        let gateway = Setup::new()
            .node("trusted_networks = [\"127.0.0.0/8\"]")
            .nameserver(dns.address())
            .more(&format!(
                "[tls_policy]\nca_file = \"{}\"",
                ca_file.display()
            ))
            .route_for("*", "mx", "retry_min = \"1s\"\nretry_max = \"2s\"")
            .start();
        gateway.submit(&["bob@sts.example"], &message("MTA-STS"));
        Strict {
            gateway,
            sink,
            host,
            _dns: dns,
            _folder: folder,
        }
    }

    #[track_caller]
    fn arrives(&self, is_encrypted: bool) {
        self.gateway.attempt("bob@sts.example", "delivered");
        assert_eq!(self.sink.one().is_encrypted, is_encrypted);
    }

    #[track_caller]
    fn waits(&self, status: &str) {
        let detail = self.gateway.unreachable("mx.sts.example");
        assert!(detail.starts_with(status), "{detail}");
        assert_eq!(self.sink.count("MAIL"), 0, "{:?}", self.sink.commands());
        assert_eq!(self.sink.received(), []);
    }
}

/// The policy host's own certificate is right.
fn host_of(authority: &Authority) -> Issued {
    authority.issue(&["mta-sts.sts.example"])
}

#[test]
fn a_server_that_the_policy_names_and_that_proves_it_gets_messages() {
    let authority = Authority::new();
    let (host, right) = (host_of(&authority), authority.issue(&["mx.sts.example"]));
    let shown = Shown {
        server: Some(&right),
        host: &host,
    };
    for pattern in ["mx.sts.example", "*.sts.example"] {
        let strict = Strict::start(&authority, &shown, &policy("enforce", &[pattern]));
        strict.arrives(true);
        assert_eq!(strict.host.asked(), 1);
        // The policy is kept, and asked for no more than its record says (RFC 8461 3.3 and 5.1).
        strict
            .gateway
            .submit(&["ann@sts.example"], &message("again"));
        strict.gateway.attempt("ann@sts.example", "delivered");
        assert_eq!(strict.host.asked(), 1);
    }
}

#[test]
fn servers_that_prove_nothing_get_nothing_where_the_policy_is_enforced() {
    let authority = Authority::new();
    let host = host_of(&authority);
    let enforced = policy("enforce", &["mx.sts.example"]);
    for issued in [
        authority.issue(&["other.example"]),
        authority.issue_expired(&["mx.sts.example"]),
        Issued::by_itself(&["mx.sts.example"]),
    ] {
        let shown = Shown {
            server: Some(&issued),
            host: &host,
        };
        Strict::start(&authority, &shown, &enforced).waits("4.7.5");
    }
    let plain = Shown {
        server: None,
        host: &host,
    };
    Strict::start(&authority, &plain, &enforced).waits("4.7.5");
}

#[test]
fn servers_that_the_policy_does_not_name_get_nothing() {
    let authority = Authority::new();
    let (host, right) = (host_of(&authority), authority.issue(&["mx.sts.example"]));
    let shown = Shown {
        server: Some(&right),
        host: &host,
    };
    let strict = Strict::start(
        &authority,
        &shown,
        &policy("enforce", &["mx.other.example"]),
    );
    strict.waits("4.7.0");
    // They are not even asked.
    assert_eq!(strict.sink.connections(), 0);
}

#[test]
fn a_policy_under_test_or_withdrawn_stops_nothing() {
    let authority = Authority::new();
    let (host, wrong) = (host_of(&authority), authority.issue(&["other.example"]));
    let shown = Shown {
        server: Some(&wrong),
        host: &host,
    };
    for mode in ["testing", "none"] {
        Strict::start(&authority, &shown, &policy(mode, &["mx.sts.example"])).arrives(true);
    }
    let plain = Shown {
        server: None,
        host: &host,
    };
    Strict::start(&authority, &plain, &policy("testing", &["mx.sts.example"])).arrives(false);
}

#[test]
fn what_cannot_be_fetched_safely_is_no_policy() {
    let authority = Authority::new();
    let wrong = authority.issue(&["other.example"]);
    let enforced = policy("enforce", &["mx.sts.example"]);
    // RFC 8461 3.3: the host's certificate must be right, or there is no policy; nor is there one in what makes no sense.
    for host in [
        authority.issue(&["other.example"]),
        authority.issue_expired(&["mta-sts.sts.example"]),
        Issued::by_itself(&["mta-sts.sts.example"]),
    ] {
        let shown = Shown {
            server: Some(&wrong),
            host: &host,
        };
        Strict::start(&authority, &shown, &enforced).arrives(true);
    }
    let host = host_of(&authority);
    let shown = Shown {
        server: Some(&wrong),
        host: &host,
    };
    for broken in [
        String::new(),
        "mode: enforce\nmx: mx.sts.example\nmax_age: 86400\n".to_owned(),
        format!("{}{}", enforced, "mx: x\n".repeat(200_000)),
    ] {
        Strict::start(&authority, &shown, &broken).arrives(true);
    }
}

#[test]
fn a_known_policy_outlives_its_host_and_the_gateway() {
    let authority = Authority::new();
    let (host, right) = (host_of(&authority), authority.issue(&["mx.sts.example"]));
    let shown = Shown {
        server: Some(&right),
        host: &host,
    };
    let Strict {
        mut gateway,
        sink,
        host,
        _dns: dns,
        _folder: folder,
    } = Strict::start(&authority, &shown, &policy("enforce", &["mx.sts.example"]));
    gateway.attempt("bob@sts.example", "delivered");
    sink.take();
    drop(host);
    // The server that takes messages is replaced by one without a certificate, and the DNS forgets the policy.
    let impostor = Manner::smtp().start_as_host();
    drop(dns);
    let records = format!(
        "@ IN MX 10 mx\nmx IN A {}\nmta-sts IN A {}",
        impostor.ip(),
        loopback::address()
    );
    let dns = Zones::new().unsigned("sts.example", &records).start();
    let nameservers = std::fs::read_to_string(gateway.config()).unwrap();
    let old = nameservers
        .lines()
        .find(|line| line.starts_with("nameservers"))
        .unwrap();
    gateway.edit(old, &format!("nameservers = [\"{}\"]", dns.address()));
    gateway.restart();
    gateway.submit(&["ann@sts.example"], &message("downgrade"));
    let detail = gateway.unreachable("mx.sts.example");
    assert!(detail.starts_with("4.7.5"), "{detail}");
    assert_eq!(impostor.received(), []);
    drop(folder);
}

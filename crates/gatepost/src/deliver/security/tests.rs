//! What a server must prove, by records, policies, routes and demands; and what becomes of servers that do not.

use std::fmt::Write as _;

use bytes::Bytes;
use net::tls::{Proof, TlsFault};
use smtp::{Class, Status};
use tokio::net::TcpStream;

use super::*;
use crate::deliver::double::{Authority, Issued, Page, WebServer, tls_server};
use crate::deliver::tls_reports::TlsReports;

const HOST: &str = "mx.example.net";
const DOMAIN: &str = "example.net";
const PORT: u16 = 25;
const SIGNED: &str = "example.net SECURE\n";

/// A server of the domain, with DNS and web server around it.
struct World {
    authority: Authority,
    issued: Issued,
    zone: String,
    policy: Option<WebServer>,
    settings: TlsPolicy,
}

impl World {
    fn new() -> World {
        World::with(|authority| authority.issue(HOST))
    }

    fn with(issue: impl Fn(&Authority) -> Issued) -> World {
        let authority = Authority::new();
        World {
            issued: issue(&authority),
            zone: "mta-sts.example.net A 127.0.0.1\n".to_owned(),
            policy: None,
            settings: TlsPolicy {
                dane: true,
                mta_sts: true,
                ca_file: Some(authority.ca_file()),
            },
            authority,
        }
    }

    /// Adds lines to the zone.
    fn zone(mut self, lines: &str) -> World {
        self.zone += lines;
        self.zone.push('\n');
        self
    }

    /// Adds a TLSA record of the server's certificate, whole, in a signed zone.
    fn tlsa(self, certificate: &[u8]) -> World {
        let mut hex = String::new();
        for byte in certificate {
            write!(hex, "{byte:02x}").unwrap();
        }
        self.zone(&format!("{SIGNED}_25._tcp.{HOST} TLSA 3 0 0 {hex}"))
    }

    async fn sts(self, mode: &str, mx: &str) -> World {
        let web = self.authority.issue("mta-sts.example.net");
        let server = WebServer::start(web.acceptor).await;
        let page = Page {
            status: 200,
            media_type: "text/plain",
            content: Bytes::from(format!(
                "version: STSv1\nmode: {mode}\nmx: {mx}\nmax_age: 1000\n"
            )),
        };
        server.serve("/.well-known/mta-sts.txt", page);
        let mut world = self.zone("_mta-sts.example.net TXT \"v=STSv1; id=1\"");
        world.policy = Some(server);
        world
    }

    fn policies(&self) -> TlsPolicies {
        let (mut sts, _) = StsPolicies::open(self.authority.path().join("mta-sts"));
        if let Some(server) = &self.policy {
            sts.set_port(server.address.port());
        }
        TlsPolicies::new(
            self.settings.clone(),
            Resolver::zone(&self.zone).unwrap(),
            self.authority.roots(),
            Arc::new(sts),
        )
    }

    async fn of(&self, target: Target<'_>, demand: Demand) -> Result<HostSecurity, Refused> {
        self.policies().host_security(&target, demand).await
    }

    async fn basis(&self, target: Target<'_>) -> Basis {
        self.of(target, Demand::default()).await.unwrap().basis
    }

    /// Shakes hands with the server.
    async fn shake_hands(&self, security: &HostSecurity) -> Result<Proof, TlsFault> {
        let address = tls_server(self.issued.acceptor.clone()).await;
        let stream = TcpStream::connect(address).await.unwrap();
        let proven = security.connector.prove(&security.name, stream).await;
        proven
            .map(|(_, proof)| proof)
            .map_err(|error| TlsFault::of(&error))
    }
}

/// A server that MX records in a signed zone name.
fn target() -> Target<'static> {
    Target {
        domain: DOMAIN,
        host: HOST,
        canonical: HOST,
        port: PORT,
        by_mx: true,
        secure: true,
        ips_secure: true,
        tls: NexthopTls::Opportunistic,
        label: "mx mx.example.net:25",
    }
}

fn insecure() -> Target<'static> {
    Target {
        secure: false,
        ips_secure: false,
        ..target()
    }
}

const REQUIRE_TLS: Demand = Demand {
    require_tls: true,
    tls_optional: false,
};
const TLS_OPTIONAL: Demand = Demand {
    require_tls: false,
    tls_optional: true,
};

#[tokio::test]
async fn without_records_and_policies_tls_is_opportunistic() {
    let world = World::new();
    let security = world.of(target(), Demand::default()).await.unwrap();
    assert_eq!(security.basis, Basis::Opportunistic);
    assert_eq!(security.tls, NexthopTls::Opportunistic);
    assert_eq!(security.policy.kind, PolicyKind::NoPolicyFound);
    assert_eq!(world.shake_hands(&security).await, Ok(Proof::None));
}

#[tokio::test]
async fn records_in_a_signed_zone_hold() {
    let world = World::with(|authority| authority.issue_until("other.example.org", 2002));
    let certificate = world.issued.der.clone();
    let world = world.tlsa(&certificate);
    let security = world.of(target(), Demand::default()).await.unwrap();
    assert_eq!(
        (security.basis, security.tls),
        (Basis::Dane, NexthopTls::Require)
    );
    assert_eq!(security.policy.kind, PolicyKind::Tlsa);
    assert_eq!(security.policy.domain, "_25._tcp.mx.example.net");
    assert!(security.policy.strings[0].starts_with("3 0 0 30"));
    assert_eq!(world.shake_hands(&security).await, Ok(Proof::DaneEndEntity));
    // Who could have forged what led there is not held to it.
    assert_eq!(world.basis(insecure()).await, Basis::Opportunistic);
    for target in [
        Target {
            secure: false,
            ..target()
        },
        Target {
            ips_secure: false,
            ..target()
        },
        Target {
            port: 26,
            ..target()
        },
    ] {
        assert_eq!(
            world.basis(target).await,
            Basis::Opportunistic,
            "{target:?}"
        );
    }
    let off = Target {
        tls: NexthopTls::Off,
        ..target()
    };
    assert_eq!(world.basis(off).await, Basis::Off);
}

#[tokio::test]
async fn a_server_without_the_certificate_of_its_record_gets_nothing() {
    let other = Authority::new().issue(HOST);
    let world = World::new().tlsa(&other.der);
    let security = world.of(target(), Demand::default()).await.unwrap();
    assert_eq!(
        world.shake_hands(&security).await,
        Err(TlsFault::TlsaMismatch)
    );
}

#[tokio::test]
async fn records_in_a_zone_that_is_not_signed_are_nothing() {
    let world = World::new().zone(&format!("_25._tcp.{HOST} TLSA 3 1 1 {}", "00".repeat(32)));
    assert_eq!(world.basis(target()).await, Basis::Opportunistic);
}

#[tokio::test]
async fn records_that_cannot_be_used_want_tls_all_the_same() {
    let unusable = format!("{SIGNED}_25._tcp.{HOST} TLSA 1 1 1 {}", "00".repeat(32));
    let world = World::new().zone(&unusable);
    let security = world.of(target(), Demand::default()).await.unwrap();
    assert_eq!(security.basis, Basis::DaneUnusable);
    assert_eq!(security.tls, NexthopTls::Require);
    assert_eq!(security.flaw.as_ref().unwrap().0, ResultType::TlsaInvalid);
    assert_eq!(world.shake_hands(&security).await, Ok(Proof::None));
    let refused = world.of(target(), REQUIRE_TLS).await.unwrap_err();
    assert_eq!(refused.fault.status(), Status::REQUIRETLS_NEEDED);
    let require = Target {
        tls: NexthopTls::Require,
        ..target()
    };
    assert_eq!(world.basis(require).await, Basis::Verified);
}

#[tokio::test]
async fn records_that_cannot_be_known_keep_messages_back() {
    let world = World::new().zone(&format!("_25._tcp.{HOST} SERVFAIL"));
    let refused = world.of(target(), Demand::default()).await.unwrap_err();
    assert_eq!(refused.fault.status().to_string(), "4.4.3");
    assert_eq!(refused.noted.unwrap().1, ResultType::DnssecInvalid);
    // RFC 7672 section 2.2.2: where no record could count, none is asked for.
    assert_eq!(world.basis(insecure()).await, Basis::Opportunistic);
    let relaxed = world.of(target(), TLS_OPTIONAL).await.unwrap();
    assert_eq!(relaxed.basis, Basis::Opportunistic);
}

#[tokio::test]
async fn an_alias_has_the_records_of_what_it_stands_for_or_its_own() {
    let record = |name: &str| format!("{SIGNED}_25._tcp.{name} TLSA 3 1 1 {}", "00".repeat(32));
    let alias = Target {
        canonical: "real.example.net",
        ..target()
    };
    for (name, base) in [("real.example.net", "real.example.net"), (HOST, HOST)] {
        let world = World::new().zone(&record(name));
        let security = world.of(alias, Demand::default()).await.unwrap();
        assert_eq!(
            (security.basis, security.name.as_str()),
            (Basis::Dane, base)
        );
    }
    // What it stands for is not signed: its own name is, if the alias is.
    let outside = Target {
        ips_secure: false,
        canonical: "mx.example.org",
        ..target()
    };
    let world = World::new()
        .zone(&record(HOST))
        .zone("mx.example.net CNAME mx.example.org");
    let security = world.of(outside, Demand::default()).await.unwrap();
    assert_eq!(
        (security.basis, security.name.as_str()),
        (Basis::Dane, HOST)
    );
}

#[tokio::test]
async fn a_policy_in_force_holds() {
    let world = World::new().sts("enforce", "*.example.net").await;
    let security = world.of(insecure(), Demand::default()).await.unwrap();
    assert_eq!(
        (security.basis, security.tls),
        (Basis::Sts, NexthopTls::Require)
    );
    assert_eq!(security.policy.kind, PolicyKind::Sts);
    assert_eq!(security.policy.mx_hosts, ["*.example.net"]);
    assert_eq!(world.shake_hands(&security).await, Ok(Proof::Ca));
    let refused = Target {
        host: "mx.example.org",
        canonical: "mx.example.org",
        ..insecure()
    };
    let refused = world.of(refused, Demand::default()).await.unwrap_err();
    assert_eq!(refused.fault.status().to_string(), "4.7.0");
    assert_eq!(
        refused.fault.what_happened().to_string(),
        "STARTTLS: TLS: the MTA-STS policy of example.net does not name the server mx.example.org"
    );
    let relaxed = world.of(insecure(), TLS_OPTIONAL).await.unwrap();
    assert_eq!(relaxed.basis, Basis::Opportunistic);
}

#[tokio::test]
async fn a_policy_in_force_wants_the_right_certificate() {
    for (issue, fault) in [
        (
            |it: &Authority| it.issue_until(HOST, 2002),
            TlsFault::Expired,
        ),
        (
            |it: &Authority| it.issue("other.example.net"),
            TlsFault::HostMismatch,
        ),
        (
            |_: &Authority| Authority::new().issue(HOST),
            TlsFault::NotTrusted,
        ),
    ] as [(fn(&Authority) -> Issued, TlsFault); 3]
    {
        let world = World::with(issue).sts("enforce", HOST).await;
        let security = world.of(insecure(), Demand::default()).await.unwrap();
        assert_eq!(world.shake_hands(&security).await, Err(fault));
        let world = World::with(issue).sts("testing", HOST).await;
        let security = world.of(insecure(), Demand::default()).await.unwrap();
        let proof = world.shake_hands(&security).await;
        assert_eq!(proof, Ok(Proof::Observed(Some(fault))));
    }
}

#[tokio::test]
async fn a_policy_that_is_tested_keeps_nothing_back() {
    let world = World::new().sts("testing", "mx.example.org").await;
    let security = world.of(insecure(), Demand::default()).await.unwrap();
    assert_eq!(security.basis, Basis::StsTesting);
    assert_eq!(security.tls, NexthopTls::Opportunistic);
    assert_eq!(
        security.flaw.as_ref().unwrap().0,
        ResultType::ValidationFailure
    );
    // It proves nothing either.
    let refused = world.of(insecure(), REQUIRE_TLS).await.unwrap_err();
    assert_eq!(refused.fault.status(), Status::REQUIRETLS_NEEDED);
}

#[tokio::test]
async fn records_come_before_policies() {
    let world = World::new().sts("enforce", "mx.example.org").await;
    let certificate = world.issued.der.clone();
    let world = world.tlsa(&certificate);
    assert_eq!(world.basis(target()).await, Basis::Dane);
}

#[tokio::test]
async fn a_policy_that_cannot_be_had_is_told() {
    let world = World::new().zone("_mta-sts.example.net TXT \"v=STSv1; id=1\"");
    let world = World {
        policy: Some(WebServer::start(world.authority.issue("www.example.net").acceptor).await),
        ..world
    };
    let security = world.of(insecure(), Demand::default()).await.unwrap();
    assert_eq!(security.basis, Basis::Opportunistic);
    assert_eq!(
        security.flaw.as_ref().unwrap().0,
        ResultType::StsWebpkiInvalid
    );
    assert_eq!(security.policy.kind, PolicyKind::Sts);
}

#[tokio::test]
async fn what_is_switched_off_is_not_asked_for() {
    let mut world = World::new()
        .sts("enforce", "mx.example.org")
        .await
        .zone(&format!("_25._tcp.{HOST} SERVFAIL"));
    world.settings.dane = false;
    world.settings.mta_sts = false;
    assert_eq!(world.basis(target()).await, Basis::Opportunistic);
}

#[tokio::test]
async fn a_route_may_want_records_or_certificates_of_its_nexthop() {
    let nexthop = |tls| Target {
        by_mx: false,
        secure: false,
        tls,
        ..target()
    };
    let world = World::new();
    assert_eq!(
        world.basis(nexthop(NexthopTls::Dane)).await,
        Basis::Opportunistic
    );
    let only = world.of(nexthop(NexthopTls::DaneOnly), TLS_OPTIONAL).await;
    let only = only.unwrap_err();
    assert_eq!(only.fault.status().to_string(), "4.7.0");
    assert_eq!(only.noted.unwrap().1, ResultType::DaneRequired);
    let require = world
        .of(nexthop(NexthopTls::Require), TLS_OPTIONAL)
        .await
        .unwrap();
    assert_eq!(world.shake_hands(&require).await, Ok(Proof::Ca));
    let certificate = world.issued.der.clone();
    let world = world.tlsa(&certificate);
    for tls in [NexthopTls::Dane, NexthopTls::DaneOnly] {
        assert_eq!(world.basis(nexthop(tls)).await, Basis::Dane);
    }
    // Of a nexthop that the operator chose, records are asked for where the route says so.
    assert_eq!(
        world.basis(nexthop(NexthopTls::Opportunistic)).await,
        Basis::Opportunistic
    );
}

#[tokio::test]
async fn requiretls_goes_to_servers_that_prove_themselves() {
    let world = World::new();
    let security = world.of(target(), REQUIRE_TLS).await.unwrap();
    assert_eq!(
        (security.basis, security.tls),
        (Basis::Verified, NexthopTls::Require)
    );
    assert_eq!(world.shake_hands(&security).await, Ok(Proof::Ca));
    let both = Demand {
        tls_optional: true,
        ..REQUIRE_TLS
    };
    for (target, demand) in [
        (insecure(), REQUIRE_TLS),
        (insecure(), both),
        (
            Target {
                tls: NexthopTls::Off,
                ..target()
            },
            REQUIRE_TLS,
        ),
    ] {
        let refused = world.of(target, demand).await.unwrap_err();
        assert_eq!(refused.fault.status().class, Class::Permanent);
    }
    let world = world.sts("enforce", HOST).await;
    assert_eq!(
        world.of(insecure(), REQUIRE_TLS).await.unwrap().basis,
        Basis::Sts
    );
}

#[tokio::test]
async fn results_are_noted() {
    let world = World::new().sts("testing", "mx.example.org").await;
    let security = world.of(insecure(), Demand::default()).await.unwrap();
    let reports = TlsReports::new(Some(world.authority.path().join("reports")));
    reports.switch(true).unwrap();
    let attempt = Attempt {
        domain: DOMAIN,
        host: HOST,
        ip: None,
        local_ip: None,
    };
    security.note(&reports, &attempt, Ok((Proof::Observed(None), true)));
    let closed = Fault::new("mx", Step::Connect, Cause::Closed);
    security.note(&reports, &attempt, Err(&closed));
    reports.save().unwrap();
    let file = std::fs::read_dir(world.authority.path().join("reports")).unwrap();
    let text = std::fs::read_to_string(file.last().unwrap().unwrap().path()).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(
        text.contains("\"validation-failure\"") && text.contains("\"count\":1"),
        "{text}"
    );
}

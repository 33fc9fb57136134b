//! Which connections serve whom, with real ones on loopback.

use std::fmt::Write as _;

use net::resolver::Resolver;
use queue::LaneKey;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::config::{Config, TlsPolicy};
use crate::context::Services;
use crate::deliver::dial::dial;
use crate::deliver::double::{Authority, Page, WebServer};
use crate::deliver::plan::plan;
use crate::deliver::security::TlsPolicies;
use crate::deliver::sts::StsPolicies;

const HOST: &str = "mx.example.net";

/// Two domains on one server that shows a certificate of its own making; the first has a policy, and a CA is trusted that did not issue
/// the server's.
struct World {
    cx: Context,
    _web: Option<WebServer>,
    _authority: Authority,
}

impl World {
    /// `is_trusted`: the server's certificate is one of the CA. `tlsa`: the server has a TLSA record of it.
    async fn new(is_trusted: bool, has_tlsa: bool) -> World {
        let (authority, other) = (Authority::new(), Authority::new());
        let issued = match is_trusted {
            true => authority.issue(HOST),
            false => other.issue(HOST),
        };
        let port = server(issued.acceptor.clone()).await;
        let mut zone = format!(
            "one.example MX 10 {HOST}\ntwo.example MX 10 {HOST}\nfixed.example A 192.0.2.1\n{HOST} A 127.0.0.1\n\
             mta-sts.one.example A 127.0.0.1\n_mta-sts.one.example TXT \"v=STSv1; id=1\"\n"
        );
        if has_tlsa {
            zone += "one.example SECURE\nexample.net SECURE\n";
            write!(zone, "_{port}._tcp.{HOST} TLSA 3 0 0 ").unwrap();
            for byte in &issued.der {
                write!(zone, "{byte:02x}").unwrap();
            }
            zone.push('\n');
        }
        let text = format!(
            "[node]\nname = \"mx.gate.example\"\n[delivery]\nloopback = true\n[[listener]]\nname = \"in\"\nbind = [\"127.0.0.1:2525\"]\n\
             [[destination]]\nmatch = [\"clear.example\"]\ntls = \"off\"\n\
             [[route]]\ndomains = [\"one.example\", \"two.example\", \"clear.example\"]\nnexthop = [\"mx:{port}\"]\n\
             [[route]]\ndomains = [\"fixed.example\"]\nnexthop = [\"smtp:127.0.0.1:{port}\"]\n"
        );
        zone += &format!("clear.example MX 10 {HOST}\n");
        let config = Config::parse("gatepost.toml", &text).unwrap();
        let services = Services::unwritten(&config).unwrap();
        let mut cx = Context::new(config, services, None).unwrap();
        cx.resolver = Resolver::zone(&zone).unwrap();
        let web = WebServer::start(authority.issue("mta-sts.one.example").acceptor).await;
        let policy = format!("version: STSv1\nmode: enforce\nmx: {HOST}\nmax_age: 1000\n");
        web.serve(
            "/.well-known/mta-sts.txt",
            Page {
                status: 200,
                media_type: "text/plain",
                content: policy.into(),
            },
        );
        let (mut sts, _) = StsPolicies::open(authority.path().join("mta-sts"));
        sts.set_port(web.address.port());
        let settings = TlsPolicy {
            dane: true,
            mta_sts: true,
            ca_file: Some(authority.ca_file()),
        };
        let policies = TlsPolicies::new(
            settings,
            cx.resolver.clone(),
            authority.roots(),
            Arc::new(sts),
        );
        cx.dialling.tls_policies = Arc::new(policies);
        World {
            cx,
            _web: Some(web),
            _authority: authority,
        }
    }

    async fn plan(&self, domain: &str) -> Plan {
        let lane = LaneKey {
            customer: Arc::from(""),
            domain: Arc::from(domain),
            nexthop: None,
        };
        plan(&self.cx, &lane).await.unwrap()
    }

    async fn dial(&self, plan: &Plan, demand: Demand) -> Result<Connection, Fault> {
        dial(&self.cx, plan, demand).await
    }
}

/// A server that offers STARTTLS, and keeps its connections.
async fn server(acceptor: net::tls::Acceptor) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            held.push(tokio::spawn(async move { serve(stream, &acceptor).await }));
        }
    });
    port
}

async fn serve(stream: TcpStream, acceptor: &net::tls::Acceptor) -> Option<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 mx\r\n").await.ok()?;
    let mut line = String::new();
    stream.read_line(&mut line).await.ok()?;
    stream.write_all(b"250-mx\r\n250 STARTTLS\r\n").await.ok()?;
    line.clear();
    stream.read_line(&mut line).await.ok()?;
    if !line.starts_with("STARTTLS") {
        return std::future::pending().await;
    }
    stream.write_all(b"220 go\r\n").await.ok()?;
    let stream = net::tls::accept(stream.into_inner(), acceptor).await.ok()?;
    let mut stream = BufReader::new(stream);
    line.clear();
    stream.read_line(&mut line).await.ok()?;
    stream.write_all(b"250 mx\r\n").await.ok()?;
    std::future::pending().await
}

const RELAXED: Demand = Demand {
    require_tls: false,
    tls_optional: true,
};
const STRICT: Demand = Demand {
    require_tls: true,
    tls_optional: false,
};

#[tokio::test]
async fn what_one_domain_puts_up_with_does_not_serve_another_with_a_policy() {
    let world = World::new(false, false).await;
    let (one, two) = (
        world.plan("one.example").await,
        world.plan("two.example").await,
    );
    assert_eq!(one.site, two.site, "they share connections");
    let unproven = world.dial(&two, Demand::default()).await.unwrap();
    assert!(unproven.is_tls());
    assert!(fits(&world.cx, &two, &unproven, Demand::default()).await);
    assert!(!fits(&world.cx, &one, &unproven, Demand::default()).await);
    // RFC 8689 3: whoever asks for delivery above all gets it.
    assert!(fits(&world.cx, &one, &unproven, RELAXED).await);
    assert!(!fits(&world.cx, &two, &unproven, STRICT).await);
    // A new connection for the first domain would not be made, which is that domain's affair and nobody else's.
    let fault = world.dial(&one, Demand::default()).await.err().unwrap();
    assert!(is_own(&one, Demand::default(), &fault), "{fault}");
    assert!(world.dial(&one, RELAXED).await.is_ok());
}

#[tokio::test]
async fn what_has_proven_enough_serves_both() {
    let world = World::new(true, false).await;
    let (one, two) = (
        world.plan("one.example").await,
        world.plan("two.example").await,
    );
    let proven = world.dial(&one, Demand::default()).await.unwrap();
    assert!(fits(&world.cx, &one, &proven, Demand::default()).await);
    assert!(fits(&world.cx, &two, &proven, Demand::default()).await);
    assert!(fits(&world.cx, &one, &proven, STRICT).await);
}

#[tokio::test]
async fn records_of_a_signed_domain_hold_for_connections_that_are_there() {
    let world = World::new(false, true).await;
    let (one, two) = (
        world.plan("one.example").await,
        world.plan("two.example").await,
    );
    assert_eq!(one.site, two.site);
    let unproven = world.dial(&two, Demand::default()).await.unwrap();
    assert!(!fits(&world.cx, &one, &unproven, Demand::default()).await);
    let by_record = world.dial(&one, Demand::default()).await.unwrap();
    assert!(fits(&world.cx, &one, &by_record, Demand::default()).await);
    assert!(fits(&world.cx, &two, &by_record, Demand::default()).await);
}

#[tokio::test]
async fn a_destination_has_its_own_tls_and_shares_no_connections() {
    let world = World::new(true, false).await;
    let (clear, two) = (
        world.plan("clear.example").await,
        world.plan("two.example").await,
    );
    assert_eq!(
        (clear.tls, two.tls),
        (NexthopTls::Off, NexthopTls::Opportunistic)
    );
    assert_eq!(&*clear.site, format!("{} tls=off", two.site));
    let connection = world.dial(&clear, Demand::default()).await.unwrap();
    assert!(!connection.is_tls());
    let fault = world.dial(&clear, STRICT).await.err().unwrap();
    assert_eq!(fault.status().to_string(), "5.7.30");
}

#[tokio::test]
async fn configured_servers_serve_all_who_share_the_route_but_not_after_a_reload_of_names() {
    let mut world = World::new(false, false).await;
    let fixed = world.plan("fixed.example").await;
    let connection = world.dial(&fixed, Demand::default()).await.unwrap();
    assert!(fits(&world.cx, &fixed, &connection, Demand::default()).await);
    // A server of another name, whoever it is.
    let two = world.plan("two.example").await;
    assert!(!fits(&world.cx, &two, &connection, Demand::default()).await);
    assert!(!is_own(
        &fixed,
        Demand::default(),
        &Fault::new(
            "",
            crate::deliver::fault::Step::Tls,
            crate::deliver::fault::Cause::NoStartTls
        )
    ));
    world.cx.dialling.source.ehlo_name = "renamed.gate.example".to_owned();
    assert!(!fits(&world.cx, &fixed, &connection, Demand::default()).await);
}

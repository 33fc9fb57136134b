//! DANE (RFC 7672) with a signed zone, a validating name server and real TLS servers: whom the TLSA records prove gets the
//! message, whom they do not prove gets none, and where nothing is proven delivery is opportunistic.

use crate::support::authority::{Authority, Issued};
use crate::support::dns::{Dns, Zones};
use crate::support::gateway::{Gateway, Setup};
use crate::support::message;
use crate::support::sink::{Manner, Sink};

const RETRY: &str = "retry_min = \"1s\"\nretry_max = \"2s\"\n";

fn gateway(dns: &Dns) -> Gateway {
    Setup::new()
        .node("trusted_networks = [\"127.0.0.0/8\"]")
        .nameserver(dns.address())
        .route_for("*", "mx", RETRY)
        .start()
}

/// A server for mx.dane.example, its zone with these TLSA data, and a gateway that asks for it.
struct Proven {
    gateway: Gateway,
    sink: Sink,
    _dns: Dns,
}

impl Proven {
    fn start(manner: Manner, tlsa: &[String]) -> Proven {
        let sink = manner.start_as_host();
        let mut records = format!("@ IN MX 10 mx\nmx IN A {}\n", sink.ip());
        for data in tlsa {
            records.push_str(&format!("_25._tcp.mx IN TLSA {data}\n"));
        }
        let dns = Zones::new().signed("dane.example", &records).start();
        let gateway = gateway(&dns);
        gateway.submit(&["bob@dane.example"], &message("DANE"));
        Proven {
            gateway,
            sink,
            _dns: dns,
        }
    }

    /// It arrives, encrypted or not.
    #[track_caller]
    fn arrives(&self, is_encrypted: bool) {
        self.gateway.attempt("bob@dane.example", "delivered");
        assert_eq!(self.sink.one().is_encrypted, is_encrypted);
    }

    /// It does not arrive, and this is why.
    #[track_caller]
    fn waits(&self, status: &str) {
        let detail = self.gateway.unreachable("mx.dane.example");
        assert!(detail.starts_with(status), "{detail}");
        assert_eq!(self.sink.received(), []);
        // Not even the envelope was shown to a server that proved nothing.
        assert_eq!(self.sink.count("MAIL"), 0, "{:?}", self.sink.commands());
    }
}

fn usual(issued: &Issued) -> Manner {
    Manner::smtp().tls(issued)
}

#[test]
fn the_key_that_the_zone_names_is_enough() {
    // RFC 7672 3.1.1: with DANE-EE neither name, nor date, nor issuer count.
    let wrong_name = Issued::by_itself(&["other.example"]);
    Proven::start(usual(&wrong_name), &[wrong_name.tlsa()]).arrives(true);
    let expired = Authority::new().issue_expired(&["other.example"]);
    Proven::start(usual(&expired), &[expired.tlsa_of_certificate()]).arrives(true);
}

#[test]
fn one_match_of_several_is_enough() {
    let (now, next) = (
        Issued::by_itself(&["mx.dane.example"]),
        Issued::by_itself(&["mx.dane.example"]),
    );
    Proven::start(usual(&now), &[next.tlsa(), now.tlsa()]).arrives(true);
}

#[test]
fn an_authority_that_the_zone_names_vouches_for_the_name() {
    let authority = Authority::new();
    let right = authority.issue(&["mx.dane.example"]);
    Proven::start(usual(&right), &[authority.tlsa()]).arrives(true);
    // RFC 7672 3.1.2: with DANE-TA names and dates count.
    let wrong_name = authority.issue(&["other.example"]);
    Proven::start(usual(&wrong_name), &[authority.tlsa()]).waits("4.7.5");
    let expired = authority.issue_expired(&["mx.dane.example"]);
    Proven::start(usual(&expired), &[authority.tlsa()]).waits("4.7.5");
}

#[test]
fn a_key_that_the_zone_does_not_name_gets_nothing() {
    let (shown, named) = (
        Issued::by_itself(&["mx.dane.example"]),
        Issued::by_itself(&["mx.dane.example"]),
    );
    Proven::start(usual(&shown), &[named.tlsa()]).waits("4.7.5");
}

#[test]
fn a_server_without_starttls_gets_nothing_where_the_zone_has_tlsa() {
    let named = Issued::by_itself(&["mx.dane.example"]);
    Proven::start(Manner::smtp(), &[named.tlsa()]).waits("4.7.5");
}

#[test]
fn records_of_no_use_still_demand_encryption() {
    // RFC 7672 2.1.1 and 3.1.3: usages 0 and 1 are unusable; then TLS is mandatory and nobody is verified.
    let shown = Issued::by_itself(&["other.example"]);
    let unusable = shown.tlsa().replacen("3 1 1", "1 1 1", 1);
    Proven::start(usual(&shown), std::slice::from_ref(&unusable)).arrives(true);
    Proven::start(Manner::smtp(), &[unusable]).waits("4.7.5");
}

#[test]
fn without_tlsa_delivery_is_opportunistic() {
    let shown = Issued::by_itself(&["other.example"]);
    Proven::start(usual(&shown), &[]).arrives(true);
    Proven::start(Manner::smtp(), &[]).arrives(false);
}

#[test]
fn what_an_unsigned_zone_says_of_keys_does_not_count() {
    let (shown, named) = (
        Issued::by_itself(&["mx.plain.example"]),
        Issued::by_itself(&["mx.plain.example"]),
    );
    let sink = usual(&shown).start_as_host();
    let records = format!(
        "@ IN MX 10 mx\nmx IN A {}\n_25._tcp.mx IN TLSA {}",
        sink.ip(),
        named.tlsa()
    );
    let dns = Zones::new().unsigned("plain.example", &records).start();
    let gateway = gateway(&dns);
    gateway.submit(&["bob@plain.example"], &message("unsigned"));
    assert!(sink.one().is_encrypted);
}

#[test]
fn a_host_in_an_unsigned_zone_is_not_proven_by_the_domains_signature() {
    // RFC 7672 2.2.1 and 2.2.2: DANE needs the MX record and the host's address in signed zones.
    let (shown, named) = (
        Issued::by_itself(&["mx.plain.example"]),
        Issued::by_itself(&["mx.plain.example"]),
    );
    let sink = usual(&shown).start_as_host();
    let records = format!(
        "mx IN A {}\n_25._tcp.mx IN TLSA {}",
        sink.ip(),
        named.tlsa()
    );
    let dns = Zones::new()
        .signed("signed.example", "@ IN MX 10 mx.plain.example.")
        .unsigned("plain.example", &records)
        .start();
    let gateway = gateway(&dns);
    gateway.submit(&["bob@signed.example"], &message("half signed"));
    assert!(sink.one().is_encrypted);
}

#[test]
fn signatures_that_do_not_fit_stop_delivery() {
    let shown = Issued::by_itself(&["mx.bogus.example"]);
    let sink = usual(&shown).start_as_host();
    let records = format!(
        "mx IN A {}\n_25._tcp.mx IN TLSA {}",
        sink.ip(),
        shown.tlsa()
    );
    let dns = Zones::new()
        .signed("both.example", "@ IN MX 10 mx.bogus.example.")
        .bogus("bogus.example", &records)
        .start();
    let gateway = gateway(&dns);
    gateway.submit(&["bob@both.example"], &message("bogus"));
    let detail = gateway.unreachable("both.example");
    assert!(
        detail.starts_with("4.4.3") || detail.starts_with("4.7.5"),
        "{detail}"
    );
    assert_eq!(sink.connections(), 0);
}

#[test]
fn a_host_that_proves_itself_follows_one_that_does_not() {
    let (right, shown, named) = (
        Issued::by_itself(&["b.dane.example"]),
        Issued::by_itself(&["a.dane.example"]),
        Issued::by_itself(&["a.dane.example"]),
    );
    let (first, second) = (usual(&shown).start_as_host(), usual(&right).start_as_host());
    let records = format!(
        "@ IN MX 10 a\n@ IN MX 20 b\na IN A {}\nb IN A {}\n_25._tcp.a IN TLSA {}\n_25._tcp.b IN TLSA {}",
        first.ip(),
        second.ip(),
        named.tlsa(),
        right.tlsa()
    );
    let dns = Zones::new().signed("dane.example", &records).start();
    let gateway = gateway(&dns);
    gateway.submit(&["bob@dane.example"], &message("the second"));
    assert!(second.one().is_encrypted);
    assert_eq!(first.count("MAIL"), 0);
}

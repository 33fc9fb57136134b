//! TLS towards a configured nexthop while the client waits, against real TLS servers: with `require` only a certificate for its
//! name is good enough, with `dane` what its zone says, and `opportunistic` takes what it can get.

use crate::support::authority::{Authority, Issued};
use crate::support::client::{Client, Reply};
use crate::support::dns::{Dns, Zones};
use crate::support::gateway::{Gateway, Setup};
use crate::support::message;
use crate::support::sink::{Act, Manner, Sink, Step};

/// Servers by name in a signed zone, each the nexthop of a domain of its own for each kind of `nexthop_tls`.
struct Servers {
    sinks: Vec<(&'static str, Sink)>,
    gateway: Gateway,
    _dns: Dns,
    _folder: tempfile::TempDir,
}

const KINDS: [&str; 3] = ["opportunistic", "require", "dane"];

impl Servers {
    fn start(
        authority: &Authority,
        servers: Vec<(&'static str, Manner, Option<String>)>,
    ) -> Servers {
        let folder = tempfile::tempdir().unwrap();
        let ca_file = authority.file(folder.path());
        let (mut records, mut sinks) = (String::new(), Vec::new());
        let mut setup = Setup::new().more(&format!(
            "[tls_policy]\nca_file = \"{}\"",
            ca_file.display()
        ));
        for (name, manner, tlsa) in servers {
            let sink = manner.start_as_host();
            records.push_str(&format!("{name} IN A {}\n", sink.ip()));
            if let Some(data) = tlsa {
                records.push_str(&format!("_25._tcp.{name} IN TLSA {data}\n"));
            }
            for kind in KINDS {
                setup = setup.route_for(
                    &format!("{kind}.{name}.example"),
                    &format!("smtp:{name}.nexthop.example:25"),
                    &format!(
                        "nexthop_tls = \"{kind}\"\nnexthop_timeouts = {{ banner = \"3s\", command = \"3s\" }}"
                    ),
                );
            }
            sinks.push((name, sink));
        }
        let dns = Zones::new().signed("nexthop.example", &records).start();
        Servers {
            gateway: setup.nameserver(dns.address()).start(),
            sinks,
            _dns: dns,
            _folder: folder,
        }
    }

    fn sink(&self, name: &str) -> &Sink {
        &self.sinks.iter().find(|(it, _)| *it == name).unwrap().1
    }

    fn hand_in(&self, kind: &str, name: &str) -> Reply {
        let mut client = Client::greet(self.gateway.address());
        client
            .command("MAIL FROM:<ann@example.net>")
            .expect_code(250);
        let reply = client.command(&format!("RCPT TO:<bob@{kind}.{name}.example>"));
        let reply = if reply.code == 250 {
            client.data(&message(name))
        } else {
            reply
        };
        client.quit();
        reply
    }

    /// The message arrives, encrypted or not.
    #[track_caller]
    fn takes(&self, kind: &str, name: &str, is_encrypted: bool) {
        let reply = self.hand_in(kind, name);
        assert_eq!(reply.code, 250, "{kind} {name}: {reply:?}");
        let received = self.sink(name).take().pop().unwrap();
        assert_eq!(received.is_encrypted, is_encrypted, "{kind} {name}");
    }

    /// The client is told to try later, and the server sees not even the envelope.
    #[track_caller]
    fn is_spared(&self, kind: &str, name: &str) {
        let before = self.sink(name).count("MAIL");
        let reply = self.hand_in(kind, name);
        assert_eq!(reply.code, 451, "{kind} {name}: {reply:?}");
        assert_eq!(self.sink(name).count("MAIL"), before, "{kind} {name}");
        assert_eq!(self.sink(name).received(), []);
    }
}

#[test]
fn certificates() {
    let authority = Authority::new();
    let right = authority.issue(&["right.nexthop.example"]);
    let expired = authority.issue_expired(&["expired.nexthop.example"]);
    let other = authority.issue(&["somebody.example"]);
    let alone = Issued::by_itself(&["alone.nexthop.example"]);
    let named = alone.tlsa();
    let mismatch = authority.issue(&["mismatch.nexthop.example"]);
    let manner = |issued| Manner::smtp().tls(issued);
    let servers = Servers::start(
        &authority,
        vec![
            ("right", manner(&right), None),
            ("expired", manner(&expired), Some(expired.tlsa())),
            ("other", manner(&other), None),
            ("alone", manner(&alone), Some(alone.tlsa())),
            ("mismatch", manner(&mismatch), Some(named)),
            ("clear", Manner::smtp(), None),
        ],
    );
    for name in ["right", "expired", "other", "alone", "mismatch"] {
        servers.takes("opportunistic", name, true);
    }
    servers.takes("opportunistic", "clear", false);
    servers.takes("require", "right", true);
    servers.takes("require", "mismatch", true);
    for name in ["expired", "other", "alone", "clear"] {
        servers.is_spared("require", name);
    }
    // RFC 7672 3.1.1: the key counts, and neither date nor name. Without TLSA records it is as opportunistic as before.
    for name in ["right", "other", "expired", "alone"] {
        servers.takes("dane", name, true);
    }
    servers.takes("dane", "clear", false);
    servers.is_spared("dane", "mismatch");
}

#[test]
fn servers_that_cannot_do_what_they_offer() {
    let authority = Authority::new();
    let issued = authority.issue(&["any.nexthop.example"]);
    let broken = |act| Manner::smtp().tls(&issued).at(Step::StartTls, act);
    let servers = Servers::start(
        &authority,
        vec![
            (
                "refuses",
                broken(Act::Say("454 4.7.0 TLS not available")),
                None,
            ),
            ("silent", broken(Act::Hang), None),
            ("leaves", broken(Act::Close), None),
            (
                "babbles",
                broken(Act::Bytes(
                    b"220 2.0.0 go ahead\r\nthis is no handshake\r\n".to_vec(),
                )),
                None,
            ),
        ],
    );
    for name in ["refuses", "silent", "leaves", "babbles"] {
        servers.is_spared("require", name);
    }
    // RFC 7435: where nothing is required, no TLS is better than no message.
    servers.takes("opportunistic", "refuses", false);
    for name in ["silent", "leaves", "babbles"] {
        let reply = servers.hand_in("opportunistic", name);
        assert!([250, 451].contains(&reply.code), "{name}: {reply:?}");
    }
}

#[test]
fn a_destination_says_what_tls_its_messages_need_while_the_client_waits() {
    // The server offers no TLS at all.
    let sink = Sink::smtp();
    let gateway = Setup::new()
        .route_for("*.two.example", sink.nexthop(), "")
        .more("[[destination]]\nmatch = [\"strict.two.example\"]\ntls = \"require\"")
        .start();
    // Not over the connection of another domain of the route either.
    let mut client = Client::envelope(gateway.address(), &["bob@easy.two.example"]);
    let reply = client.command("RCPT TO:<bob@strict.two.example>");
    assert_eq!(reply.code / 100, 4, "{reply:?}");
    client.data(&message("easy")).expect_code(250);
    client.quit();
    let mut client = Client::greet(gateway.address());
    client
        .command("MAIL FROM:<ann@example.net>")
        .expect_code(250);
    let reply = client.command("RCPT TO:<bob@strict.two.example>");
    client.quit();
    assert_eq!(reply.code / 100, 4, "{reply:?}");
    assert_eq!(sink.count("RCPT TO:<bob@strict"), 0);
}
